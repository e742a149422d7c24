"""Lightning's strategy="ddp" on two processes: parts of the data that are disjoint, equal steps."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.torchrun import printed_by

SCRIPT = Path(__file__).parent / "scripts" / "lightning_ddp.py"

ROWS = 200
# 100 rows of each process in batches of 16; a half of them in the epochs that are sifted.
LENGTHS = {"memory": [7, 4, 4], "fresh": [6, 4, 4]}
SAVED_AT = 9


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the script, whose second process Lightning starts; return where it wrote, and what."""
    folder = tmp_path_factory.mktemp("ranks")
    environment = {
        **{name: value for name, value in os.environ.items() if "RANK" not in name},
        "SAGEMAKER_BASE_DIR": str(folder / "no-job"),
    }
    return folder, printed_by(str(SCRIPT), str(folder), environment=environment)


@pytest.fixture
def ranks(printed: tuple[Path, str]) -> list[dict[str, Any]]:
    """Return what each process saw."""
    return [json.loads((printed[0] / f"{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.parametrize("name", LENGTHS)
@pytest.mark.parametrize("how", ["whole", "own"])
def test_each_has_its_part_of_the_data(name: str, how: str, ranks: list[dict[str, Any]]) -> None:
    """No row is trained on by both in an epoch, whoever made the sifted loader."""
    start = 0
    for length in LENGTHS[name]:
        first, second = (
            {row for batch in rank[f"{name} {how}"]["ids"][start : start + length] for row in batch}
            for rank in ranks
        )
        assert first.isdisjoint(second)
        start += length
        if start == 7:
            assert first | second == set(range(ROWS))


@pytest.mark.parametrize("name", LENGTHS)
@pytest.mark.parametrize("how", ["whole", "own"])
def test_they_make_equal_steps(name: str, how: str, ranks: list[dict[str, Any]]) -> None:
    """As many as were announced; the schedule ends at 0, and both have one model."""
    first, second = (rank[f"{name} {how}"] for rank in ranks)
    assert first["lengths"] == second["lengths"] == LENGTHS[name]
    assert first["asked"] == first["steps"] == second["steps"] == sum(LENGTHS[name])
    assert first["rate"] == second["rate"] == 0
    assert first["weights"] == second["weights"]


@pytest.mark.parametrize("name", LENGTHS)
def test_each_goes_on_where_it_was(name: str, ranks: list[dict[str, Any]]) -> None:
    """One checkpoint, in the middle of an epoch, holds the state of both."""
    for rank in ranks:
        whole, resumed = rank[f"{name} whole"], rank[f"{name} resumed"]
        assert resumed["ids"] == whole["ids"][SAVED_AT:]
        assert resumed["weights"] == whole["weights"]


def test_one_of_them_speaks(printed: tuple[Path, str]) -> None:
    """Metric lines and notes are those of the first process, though Lightning sets no RANK."""
    notes = [line for line in printed[1].splitlines() if "own sift config is followed" in line]
    assert len(notes) == 4
