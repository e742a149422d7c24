"""Pack UCI Letter Recognition into data/letters.npz: 20,000 rows, 16 features 0..15, 26 classes.

The rows come from Debian's r-cran-mlbench, which keeps UCI's order, so the split is the one the
data's authors state: the first 16,000 rows to train on, the last 4,000 to test on. To run it:

    apt-get download r-cran-mlbench && dpkg-deb -x r-cran-mlbench_*.deb mlbench
    python -m venv packing && packing/bin/pip install rdata
    packing/bin/python demo/letters/pack_data.py \
        mlbench/usr/lib/R/site-library/mlbench/data/LetterRecognition.rda

The same rows give the same bytes wherever zlib is the same: NumPy dates zip members 1980. Of the
test rows, 380 also stand among the training rows, with the same letter: that is UCI's doing.
"""

from __future__ import annotations

import argparse
import hashlib
import string
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Bytes = npt.NDArray[np.uint8]

NUM_ROWS = 20_000
NUM_TRAIN = 16_000
"""UCI, letter-recognition.names: train on the first 16,000 items, predict the remaining 4,000."""
NUM_FEATURES = 16
LARGEST_FEATURE = 15
FIRST_ROW = ("T", [2, 8, 3, 5, 1, 8, 13, 0, 6, 6, 10, 8, 0, 8, 0, 8])
LAST_ROW = ("A", [4, 9, 6, 6, 2, 9, 5, 3, 1, 8, 1, 8, 2, 7, 2, 8])
CONTENT_SHA256 = "af867cd672a6a3c58a64237c147499e7d1d422b6aa9de172027c8bc48bd763e0"
"""Of the four arrays' raw bytes, in the order of `split_rows`: holds under any zlib."""
DEFAULT_OUTPUT = Path(__file__).parent / "data" / "letters.npz"


def read_rows(path: Path) -> tuple[list[str], Bytes]:
    """Return the letter of each row of an R data file, and its features.

    Raises:
        ValueError: a feature is no whole number from 0 to 15.
    """
    import rdata  # here, so that the checks below can be used without it

    frame = rdata.read_rda(path, default_encoding="ascii")["LetterRecognition"]
    letters = [str(letter) for letter in frame["lettr"]]
    measured = frame.drop(columns="lettr").to_numpy()
    # Row by row in memory: the order the bytes are written in must not depend on the reader.
    features = measured.astype(np.uint8, order="C")
    if not np.array_equal(features, measured) or features.max() > LARGEST_FEATURE:
        msg = f"{path}: features must be whole numbers from 0 to {LARGEST_FEATURE}"
        raise ValueError(msg)
    return letters, features


def problems_of(letters: Sequence[str], features: Bytes) -> list[str]:
    """Return what tells these rows from UCI's 20,000 in UCI's order; empty where nothing does."""
    if features.shape != (NUM_ROWS, NUM_FEATURES) or len(letters) != NUM_ROWS:
        expected = f"{NUM_ROWS} letters and features of shape {(NUM_ROWS, NUM_FEATURES)}"
        return [f"expected {expected}, got {len(letters)} and {features.shape}"]
    problems = []
    if strange := sorted(set(letters) ^ set(string.ascii_uppercase)):
        problems.append(f"the classes must be A to Z, these are missing or unknown: {strange!r}")
    for index, expected_row in ((0, FIRST_ROW), (NUM_ROWS - 1, LAST_ROW)):
        row = (letters[index], features[index].tolist())
        if row != expected_row:
            problems.append(f"row {index} must be {expected_row!r}, got {row!r}: not UCI's order")
    return problems


def split_rows(letters: Sequence[str], features: Bytes) -> dict[str, Bytes]:
    """Return the four arrays of the packed file; a label is the letter's place, A = 0."""
    labels = np.array([string.ascii_uppercase.index(letter) for letter in letters], np.uint8)
    return {
        "train_features": features[:NUM_TRAIN],
        "train_labels": labels[:NUM_TRAIN],
        "test_features": features[NUM_TRAIN:],
        "test_labels": labels[NUM_TRAIN:],
    }


def content_sha256(arrays: Mapping[str, Bytes]) -> str:
    """Return the digest of the arrays' values, whatever the compression did to the file."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name}{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def pack(source: Path, output: Path) -> None:
    """Read *source*, check it, write *output*.

    Raises:
        ValueError: *source* does not hold UCI's rows in UCI's order.
    """
    letters, features = read_rows(source)
    if problems := problems_of(letters, features):
        msg = f"{source} is not UCI Letter Recognition:\n  " + "\n  ".join(problems)
        raise ValueError(msg)
    arrays = split_rows(letters, features)
    if (digest := content_sha256(arrays)) != CONTENT_SHA256:
        msg = f"{source}: the rows have the digest {digest}, expected {CONTENT_SHA256}"
        raise ValueError(msg)
    output.parent.mkdir(parents=True, exist_ok=True)
    # An open file: given a path, NumPy would add .npz to a name that lacks it.
    with output.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type] # a name is not allow_pickle


def main() -> None:
    """Pack the data named on the command line and print the file's size and digest."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path, help="LetterRecognition.rda of r-cran-mlbench")
    parser.add_argument("output", type=Path, nargs="?", default=DEFAULT_OUTPUT)
    arguments = parser.parse_args()
    pack(arguments.source, arguments.output)
    packed = arguments.output.read_bytes()
    print(f"{arguments.output}: {len(packed)} bytes, sha256 {hashlib.sha256(packed).hexdigest()}")


if __name__ == "__main__":
    main()
