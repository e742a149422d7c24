"""What the arms of a trial are compared by: one metric, and which way is better."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sift_toolkit.metrics import NAME_PREFIX, VALIDATION_ACCURACY, Metric, metric_named

__all__ = ["TrialMetric", "read_trial_metric"]

Better = Literal["higher", "lower"]

_DEFAULT_TOLERANCE: Final = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialMetric:
    """The last value of it in a job's log, or among its final metrics, is the job's score."""

    name: str
    """As SageMaker charts it."""
    regex: str
    """Finds a value in a line of a log: its one group."""
    better: Better
    tolerance: float
    """How much worse than plain training is as good."""
    is_share: bool
    """Whether it is shown in percent, and differences in points."""

    @property
    def sign(self) -> int:
        """What makes the higher value the better one."""
        return 1 if self.better == "higher" else -1

    @property
    def scale(self) -> float:
        """From a value to what tables show."""
        return 100.0 if self.is_share else 1.0

    @property
    def title(self) -> str:
        """What tables and pictures call it."""
        return self.name.removeprefix(NAME_PREFIX).replace("_", " ")

    @property
    def unit(self) -> str:
        """The unit of differences in tables; empty: the metric's own."""
        return "points" if self.is_share else ""

    def last_in(self, lines: Iterable[str]) -> float | None:
        """Return the last number that a log reports, None where it reports none."""
        pattern, value = re.compile(self.regex), None
        for line in lines:
            if found := pattern.search(line):
                # A pattern of a user's own may find words too, or nothing in its group.
                with contextlib.suppress(TypeError, ValueError):
                    value = float(found[1])
        return value


def read_trial_metric(
    metric: object, better: object, tolerance: object
) -> tuple[TrialMetric | None, list[str]]:
    """Return the metric to compare by, None with the reasons where it cannot be told.

    Args:
        metric: A metric of the toolkit or its name, or a definition of your own as SageMaker has
            them: ``{"Name": ..., "Regex": ...}``.
        better: "higher", "lower", or None for what the metric itself says.
        tolerance: How much worse is as good, in the metric's unit; None: 0.001 of a share.
    """
    if isinstance(metric, Mapping):
        read: tuple[str, str] | str = _own(metric)
        ours = None
    else:
        ours = _ours(metric)
        read = "" if ours is None else (ours.definition["Name"], ours.regex)
    if isinstance(read, str):
        hint = read or f"a metric's name, as {VALIDATION_ACCURACY.name!r}"
        return None, [f"metric must be {hint}, got {metric!r}"]
    problems = []
    direction = better if better is not None else getattr(ours, "better", None)
    if direction not in {"higher", "lower"}:
        problems.append(
            f"better must be 'higher' or 'lower': which of two values of {read[0]!r} is the better "
            f"one, got {better!r}"
        )
    is_share = ours is not None and ours.unit == "share"
    margin = _DEFAULT_TOLERANCE if tolerance is None and is_share else tolerance
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 <= margin < 1e300:
        problems.append(
            f"tolerance must be a number from 0 in the unit of {read[0]!r}: how much worse is as "
            f"good, got {tolerance!r}"
        )
    if problems:
        return None, problems
    assert isinstance(margin, int | float)
    name, regex = read
    known: Better = "higher" if direction == "higher" else "lower"
    found = TrialMetric(
        name=name, regex=regex, better=known, tolerance=float(margin), is_share=is_share
    )
    return found, []


def _ours(metric: object) -> Metric | None:
    if isinstance(metric, Metric):
        return metric
    try:
        return metric_named(str(metric).removeprefix(NAME_PREFIX))
    except KeyError:
        return None


def _own(metric: Mapping[str, object]) -> tuple[str, str] | str:
    """Return name and pattern of a definition, or in words what it must be."""
    name, regex = metric.get("Name"), metric.get("Regex")
    words = "a definition with Name, and a Regex of one group"
    if not isinstance(name, str) or not isinstance(regex, str) or not name:
        return words
    try:
        return (name, regex) if re.compile(regex).groups == 1 else words
    except re.error:
        return words
