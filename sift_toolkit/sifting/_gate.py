"""The gate: whether sifting pays, judged by the time that this very run takes.

Judged at the start of an epoch by what came before it, never in the middle of one. A gate that has
closed stays closed: it scores nothing any more, so it cannot know better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting._schedule import Position, anneals_from, falling_keep
from sift_toolkit.sifting._time_spent import TimeSpent
from sift_toolkit.sifting._wiring import Wiring

_NOISE: Final = 0.02
"""Share of the time that a measurement may be off."""
_WARM_UP: Final = 8
"""Training steps left out after a process has first scored: it compiles, tunes and fills caches."""
_ENOUGH: Final = 8
"""Training steps to judge by at least; shorter epochs are judged together."""

_COUNTED: Final = ("seen", "kept", "dropped", "loaded")
_TIMED: Final = ("load_seconds", "score_seconds", "train_seconds")
_STEPS: Final = "steps"
FIGURES: Final = (*_COUNTED, *_TIMED, _STEPS)
"""What a gate reports, in this order."""

_START_KEY: Final = "start"
_HAS_WARNED_KEY: Final = "has_warned"


def together(reports: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the figures of all ranks, the same on every rank.

    Rows are summed. Of the times, ranks that wait for each other in the gradients' exchange all
    spend the same, and the wait is in the training of the faster ones: so the least time to train
    counts for all, and the greatest to load and to score.
    """
    figures = {name: math.fsum(report[name] for report in reports) for name in FIGURES}
    # A rank with nothing to judge would have trained in no time.
    judged = [report for report in reports if report[_STEPS]]
    choice = {"load_seconds": max, "score_seconds": max, "train_seconds": min}
    for name, chosen in choice.items():
        figures[name] = len(judged) * chosen((report[name] for report in judged), default=0.0)
    return figures


def time_spent(figures: Mapping[str, float]) -> TimeSpent:
    """Return the figures that what sifting saves follows from."""
    names = (*_TIMED, "seen", "kept", "loaded")
    return TimeSpent(**{name: figures[name] for name in names})


def extra_time(figures: Mapping[str, float]) -> float:
    """Return how much longer sifting took than no sifting would have, as a share of the latter.

    0 where nothing was sifted out, or where the difference is within the noise.
    """
    extra = -time_spent(figures).saving
    return extra if figures["dropped"] > 0 and extra > _NOISE else 0.0


def at_share_to_come(
    figures: Mapping[str, float], config: SiftConfig, position: Position, run_rows: int | None
) -> dict[str, float]:
    """Return what the figures would be if the mean share still to come had been kept.

    A share that falls saves more later on: what is left of the run is to be judged, not its past.

    Args:
        figures: of a part of the run.
        config: keep, keep_end and anneal.
        position: how far the run has come.
        run_rows: rows of all epochs together, None if unknown.
    """
    chosen = figures["seen"] - figures["dropped"]
    if config.keep_end is None or not run_rows or not chosen:
        return dict(figures)
    end = min(anneals_from(config), 1.0)
    start = min(position.rows / run_rows, end)
    to_come = falling_keep(config, (start + end) / 2)
    spent = time_spent(figures).with_kept(min(to_come * figures["seen"] / chosen, 1.0))
    changed = ("kept", "loaded", "train_seconds", "load_seconds")
    return {**figures, **{name: getattr(spent, name) for name in changed}}


