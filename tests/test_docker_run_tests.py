"""What `make docker-test` ends with: its tests are run once for each SDK."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Worst = Callable[[Sequence[int]], int]


@pytest.fixture
def worst(monkeypatch: pytest.MonkeyPatch) -> Worst:
    """The function of a script that is no part of the package."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "docker")
    found: Worst = importlib.import_module("run_tests").worst
    return found


@pytest.mark.parametrize(
    ("codes", "status"),
    [
        ([0, 0], 0),
        ([0, 1], 1),
        ([2, 0], 2),
        # Killed, as for want of memory: below 0 to `subprocess`, and no success.
        ([0, -9], 137),
        ([-9, 1], 137),
        # `-k two_hosts` chooses tests of one SDK only.
        ([0, 5], 0),
        ([5, 1], 1),
        ([5, 5], 5),
    ],
)
def test_no_failure_is_hidden(worst: Worst, codes: list[int], status: int) -> None:
    """The worst of all runs counts, and none that was left out."""
    assert worst(codes) == status
