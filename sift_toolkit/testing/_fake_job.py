"""A job that never ran: what it would have printed and reported, from its config alone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sift_toolkit import metrics
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.metrics import METRICS
from sift_toolkit.report import Observation, SiftReport
from sift_toolkit.testing._simulation import Simulation


@dataclass(frozen=True)
class FakeJob:
    """A sifted job's log and report, made up but consistent, with nothing random in them.

    Counts are those of a real job of this config, for fresh scores and for plain twins to the row;
    with a memory at the end of each epoch. Seconds, losses and accuracies are what you say.

    Raises:
        SiftUsageError: a number is out of bounds, or *config* is something else.
    """

    config: SiftConfig
    """How it sifts. ``scores="auto"`` is a memory where there are two epochs or more, or where no
    losses are needed."""
    _: dataclasses.KW_ONLY
    epochs: int = 3
    rows: int = 1000
    """Rows of an epoch."""
    batch_size: int = 50
    accuracy: float | None = 0.9
    """The last validation accuracy, 0 to 1; those before rise towards it. None: none reported."""
    until: float = 1.0
    """Share of its data the job came to, above 0 to 1: one that was stopped, or still runs."""
    load_seconds_per_row: float = 0.001
    train_seconds_per_row: float = 0.01
    """A scored row takes a third of it."""

    def __post_init__(self) -> None:
        problems = [
            f"{name} must be a whole number from 1, got {value!r}"
            for name in ("epochs", "rows", "batch_size")
            if not isinstance(value := getattr(self, name), int) or value < 1
        ]
        if not 0 < self.until <= 1:
            problems.append(f"until must be a number above 0 to 1, got {self.until!r}")
        config: object = self.config
        if not isinstance(config, SiftConfig):
            problems.append(f"config must be a SiftConfig, got {config!r}")
        if self.accuracy is not None and not 0 <= self.accuracy <= 1:
            problems.append(f"accuracy must be a number from 0 to 1 or None, got {self.accuracy!r}")
        if problems:
            raise SiftUsageError("; ".join(problems))

    def observations(self) -> list[Observation]:
        """Return what the job observed, in order."""
        return list(Simulation(self).run())

    def lines(self) -> list[str]:
        """Return the lines it printed: one metric each, and a note."""
        printed = [f"[sift] note: {note}" for note in self._notes]
        for observation in self.observations():
            printed += [
                metric.line(observation.values[metric.name])
                for metric in METRICS
                if metric.name in observation.values
            ]
        return printed

    def report(self) -> SiftReport:
        """Return its sift_report.json; `SiftReport.write` makes a file of it."""
        return SiftReport(
            config=self.config.to_hyperparameters(),
            notes=[*self._notes],
            observations=self.observations(),
        )

    @property
    def training_seconds(self) -> float:
        """Seconds loading, scoring and training until its end."""
        parts = (metrics.LOAD_SECONDS, metrics.SCORE_SECONDS, metrics.TRAIN_SECONDS)
        report = self.report()
        return sum(report.last(part.name) or 0.0 for part in parts)

    @property
    def _notes(self) -> tuple[str, ...]:
        if not self.config.sifts:
            return ("scores: fresh, because nothing is sifted and so nothing is scored",)
        if self.config.scores == "auto":
            return (f"scores: {self._found}",)
        if self.remembers and self.epochs == 1 and self.config.needs_scores:
            alone = "but in one epoch no sample is seen twice: all are kept"
            return (f"scores: memory, because the config asks for it, {alone}",)
        return (f"scores: {self.config.scores}, because the config asks for it",)

    @property
    def _found(self) -> str:
        """Where losses come from if that is left open, and why."""
        if not self.config.needs_scores:
            return "memory, because the samples have ids: what is passed over is never loaded"
        if self.remembers:
            return "memory, because the samples have ids and are seen more than once"
        return "fresh, because in one epoch no sample is seen twice"

    @property
    def remembers(self) -> bool:
        """Whether it knows the losses of samples it does not load."""
        sees_twice = self.epochs > 1 or not self.config.needs_scores
        is_found = self.config.scores == "auto" and sees_twice
        return self.config.sifts and (is_found or self.config.scores == "memory")
