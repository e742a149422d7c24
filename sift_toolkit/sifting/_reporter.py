"""What the listener is told, and when."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Final

from sift_toolkit import metrics
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.metrics import MEASURED_BY_SCRIPTS, Metric, metric_named
from sift_toolkit.report import ClassTotals, Observation
from sift_toolkit.sifting._meter import Listener
from sift_toolkit.sifting._wiring import Wiring

STUCK_TIMES: Final = 3
"""Losses in a row that a sample has at the top before it is reported."""
MOST_STUCK_REPORTED: Final = 100
_ROUNDING: Final = 1e-6
"""So far beyond its ends a share may be: the mean of all right may be 1.0000000000000002."""


class Reporter:
    """Tells the listener how a run goes, every `log_every` steps and when an epoch ends.

    Args:
        wiring: of the run; its position is only read here.
        listener: is told; None: nobody is.
    """

    def __init__(self, wiring: Wiring, listener: Listener | None) -> None:
        self._config = wiring.config
        self.listener = listener
        self._meter = wiring.meter
        self._position = wiring.position
        self._extent = wiring.extent
        self._observed_at = 0

    def also_tell(self, listener: Listener) -> None:
        """Tell another listener too, after the one there is."""
        first = self.listener

        def both(observation: Observation) -> None:
            if first is not None:
                first(observation)
            listener(observation)

        self.listener = both

    def step(self) -> None:
        """A training step may be over: tell, if it is time."""
        if self._position.steps - self._observed_at >= self._config.log_every:
            self._observe()

    def end_epoch(self, stuck_ids: list[int]) -> None:
        """Tell how an epoch ended."""
        self._observe(stuck_ids, self._meter.classes.totals())

    def _observe(self, stuck_ids: Sequence[int] = (), classes: ClassTotals | None = None) -> None:
        self._observed_at = self._position.steps
        # Whoever listens takes time that is not the training loop's.
        self._meter.take_over()
        # Also where nobody listens: what the meter holds is let go of.
        observation = self._meter.observe(self._place())
        if self.listener is not None:
            self.listener(dataclasses.replace(observation, stuck_ids=stuck_ids, classes=classes))

    def record(self, values: dict[str, float]) -> None:
        """Tell values that the user measured.

        Raises:
            SiftUsageError: one is no metric of a script's own, or no share.
        """
        numbers = {name: float(value) for name, value in values.items()}
        problems = [problem for pair in numbers.items() if (problem := _why_not_recorded(*pair))]
        if problems:
            raise SiftUsageError("; ".join(problems))
        numbers = {name: _within(metric_named(name), value) for name, value in numbers.items()}
        if self.listener is not None:
            place = {metric.name: float(value) for metric, value in self._place().items()}
            self.listener(Observation(values={**place, **numbers}))

    @property
    def progress(self) -> float | None:
        """Share of the run's data that has come by, None if that is not known."""
        run_rows = self._extent.run_rows
        if run_rows is None:
            return None
        return min(self._position.rows / run_rows, 1.0) if run_rows else 1.0

    def _place(self) -> dict[Metric, float]:
        place: dict[Metric, float] = {
            metrics.EPOCH: self._position.epochs,
            metrics.TRAINING_STEPS: self._position.steps,
        }
        progress = self.progress
        return place if progress is None else {metrics.PROGRESS: progress, **place}

    def state_dict(self) -> dict[str, Any]:
        """Return when it was last told what."""
        return {"observed_at": self._observed_at}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self._observed_at = state["observed_at"]


def _within(metric: Metric, value: float) -> float:
    """Return a share without what is beyond its ends; what is not finite stays what it is."""
    if metric.unit != "share" or not math.isfinite(value):
        return value
    return min(max(value, 0.0), 1.0)


def _why_not_recorded(name: str, value: float) -> str | None:
    """Return what is wrong with a value that a script has measured, None if nothing is."""
    metric = next((each for each in MEASURED_BY_SCRIPTS if each.name == name), None)
    if metric is None:
        known = ", ".join(each.name for each in MEASURED_BY_SCRIPTS)
        return (
            f"record() takes {known}, got {name}; print a value of another name as a line of your "
            "own, and give its regex to metric_definitions or trial()"
        )
    if math.isfinite(value) and abs(value - _within(metric, value)) > _ROUNDING:
        return f"{name} must be a share, from 0 to 1, got {value!r}"
    return None
