"""Models and batches on a device: scored where the model is, given out where the batch was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sift_toolkit.errors import SiftLossError
from sift_toolkit.sifting._scoring import Scorer

SCORES = pytest.mark.parametrize("scores", ["fresh", "memory"])


def random_states(device: torch.device) -> list[Any]:
    """Return torch's random states that work on a device may move, as values that compare."""
    states = [torch.get_rng_state()]
    if device.type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    return [state.tolist() for state in states]


def devices_in(state: Any) -> set[str]:
    """Return the kinds of devices that the tensors of a state are on."""
    if isinstance(state, Tensor):
        return {state.device.type}
    children = state.values() if isinstance(state, dict) else state
    if isinstance(children, str) or not hasattr(children, "__iter__"):
        return set()
    return set().union(*map(devices_in, children))


def test_the_scores_are_those_of_the_cpu(task: Any, make_task: Any) -> None:
    """Losses of the same model and batch agree within the rounding of the device."""
    here = make_task(torch.device("cpu"))
    batch = next(iter(task.loader()))
    scores = Scorer(task.loss, task.model).score(batch)
    assert scores.losses.device.type == "cpu"
    torch.testing.assert_close(
        scores.losses, Scorer(here.loss, here.model).score(batch).losses, rtol=1e-4, atol=1e-5
    )


def test_batches_may_be_on_the_device_already(task: Any) -> None:
    """They stay there, and the rows chosen are those chosen from batches of the CPU."""
    batches = list(task.loader(44))
    there = list(task.sifted([task.moved(batch) for batch in batches], scores="fresh"))
    here = list(task.sifted(batches, scores="fresh"))
    assert {each.device for batch in there for each in batch} == {task.device}
    assert {each.device.type for batch in here for each in batch} == {"cpu"}
    assert [batch[2].tolist() for batch in there] == [batch[2].tolist() for batch in here]
    assert [len(batch[2]) for batch in there] == [8, 8, 6]


@SCORES
def test_the_model_may_move_after_the_loader_was_made(
    make_task: Any, task: Any, scores: str
) -> None:
    """It is scored and trained where it is then, and chooses what it would have chosen there."""
    moved = make_task(torch.device("cpu"))
    moved_loader = moved.sifted(scores=scores)
    moved.model.to(task.device)
    moved.device = task.device
    moved.optimizer = torch.optim.SGD(moved.model.parameters(), 0.2)
    loader = task.sifted(scores=scores)
    for _ in range(2):
        assert moved.epoch(moved_loader) == task.epoch(loader)
    torch.testing.assert_close(moved.weights(), task.weights())


@SCORES
def test_a_resumed_run_goes_on_on_the_device(make_task: Any, task: Any, scores: str) -> None:
    """A state saved in the middle of an epoch holds nothing of the device, and is gone on with."""
    loader = task.sifted(scores=scores)
    task.epoch(loader)
    iterator = iter(loader)
    first = next(iterator)
    loader.reduce(task.loss(task.model, task.moved(first)), first)
    state = loader.state_dict()
    assert devices_in(state) == {"cpu"}
    other = make_task(task.device)
    other.model.load_state_dict(task.model.state_dict())
    resumed = other.sifted(scores=scores)
    resumed.load_state_dict(state)
    assert [batch[2].tolist() for batch in resumed] == [batch[2].tolist() for batch in iterator]


@pytest.mark.parametrize("fails", [False, True])
def test_no_random_state_moves(task: Any, fails: bool) -> None:
    """Neither the device's nor the CPU's, though the loss draws from both, and if it fails too."""

    def draws(model: nn.Module, batch: Any) -> Tensor:
        noise = torch.rand(len(batch[0]), device=task.device) + torch.rand(1).to(task.device)
        features = nn.functional.dropout(batch[0], training=True)
        if fails:
            raise KeyError
        return task.loss(model, [features, batch[1]]) + noise

    batch = next(iter(task.loader()))
    before = random_states(task.device)
    if fails:
        with pytest.raises(KeyError):
            Scorer(draws, task.model).score(batch)
    else:
        Scorer(draws, task.model).score(batch)
    assert random_states(task.device) == before


@pytest.mark.gpu
def test_losses_elsewhere_than_the_model_are_refused(make_task: Any) -> None:
    """Fresh scores that the loss moved to the CPU, and training losses too, name both places."""
    task = make_task(torch.device("cuda:0"))

    def fetched(model: nn.Module, batch: Any) -> Tensor:
        return task.loss(model, batch).cpu()

    with pytest.raises(SiftLossError, match="the loss is on cpu, the model on cuda:0"):
        next(iter(task.sifted(loss=fetched, scores="fresh")))
    loader = task.sifted(scores="memory")
    batch = next(iter(loader))
    with pytest.raises(SiftLossError, match="the losses are on cpu, the model is on cuda:0"):
        loader.reduce(fetched(task.model, task.moved(batch)))


@contextmanager
def no_wait(task: Any) -> Iterator[None]:
    """Return a block in which a wait for the device is an error."""
    if not task.is_cuda:
        yield
        return
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
@SCORES
def test_handing_losses_back_waits_for_nothing(task: Any, scores: str) -> None:
    """`reduce` queues its work and returns, so that the device is never idle because of it."""
    loader = task.sifted(scores=scores)
    for batch in loader:
        losses = task.loss(task.model, task.moved(batch))
        with no_wait(task):
            mean = loader.reduce(losses, batch)
        assert mean.device == task.device
        mean.backward()
