"""Batches of every type, seen as rows: counted, taken apart, joined and moved."""

from __future__ import annotations

import collections
import dataclasses
import enum
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence, pad_sequence
from torch.utils.data import default_collate

from sift_toolkit import SiftBatchError
from sift_toolkit.sifting._batches import concat, num_rows, take, to_device

ROWS = 5


class Pair(NamedTuple):
    """A batch with named places."""

    image: Any
    label: Any


@dataclasses.dataclass
class Sample:
    """A batch as a plain dataclass."""

    image: Any
    label: Any


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenSample:
    """A batch that cannot be changed, with a field that is no argument."""

    image: Any
    label: Any = dataclasses.field(init=False, default=None)


class Encoding(collections.UserDict[str, Any]):
    """A mapping like Hugging Face's BatchEncoding, with arguments of its own."""

    def __init__(self, data: dict[str, Any] | None = None, tokens: int = 0) -> None:
        super().__init__(data)
        self.tokens = tokens


class View(Mapping[str, Any]):
    """A mapping that is neither a dict nor a UserDict."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content

    def __getitem__(self, key: str) -> object:
        return self._content[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)


class StrictView(View):
    """A mapping that takes two arguments."""

    def __init__(self, content: Mapping[str, Any], more: object) -> None:
        super().__init__(content)


class Color(enum.Enum):
    """Something a whole batch may share."""

    RED = 1


def images(rows: int = ROWS) -> Tensor:
    """Return a tensor whose numbers tell its rows apart."""
    return torch.arange(rows * 2.0).reshape(rows, 2)


def labels(rows: int = ROWS) -> Tensor:
    """Return one number a row."""
    return torch.arange(rows) * 10


def objects(entries: Iterable[object]) -> np.ndarray:
    """Return an array that holds any object in each row."""
    array = np.empty(len(listed := list(entries)), dtype=object)
    array[:] = listed
    return array


def frozen_sample(image: Any, label: Any) -> FrozenSample:
    """Return a frozen batch with its derived field set."""
    sample = FrozenSample(image)
    object.__setattr__(sample, "label", label)
    return sample


def batch_of(kind: str, rows: int = ROWS) -> Any:
    """Return a batch of the kind, of `rows` rows that can be told apart."""
    x, y = images(rows), labels(rows)
    words = [f"word {row}" for row in range(rows)]
    builders: dict[str, Any] = {
        "tensor": x,
        "list": [x, y],
        "tuple": (x, y),
        "named tuple": Pair(x, y),
        "dict": {"image": x, "label": y},
        "defaultdict": collections.defaultdict(list, image=x, label=y),
        "ordered dict": collections.OrderedDict(image=x, label=y),
        "user dict": Encoding({"image": x, "label": y}, tokens=7),
        "read-only mapping": MappingProxyType({"image": x, "label": y}),
        "other mapping": View({"image": x, "label": y}),
        "dataclass": Sample(x, y),
        "frozen dataclass": frozen_sample(x, y),
        "nested": {"inputs": [x, (y, {"deep": x + 1})], "label": y},
        "words": [x, words, tuple(words)],
        "words first": {"text": words, "image": x},
        "words only": words,
        "words as columns": (words, list(range(rows))),
        "samples without tensors": [{"text": word} for word in words],
        "token lists": {"tokens": [[row] * row for row in range(rows)], "label": y},
        "list of one feature": [x],
        "word beside features": ["train", x, None],
        "numpy": {"image": x.numpy(), "label": y.numpy()},
        "numpy objects": objects(np.arange(row) for row in range(rows)),
        "shared values": {
            "image": x,
            "none": None,
            "split": "train",
            "raw": b"train",
            "scale": 0.5,
            "step": torch.tensor(3),
            "numpy scalar": np.float32(0.5),
            "numpy flag": np.bool_(True),
            "color": Color.RED,
            "path": pathlib.PurePath("train"),
            "dtype": torch.float32,
            "device": torch.device("cpu"),
        },
        "bfloat16": x.to(torch.bfloat16),
        "not contiguous": torch.stack([x, x], dim=2).transpose(1, 2)[:, 0],
        "default collate": default_collate(
            [{"image": x[row], "text": words[row], "pair": (y[row], row)} for row in range(rows)]
        )
        if rows
        else {"image": x, "text": [], "pair": [y, y]},
    }
    return builders[kind]


KINDS = [
    "tensor",
    "list",
    "tuple",
    "named tuple",
    "dict",
    "defaultdict",
    "ordered dict",
    "user dict",
    "read-only mapping",
    "other mapping",
    "dataclass",
    "frozen dataclass",
    "nested",
    "words",
    "words first",
    "words only",
    "words as columns",
    "samples without tensors",
    "token lists",
    "list of one feature",
    "word beside features",
    "numpy",
    "numpy objects",
    "shared values",
    "bfloat16",
    "not contiguous",
    "default collate",
]


def plain(batch: Any) -> Any:
    """Return a batch as nested Python values that can be compared."""
    if isinstance(batch, Tensor | np.ndarray):
        return [plain(entry) for entry in batch] if batch.ndim else batch.item()
    if dataclasses.is_dataclass(batch):
        names = [field.name for field in dataclasses.fields(batch)]
        return {name: plain(getattr(batch, name)) for name in names}
    if isinstance(batch, Mapping):
        return {key: plain(value) for key, value in batch.items()}
    if isinstance(batch, list | tuple):
        return [plain(entry) for entry in batch]
    return batch


@pytest.mark.parametrize("kind", KINDS)
class TestEachKind:
    """What holds for a batch of any kind."""

    def test_its_rows_are_counted(self, kind: str) -> None:
        """A batch knows how many samples it holds, one of 1 included."""
        assert num_rows(batch_of(kind)) == ROWS
        assert num_rows(batch_of(kind, rows=1)) == 1

    def test_its_type_stays(self, kind: str) -> None:
        """Rows taken from a batch, and parts joined, are of the batch's own type."""
        taken = take(batch_of(kind), torch.tensor([0, 2]))
        assert type(taken) is type(batch_of(kind))
        assert type(concat([taken, taken])) is type(taken)

    def test_rows_are_taken_in_order(self, kind: str) -> None:
        """Taking all rows one by one and joining them again gives the same batch."""
        batch = batch_of(kind)
        rows = [take(batch, torch.tensor([row])) for row in range(ROWS)]
        assert plain(concat(rows)) == plain(batch)
        assert all(num_rows(row) == 1 for row in rows)

    def test_any_rows_can_be_taken(self, kind: str) -> None:
        """Rows come out in the order asked for, in every part of the batch."""
        batch = batch_of(kind)
        backwards = take(batch, torch.arange(ROWS - 1, -1, -1))
        assert plain(take(backwards, torch.arange(ROWS - 1, -1, -1))) == plain(batch)

    def test_no_rows_can_be_taken(self, kind: str) -> None:
        """Taking nothing leaves an empty batch, which joins like any other."""
        batch = batch_of(kind)
        nothing = take(batch, torch.empty(0, dtype=torch.int64))
        assert num_rows(nothing) == 0
        assert plain(concat([nothing, batch])) == plain(batch)

    def test_the_batch_itself_is_untouched(self, kind: str) -> None:
        """Taking and joining leave the user's batch as it was."""
        batch, same = batch_of(kind), batch_of(kind)
        taken = take(batch, torch.tensor([1]))
        concat([taken, batch])
        assert plain(batch) == plain(same)

    def test_it_stays_where_it_is(self, kind: str) -> None:
        """A batch that is on its device already is given back as the very same object."""
        batch = batch_of(kind)
        assert to_device(batch, torch.device("cpu")) is batch

    def test_it_moves_as_a_whole(self, kind: str) -> None:
        """Every tensor of a batch goes to the device, all else stays; the original too."""
        batch = batch_of(kind)
        moved = to_device(batch, torch.device("meta"))
        assert type(moved) is type(batch)
        assert {tensor.device.type for tensor in tensors_of(moved)} <= {"meta"}
        assert {tensor.device.type for tensor in tensors_of(batch)} <= {"cpu"}


