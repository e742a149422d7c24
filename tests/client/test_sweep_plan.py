"""The jobs of a sweep, planned: labels and names that tell the share, configs that are twins."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit import SiftConfig
from sift_toolkit.client._limits import JOB_NAME_PREFIX
from sift_toolkit.client._sweep_plan import PlannedJob, plan_sweep


def test_a_plan() -> None:
    """The twin comes first; the others differ from the config in their share alone."""
    config = SiftConfig(beta_value=1, seed=3, log_every=5)
    planned, problems = plan_sweep(config, [0.3, 0.125], twin=True)
    assert problems == []
    assert planned == [
        PlannedJob("plain", "plain", config.plain_twin()),
        PlannedJob("keep=0.3", "keep-30", SiftConfig(keep=0.3, seed=3, log_every=5)),
        PlannedJob("keep=0.125", "keep-12p5", SiftConfig(keep=0.125, seed=3, log_every=5)),
    ]
    assert [job.label for job in plan_sweep(config, (0.3,), twin=False)[0]] == ["keep=0.3"]


def test_a_plan_of_nothing_but_shares() -> None:
    """Without a config the jobs have the defaults."""
    planned, _ = plan_sweep(None, [0.3, 1], twin=True)
    assert [job.config for job in planned[1:]] == [SiftConfig(keep=0.3), SiftConfig(keep=1)]
    assert not planned[0].config.enabled


def test_a_plan_from_the_twin() -> None:
    """A sweep may start from the plain twin: its jobs sift all the same."""
    planned, _ = plan_sweep(SiftConfig(keep=0.5).plain_twin(), [0.3], twin=True)
    assert [job.config.enabled for job in planned] == [False, True]


@pytest.mark.parametrize(
    ("shares", "problem"),
    [
        ([], "must be a list of shares"),
        ("0.5", "must be a list of shares"),
        (0.5, "must be a list of shares"),
        ([0], "shares holds 0: keep must be a number above 0 to 1"),
        ([50], "shares holds 50: keep must be a number above 0 to 1"),
        (["half"], "shares holds 'half': keep must be"),
        ([None], "shares holds None: keep or beta_value is required"),
        ([0.5, 0.5], "holds 2 times what makes 'keep-50'"),
        ([0.3], "shares holds 0.3: keep_end=0.4 must not be above"),
    ],
)
def test_what_is_refused(shares: Any, problem: str) -> None:
    """Whatever is no share, or none for this config, is named."""
    (only,) = plan_sweep(SiftConfig(keep=0.5, keep_end=0.4), shares, twin=True)[1]
    assert problem in only


def test_all_problems_at_once() -> None:
    """Every share that cannot be is named."""
    assert len(plan_sweep(None, [0, 0.5, 2, 0.5], twin=True)[1]) == 3


@given(st.lists(st.floats(1e-6, 1), min_size=1, unique_by=lambda share: f"{100 * share:.10g}"))
def test_every_name_is_one(shares: list[float]) -> None:
    """All shares that can be told apart get a label and a word of their own, fit for a name."""
    planned, problems = plan_sweep(None, shares, twin=True)
    assert problems == []
    for names in ({job.label for job in planned}, {job.word for job in planned}):
        assert len(names) == len(shares) + 1
    assert all(JOB_NAME_PREFIX.fullmatch(job.word) for job in planned)