class Gate:
    """Measures what sifting costs, and warns of it or ends it, as the config says.

    Args:
        wiring: of the run; its position is told when the gate closes.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._config = wiring.config
        self._note = wiring.note
        self._meter = wiring.meter
        self._position = wiring.position
        self._extent = wiring.extent
        self._has_warned = False
        self._start = dict.fromkeys(FIGURES, 0.0)
        self._begin_process(self._start)

    def _begin_process(self, figures: dict[str, float]) -> None:
        """Warm up from here on: neither resumed nor begun has this process done anything yet."""
        self._scored_before = self._meter.counters.scored
        self._warm_from = figures
        self._warm_until: int | None = None
        self._is_warm = False

    @property
    def _measures(self) -> bool:
        """Whether anything could still be done about what is measured."""
        if not (self._config.sifts and self._position.sifts):
            return False
        return self._config.gate == "on" or (self._config.gate == "warn" and not self._has_warned)

    def step(self) -> None:
        """A training step may be over: leave the first ones of a process out of account."""
        if not (self._is_warming and self._measures):
            return
        if self._warm_until is None:
            self._warm_until = self._position.steps + _WARM_UP
        elif self._position.steps >= self._warm_until:
            now = self._now()
            self._start = {
                name: self._start[name] + now[name] - self._warm_from[name] for name in FIGURES
            }
            self._is_warm = True

    @property
    def _is_warming(self) -> bool:
        """Whether this process has scored, and not long ago."""
        return not self._is_warm and self._meter.counters.scored > self._scored_before

    def _now(self) -> dict[str, float]:
        # To look at the time takes some, which is not the training's.
        with self._meter.timing("score"):
            totals = self._meter.totals()
            figures = {name: float(getattr(totals, name)) for name in (*_COUNTED, *_TIMED)}
            return {**figures, _STEPS: float(self._position.steps)}

    def _measured(self, now: Mapping[str, float]) -> dict[str, float]:
        """Return the figures to judge by: zeros, if there are too few steps."""
        end = self._warm_from if self._is_warming else now
        figures = {name: end[name] - self._start[name] for name in FIGURES}
        return figures if figures[_STEPS] >= _ENOUGH else dict.fromkeys(FIGURES, 0.0)

    def report(self) -> dict[str, float]:
        """Return this process's figures of the epoch before the one that begins.

        Those of several epochs, if one alone had fewer than eight steps; without the first steps
        of this process; as they would be at the share still to come, if it falls. Zeros where
        there is nothing to judge.

        Returns:
            The `FIGURES`: rows, seconds and training steps.
        """
        if not self._measures:
            return dict.fromkeys(FIGURES, 0.0)
        figures = self._measured(self._now())
        return at_share_to_come(figures, self._config, self._position, self._extent.run_rows)

    def decide(self, reports: Sequence[Mapping[str, float]]) -> None:
        """Act on the figures of all ranks, when an epoch begins; its own figures begin here.

        Args:
            reports: of every rank, its own too; each `report()` is of the same moment.
        """
        if not self._measures:
            return
        now = self._now()
        if self._measured(now)[_STEPS]:
            self._start = self._warm_from = now
        figures = together(reports)
        extra = extra_time(figures)
        if extra and self._config.gate == "warn":
            self._warn(extra)
        elif extra:
            self._close(extra, time_spent(figures))

    def end_epoch(self) -> None:
        """Warn by this process's own figures where no epoch may follow to decide in."""
        epochs = self._extent.epochs
        is_last = self._config.gate == "warn" if epochs is None else self._position.epochs >= epochs
        if is_last and not self._has_warned and (extra := extra_time(self.report())):
            self._warn(extra)

    def _warn(self, extra: float) -> None:
        self._has_warned = True
        or_gate = ', or set gate="on" to fall back to all data' * (self._config.gate == "warn")
        self._note(
            f"sifting costs more than it saves: {extra:.0%} more time than training on all data "
            f'takes; keep less or score less (score_every, scores="memory"){or_gate}'
        )

    def _close(self, extra: float, spent: TimeSpent) -> None:
        self._position.sifts = False
        saved = spent.unsifted_seconds - spent.load_seconds - spent.train_seconds
        self._note(
            f"sifting ends with epoch {self._position.epochs}, from now on all data is trained "
            f"on: it took {extra:.0%} more time than that takes ({spent.score_seconds:.3g} s for "
            f"scores to save {saved:.3g} s)"
        )

    def state_dict(self) -> dict[str, Any]:
        """Return where its figures begin; that it has closed is in the position."""
        return {_START_KEY: dict(self._start), _HAS_WARNED_KEY: self._has_warned}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state, once position and meter have."""
        self._start = dict(state[_START_KEY])
        self._has_warned = state[_HAS_WARNED_KEY]
        self._begin_process(self._now())
