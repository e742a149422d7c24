"""A job of several processes: one that goes wrong ends all, with its own reason, in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.jobs import Ended, lay_out, run, torchrun

RANKS = 2


@pytest.mark.parametrize(
    ("fault", "reasons"),
    [
        ("hook", ["LookupError: there is no model today"]),
        (
            "raise",
            [
                "ArithmeticError: a mistake of the user",
                "SiftRankError: rank 1: ArithmeticError: a mistake of the user",
            ],
        ),
        ("kill", ["SiftRankError: rank 1 has ended without a word: killed, or out of memory"]),
        ("exit", ["SiftRankError: rank 1: it ended by itself, with exit code 0"]),
    ],
)
def test_a_rank_ends_early(tmp_path: Path, fault: str, reasons: list[str]) -> None:
    """Whichever of them is quicker with the failure file, it says what the cause was."""
    ended = run(lay_out(tmp_path, fault=fault), torchrun(RANKS))

    assert ended.code == 1
    assert ended.failure in reasons


def test_a_loss_that_turns_nan_on_all(tmp_path: Path) -> None:
    """All of them end, with the reason of whoever says it first."""
    tree = lay_out(tmp_path, fault="nan", epochs=10_000)
    ended = run(tree, torchrun(RANKS))

    assert ended.code == 1
    assert "SiftLossError: the losses of the last 100 training steps were all" in ended.failure
    assert list(tree.model_dir.iterdir()) == []


def one_rank(tmp_path: Path, **variables: str) -> Ended:
    """Run one rank of two, as torchrun would start it, without the other."""
    return run(lay_out(tmp_path), WORLD_SIZE="2", RANK="1", LOCAL_RANK="0", **variables)


def test_a_first_host_that_cannot_be_found(tmp_path: Path) -> None:
    """It is said in seconds; neither torch's half hour nor the toolkit's 15 minutes pass."""
    host = "algo-1.invalid"
    ended = one_rank(tmp_path, MASTER_ADDR=host, MASTER_PORT="7777")

    assert ended.code == 1
    assert ended.failure.startswith(f"SiftJobError: no address is known for '{host}', 1 of the job")


def test_ranks_that_torchrun_did_not_start(tmp_path: Path) -> None:
    """What is missing is named, and what sets it."""
    ended = one_rank(tmp_path)

    assert ended.code == 1
    assert ended.failure.startswith("SiftUsageError: this job has WORLD_SIZE=2, but not MASTER_")
