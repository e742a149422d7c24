"""Batches of any structure: viewed as rows, or refused in words."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, UserDict, namedtuple
from typing import Any, NamedTuple

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_sequence

from sift_toolkit import SiftError
from sift_toolkit.sifting._batches import concat, num_rows, take, to_device
from tests.fuzz.strange import TEXT, tried


@dataclasses.dataclass
class Part:
    """A batch of a user's own."""

    left: Any
    right: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenPart:
    """Another one."""

    inner: Any


class Pair(NamedTuple):
    """And one more."""

    first: Any
    second: Any


Single = namedtuple("Single", ["only"])  # noqa: PYI024 - as old code has it


class Odd:
    """No batch at all."""

    def __len__(self) -> int:
        return 3


SIZES = st.lists(st.integers(0, 3), max_size=3)
DTYPES = (torch.float32, torch.int64, torch.bool, torch.complex64, torch.bfloat16, torch.uint8)


@st.composite
def _tensor(draw: st.DrawFn) -> torch.Tensor:
    sizes = draw(SIZES)
    kind = draw(st.sampled_from(["dense", "dense", "dense", "sparse", "view", "nested"]))
    tensor = torch.zeros(sizes, dtype=draw(st.sampled_from(DTYPES)))
    if kind == "sparse":
        return torch.zeros(sizes).to_sparse()
    if kind == "view" and sizes:
        return tensor.expand(*sizes).transpose(0, -1)
    if kind == "nested":
        rows = [torch.zeros(size + 1) for size in sizes or [1]]
        return torch.nested.nested_tensor(rows, layout=torch.jagged)
    return tensor


ARRAYS = st.one_of(
    SIZES.map(np.zeros),
    SIZES.map(lambda sizes: np.full(sizes, None, dtype=object)),
    SIZES.map(lambda sizes: np.zeros(sizes, dtype=[("a", "i4"), ("b", "U3")])),
    st.just(np.float64(3)),
    st.just(np.array(["a", "b"])),
)
LEAVES = st.one_of(
    _tensor(),
    _tensor(),
    ARRAYS,
    TEXT,
    st.none(),
    st.integers(),
    st.just(Odd()),
    st.builds(set),
    st.just(range(3)),
    st.builds(lambda: pack_sequence([torch.zeros(2), torch.zeros(1)])),
    st.lists(st.integers(0, 9), max_size=3),
    st.lists(TEXT, max_size=3),
)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, max_size=3)
    mapping = st.dictionaries(st.one_of(TEXT, st.integers(0, 3)), inner, max_size=3)
    return st.one_of(
        several,
        several.map(tuple),
        mapping,
        mapping.map(UserDict),
        mapping.map(OrderedDict),
        st.builds(Pair, inner, inner),
        st.builds(Part, inner, inner),
        st.builds(FrozenPart, inner),
        st.builds(Single, inner),
    )


BATCHES = st.recursive(LEAVES, _containers, max_leaves=8)


@st.composite
def knots(draw: st.DrawFn) -> Any:
    """A structure that contains itself, or that never seems to end."""
    kinds = [list, dict, Part]
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))
    depth = draw(st.sampled_from([1, 3, 40, 300]))
    end = draw(LEAVES)
    whole: Any = end
    for index in range(depth):
        kind = chosen[index % len(chosen)]
        whole = [whole] if kind is list else {"x": whole} if kind is dict else Part(whole)
    if draw(st.booleans()):
        around = [whole]
        around.append(around)
        return around
    return whole


def view(batch: Any, other: Any) -> None:
    """Do with a batch all that sifting does."""
    for step in (
        lambda: take(batch, torch.arange(num_rows(batch))),
        lambda: take(batch, torch.arange(0)),
        lambda: concat([batch, batch]),
        lambda: concat([batch, other]),
        lambda: to_device(batch, torch.device("cpu")),
    ):
        tried(step)


@given(batch=BATCHES, other=BATCHES)
def test_a_batch_is_viewed_or_refused(batch: Any, other: Any) -> None:
    """Whatever the structure: rows are taken and joined, or it is said why they cannot be."""
    view(batch, other)


@given(batch=knots(), other=BATCHES)
def test_a_knot_is_viewed_or_refused(batch: Any, other: Any) -> None:
    """A batch that contains itself, or goes very deep, ends in words, and in time."""
    view(batch, other)


@given(batch=BATCHES)
def test_what_is_taken_has_as_many_rows(batch: Any) -> None:
    """All rows that were asked for are there, and none else."""
    try:
        count = num_rows(batch)
        taken = take(batch, torch.arange(count).flip(0))
        doubled = concat([batch, batch])
    except SiftError:
        return
    assert num_rows(taken) == count
    assert num_rows(doubled) == 2 * count
