"""The metrics of a sifted job, each declared once.

The line a job prints, the regex SageMaker charts it by, the docs table and the reader all come
from the same `Metric`. One metric a line, ended by a semicolon:

    [sift] kept_share=0.5;
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

NAME_PREFIX: Final = "sift:"
"""Before every metric's name in CloudWatch."""

LINE_TAG: Final = "[sift] "
"""Before every metric on a line of the log."""
_NEVER_NEGATIVE: Final = frozenset({"count", "seconds"})
_MOST_REPORTED: Final = 1e15
_NUMBER: Final = r"([-+]?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?)"


@dataclass(frozen=True, slots=True)
class Metric:
    """One number a job reports over time."""

    name: str
    unit: str
    help: str
    better: Literal["higher", "lower"] | None = None
    """Which of two jobs' values is the better one; None: the metric does not tell."""

    def line(self, value: float) -> str:
        """Return the log line that reports *value*, without a line end.

        Raises:
            ValueError: *value* is NaN or infinite, which CloudWatch would drop.
        """
        number = float(value)
        if not math.isfinite(number):
            msg = f"{self.name} must be finite, got {value!r}"
            raise ValueError(msg)
        return f"{LINE_TAG}{self.name}={number!r};"

    def may_be(self, value: float) -> bool:
        """Whether a job may have reported *value*: a log or a report may be anybody's.

        Losses may be anything finite. Of all else sums and products are made, which must not
        overflow; counts and seconds are not negative.
        """
        if self.unit == "loss":
            return math.isfinite(value)
        least = 0.0 if self.unit in _NEVER_NEGATIVE else -_MOST_REPORTED
        return least <= value <= _MOST_REPORTED

    @property
    def regex(self) -> str:
        """The pattern with one group that finds the value, under any prefix on the line."""
        return rf"\[sift\] {re.escape(self.name)}={_NUMBER};"

    @property
    def definition(self) -> dict[str, str]:
        """The entry of an estimator's `metric_definitions`."""
        return {"Name": NAME_PREFIX + self.name, "Regex": self.regex}


PROGRESS: Final = Metric("progress", "share", "training data seen, of all epochs together")
EPOCH: Final = Metric("epoch", "count", "epochs begun")
TRAINING_STEPS: Final = Metric("training_steps", "count", "batches handed to the training loop")
SAMPLES_SEEN: Final = Metric("samples_seen", "count", "samples considered for training")
SAMPLES_SCORED: Final = Metric("samples_scored", "count", "samples given an extra forward pass")
SAMPLES_KEPT: Final = Metric("samples_kept", "count", "samples chosen for training")
SAMPLES_DROPPED: Final = Metric("samples_dropped", "count", "samples sifted out")
SAMPLES_WAITING: Final = Metric("samples_waiting", "count", "chosen samples that fill no batch yet")
KEPT_SHARE: Final = Metric("kept_share", "share", "samples chosen, of those seen")
LOAD_SECONDS: Final = Metric("load_seconds", "seconds", "time waiting for data")
SCORE_SECONDS: Final = Metric("score_seconds", "seconds", "time scoring and selecting")
TRAIN_SECONDS: Final = Metric("train_seconds", "seconds", "time in the training loop's own code")
ESTIMATED_SAVING: Final = Metric(
    "estimated_saving",
    "share",
    "time saved against training on every sample seen, scoring charged",
    better="higher",
)
COUNTED_COST: Final = Metric(
    "counted_cost",
    "share",
    "passes made, of plain training's: a scored sample counts a third of a trained one",
    better="lower",
)
NONFINITE_LOSSES: Final = Metric("nonfinite_losses", "count", "losses that were NaN or infinite")
# Of the samples that were chosen: jobs that choose others cannot be compared by it.
TRAIN_LOSS: Final = Metric("train_loss", "loss", "mean training loss since the line before")
VALIDATION_ACCURACY: Final = Metric(
    "validation_accuracy", "share", "accuracy on held-out data", better="higher"
)

METRICS: Final[tuple[Metric, ...]] = (
    PROGRESS,
    EPOCH,
    TRAINING_STEPS,
    SAMPLES_SEEN,
    SAMPLES_SCORED,
    SAMPLES_KEPT,
    SAMPLES_DROPPED,
    SAMPLES_WAITING,
    KEPT_SHARE,
    LOAD_SECONDS,
    SCORE_SECONDS,
    TRAIN_SECONDS,
    ESTIMATED_SAVING,
    COUNTED_COST,
    NONFINITE_LOSSES,
    TRAIN_LOSS,
    VALIDATION_ACCURACY,
)
"""Every metric a job may report, in the order they are printed."""

MEASURED_BY_SCRIPTS: Final[tuple[Metric, ...]] = (VALIDATION_ACCURACY,)
"""Those that only a training script can know: it hands them to `record`."""

_BY_NAME: Final = {metric.name: metric for metric in METRICS}


def metric_named(name: str) -> Metric:
    """Return the metric called *name*.

    Raises:
        KeyError: there is none; the message lists those there are.
    """
    if name not in _BY_NAME:
        msg = f"no metric is called {name!r}; there are {', '.join(_BY_NAME)}"
        raise KeyError(msg)
    return _BY_NAME[name]


def read_line(line: str) -> tuple[Metric, float] | None:
    """Return the metric and value that *line* reports, None where it reports none.

    A number beyond all others, such as ``1e999``, is none.
    """
    for metric in METRICS if LINE_TAG in line else ():
        if found := re.search(metric.regex, line):
            value = float(found[1])
            return (metric, value) if math.isfinite(value) else None
    return None


def read_lines(lines: Iterable[str]) -> Iterator[tuple[Metric, float]]:
    """Yield every metric value reported in a log, in order."""
    for line in lines:
        if (point := read_line(line)) is not None:
            yield point


def read_series(lines: Iterable[str]) -> dict[Metric, list[float]]:
    """Return all values of each metric that a log reports, in order."""
    series: dict[Metric, list[float]] = {}
    for metric, value in read_lines(lines):
        series.setdefault(metric, []).append(value)
    return series
