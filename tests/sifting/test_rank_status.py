"""Why a rank that is waited for does not come."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sift_toolkit.sifting._rank_status import Status, _lives, _place, whom_for, why_missing

LEFT = Status(epochs=2, steps=10)
"""Where the rank that waits left its epoch."""


def at(epochs: int, steps: int, meetings: int = 2) -> Status:
    """Return a rank's status."""
    return Status(epochs=epochs, steps=steps, meetings=meetings)


@pytest.mark.parametrize("status", [at(2, 9), at(2, 10), at(2, 10, 3), at(3, 11, 3), at(1, 99)])
def test_a_slow_rank_may_still_come(status: Status) -> None:
    """It is at the same batch or before it, or is here already."""
    assert why_missing([at(2, 10, 3), status], 3, LEFT) is None


def test_a_rank_that_is_further_cannot_come() -> None:
    """It took a batch that the rank that waits never took, and waits for it there."""
    told = why_missing([at(2, 10, 3), at(2, 11)], 3, LEFT)
    assert told is not None
    assert told.startswith("rank 1 took batch 11 of epoch 2, another rank left that epoch after 10")


def test_a_rank_that_has_ended_cannot_come() -> None:
    """The first such one is named."""
    assert why_missing([at(2, 10, 3), None, None], 3, LEFT) == "rank 1 has ended"


def test_it_is_said_whom_a_rank_waits_for() -> None:
    """Those that are not here, and where they are."""
    told = whom_for([at(2, 10, 3), at(2, 7), None, at(1, 3, 1)], 3, LEFT)
    assert told == (
        "waiting for ranks to begin epoch 3: rank 1 is at batch 7 of epoch 2, "
        "rank 3 is at batch 3 of epoch 1"
    )


def test_a_process_is_known_to_live_or_not() -> None:
    """Here; one that nobody has buried yet has ended too."""
    here = Status(place=_place(), process=os.getpid())
    assert _lives(here)
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not _lives(Status(place=_place(), process=child.pid))
    assert not _lives(Status(place=_place(), process=child.pid))


@pytest.mark.parametrize("place", ["", "another machine"])
def test_processes_elsewhere_are_not_judged(place: str) -> None:
    """Their numbers mean nothing here."""
    assert _lives(Status(place=place, process=2**22 + 1))