def tensors_of(batch: Any) -> Iterator[Tensor]:
    """Yield the tensors of a batch."""
    if isinstance(batch, Tensor):
        yield batch
    elif isinstance(batch, Mapping):
        for value in batch.values():
            yield from tensors_of(value)
    elif dataclasses.is_dataclass(batch):
        for field in dataclasses.fields(batch):
            yield from tensors_of(getattr(batch, field.name))
    elif isinstance(batch, list | tuple):
        for value in batch:
            yield from tensors_of(value)


def test_every_kind_is_built() -> None:
    """The kinds above are all there are."""
    assert all(batch_of(kind) is not None for kind in KINDS)


@given(
    sizes=st.lists(st.integers(0, 6), min_size=1, max_size=5),
    kind=st.sampled_from(KINDS),
    data=st.data(),
)
def test_chosen_rows_of_many_batches_are_those_of_their_join(
    sizes: list[int], kind: str, data: st.DataObject
) -> None:
    """Choosing rows before joining or after it is the same thing."""
    batches = [batch_of(kind, rows) for rows in sizes]
    chosen = [
        data.draw(st.lists(st.sampled_from(range(rows)), unique=True) if rows else st.just([]))
        for rows in sizes
    ]
    parts = [
        take(batch, torch.tensor(rows, dtype=torch.int64))
        for batch, rows in zip(batches, chosen, strict=True)
    ]
    starts = np.cumsum([0, *sizes])
    rows = [int(start) + row for start, each in zip(starts, chosen, strict=False) for row in each]
    whole = take(concat(batches), torch.tensor(rows, dtype=torch.int64))
    assert plain(concat(parts)) == plain(whole)


