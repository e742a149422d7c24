"""Chooses from one loaded batch after the other by fresh scores."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from torch import Tensor

from sift_toolkit.errors import SiftLossError
from sift_toolkit.sifting._batch_window import batch_window
from sift_toolkit.sifting._batches import Batch, take
from sift_toolkit.sifting._choice import choose
from sift_toolkit.sifting._history import LossHistory
from sift_toolkit.sifting._labels import NumberedLabels
from sift_toolkit.sifting._loss import SampleScores
from sift_toolkit.sifting._row_classes import RowClasses
from sift_toolkit.sifting._wiring import Wiring

_HISTORY_KEY: Final = "history"
_REMAINDER_KEY: Final = "remainder"
_WINDOWS_KEY: Final = "windows"


class ChosenRows(NamedTuple):
    """What is kept of a batch."""

    batch: Batch
    """With its samples in dimension 0."""
    rows: int
    weights: Tensor | None
    """Shape (rows,), float64; None: all 1."""


class BatchSifter:
    """Scores batches and draws from each the rows due.

    Args:
        wiring: of the run; its meter and generator are moved along here.
        classes: count what is chosen of each.
    """

    def __init__(self, wiring: Wiring, classes: RowClasses) -> None:
        self._config = wiring.config
        self._scorer = wiring.scorer
        self._generator = wiring.generator
        self._meter = wiring.meter
        self._classes = classes
        self._history = LossHistory(wiring.config.loss_history_length)
        self._windows = 0
        self.remainder = 0.0
        """Fraction of a row owed to the next batch."""

    def sift(
        self, batch: Batch, rows: int, keep: float, labels: NumberedLabels | None
    ) -> ChosenRows:
        """Return the rows of a batch that are kept.

        Args:
            batch: of *rows* rows, in dimension 0.
            rows: more than 0.
            keep: the share of them to keep.
            labels: of the rows; None: there are no classes.

        Raises:
            SiftLossError: a loss is not one number a sample, or not finite where that is an error.
        """
        is_scored = self._config.needs_scores and self._windows % self._config.score_every == 0
        scores = self._score(batch, rows) if is_scored else None
        classes = self._classes.floors(labels)
        chosen, weights, self.remainder = choose(
            batch_window(self._config, self._history, scores, rows, keep, classes),
            selection=self._config.selection,
            correction=self._config.correction,
            remainder=self.remainder,
            generator=self._generator,
            mix=True,
        )
        self._windows += 1
        self._classes.count(labels, chosen)
        if scores is not None:
            self._meter.add_scores(scores.losses, chosen)
        return ChosenRows(take(batch, chosen), chosen.numel(), weights)

    def _score(self, batch: Batch, rows: int) -> SampleScores:
        scores = self._scorer.score(batch)
        self._meter.counters.scored += rows
        bad = 0 if scores.finite is None else rows - int(scores.finite.sum())
        self._meter.counters.nonfinite += bad
        if bad and self._config.nonfinite == "raise":
            msg = f'{bad} of {rows} losses are NaN or infinite, and nonfinite="raise" is set'
            raise SiftLossError(msg)
        return scores

    def state_dict(self) -> dict[str, Any]:
        """Return history, the fraction of a row owed, and how many batches there were."""
        return {
            _HISTORY_KEY: self._history.state_dict(),
            _REMAINDER_KEY: self.remainder,
            _WINDOWS_KEY: self._windows,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self._history.load_state_dict(state[_HISTORY_KEY])
        self.remainder = state[_REMAINDER_KEY]
        self._windows = state[_WINDOWS_KEY]
