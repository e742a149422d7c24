"""The refined buffer: rows in, in any number; full batches out, in order, nothing lost."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from sift_toolkit import SiftBatchError
from sift_toolkit.sifting._refined import RefinedBuffer, Rows


def rows_of(start: int, count: int, *, weighted: bool = False) -> Rows:
    """Return rows numbered from *start*, with weights of their own or without."""
    numbers = torch.arange(start, start + count)
    words = [f"row {number}" for number in numbers.tolist()]
    weights = numbers.double() + 0.5 if weighted else None
    return Rows({"number": numbers, "word": words}, weights)


def numbers_of(rows: Rows) -> list[int]:
    """Return the numbers of rows, after a look at the words beside them."""
    numbers: list[int] = rows.batch["number"].tolist()
    assert rows.batch["word"] == [f"row {number}" for number in numbers]
    return numbers


def pad(tensors: Any) -> list[Tensor]:
    """Pad with zeros to the longest row."""
    flat = [row for tensor in tensors for row in tensor]
    return list(pad_sequence(flat, batch_first=True).split([len(tensor) for tensor in tensors]))


class TestOrder:
    """What goes in comes out."""

    @given(sizes=st.lists(st.integers(0, 7), max_size=12), batch_size=st.integers(1, 6))
    def test_rows_come_out_in_order_and_once(self, sizes: list[int], batch_size: int) -> None:
        """Batches of one size are cut from parts of any size; the rest waits and is counted."""
        buffer, came, start = RefinedBuffer(), [], 0
        for size in sizes:
            buffer.push(rows_of(start, size))
            start += size
            while len(buffer) >= batch_size:
                numbers = numbers_of(buffer.pop(batch_size))
                assert len(numbers) == batch_size
                came += numbers
        assert len(buffer) == start - len(came) < batch_size
        if len(buffer):
            came += numbers_of(buffer.pop(len(buffer)))
        assert came == list(range(start))
        assert len(buffer) == 0

    def test_a_part_that_is_a_batch_is_not_copied(self) -> None:
        """A part of just the right size is handed on as it is."""
        buffer, rows = RefinedBuffer(), rows_of(0, 4)
        buffer.push(rows)
        assert buffer.pop(4).batch is rows.batch

    def test_parts_do_not_share_memory(self) -> None:
        """A batch that the training loop writes to does not change the rows that still wait."""
        buffer = RefinedBuffer()
        buffer.push(rows_of(0, 5))
        buffer.pop(2).batch["number"].fill_(-1)
        assert numbers_of(buffer.pop(3)) == [2, 3, 4]

    def test_clearing_forgets_and_counts(self) -> None:
        """Dropped leftovers are counted, and gone."""
        buffer = RefinedBuffer()
        buffer.push(rows_of(0, 3))
        assert buffer.clear() == 3
        assert len(buffer) == 0
        buffer.push(rows_of(7, 2))
        assert numbers_of(buffer.pop(2)) == [7, 8]

    @pytest.mark.parametrize("count", [0, 4])
    def test_only_what_waits_can_be_taken(self, count: int) -> None:
        """Asking for none, or for more than there is, is a fault of the caller."""
        buffer = RefinedBuffer()
        buffer.push(rows_of(0, 3))
        with pytest.raises(AssertionError):
            buffer.pop(count)


class TestWeights:
    """Weights stay with their rows."""

    @given(weighted=st.lists(st.booleans(), min_size=1, max_size=6), batch_size=st.integers(1, 5))
    def test_each_row_keeps_its_weight(self, weighted: list[bool], batch_size: int) -> None:
        """Rows from windows without weights weigh 1 beside those that have some."""
        buffer, total = RefinedBuffer(), 3 * len(weighted)
        for place, each in enumerate(weighted):
            buffer.push(rows_of(3 * place, 3, weighted=each))
        for start in range(0, total, batch_size):
            rows = buffer.pop(min(batch_size, total - start))
            expected = [
                number + 0.5 if weighted[number // 3] else 1.0 for number in numbers_of(rows)
            ]
            weights = [1.0] * len(expected) if rows.weights is None else rows.weights.tolist()
            assert weights == expected

    def test_no_weights_stay_no_weights(self) -> None:
        """Nothing is made up where nothing was weighted."""
        buffer = RefinedBuffer()
        buffer.push(rows_of(0, 2))
        buffer.push(rows_of(2, 2))
        assert buffer.pop(3).weights is None
        assert buffer.pop(1).weights is None


class TestPadding:
    """Rows of batches whose tensors differ in their trailing sizes."""

    def test_rows_are_padded_to_their_own_batch(self) -> None:
        """Only the rows of one refined batch are brought to one size; what waits is left alone."""
        buffer = RefinedBuffer(pad)
        for size in (3, 5, 9):
            buffer.push(Rows(torch.ones(2, size), None))
        assert tuple(buffer.pop(2).batch.shape) == (2, 3)
        assert tuple(buffer.pop(3).batch.shape) == (3, 9)
        assert tuple(buffer.pop(1).batch.shape) == (1, 9)

    def test_without_padding_sizes_must_agree(self) -> None:
        """Without the user's function such rows are refused, with the argument to give."""
        buffer = RefinedBuffer()
        buffer.push(Rows(torch.ones(2, 3), None))
        buffer.push(Rows(torch.ones(2, 5), None))
        with pytest.raises(SiftBatchError, match="give `pad=`"):
            buffer.pop(3)


class TestState:
    """Waiting rows survive."""

    @given(
        sizes=st.lists(st.integers(0, 5), max_size=8),
        taken=st.integers(0, 10),
        weighted=st.booleans(),
    )
    def test_it_goes_on_from_a_saved_state(
        self, sizes: list[int], taken: int, weighted: bool
    ) -> None:
        """A buffer loaded at any point gives out what the saved one would have."""
        buffer, start = RefinedBuffer(), 0
        for size in sizes:
            buffer.push(rows_of(start, size, weighted=weighted))
            start += size
        if 0 < taken <= start:
            buffer.pop(taken)
        file = io.BytesIO()
        torch.save(buffer.state_dict(), file)
        file.seek(0)
        loaded = RefinedBuffer()
        loaded.load_state_dict(torch.load(file, weights_only=True))
        assert len(loaded) == len(buffer)
        for each in (buffer, loaded):
            each.push(rows_of(100, 2, weighted=weighted))
        first, second = buffer.pop(len(buffer)), loaded.pop(len(loaded))
        assert numbers_of(first) == numbers_of(second)
        assert (first.weights is None) == (second.weights is None)
        if first.weights is not None and second.weights is not None:
            assert torch.equal(first.weights, second.weights)

    def test_a_state_is_a_copy(self) -> None:
        """What is saved, and what was loaded, does not change with what the loop writes to."""
        buffer, loaded = RefinedBuffer(), RefinedBuffer()
        buffer.push(rows_of(0, 2))
        state = buffer.state_dict()
        loaded.load_state_dict(state)
        for each in (buffer, loaded):
            each.pop(2).batch["number"].fill_(-1)
        loaded.load_state_dict(state)
        assert numbers_of(loaded.pop(2)) == [0, 1]

    def test_loading_replaces_what_waited(self) -> None:
        """Rows that waited before a state was loaded are gone."""
        buffer = RefinedBuffer()
        state = buffer.state_dict()
        buffer.push(rows_of(0, 3))
        buffer.load_state_dict(state)
        assert len(buffer) == 0
