"""Outstanding batches: whose losses came back, however far the trainer looks ahead."""

from __future__ import annotations

import io
from collections import deque

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sift_toolkit import SiftUsageError
from sift_toolkit.sifting._returned import OutstandingBatches


def handed_out(*sizes: int) -> tuple[OutstandingBatches, list[Tensor]]:
    """Return a queue of batches of these sizes, told apart by ids and weights; and the batches."""
    queue, batches = OutstandingBatches(), [torch.zeros(size) for size in sizes]
    for number, batch in enumerate(batches):
        rows = len(batch)
        queue.hand_out(batch, rows, torch.full((rows,), number / 2), torch.full((rows,), number))
    return queue, batches


def number_of(queue: OutstandingBatches, rows: int, batch: Tensor | None = None) -> int:
    """Return which batch the queue takes losses for."""
    handed = queue.take_back(rows, batch)
    assert handed.rows == rows
    assert handed.ids is not None
    assert handed.weights is not None
    number = int(handed.ids[0])
    assert handed.weights.tolist() == [number / 2] * rows
    return number


@pytest.mark.parametrize("ahead", [0, 1, 5])
def test_a_trainer_may_look_ahead(ahead: int) -> None:
    """Losses belong to the oldest outstanding batch, however many were fetched since."""
    queue, waiting = OutstandingBatches(), deque[int]()
    returned = []
    for number in range(20):
        queue.hand_out(object(), 4, torch.full((4,), number / 2), torch.full((4,), number))
        waiting.append(number)
        if len(waiting) > ahead:
            returned.append((waiting.popleft(), number_of(queue, 4)))
    assert returned == [(number, number) for number in range(20 - ahead)]


def test_a_shorter_batch_is_told_by_its_length() -> None:
    """The length says which batch is meant where lengths differ."""
    queue, _ = handed_out(4, 4, 3)
    assert number_of(queue, 3) == 2


def test_what_came_before_is_forgotten() -> None:
    """Once a batch is answered, older ones that were not are never answered."""
    queue, _ = handed_out(4, 4, 3)
    number_of(queue, 3)
    with pytest.raises(SiftUsageError, match="outstanding lengths: none"):
        queue.take_back(4, None)


def test_the_batch_itself_tells_best() -> None:
    """With the batch given, the losses are its own, whatever else is outstanding."""
    queue, batches = handed_out(4, 4, 4)
    assert number_of(queue, 4, batches[1]) == 1
    assert number_of(queue, 4, batches[2]) == 2


def test_an_identity_that_was_used_before_is_the_new_ones() -> None:
    """A batch at the address of one that is gone is not taken for the old one."""
    queue, batch = OutstandingBatches(), torch.zeros(4)
    for number in range(2):
        queue.hand_out(batch, 4, torch.full((4,), number / 2), torch.full((4,), number))
    assert number_of(queue, 4, batch) == 1


def test_a_batch_is_answered_once() -> None:
    """The losses of a batch are taken once; a second time there is none outstanding."""
    queue, batches = handed_out(4)
    number_of(queue, 4, batches[0])
    with pytest.raises(SiftUsageError, match="the batch given is none of those outstanding"):
        queue.take_back(4, batches[0])


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=10), rows=st.integers(1, 4))
def test_the_oldest_of_a_length_is_meant(sizes: list[int], rows: int) -> None:
    """Without the batch, the first outstanding one of that length is taken, if there is one."""
    queue, _ = handed_out(*sizes)
    if rows in sizes:
        assert number_of(queue, rows) == sizes.index(rows)
    else:
        with pytest.raises(SiftUsageError):
            queue.take_back(rows, None)


def test_a_missing_length_lists_those_there_are() -> None:
    """Losses of no outstanding length are refused with the lengths there are."""
    queue, _ = handed_out(4, 4, 3)
    with pytest.raises(SiftUsageError) as caught:
        queue.take_back(8, None)
    assert str(caught.value) == (
        "reduce() was given 8 losses, but no outstanding batch has that length; outstanding "
        "lengths: [3, 4]. Call it once for each batch, with one loss a sample"
    )


def test_another_object_is_refused() -> None:
    """A copy of a batch, such as one on another device, is not the batch; the message says so."""
    queue, batches = handed_out(4)
    with pytest.raises(SiftUsageError, match="give the very object that the loader gave out, or"):
        queue.take_back(4, batches[0].clone())


def test_a_batch_of_another_length_is_refused() -> None:
    """Losses that do not fit their own batch are refused, and the batch stays outstanding."""
    queue, batches = handed_out(4)
    with pytest.raises(SiftUsageError, match="was given 3 losses for a batch of 4 samples"):
        queue.take_back(3, batches[0])
    assert number_of(queue, 4, batches[0]) == 0


def test_the_queue_is_bounded() -> None:
    """A loop that never hands losses back costs no memory without end: the oldest are let go."""
    queue, _ = handed_out(*[4] * 1000)
    assert number_of(queue, 4) == 1000 - 256


def test_an_epoch_ends_all() -> None:
    """When an epoch is over, no batch of it is outstanding any more."""
    queue, _ = handed_out(4)
    queue.forget()
    with pytest.raises(SiftUsageError):
        queue.take_back(4, None)


def test_it_goes_on_from_a_saved_state() -> None:
    """Outstanding batches survive; only which object they were does not."""
    queue, batches = handed_out(4, 3, 4)
    number_of(queue, 4)
    queue.hand_out(torch.zeros(2), 2, None, None)
    file = io.BytesIO()
    torch.save(queue.state_dict(), file)
    file.seek(0)
    loaded, _ = handed_out(9)
    loaded.load_state_dict(torch.load(file, weights_only=True))
    for rows, batch in ((3, batches[1]), (9, None)):
        with pytest.raises(SiftUsageError):
            loaded.take_back(rows, batch)
    assert [number_of(loaded, rows) for rows in (3, 4)] == [1, 2]
    last = loaded.take_back(2, None)
    assert (last.weights, last.ids) == (None, None)
