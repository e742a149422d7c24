"""Rows of every kind a batch may be made of come through a checkpoint as they were."""

from __future__ import annotations

import datetime as dt
import enum
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sift_toolkit.errors import SiftStateError
from sift_toolkit.sifting._layout import Layout
from sift_toolkit.sifting._plain_rows import formed_rows, plain_rows


class Part(enum.Enum):
    """Of the data."""

    TRAIN = 1


NUMBERS = torch.arange(2)
FORMS: dict[str, Any] = {
    "a tensor": NUMBERS,
    "words for all": "train",
    "an enum for all": Part.TRAIN,
    "a scalar for all": np.float32(0.5),
    "a path for all": Path("data/train"),
    "a type for all": torch.float16,
    "words": ["one", "two"],
    "scalars": [np.float32(0.1), np.float32(0.2)],
    "flags": [np.bool_(True), np.bool_(False)],
    "paths": [Path("a/b"), Path("c")],
    "lists of words": [["a", "b"], ["c"]],
    "mappings": [{"word": "a"}, {"word": "b"}],
    "an array": np.arange(6, dtype=np.int16).reshape(2, 3),
    "an array of words": np.array(["one", "three"]),
    "an array of objects": np.array([["one", None], [2, 0.5]], dtype=object),
    "an array of lists": np.array([["a"], ["b", "c"]], dtype=object),
    "an array of dates": np.array(["2026-01-02", "2026-11-30"], dtype="datetime64[s]"),
    "an array with fields": np.array([(1, 0.5), (2, 0.25)], dtype=[("a", "<i4"), ("b", "<f8")]),
}


def through_a_checkpoint(batch: Any, like: Any, layout: Layout) -> Any:
    """Return what comes of *batch* in a file that is read without running code."""
    file = io.BytesIO()
    torch.save(plain_rows(layout.rows_first(batch), layout), file)
    file.seek(0)
    part = torch.load(file, weights_only=True)
    return layout.back(formed_rows(part, layout.rows_first(like), layout))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_they_come_back_as_they_were(form: Any) -> None:
    """The same types and values, in the containers of the batch that they meet."""
    found = through_a_checkpoint({"x": NUMBERS, "it": form}, {"x": NUMBERS, "it": form}, Layout())
    assert list(found) == ["x", "it"]
    assert type(found["it"]) is type(form)
    assert getattr(found["it"], "dtype", None) == getattr(form, "dtype", None)
    assert repr(found["it"]) == repr(form)


def test_samples_come_back_in_a_list() -> None:
    """Of a batch that is indexed by sample; scalars of numpy's as numbers of Python's."""
    samples = [(torch.ones(2), np.int64(3)), (torch.zeros(2), np.int64(4))]
    found = through_a_checkpoint(samples, samples, Layout(0))
    assert isinstance(found, list)
    assert [number for _, number in found] == [3, 4]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (dt.date(2026, 11, 30), r"a sample has a date, datetime\.date\(2026, 11, 30\)"),
        (object(), "a sample has a object"),
    ],
    ids=["a date", "an object"],
)
def test_what_no_checkpoint_holds_is_refused_when_it_is_saved(entry: object, words: str) -> None:
    """In words and at once, not days later when the file is read."""
    with pytest.raises(SiftStateError, match=words):
        plain_rows({"x": NUMBERS, "when": [entry, entry]}, Layout())
    with pytest.raises(SiftStateError, match=words):
        plain_rows(Layout(0).rows_first([(NUMBERS, entry)]), Layout(0))


def test_a_tensor_in_place_of_a_number_is_refused() -> None:
    """Numpy would make an array of it, and cast its numbers."""
    batch = {"x": NUMBERS, "it": [np.float32(0.1), np.float32(0.2)]}
    part = plain_rows(batch, Layout())
    part["leaves"][1][0] = torch.zeros((2, 2), dtype=torch.complex64)
    with pytest.raises(SiftStateError, match=r"another form: TypeError.*Tensor"):
        formed_rows(part, batch, Layout())
