"""The fake job says what a real one says: the same lines in the same order, the same counts."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit import METRICS, SiftConfig, SiftUsageError
from sift_toolkit.metrics import (
    KEPT_SHARE,
    PROGRESS,
    SAMPLES_SEEN,
    VALIDATION_ACCURACY,
    read_line,
    read_series,
)
from sift_toolkit.report import Observation, SiftReport
from sift_toolkit.sifting import SiftingDataloader
from sift_toolkit.sifting._build import choose_engine
from sift_toolkit.testing import FakeJob

MADE_UP = {"train_loss", "load_seconds", "score_seconds", "train_seconds", "estimated_saving"}
FRESH = SiftConfig(keep=0.5, scores="fresh", log_every=3)
MEMORY = SiftConfig(keep=0.5, scores="memory", log_every=3)


def counts_of(observations: list[Observation]) -> list[dict[str, float]]:
    """All that is not made up, observation by observation."""
    return [
        {name: pytest.approx(value) for name, value in seen.values.items() if name not in MADE_UP}
        for seen in observations
    ]


def epoch_ends(observations: list[Observation]) -> list[Observation]:
    """The observations that hold an accuracy, and those right before them."""
    return [
        observation
        for pair in itertools.pairwise(observations)
        if VALIDATION_ACCURACY.name in pair[1].values
        for observation in pair
    ]


def really_run(config: SiftConfig, *, rows: int, batch_size: int, epochs: int) -> list[Observation]:
    """What a real loader observes while a small model is trained."""
    observations: list[Observation] = []
    data = TensorDataset(torch.randn(rows, 2), torch.arange(rows) % 2)
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss(model: nn.Module, batch: list[torch.Tensor]) -> torch.Tensor:
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")

    loader = SiftingDataloader(
        sift_config=config,
        orig_dataloader=DataLoader(data, batch_size=batch_size),
        loss_impl=loss,
        model=model,
        epochs=epochs,
        listener=observations.append,
    )
    for epoch in range(epochs):
        for batch in loader:
            optimizer.zero_grad()
            loader.reduce(loss(model, batch)).backward()
            optimizer.step()
        loader.record(validation_accuracy=0.9 * (1 - 0.2 * (1 - (epoch + 1) / epochs)))
    return observations


@pytest.mark.parametrize(
    "config",
    [
        FRESH,
        FRESH.plain_twin(),
        SiftConfig(keep=0.3, scores="fresh", log_every=2),
        SiftConfig(keep=0.5, scores="fresh", log_every=7),
        SiftConfig(keep=0.7, keep_end=0.2, scores="fresh", log_every=4),
        SiftConfig(keep=0.5, scores="fresh", sift_delay=5, anneal=0.3),
        SiftConfig(keep=0.5, scores="fresh", sift_delay=3, repeat_delay_per_epoch=True),
        SiftConfig(keep=0.5, scores="fresh", score_every=3, log_every=2),
        SiftConfig(keep=0.5, scores="fresh", leftover="drop"),
        SiftConfig(keep=0.5, scores="fresh", leftover="carry"),
        SiftConfig(keep=0.5, scores="fresh", leftover="carry", sift_delay=13),
        SiftConfig(keep=0.5, scores="fresh", leftover="drop", enabled=False),
        SiftConfig(keep=0.5, scores="fresh", law="random", log_every=3),
        SiftConfig(keep=0.7, keep_end=0.2, scores="fresh", law="random", sift_delay=2),
    ],
    ids=repr,
)
def test_fresh_scores_to_the_row(config: SiftConfig) -> None:
    """With fresh scores, and in a plain twin, every count of every observation is the real one."""
    real = really_run(config, rows=100, batch_size=8, epochs=3)
    fake = FakeJob(config, rows=100, batch_size=8, epochs=3).observations()
    assert counts_of(fake) == counts_of(real)


@pytest.mark.parametrize(
    "config",
    [
        MEMORY,
        SiftConfig(keep=0.7, keep_end=0.2),
        SiftConfig(keep=0.4, anneal=0.25),
        SiftConfig(keep=0.5, leftover="drop"),
        SiftConfig(keep=0.5, law="random"),
        SiftConfig(keep=0.7, keep_end=0.2, law="random", sift_delay=2),
        SiftConfig(keep=0.4, anneal=0.25, law="random", scores="memory"),
    ],
    ids=repr,
)
def test_a_memory_to_the_epoch(config: SiftConfig) -> None:
    """With a memory each epoch ends with the counts of the real one."""
    real = really_run(config, rows=100, batch_size=8, epochs=3)
    fake = FakeJob(config, rows=100, batch_size=8, epochs=3).observations()
    assert counts_of(epoch_ends(fake)) == counts_of(epoch_ends(real))


def test_values_are_those_of_a_real_job() -> None:
    """What is made up stands where the real job has it, and nothing is left out."""
    real = really_run(FRESH, rows=100, batch_size=8, epochs=3)
    fake = FakeJob(FRESH, rows=100, batch_size=8, epochs=3).observations()
    assert [seen.values.keys() for seen in fake] == [seen.values.keys() for seen in real]


def test_one_epoch_is_fresh() -> None:
    """Where no sample is seen twice nothing is remembered, as in a real job."""
    config = SiftConfig(keep=0.5, log_every=5)
    real = really_run(config, rows=100, batch_size=8, epochs=1)
    fake = FakeJob(config, rows=100, batch_size=8, epochs=1)
    assert counts_of(fake.observations()) == counts_of(real)
    assert fake.lines()[0].endswith("because in one epoch no sample is seen twice")


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("scores", ["auto", "memory", "fresh"])
@pytest.mark.parametrize("law", ["percentile", "random"])
@pytest.mark.parametrize("enabled", [True, False])
def test_its_note_is_the_real_one(epochs: int, scores: Any, law: Any, enabled: bool) -> None:
    """It says where scores come from, and why, in the words of a real job."""
    config = SiftConfig(keep=0.5, scores=scores, law=law, enabled=enabled)
    loader = DataLoader(TensorDataset(torch.zeros(8, 1)), batch_size=2)
    real = choose_engine(config, loader, epochs)
    assert FakeJob(config, epochs=epochs).lines()[0] == (
        f"[sift] note: scores: {real.name}, because {real.reason}"
    )


@pytest.mark.parametrize("scores", ["auto", "memory"])
def test_random_samples_of_one_epoch_are_not_loaded(scores: Any) -> None:
    """Nothing must be learnt first: what is passed over in a single epoch is never loaded."""
    config = SiftConfig(keep=0.5, scores=scores, law="random", log_every=5)
    real = really_run(config, rows=100, batch_size=8, epochs=1)
    fake = FakeJob(config, rows=100, batch_size=8, epochs=1)
    assert counts_of(epoch_ends(fake.observations())) == counts_of(epoch_ends(real))
    assert fake.training_seconds == pytest.approx(50 * 0.011)


def test_lines_are_read_back() -> None:
    """The lines hold every metric, as its own `Metric` writes it, and one note."""
    job = FakeJob(FRESH, accuracy=0.8)
    first, *lines = job.lines()
    assert first.startswith("[sift] note: ")
    assert [metric.line(value) for metric, value in filter(None, map(read_line, lines))] == lines
    series = read_series(lines)
    assert set(series) == set(METRICS)
    assert series[VALIDATION_ACCURACY][-1] == 0.8
    assert series[KEPT_SHARE][-1] == 0.5
    assert series[PROGRESS][-1] == 1


def test_the_plain_twin_costs_more() -> None:
    """The seconds follow from what was trained on, scored and loaded."""
    job = FakeJob(MEMORY, load_seconds_per_row=0.001, train_seconds_per_row=0.01)
    plain = FakeJob(MEMORY.plain_twin(), load_seconds_per_row=0.001, train_seconds_per_row=0.01)
    assert plain.training_seconds == pytest.approx(3 * 1000 * 0.011)
    assert job.training_seconds == pytest.approx(2 * 1000 * 0.011)


def test_a_job_that_was_stopped() -> None:
    """It says nothing of what it did not come to."""
    job = FakeJob(FRESH, until=0.5)
    series = read_series(job.lines())
    assert 1000 < series[SAMPLES_SEEN][-1] <= 1500
    assert len(series[VALIDATION_ACCURACY]) == 1


def test_a_job_without_accuracy() -> None:
    """A job that evaluates nothing reports no accuracy."""
    assert VALIDATION_ACCURACY not in read_series(FakeJob(FRESH, accuracy=None).lines())


def test_report_is_read_back(tmp_path: Path) -> None:
    """The report is one that the package reads."""
    path = tmp_path / "sift_report.json"
    job = FakeJob(FRESH)
    job.report().write(path)
    report = SiftReport.read(path)
    assert report.config == FRESH.to_hyperparameters()
    assert report.last(KEPT_SHARE.name) == 0.5
    assert [seen.values for seen in report.observations] == [
        seen.values for seen in job.observations()
    ]


def test_the_same_every_time() -> None:
    """Nothing in a fake job is random."""
    assert FakeJob(MEMORY).lines() == FakeJob(MEMORY).lines()


def test_what_is_refused() -> None:
    """Every number that is out of bounds is named, with what is allowed."""
    with pytest.raises(SiftUsageError) as caught:
        FakeJob(FRESH, epochs=0, rows=1.5, until=0.0)  # type: ignore[arg-type] # the mistake
    assert str(caught.value) == (
        "epochs must be a whole number from 1, got 0; rows must be a whole number from 1, got 1.5; "
        "until must be a number above 0 to 1, got 0.0"
    )
    with pytest.raises(SiftUsageError) as caught:
        FakeJob({"keep": 0.5}, accuracy=90)  # type: ignore[arg-type] # the mistake
    assert str(caught.value) == (
        "config must be a SiftConfig, got {'keep': 0.5}; "
        "accuracy must be a number from 0 to 1 or None, got 90"
    )
