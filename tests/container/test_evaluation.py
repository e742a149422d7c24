"""Accuracy on held-out data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sift_toolkit import SiftUsageError
from sift_toolkit.container._evaluation import accuracy, drawn_alike

ToyHooks = Callable[..., SimpleNamespace]
CPU = torch.device("cpu")


def equals_one(model: nn.Module, batch: Tensor) -> Tensor:
    """Call the ones right."""
    return batch == 1


def test_accuracy_is_a_share_of_samples(toy_hooks: ToyHooks) -> None:
    """Batches of different sizes count by their samples."""
    batches = [torch.tensor([1, 1, 0]), torch.tensor([1])]

    assert accuracy(toy_hooks(correct=equals_one), nn.Identity(), batches, CPU) == 0.75


def test_several_processes_add_up(toy_hooks: ToyHooks) -> None:
    """Samples are summed, not shares: parts of different sizes make the accuracy of the whole."""
    told = []

    def sums(own: Sequence[int]) -> list[int]:
        told.append(list(own))
        return [own[0] + 4, own[1] + 4]

    hooks = toy_hooks(correct=equals_one)
    assert accuracy(hooks, nn.Identity(), [torch.tensor([1, 0])], CPU, sums) == 5 / 6
    assert accuracy(hooks, nn.Identity(), [], CPU, sums) == 1.0
    assert told == [[1, 2], [0, 0]]


def test_random_numbers_of_an_evaluation() -> None:
    """They are the same on all processes, and those after it are as if there had been none."""
    draws = []
    for _ in range(2):
        with drawn_alike(3):
            draws.append(torch.rand(2).tolist())
        torch.manual_seed(0)
        with drawn_alike(3):
            torch.rand(7)
        after = torch.rand(1)
        torch.manual_seed(0)
        assert after == torch.rand(1)
    assert draws[0] == draws[1]


def test_nothing_is_learned_from_it(toy_hooks: ToyHooks) -> None:
    """The model is in evaluation mode, and no gradients are kept."""
    model = nn.Linear(1, 1)
    told = []

    def correct(model: nn.Module, batch: Tensor) -> Tensor:
        told.append((model.training, model(batch).requires_grad))
        return batch[:, 0] > 0

    accuracy(toy_hooks(correct=correct), model, [torch.ones(2, 1)], CPU)

    assert told == [(False, False)]


def test_no_samples_are_no_accuracy(toy_hooks: ToyHooks) -> None:
    """Where there is nothing to measure, nothing is reported as measured."""
    with pytest.raises(SiftUsageError, match="test_data gave no samples"):
        accuracy(toy_hooks(), nn.Identity(), [], CPU)


@pytest.mark.parametrize(
    ("returned", "got"),
    [
        (torch.tensor(3), r"torch.int64 of shape \(\)"),
        (torch.tensor([True]).reshape(1, 1), r"torch.bool of shape \(1, 1\)"),
        (torch.tensor([0.5]), r"torch.float32 of shape \(1,\)"),
        (0.5, "got float"),
    ],
)
def test_what_is_no_answer_is_refused(toy_hooks: ToyHooks, returned: Any, got: str) -> None:
    """A count or a mean in place of one answer a sample would be a wrong accuracy."""
    hooks = toy_hooks(correct=lambda model, batch: returned)
    with pytest.raises(SiftUsageError, match=rf"one bool a sample, shape \(batch,\), .*{got}"):
        accuracy(hooks, nn.Identity(), [torch.ones(2)], CPU)
