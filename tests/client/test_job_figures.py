"""What is read of one finished job from its log lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.client._job_figures import CurvePoint, JobFigures
from sift_toolkit.metrics import (
    COUNTED_COST,
    KEPT_SHARE,
    LOAD_SECONDS,
    METRICS,
    SAMPLES_SEEN,
    SCORE_SECONDS,
    TRAIN_LOSS,
    TRAIN_SECONDS,
    VALIDATION_ACCURACY,
    Metric,
)


def log(*values: tuple[Metric, float], prefix: str = "") -> list[str]:
    """Return the log lines of *values*, each followed by a line that is none."""
    return [
        text for metric, value in values for text in (prefix + metric.line(value), "step done\n")
    ]


FIRST_EPOCH = (
    (SAMPLES_SEEN, 1000),
    (KEPT_SHARE, 1.0),
    (LOAD_SECONDS, 1.0),
    (SCORE_SECONDS, 0.5),
    (TRAIN_SECONDS, 8.0),
    (COUNTED_COST, 1.0),
    (TRAIN_LOSS, 2.0),
    (VALIDATION_ACCURACY, 0.5),
)
SECOND_EPOCH = (
    (SAMPLES_SEEN, 2000),
    (KEPT_SHARE, 0.75),
    (LOAD_SECONDS, 2.0),
    (SCORE_SECONDS, 1.5),
    (TRAIN_SECONDS, 12.0),
    (COUNTED_COST, 0.8),
    (TRAIN_LOSS, 1.0),
    (VALIDATION_ACCURACY, 0.75),
)


@pytest.mark.parametrize(
    "prefix", ["", "algo-1-abc  | ", "\x1b[36m2026-11-22 12:00 algo-1 |\x1b[0m "]
)
def test_figures_are_the_last_values(prefix: str) -> None:
    """Totals, loss and accuracy of a job are the last its log reports, under any prefix."""
    lines = log(*FIRST_EPOCH, *SECOND_EPOCH, prefix=prefix)
    assert JobFigures.from_lines(lines, name="sifted 1", seconds=20.5) == JobFigures(
        name="sifted 1",
        job_seconds=20.5,
        kept_share=0.75,
        load_seconds=2.0,
        score_seconds=1.5,
        train_seconds=12.0,
        passes=1600.0,
        counted_cost=0.8,
        train_loss=1.0,
        validation_accuracy=0.75,
        curve=(
            CurvePoint(training_seconds=9.5, passes=1000.0, accuracy=0.5),
            CurvePoint(training_seconds=15.5, passes=1600.0, accuracy=0.75),
        ),
    )


def test_training_seconds_charge_scoring_and_loading() -> None:
    """A job's training seconds are those of loading, scoring and the training loop together."""
    figures = JobFigures(name="job", load_seconds=1.0, score_seconds=2.0, train_seconds=4.0)
    assert figures.training_seconds == 7.0


@pytest.mark.parametrize("missing", [LOAD_SECONDS, SCORE_SECONDS, TRAIN_SECONDS])
def test_a_missing_part_leaves_no_total(missing: Metric) -> None:
    """Where one of the three times was not reported the total is None, not the sum of the rest."""
    kept = [(metric, value) for metric, value in FIRST_EPOCH if metric is not missing]
    figures = JobFigures.from_lines(log(*kept), name="job")
    assert figures.training_seconds is None
    assert figures.curve == (CurvePoint(training_seconds=None, passes=1000.0, accuracy=0.5),)


@pytest.mark.parametrize("missing", [COUNTED_COST, SAMPLES_SEEN])
def test_passes_need_cost_and_count(missing: Metric) -> None:
    """Passes follow from the counted cost and the samples seen; without either they are None."""
    kept = [(metric, value) for metric, value in FIRST_EPOCH if metric is not missing]
    figures = JobFigures.from_lines(log(*kept), name="job")
    assert figures.passes is None
    assert figures.curve == (CurvePoint(training_seconds=9.5, passes=None, accuracy=0.5),)


def test_an_empty_log_gives_nothing() -> None:
    """A job that reported nothing has a name and no figures."""
    assert JobFigures.from_lines(["Traceback: ...\n"], name="job") == JobFigures(name="job")


def test_a_validation_before_any_total_has_no_cost() -> None:
    """A validation of the untrained model stands on the curve with unknown cost."""
    figures = JobFigures.from_lines(log((VALIDATION_ACCURACY, 0.04), *FIRST_EPOCH), name="job")
    assert figures.curve[0] == CurvePoint(training_seconds=None, passes=None, accuracy=0.04)
    assert figures.curve[1].training_seconds == 9.5


@given(st.lists(st.tuples(st.sampled_from(METRICS), st.floats(0, 1e9)), max_size=40))
def test_any_log_is_read(values: list[tuple[Metric, float]]) -> None:
    """Of any log the curve has one point a validation, in order, and ends at the last."""
    figures = JobFigures.from_lines(log(*values), name="job")
    accuracies = [value for metric, value in values if metric is VALIDATION_ACCURACY]
    assert [point.accuracy for point in figures.curve] == accuracies
    assert figures.validation_accuracy == (accuracies[-1] if accuracies else None)
    reported = {metric for metric, _ in values}
    complete = {LOAD_SECONDS, SCORE_SECONDS, TRAIN_SECONDS} <= reported
    assert (figures.training_seconds is not None) == complete
