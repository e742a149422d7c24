"""Values that were tried in place of learnability."""

from __future__ import annotations

import torch
from arms import ARMS
from explore import EXPLORED, EXPLORED_TASKS, EXPLORING_SEEDS, Progress, Softened
from learning_tasks import TASKS
from records import read
from run import RESULTS, SEEDS
from torch import tensor


def test_hard_data_make_learnability_softer() -> None:
    """At a mean loss of 2 a row counts as it would at half its loss; below 1 nothing changes."""
    losses = tensor([1.0, 3.0])
    softened = Softened(torch.mean)(losses, torch.arange(2))
    half = torch.exp(-losses / 2)
    torch.testing.assert_close(softened, half * (1 - half) + 0.02)
    easy = tensor([0.1, 0.3])
    confidence = torch.exp(-easy)
    torch.testing.assert_close(
        Softened(torch.mean)(easy, torch.arange(2)), confidence * (1 - confidence) + 0.02
    )


def test_what_gains_is_worth_more() -> None:
    """A row is expected to gain as much as rows like it did at their last visit."""
    progress = Progress(forgetting=1.0)
    ids = torch.arange(2)
    progress(-tensor([0.3, 0.02]).log(), ids)
    progress(-tensor([0.7, 0.02]).log(), ids)
    # Two new rows, where those two were before.
    values = progress(-tensor([0.3, 0.02]).log(), ids + 2)
    torch.testing.assert_close(values, tensor([0.4 + 0.01, 0.01]))


def test_what_was_tried_is_apart_from_what_is_compared() -> None:
    """Exploring has seeds of its own, and leaves tasks that no rule was picked on."""
    assert not set(EXPLORING_SEEDS) & set(SEEDS)
    assert set(EXPLORED_TASKS) < set(TASKS)
    assert {"plain 100%", "plain 50%"} == set(EXPLORED) & set(ARMS)


def test_what_was_tried_is_in_the_file_under_its_name() -> None:
    """Each arm has runs; in the file are, besides, those that took a changed core."""
    done = {key.arm for key in read(RESULTS / "learning_explore.jsonl")}
    assert set(EXPLORED) <= done