class TestMeaning:
    """How a batch is read where it could be read in two ways."""

    def test_two_features_of_two_rows_are_features(self) -> None:
        """A list of tensors is a list of features, even when it has as many entries as rows."""
        taken = take([images(2), labels(2)], torch.tensor([1]))
        assert plain(taken) == [[[2.0, 3.0]], [10]]

    def test_a_list_of_words_has_one_a_row(self) -> None:
        """A list without tensors is cut to the rows taken."""
        assert take({"x": images(2), "text": ["a", "b"]}, torch.tensor([1]))["text"] == ["b"]

    def test_own_attributes_of_a_user_dict_stay(self) -> None:
        """A subclass of UserDict keeps what it holds beside its mapping."""
        taken = take(batch_of("user dict"), torch.tensor([1]))
        assert taken.tokens == 7

    def test_a_shared_value_is_the_first_ones(self) -> None:
        """Of values that belong to the whole batch the first part's is kept."""
        parts = [{"x": images(1), "scale": 0.5}, {"x": images(1), "scale": 2}]
        assert concat(parts)["scale"] == 0.5

    def test_one_part_is_given_back_as_it_is(self) -> None:
        """Joining one batch copies nothing."""
        batch = images()
        assert concat([batch]) is batch

    def test_tensors_keep_what_they_are(self) -> None:
        """Taking and joining keep the dtype, and share no memory with the loader's batch."""
        batch = images().to(torch.float16)
        taken = take(batch, torch.tensor([0]))
        joined = concat([taken, taken])
        assert joined.dtype == torch.float16
        joined.zero_()
        taken.add_(1)
        assert torch.equal(batch, images().to(torch.float16))

    def test_objects_with_a_method_to_are_moved(self) -> None:
        """What is no tensor but knows how to move, such as a packed sequence, is moved too."""
        batch = {"x": images(), "packed": pack_sequence([torch.ones(2), torch.ones(1)])}
        moved = to_device(batch, torch.device("meta"))
        assert isinstance(moved["packed"], PackedSequence)
        assert moved["packed"].data.device.type == "meta"


