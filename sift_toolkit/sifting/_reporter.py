"""What the listener is told, and when."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Final

from sift_toolkit import metrics
from sift_toolkit.config import SiftConfig
from sift_toolkit.metrics import Metric, metric_named
from sift_toolkit.report import Observation
from sift_toolkit.sifting._meter import Listener, Meter
from sift_toolkit.sifting._schedule import Position

STUCK_TIMES: Final = 3
"""Losses in a row that a sample has at the top before it is reported."""
MOST_STUCK_REPORTED: Final = 100

_NOISE: Final = 0.02
"""Share of the time that a measurement may be off."""


class Reporter:
    """Tells the listener how a run goes, every `log_every` steps and when an epoch ends.

    Args:
        config: `log_every` and `gate`.
        listener: is told; None: nobody is.
        note: is told decisions in words.
        meter: what there is to tell.
        position: how far the run has come; only read here.
        run_rows: rows of all epochs together, None if unknown.
    """

    def __init__(
        self,
        config: SiftConfig,
        *,
        listener: Listener | None,
        note: Callable[[str], None],
        meter: Meter,
        position: Position,
        run_rows: int | None,
    ) -> None:
        self._config = config
        self._listener = listener
        self._note = note
        self._meter = meter
        self._position = position
        self._run_rows = run_rows
        self._observed_at = 0
        self._has_warned = False

    def step(self) -> None:
        """A training step may be over: tell, if it is time."""
        if self._position.steps - self._observed_at >= self._config.log_every:
            self._observe([])

    def end_epoch(self, stuck_ids: list[int]) -> None:
        """Tell how an epoch ended, and warn, once, of sifting that costs more than it saves."""
        self._observe(stuck_ids)
        counters = self._meter.counters
        saving = counters.estimated_saving()
        costs = counters.dropped > 0 and saving < -_NOISE
        if self._config.gate == "warn" and costs and not self._has_warned:
            self._has_warned = True
            self._note(
                f"sifting costs more than it saves: {-saving:.0%} more time so far than training "
                "on all data would have taken"
            )

    def _observe(self, stuck_ids: list[int]) -> None:
        self._observed_at = self._position.steps
        # Also where nobody listens: what the meter holds is let go of.
        observation = self._meter.observe(self._place())
        if self._listener is not None:
            self._listener(dataclasses.replace(observation, stuck_ids=stuck_ids))

    def record(self, values: dict[str, float]) -> None:
        """Tell values that the user measured.

        Raises:
            KeyError: no metric has that name.
        """
        numbers = {metric_named(name).name: float(value) for name, value in values.items()}
        if self._listener is not None:
            place = {metric.name: float(value) for metric, value in self._place().items()}
            self._listener(Observation(values={**place, **numbers}))

    @property
    def progress(self) -> float | None:
        """Share of the run's data that has come by, None if that is not known."""
        if self._run_rows is None:
            return None
        return min(self._position.rows / self._run_rows, 1.0) if self._run_rows else 1.0

    def _place(self) -> dict[Metric, float]:
        place: dict[Metric, float] = {
            metrics.EPOCH: self._position.epochs,
            metrics.TRAINING_STEPS: self._position.steps,
        }
        progress = self.progress
        return place if progress is None else {metrics.PROGRESS: progress, **place}

    def state_dict(self) -> dict[str, Any]:
        """Return when it was last told what."""
        return {"observed_at": self._observed_at, "has_warned": self._has_warned}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self._observed_at = state["observed_at"]
        self._has_warned = state["has_warned"]
