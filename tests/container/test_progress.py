"""A run's progress by the steps that all processes make together."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from sift_toolkit.container._learning_rate import scheduler_for
from sift_toolkit.container._progress import CommonProgress

Loader = DataLoader[Any]


class Streamed:
    """A loader of unknown length."""

    def __len__(self) -> int:
        raise TypeError


def progress_of(loader: Any, first: int | None = None) -> CommonProgress:
    """Return the progress of two epochs; *first*: what the first process says of their length."""
    processes = SimpleNamespace(from_first=lambda own: own if first is None else first)
    return CommonProgress(loader, processes, 2)  # type: ignore[arg-type] # all it asks for


def steps(progress: CommonProgress, count: int) -> list[float]:
    """Return the progress after each of some steps."""
    seen = []
    for _ in range(count):
        progress.step()
        seen.append(progress())
    return seen


def test_epochs_count_alike(toy_loader: Callable[[], Loader]) -> None:
    """However many steps they have: from 0 to 1 over the run."""
    progress = progress_of(toy_loader())
    assert progress() == 0.0
    assert steps(progress, 8) == [step / 16 for step in range(1, 9)]
    progress.begin_epoch(1)
    assert progress() == 0.5
    assert steps(progress, 8)[-1] == 1.0


def test_the_first_process_says_how_long_an_epoch_is(toy_loader: Callable[[], Loader]) -> None:
    """So that all are at the same place; more steps than it foresaw are no progress."""
    assert steps(progress_of(toy_loader(), first=2), 3) == [0.25, 0.5, 0.5]


def test_it_goes_on_where_it_was(toy_loader: Callable[[], Loader]) -> None:
    """In the middle of an epoch too."""
    before, after = progress_of(toy_loader()), progress_of([], first=99)
    before.begin_epoch(1)
    steps(before, 3)
    after.load_state_dict(before.state_dict())
    after.begin_epoch(1)

    assert steps(after, 5) == steps(before, 5)


def test_a_length_that_nobody_knows() -> None:
    """It is no error: the rate of such a run is constant."""
    assert steps(progress_of(Streamed()), 2) == [0.0, 0.0]


@pytest.mark.parametrize("given", [True, False])
def test_a_schedule_follows_it_where_it_is_given(*, given: bool) -> None:
    """Else it follows the loader's own."""
    loader = SimpleNamespace(progress=0.25)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = scheduler_for(
        loader,  # type: ignore[arg-type] # all it asks for
        optimizer,
        lambda progress: progress,
        lambda note: None,
        (lambda: 0.75) if given else None,
    )
    assert scheduler.get_last_lr() == [0.75 if given else 0.25]
