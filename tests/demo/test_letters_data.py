"""The demo's embedded data: what demo/letters/data must hold, and the script that packed it."""

from __future__ import annotations

import string
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.script_module import loaded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

LETTERS = Path(__file__).parents[2] / "demo" / "letters"
DATA = LETTERS / "data" / "letters.npz"

# UCI's letter-recognition.names: rows of each class, A to Z.
CLASS_COUNTS = [
    789, 766, 736, 805, 768, 775, 773, 734, 755, 747, 739, 761, 792,
    783, 753, 803, 783, 758, 748, 796, 813, 764, 752, 787, 786, 734,
]  # fmt: skip


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    with np.load(DATA, allow_pickle=False) as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def pack_data() -> ModuleType:
    return loaded(LETTERS / "pack_data.py")


def whole(arrays: Mapping[str, np.ndarray]) -> tuple[list[str], np.ndarray]:
    """Return letters and features of all rows in UCI's order, as they were before packing."""
    labels = np.concatenate([arrays["train_labels"], arrays["test_labels"]])
    features = np.concatenate([arrays["train_features"], arrays["test_features"]])
    return [string.ascii_uppercase[label] for label in labels], features


def test_shapes_and_types(arrays: dict[str, np.ndarray]) -> None:
    """The file holds UCI's split, 16,000 and 4,000 rows, as unsigned bytes."""
    expected = {
        "train_features": (16_000, 16),
        "train_labels": (16_000,),
        "test_features": (4_000, 16),
        "test_labels": (4_000,),
    }
    assert {name: array.shape for name, array in arrays.items()} == expected
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.uint8)}


def test_features_use_the_whole_range_in_every_column(arrays: dict[str, np.ndarray]) -> None:
    """Each of the 16 features runs from 0 to 15, and no further."""
    _, features = whole(arrays)
    assert features.min(axis=0).tolist() == [0] * 16
    assert features.max(axis=0).tolist() == [15] * 16


def test_class_counts_are_those_uci_states(arrays: dict[str, np.ndarray]) -> None:
    """Each letter has as many rows as UCI's description says, and stands on both sides."""
    train, test = arrays["train_labels"], arrays["test_labels"]
    counts = np.bincount(train, minlength=26) + np.bincount(test, minlength=26)
    assert counts.tolist() == CLASS_COUNTS
    assert set(train.tolist()) == set(test.tolist()) == set(range(26))


def test_rows_are_in_ucis_order(arrays: dict[str, np.ndarray], pack_data: ModuleType) -> None:
    """The packed rows pass the packing script's own check of UCI's first and last row."""
    assert pack_data.problems_of(*whole(arrays)) == []


def test_order_has_no_class_structure(arrays: dict[str, np.ndarray]) -> None:
    """UCI's order is already mixed: neighbours share a letter as often as chance has it."""
    labels = arrays["train_labels"]
    agreement = float((labels[1:] == labels[:-1]).mean())
    assert agreement == pytest.approx(1 / 26, abs=0.005)


def test_content_is_the_one_the_script_promises(
    arrays: dict[str, np.ndarray], pack_data: ModuleType
) -> None:
    """The values in the repository have the digest that the packing script demands."""
    assert pack_data.content_sha256(arrays) == pack_data.CONTENT_SHA256


def test_splitting_is_undone_by_joining(
    arrays: dict[str, np.ndarray], pack_data: ModuleType
) -> None:
    """The script's split of the joined rows is the packed file, array by array."""
    again = pack_data.split_rows(*whole(arrays))
    assert list(again) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, again[name])


def test_foreign_rows_are_refused_with_every_problem(
    arrays: dict[str, np.ndarray], pack_data: ModuleType
) -> None:
    """Rows in another order, or with an unknown letter, are named, all of them at once."""
    letters, features = whole(arrays)
    shuffled = ["a", *letters[1:-1], "b"]
    problems = pack_data.problems_of(shuffled, features)
    assert len(problems) == 3
    assert "['a', 'b']" in problems[0]
    assert "row 0 " in problems[1]
    assert "row 19999 " in problems[2]
    assert "got 5" in pack_data.problems_of(letters[:5], features[:5])[0]


def test_file_is_small() -> None:
    """The data stays well under 500 KB, so that it can live in the repository."""
    assert DATA.stat().st_size < 500_000


def test_licence_lies_beside_the_data() -> None:
    """The licence file names the licence, the author, the DOI, the source and the changes."""
    text = (DATA.parent / "LICENSE").read_text(encoding="ascii")
    for fact in (
        "CC BY 4.0",
        "https://creativecommons.org/licenses/by/4.0/",
        "Slate, D. (1991)",
        "https://doi.org/10.24432/C5ZP40",
        "r-cran-mlbench",
        "Changes made",
    ):
        assert fact in text


def test_script_runs_alone() -> None:
    """The packing script explains itself without the package that reads R's files."""
    command = [sys.executable, str(LETTERS / "pack_data.py"), "--help"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert "LetterRecognition.rda" in done.stdout