class TestRefusals:
    """Batches that cannot be seen as rows, and the words they are refused in."""

    @pytest.mark.parametrize(
        "batch", [None, "words", 3, {}, {"x": None}, torch.tensor(1.0), object()]
    )
    def test_nothing_with_rows(self, batch: object) -> None:
        """A batch without tensor, array or list is refused by its type."""
        with pytest.raises(SiftBatchError, match=f"batch of type {type(batch).__name__} holds no"):
            num_rows(batch)

    @pytest.mark.parametrize(
        ("batch", "place"),
        [
            pytest.param([torch.zeros(4, 2), torch.zeros(3)], "batch[1]", id="list"),
            pytest.param({"x": torch.zeros(4), "y": torch.zeros(3)}, "batch['y']", id="dict"),
            pytest.param(Pair(torch.zeros(4), torch.zeros(3)), "batch.label", id="named tuple"),
            pytest.param(Sample(torch.zeros(4), np.zeros(3)), "batch.label", id="dataclass"),
            pytest.param(
                {"a": [torch.zeros(4), (torch.zeros(3),)]}, "batch['a'][1][0]", id="nested"
            ),
        ],
    )
    def test_tensors_that_disagree(self, batch: object, place: str) -> None:
        """The tensor whose dimension 0 is not the number of samples is named by its place."""
        with pytest.raises(SiftBatchError) as caught:
            take(batch, torch.tensor([0]))
        assert str(caught.value) == (
            f"{place} has shape (3,), but the batch holds 4 samples: dimension 0 must hold the "
            "samples in every tensor of a batch"
        )

    @pytest.mark.parametrize("entries", [["a", "b"], ("a", "b"), [], torch.Size([4, 2])])
    def test_lists_that_disagree(self, entries: object) -> None:
        """A list of another length than the number of samples is refused, not cut at random."""
        with pytest.raises(
            SiftBatchError, match=r"batch\['meta'\] has [02] entries, but the batch"
        ):
            take({"x": images(), "meta": entries}, torch.tensor([0]))

    @pytest.mark.parametrize(
        "part",
        [
            pytest.param(pack_sequence([torch.ones(2), torch.ones(1)]), id="packed"),
            pytest.param(SimpleNamespace(x=torch.ones(4)), id="object with tensors"),
            pytest.param({1, 2, 3, 4, 5}, id="set"),
            pytest.param(FrozenSample, id="class"),
        ],
    )
    def test_what_may_hold_samples_unseen(self, part: object) -> None:
        """An object that may hold samples, but not as rows, is refused rather than left whole."""
        with pytest.raises(SiftBatchError, match=r"batch\['part'\] is of type .* told apart"):
            take({"x": images(), "part": part}, torch.tensor([0]))

    @pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
    @pytest.mark.parametrize("layout", [torch.strided, torch.jagged])
    def test_nested_tensors(self, layout: torch.layout) -> None:
        """A nested tensor has no dimension to take rows of, and is refused in words."""
        nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(1)], layout=layout)
        with pytest.raises(SiftBatchError, match=r"batch\['x'\] is of type .* told apart"):
            take({"y": images(2), "x": nested}, torch.tensor([0]))

    def test_mappings_that_cannot_be_made(self) -> None:
        """A mapping that takes more than a dict is refused by its name."""
        with pytest.raises(
            SiftBatchError, match="batch of type StrictView cannot be made of a dict"
        ):
            take(StrictView({"x": images()}, 1), torch.tensor([0]))

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            pytest.param({"x": images()}, {"y": images()}, id="keys"),
            pytest.param({"x": images()}, {"x": images(), "y": images()}, id="more keys"),
            pytest.param({"x": images()}, [images()], id="type"),
            pytest.param((images(),), (images(), images()), id="length"),
        ],
    )
    def test_structures_that_change(self, first: object, second: object) -> None:
        """Batches of different structure cannot be joined."""
        with pytest.raises(SiftBatchError, match="batch changes its type, its keys or its length"):
            concat([first, second])

    @pytest.mark.parametrize(
        ("first", "second", "kinds"),
        [
            (images(2), None, "NoneType, tensor"),
            (None, images(2), "NoneType, tensor"),
            (labels(1), torch.tensor(3), "tensor, tensor without dimensions"),
            (labels(1), labels(1).numpy(), "array, tensor"),
            (["a"], ("a",), "list, tuple"),
            (["a"], [labels(1)], "list, list of tensors"),
        ],
    )
    def test_leaves_that_change(self, first: object, second: object, kinds: str) -> None:
        """A part that is a tensor in one batch and none in the next is named by its place."""
        with pytest.raises(SiftBatchError) as caught:
            concat([{"x": images(1), "part": first}, {"x": images(1), "part": second}])
        assert str(caught.value) == f"batch['part'] changes its type from batch to batch: {kinds}"

    @pytest.mark.parametrize("kind", [torch.zeros, np.zeros])
    def test_sizes_that_change(self, kind: Any) -> None:
        """Samples of different sizes need padding; the message names the place and the sizes."""
        with pytest.raises(SiftBatchError) as caught:
            concat([[kind((1, 7))], [kind((1, 4))], [kind((1, 7))]])
        assert str(caught.value) == (
            "batch[0] has samples of different sizes in different batches: (4,), (7,); give `pad=` "
            "to bring tensors to one size"
        )


