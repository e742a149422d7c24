"""The table of the learning benchmark's tasks is sound."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
import torch
from datasets import VOCABULARY, WORDS
from learning_tasks import TASKS, Task
from torch import Tensor

ROWS = {
    "fashion": lambda: torch.zeros(2, 1, 28, 28),
    "mnist": lambda: torch.zeros(2, 1, 28, 28),
    "letters": lambda: torch.zeros(2, 16),
    "wordnet": lambda: torch.full((2, WORDS), VOCABULARY - 1),
    "shuttle": lambda: torch.zeros(2, 9),
}
"""Made-up inputs of each set."""


def rows_for(task: Task) -> Tensor:
    """Return inputs as the task's data has them."""
    return ROWS[task.name.partition("-")[0]]()


@pytest.mark.parametrize("name", TASKS)
class TestTask:
    """What holds for every task."""

    def test_its_name_is_a_slug_that_says_its_kind(self, name: str) -> None:
        """The key is the name, fit for a file's, and ends with the kind unless clean."""
        task = TASKS[name]
        assert task.name == name
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
        assert (task.kind == "clean") == (not name.endswith(("-noisy", "-tail")))
        assert task.kind == "clean" or name.endswith(f"-{task.kind}")

    def test_its_rates_double(self, name: str) -> None:
        """Five learning rates, each twice the one before."""
        rates = TASKS[name].rates
        assert len(rates) == 5
        assert [after / before for before, after in pairwise(rates)] == [2] * 4

    def test_a_memory_has_epochs_to_work_in(self, name: str) -> None:
        """There are more than eight: a memory sees the first one whole."""
        assert TASKS[name].epochs > 8

    def test_its_model_takes_its_data(self, name: str) -> None:
        """The model gives one logit a class for rows as the set has them."""
        task = TASKS[name]
        assert task.model(11)(rows_for(task)).shape == (2, 11)


def test_noisy_and_tail_tasks_stand_beside_their_clean_twin() -> None:
    """They train the same model with the same rates."""
    for task in TASKS.values():
        if task.kind != "clean":
            twin = TASKS[task.name.removesuffix(f"-{task.kind}")]
            assert (task.model, task.rates) == (twin.model, twin.rates)


def test_every_kind_and_modality_is_there() -> None:
    """Clean, noisy and long-tailed; images, text and tables."""
    assert {task.kind for task in TASKS.values()} == {"clean", "noisy", "tail"}
    assert {task.modality for task in TASKS.values()} == {"images", "text", "tabular"}


def test_data_is_read_once_a_process() -> None:
    """Tasks on the same set share it, and a second call gives the same object."""
    assert TASKS["letters"].load() is TASKS["letters-long"].load()
    assert TASKS["letters-noisy"].load() is TASKS["letters-noisy"].load()


def test_spoilt_letters_are_spoilt_as_their_kind_says() -> None:
    """The noisy ones know 3,200 wrong labels; the tail runs from 600 rows to 12."""
    noisy, tail = TASKS["letters-noisy"].load(), TASKS["letters-tail"].load()
    assert noisy.wrong is not None
    assert int(noisy.wrong.sum()) == 3200
    counts = torch.bincount(tail.train.tensors[1])
    assert (int(counts[0]), int(counts[-1])) == (600, 12)
    assert tail.wrong is None
