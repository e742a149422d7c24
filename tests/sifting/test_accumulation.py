"""Gradient accumulation: full micro-batches, known in number, and the gradient of one batch.

`reduce` returns the weighted mean of one micro-batch. Over k of one size, the sum of
``reduce(losses) / k`` is the weighted mean over the global batch. Where sizes differ, at the end
of an epoch, each counts by its share of the rows.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

MICRO = 8
GROUP = 4

Made = Callable[..., tuple[Any, Any]]


@pytest.fixture
def make(make_toy: Any) -> Made:
    """Return a function that makes a task and its sifted, shuffled loader."""

    def made(rows: int, batch_size: int = MICRO, *, drop_last: bool = False, **config: Any) -> Any:
        toy = make_toy()
        inner = toy.loader(
            rows,
            batch_size=batch_size,
            shuffle=True,
            generator=Generator().manual_seed(4),
            drop_last=drop_last,
        )
        return toy, toy.sifted(inner, epochs=3, **config)

    return made


def accumulate(toy: Any, loader: Any, batches: Iterable[Any]) -> list[Any]:
    """Add up the gradients of micro-batches, each by its share of the rows; return those."""
    toy.optimizer.zero_grad()
    group = []
    for batch in batches:
        (loader.reduce(toy.loss(toy.model, batch)) * len(batch[2])).backward()
        group.append(batch)
    rows = sum(len(batch[2]) for batch in group)
    for parameter in toy.model.parameters() if group else ():
        parameter.grad /= rows
    return group


def groups_of(toy: Any, loader: Any, *, ahead: bool = True) -> Iterator[list[Any]]:
    """Yield the batches of each step of an epoch, their gradients accumulated.

    Args:
        toy: the task.
        loader: the sifted one.
        ahead: whether a group is fetched as a whole and trained on then, as trainers do.
    """
    iterator = iter(loader)
    while True:
        fetched = itertools.islice(iterator, GROUP)
        group = accumulate(toy, loader, list(fetched) if ahead else fetched)
        if not group:
            return
        yield group


def weights_of(toy: Any, loader: Any, batch: Any) -> Tensor:
    """Return the weights that `reduce` gives a batch's losses, which come back with that."""
    losses = toy.loss(toy.model, batch).detach().requires_grad_()
    loader.reduce(losses, batch).backward()
    assert losses.grad is not None
    return losses.grad * len(losses)


def gradient(toy: Any) -> Tensor:
    """Return the gradient of all parameters, in one row."""
    return torch.cat([each.grad.flatten() for each in toy.model.parameters()])


SCORES = pytest.mark.parametrize("scores", ["fresh", "memory"])


class TestMicroBatches:
    """What an accumulating loop is given."""

    @SCORES
    @pytest.mark.parametrize("rows", [96, 100, 101])
    @pytest.mark.parametrize("config", [{}, {"keep_end": 0.1}, {"correction": 1.0}])
    def test_all_are_full_but_an_epochs_last(
        self, make: Made, scores: str, rows: int, config: dict[str, Any]
    ) -> None:
        """Their number, and so that of the optimizer's steps, is known when the epoch begins."""
        toy, loader = make(rows, scores=scores, **config)
        total, came = loader.total_steps(), 0
        for _ in range(3):
            batches, steps = len(loader), math.ceil(len(loader) / GROUP)
            groups = []
            for group in groups_of(toy, loader):
                toy.optimizer.step()
                groups.append([len(batch[2]) for batch in group])
            sizes = list(itertools.chain.from_iterable(groups))
            assert set(sizes[:-1]) == {MICRO}
            assert 1 < sizes[-1] <= MICRO
            assert (len(sizes), len(groups)) == (batches, steps)
            assert {len(group) for group in groups[:-1]} <= {GROUP}
            came += batches
        assert came == total

    @SCORES
    def test_all_are_full_if_the_loader_drops_its_last(self, make: Made, scores: str) -> None:
        """No smaller one comes then, in any epoch: what is left over waits for the next one."""
        toy, loader = make(101, drop_last=True, scores=scores)
        for _ in range(3):
            for group in groups_of(toy, loader):
                toy.optimizer.step()
                assert {len(batch[2]) for batch in group} == {MICRO}


class TestGradient:
    """What comes of an accumulated step."""

    @SCORES
    @pytest.mark.parametrize("correction", [0.0, 0.5, 1.0])
    @pytest.mark.parametrize("ahead", [True, False])
    def test_it_is_that_of_one_big_batch(
        self, make: Made, scores: str, correction: float, ahead: bool
    ) -> None:
        """The gradient of the weighted mean over all rows of the group, smaller last ones too.

        Fresh scoring in between neither adds to a gradient that is half accumulated nor clears it.
        """
        arguments = {"scores": scores, "correction": correction}
        toy, loader = make(100, **arguments)
        # Gives out the same rows as long as neither model learns, and tells their weights.
        other, twin = make(100, **arguments)
        weights = []
        for _ in range(3):
            same = iter(twin)
            for group in groups_of(toy, loader, ahead=ahead):
                rows = [next(same) for _ in group]
                assert [batch[2].tolist() for batch in group] == [row[2].tolist() for row in rows]
                weights.append(torch.cat([weights_of(toy, twin, row) for row in rows]))
                whole = [torch.cat(column) for column in zip(*rows, strict=True)]
                other.optimizer.zero_grad()
                (other.loss(other.model, whole) * weights[-1]).mean().backward()
                torch.testing.assert_close(gradient(toy), gradient(other))
            assert next(same, None) is None
        spread = torch.cat(weights).std().item()
        assert (spread > 0.05) is (correction > 0)

    @pytest.mark.parametrize("correction", [0.0, 1.0])
    def test_a_run_is_that_of_the_big_batch(self, make: Made, correction: float) -> None:
        """With a memory, four micro-batches of 8 train as batches of 32 do: rows and weights."""
        arguments = {"scores": "memory", "correction": correction}
        toy, loader = make(128, MICRO, **arguments)
        big, big_loader = make(128, MICRO * GROUP, **arguments)
        for _ in range(3):
            for group, batch in zip(groups_of(toy, loader), big_loader, strict=True):
                assert torch.cat([each[2] for each in group]).tolist() == batch[2].tolist()
                toy.optimizer.step()
                big.step(big_loader, batch)
                torch.testing.assert_close(toy.model.weight, big.model.weight)