class TestPadding:
    """The user's way to bring samples to one size."""

    @staticmethod
    def pad(tensors: Any) -> list[Tensor]:
        """Pad with zeros to the longest row."""
        rows = [row for tensor in tensors for row in tensor]
        padded = pad_sequence(rows, batch_first=True)
        return list(padded.split([len(tensor) for tensor in tensors]))

    def test_sizes_that_differ_are_padded(self) -> None:
        """Tensors of different trailing sizes are brought to one size by the user's function."""
        joined = concat([[torch.ones(2, 3), labels(2)], [torch.ones(1, 5), labels(1)]], self.pad)
        assert joined[0].tolist() == [[1, 1, 1, 0, 0]] * 2 + [[1] * 5]
        assert joined[1].tolist() == [0, 10, 0]

    def test_padding_may_differ_by_place(self) -> None:
        """An object with a method `at` is asked for the pad of each place."""
        places = []

        class ByPlace:
            def at(self, place: str) -> Any:
                places.append(place)
                return TestPadding.pad

            def __call__(self, tensors: Any) -> Any:
                raise AssertionError

        joined = concat([{"a": torch.ones(2, 3)}, {"a": torch.ones(1, 5)}], pad=ByPlace())
        assert places == ["batch['a']"]
        assert joined["a"].shape == (3, 5)

    def test_equal_sizes_are_not_padded(self) -> None:
        """The user's function is asked only where sizes differ."""
        concat([images(2), images(1)], pad=lambda tensors: pytest.fail("was asked"))

    def test_padding_that_does_not_help_is_refused(self) -> None:
        """Sizes that still differ after padding are refused."""
        with pytest.raises(SiftBatchError, match="samples of different sizes"):
            concat([torch.ones(2, 3), torch.ones(1, 5)], pad=lambda tensors: tensors)

    def test_padding_keeps_the_rows(self) -> None:
        """A function that changes the number of samples is refused: weights would go astray."""
        with pytest.raises(
            SiftBatchError, match=r"`pad=` changed the number of samples of batch: "
        ):
            concat(
                [torch.ones(2, 3), torch.ones(1, 5)],
                pad=lambda tensors: [torch.ones(1, 5) for _ in tensors],
            )
