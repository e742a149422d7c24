"""Rows of every kind a batch may be made of come through a checkpoint as they were."""

from __future__ import annotations

import datetime as dt
import enum
import io
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from sift_toolkit import SiftConfig, SiftingDataloader
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
    "scalars of two kinds": [np.int64(3), np.float64(13.5)],
    "scalars or nothing": [np.float64(1.5), None],
    "dates": [np.datetime64("2026-01-02"), np.datetime64("2026-11-30T01:02:03")],
    "paths": [Path("a/b"), Path("c")],
    "paths or nothing": [Path("a/b"), None],
    "pure paths": [PureWindowsPath("a\\b"), PurePosixPath("c")],
    "tuples": [("a", np.float32(1)), (Path("b"), 2)],
    "deep mappings": [{"a": np.float32(1), "b": ("c", [Path("d")])}, {}],
    "sets": [{1, 2}, set()],
    "bytes": [b"\x00\xffa", b""],
    "bytes that change": [bytearray(b"ab"), bytearray()],
    "lists of words": [["a", "b"], ["c"]],
    "mappings": [{"word": "a"}, {"word": "b"}],
    "an array": np.arange(6, dtype=np.int16).reshape(2, 3),
    "an array of words": np.array(["one", "three"]),
    "an array of objects": np.array([["one", None], [2, 0.5]], dtype=object),
    "an array of lists": np.array([["a"], ["b", "c"]], dtype=object),
    "an array of dates": np.array(["2026-01-02", "2026-11-30"], dtype="datetime64[s]"),
    "an array of arrays": np.array([np.arange(2), None], dtype=object),
    "an array with objects in a field": np.array(
        [(1, ["a"]), (2, None)], dtype=[("a", "<i4"), ("b", "O")]
    ),
    "an array with gaps between fields": np.array(
        [(1, 0.5), (2, 0.25)], dtype=np.dtype([("a", "i1"), ("b", "<f8")], align=True)
    ),
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


class Sample(NamedTuple):
    """Of a dataset that names its parts."""

    features: Any
    label: Any


SAMPLES: dict[str, tuple[Any, Any]] = {
    "tuples": ((torch.ones(2), np.int64(3)), (torch.zeros(2), np.float64(4))),
    "lists": ([torch.ones(2), Path("a")], [torch.zeros(2), None]),
    "arrays": (np.ones(2), np.zeros((0, 3), dtype=np.float32)),
    "tuples of arrays": ((np.ones(2), 1), (np.zeros(2), 2)),
    "named tuples": (Sample(np.ones(2), 1), Sample(np.zeros(2), np.int8(2))),
    "mappings": (
        {"x": torch.ones(2), "y": Sample(1, None)},
        {"x": torch.ones(3), "y": Sample(2, 3)},
    ),
}


@pytest.mark.parametrize("samples", SAMPLES.values(), ids=SAMPLES)
@pytest.mark.parametrize("kind", [list, tuple])
def test_samples_come_back_as_they_were(kind: Any, samples: tuple[Any, Any]) -> None:
    """Of a batch that is indexed by sample, whatever the samples of the batch that they meet."""
    first, other = kind(samples), kind(samples[::-1])
    found = through_a_checkpoint(first, other, Layout(0))
    assert type(found) is kind
    assert list(map(type, found)) == list(map(type, samples))
    assert repr(list(found)) == repr(list(samples))


def test_a_value_of_the_batch_comes_back_by_itself() -> None:
    """It is not the next batch's; only what no checkpoint holds is that."""
    first = {"x": NUMBERS, "epoch": np.float64(32), "file": Path("a"), "part": Part.TRAIN}
    other = {"x": NUMBERS, "epoch": np.float64(0), "file": Path("b"), "part": "test"}
    found = through_a_checkpoint(first, other, Layout())
    assert found == {"x": found["x"], "epoch": 32.0, "file": Path("a"), "part": "test"}
    assert type(found["epoch"]) is np.float64


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


def test_samples_that_wait_come_through_a_loaders_state() -> None:
    """In the middle of an epoch, in a batch that is a list of samples."""

    def loader() -> SiftingDataloader:
        data = [(np.array([each]), np.int64(each)) for each in range(32)]
        return SiftingDataloader(
            sift_config=SiftConfig(keep=0.7, scores="fresh", law="percentile"),
            orig_dataloader=DataLoader(data, batch_size=8, collate_fn=list),
            loss_impl=lambda _, batch: torch.arange(float(len(batch))),
            model=torch.nn.Linear(1, 1),
            batch_format_index=0,
        )

    whole = [repr(batch) for batch in loader()]
    first = loader()
    began = [repr(next(iter(first)))]
    again = loader()
    again.load_state_dict(first.state_dict())
    assert [*began, *map(repr, again)] == whole
