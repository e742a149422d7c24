"""Accelerate on two real processes: each sifts its part of the data, or is told the right order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integrations.torchrun import torchrun

ROWS, EPOCHS = 96, 3


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return what two processes wrote down."""
    folder = tmp_path_factory.mktemp("accelerate")
    torchrun("accelerate_ddp.py", str(folder))
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.parametrize("kind", ["memory", "fresh", "aws", "dispatched"])
def test_ranks_have_disjoint_rows(kind: str, told: list[dict[str, Any]]) -> None:
    """In each epoch, equally many on both."""
    for epoch in range(EPOCHS):
        first, second = (each[kind][epoch] for each in told)
        assert set(first).isdisjoint(second)
        assert len(first) == len(second) == len(set(first))
        whole = kind == "memory" and epoch == 0
        assert len(first) == (ROWS // 2 if whole else ROWS // 4)


@pytest.mark.parametrize("kind", ["memory", "fresh", "aws"])
def test_the_length_is_known(kind: str, told: list[dict[str, Any]]) -> None:
    """Of each rank's part, before the first epoch."""
    for each in told:
        assert each[f"{kind} steps"] == sum(-(-len(ids) // 8) for ids in each[kind])


def test_a_sifted_loader_is_not_passed_through(told: list[dict[str, Any]]) -> None:
    """prepare() cannot split it: the first epoch names the right order, on both ranks."""
    for each in told:
        assert "First loader = accelerator.prepare(loader), then sift" in each["refused"]


def test_data_of_ones_own_may_be_meant(told: list[dict[str, Any]]) -> None:
    """shares_samples=False says so."""
    assert [each["meant"] for each in told] == ["", ""]
