"""Which engine a loader gets, and whether its schedule can be followed."""

from __future__ import annotations

from typing import Any

import pytest

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftConfigError
from sift_toolkit.sifting._build import check_schedule, choose_engine, crowded_quota
from sift_toolkit.sifting._schedule import EpochShape
from sift_toolkit.sifting._wiring import Extent


@pytest.mark.parametrize("fields", [{"keep": 1.0}, {"keep": 0.5, "enabled": False}])
def test_where_nothing_is_sifted_nothing_is_remembered(toy: Any, fields: Any) -> None:
    """Also if a memory is asked for that cannot be had: the plain twin runs everywhere."""
    config = SiftConfig(scores="memory", **fields)
    assert choose_engine(config, [1, 2], None).name == "fresh"
    assert choose_engine(config, toy.loader(), 3).name == "fresh"


def test_all_fields_that_cannot_be_followed_are_named(toy: Any) -> None:
    """At once, each with what is missing."""
    config = SiftConfig(keep=0.5, keep_end=0.2, anneal=0.1)
    with pytest.raises(SiftConfigError) as caught:
        check_schedule(config, Extent(None, None))
    assert caught.value.problems == ("keep_end needs `epochs`", "anneal needs `epochs`")
    check_schedule(config, Extent(EpochShape(rows=100, batch_size=10, drop_last=False), 3))
    check_schedule(SiftConfig(keep=0.5), Extent(None, None))


@pytest.mark.parametrize(
    ("fields", "is_crowded"),
    [
        ({"keep": 0.5}, False),
        ({"keep": 0.1}, True),
        ({"keep": 0.1, "selection": "bernoulli"}, True),
        ({"keep": 0.5, "keep_end": 0.1}, True),
        ({"keep": 0.1, "rescore_every": 20}, False),
        ({"keep": 0.5, "rescore_every": 1}, True),
        ({"keep": 0.001, "rescore_every": 256}, False),
    ],
)
def test_a_quota_that_rescoring_would_fill_is_told(fields: Any, is_crowded: bool) -> None:
    """Be it drawn by coins; never, where no visits are counted."""
    assert (crowded_quota(SiftConfig(**fields)) is not None) == is_crowded
