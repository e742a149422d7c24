"""A training killed twenty times ends as one that never was, to the bit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sift_toolkit import SiftConfig
from tests.interruption.killing import WHOLE, killed_again_and_again, outcome_of
from tests.interruption.processes import ProcessLife, lay_out

KILLS = 20
SEED = int(os.environ.get("SIFT_KILL_SEED", 0)) or int.from_bytes(os.urandom(3), "big")
JOB = {"epochs": 16, "ballast": 1_000_000, "checkpoint_steps": 2, "seed": 7}
SLOWLY = 0.02
"""Seconds added to each step of a job to be killed: however long the machine has others to do,
it does not come to its end between two kills."""

CONFIGS = {
    "memory": SiftConfig(keep=0.6, scores="memory", keep_end=0.4, log_every=5),
    "fresh": SiftConfig(keep=0.5, scores="fresh", leftover="carry", log_every=5),
}


@pytest.mark.parametrize("scores", CONFIGS)
def test_twenty_kills_lose_nothing(tmp_path: Path, scores: str) -> None:
    """SIGTERM and SIGKILL at random moments, in the middle of a write too: the same end."""
    whole = lay_out(tmp_path / "whole", CONFIGS[scores], **JOB)
    with ProcessLife(whole) as life:
        assert life.wait(WHOLE) == 0, "\n".join(life.logs())
    tree = lay_out(tmp_path / "killed", CONFIGS[scores], **JOB)

    deaths = killed_again_and_again(
        lambda: ProcessLife(tree, step_seconds=SLOWLY),
        tree.checkpoints_dir,
        kills=KILLS,
        seed=SEED,
        startup=0.5,
    )

    assert outcome_of(tree) == outcome_of(whole)
    assert len(deaths) == KILLS
    assert not any(death.was_late for death in deaths)
    assert any(death.was_writing for death in deaths), "none was killed in the middle of a write"
    assert any(death.exit_status == 143 and death.saved for death in deaths)
