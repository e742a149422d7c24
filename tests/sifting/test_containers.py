"""The containers of a batch: what is one, what it holds, and how it is put together again."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

from sift_toolkit import SiftBatchError
from sift_toolkit.sifting._containers import is_array, is_container, is_list, leaves, map_leaves

TENSOR = torch.arange(2)


class Pair(NamedTuple):
    """A named tuple."""

    left: Any
    right: Any


@dataclasses.dataclass
class Both:
    """A dataclass."""

    left: Any
    right: Any


def name_places(batch: Any) -> Any:
    """Return a batch with each leaf replaced by the name of its place."""
    return map_leaves(lambda _, place: place, [batch])


@pytest.mark.parametrize(
    ("value", "array", "a_list", "container"),
    [
        pytest.param(TENSOR, True, False, False, id="tensor"),
        pytest.param(TENSOR.numpy(), True, False, False, id="array"),
        pytest.param(np.float32(1), False, False, False, id="numpy scalar"),
        pytest.param([TENSOR], False, True, True, id="features"),
        pytest.param([None, (1, [TENSOR])], False, True, True, id="features deep down"),
        pytest.param([{"x": [TENSOR]}], False, True, True, id="features in a mapping"),
        pytest.param([1, 2], False, True, False, id="numbers"),
        pytest.param(("a", "b"), False, True, False, id="words"),
        pytest.param([], False, True, False, id="empty"),
        pytest.param([[1], [2, 3]], False, True, False, id="lists in a list"),
        pytest.param((["a"], [1]), False, True, True, id="lists in a tuple"),
        pytest.param([{"text": "a"}], False, True, False, id="mappings without tensors"),
        pytest.param({"x": 1}, False, False, True, id="mapping"),
        pytest.param({}, False, False, True, id="empty mapping"),
        pytest.param(collections.UserDict(x=1), False, False, True, id="user dict"),
        pytest.param(Pair(1, 2), False, False, True, id="named tuple"),
        pytest.param(Both(1, 2), False, False, True, id="dataclass"),
        pytest.param(Both, False, False, False, id="class"),
        pytest.param(pack_sequence([TENSOR]), False, False, False, id="packed sequence"),
        pytest.param("words", False, False, False, id="word"),
        pytest.param({1, 2}, False, False, False, id="set"),
    ],
)
def test_what_a_value_is(value: Any, array: bool, a_list: bool, container: bool) -> None:
    """A value is told by what it is and holds, never by its length."""
    assert (is_array(value), is_list(value), is_container(value)) == (array, a_list, container)


def test_leaves_come_in_order() -> None:
    """Leaves are found wherever they are, lists without tensors as one leaf."""
    batch = {"x": [TENSOR, ("a", "b")], "y": Pair(None, Both(1, [2, 3]))}
    first, *others = leaves(batch)
    assert first is TENSOR
    assert others == [("a", "b"), None, 1, [2, 3]]


def test_places_are_named_as_they_are_written() -> None:
    """The name of a place is the expression that reaches it."""
    batch = {"x": [TENSOR, (TENSOR, "b")], 3: Pair(1, Both("c", TENSOR))}
    assert name_places(batch) == {
        "x": ["batch['x'][0]", ("batch['x'][1][0]", "batch['x'][1][1]")],
        3: Pair("batch[3].left", Both("batch[3].right.left", "batch[3].right.right")),
    }


def test_leaves_of_one_place_meet() -> None:
    """With several batches, the leaves that stand in one place are given together, in order."""
    batches = [{"x": number, "y": [TENSOR, number * 10]} for number in range(3)]
    met = map_leaves(lambda values, _: values[1:], batches)
    assert met["x"] == [1, 2]
    assert met["y"][1] == [10, 20]


def test_a_new_container_is_no_view_of_the_old() -> None:
    """Putting a batch together again leaves the one it came from as it was."""
    for batch in (collections.UserDict(x=1), collections.OrderedDict(x=1), Both(1, 1)):
        before = repr(batch)
        name_places(batch)
        assert repr(batch) == before


def test_a_default_dict_keeps_its_default() -> None:
    """What a mapping has beside its content is kept."""
    batch = collections.defaultdict(list, x=1)
    assert name_places(batch)["missing"] == []


def test_structures_must_agree() -> None:
    """A place that is a container in one batch and none in another is named."""
    with pytest.raises(SiftBatchError, match=r"^batch\['x'\] changes its type, its keys or its"):
        map_leaves(lambda values, _: values, [{"x": {"a": 1}}, {"x": 1}])
