"""A sifted Trainer on two real processes: each has its part of the data, all make equal steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.huggingface_tasks import RESUMES_ON_CPU_RANKS
from tests.integrations.torchrun import torchrun

# 200 rows on two ranks: 13 batches of 8 each, the last one filled up; a half of them is 6.5.
ROWS, RANKS, WHOLE = 200, 2, 13 * 8
BATCHES = {"memory": 13 + 7 + 7, "fresh": 7 + 7 + 7}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where two processes wrote down how they trained."""
    where = tmp_path_factory.mktemp("ranks")
    torchrun("huggingface_ddp.py", str(where))
    return where


def told_by(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return what the ranks wrote down."""
    return [json.loads((folder / f"{name}_{rank}.json").read_text()) for rank in range(RANKS)]


@pytest.mark.parametrize("scores", BATCHES)
def test_two_processes_train_one_model(scores: str, folder: Path) -> None:
    """Equal steps, as many as were announced, with a schedule that ends."""
    first, second = told_by(folder / scores, "whole")
    for name in ("steps", "max_steps", "rates", "weights", "forwards", "epoch"):
        assert first[name] == second[name]
    assert first["steps"] == first["max_steps"] == BATCHES[scores] // 2
    assert first["forwards"] == 2 * first["steps"]
    assert first["rates"][-1] == 0.0


@pytest.mark.parametrize("scores", BATCHES)
def test_each_has_its_part_of_the_data(scores: str, folder: Path) -> None:
    """No sample of an epoch is loaded by both, but for those that fill up the last batch."""
    ranks = told_by(folder / scores, "whole")
    first, second = (set(each["loaded"][:WHOLE]) for each in ranks)
    assert first | second == set(range(ROWS))
    assert len(first & second) <= RANKS * WHOLE - ROWS
    if scores == "memory":
        # What is sifted out is loaded by none of them.
        for begin, end in ((WHOLE, WHOLE + 52), (WHOLE + 52, WHOLE + 104)):
            first, second = (set(each["loaded"][begin:end]) for each in ranks)
            assert len(first & second) <= RANKS * WHOLE - ROWS
            assert len(first | second) <= ROWS * 0.6


@pytest.mark.skipif(not RESUMES_ON_CPU_RANKS, reason="this version of transformers cannot")
@pytest.mark.parametrize("scores", BATCHES)
def test_they_go_on_from_a_checkpoint(scores: str, folder: Path) -> None:
    """Each rank by its own state: the same weights come out."""
    whole, resumed = (told_by(folder / scores, name) for name in ("whole", "resumed"))
    for before, after in zip(whole, resumed, strict=True):
        assert after["weights"] == before["weights"]
        assert after["rates"] == before["rates"][8:]
