"""A run of sifted epochs: what stands behind a SiftingDataloader, and remembers everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from torch import Generator, Tensor, nn

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting._batches import Batch, Pad
from sift_toolkit.sifting._build import build_engine, check_schedule, choose_engine
from sift_toolkit.sifting._engine import Engine
from sift_toolkit.sifting._epoch_iterator import EpochIterator
from sift_toolkit.sifting._layout import Layout
from sift_toolkit.sifting._lengths import Lengths
from sift_toolkit.sifting._meter import Listener, Meter
from sift_toolkit.sifting._reduction import Reduction
from sift_toolkit.sifting._reporter import MOST_STUCK_REPORTED, STUCK_TIMES, Reporter
from sift_toolkit.sifting._schedule import Position
from sift_toolkit.sifting._scoring import Scorer
from sift_toolkit.sifting._source import shape_of
from sift_toolkit.sifting._state import check_state, state_header

_LOOKED_AT: Final = 8
"""Batches that a script may look at, and break off, before the training that calls `reduce`."""


class Run:
    """Takes a training loop through its epochs, one batch at a time.

    Args:
        config: how to sift.
        inner: the user's loader.
        epochs: epochs of the run, None if unknown.
        model: the one that is trained.
        scorer: gives each sample its loss.
        listener: is told how the run goes.
        note: is told decisions in words.
        pad: joins rows of batches whose tensors differ in their trailing sizes.
        layout: where the samples are in a batch.
    """

    def __init__(
        self,
        config: SiftConfig,
        inner: Iterable[Batch],
        *,
        epochs: int | None,
        model: nn.Module,
        scorer: Scorer,
        listener: Listener | None,
        note: Callable[[str], None],
        pad: Pad | None,
        layout: Layout,
    ) -> None:
        self.shape = shape_of(inner)
        self._run_rows = self.shape.rows_given * epochs if self.shape and epochs else None
        check_schedule(config, epochs, self._run_rows)
        self._config = config
        self._inner = inner
        self._scorer = scorer
        self._note = note
        self._pad = pad
        self._layout = layout
        self._generator = Generator().manual_seed(config.seed)
        self._position = Position()
        self._meter = Meter()
        self.lengths = Lengths(
            self.shape,
            self._run_rows,
            self._position,
            untouched=None if config.sifts else inner,
        )
        self._reduction = Reduction(
            model, self._meter, needs_values=config.needs_own_values, note=note
        )
        self.reporter = Reporter(
            config,
            listener=listener,
            note=note,
            meter=self._meter,
            position=self._position,
            run_rows=self._run_rows,
        )
        self._under_way: object | None = None
        self._resumes_epoch = False
        self._epochs_ended = 0
        self._has_noted = False
        self.engine = self._build(*choose_engine(config, inner, epochs))

    def _build(self, name: str, reason: str) -> Engine:
        self._note(f"scores: {name}, because {reason}")
        return build_engine(
            name,
            self._config,
            self._inner,
            scorer=self._scorer,
            run_rows=self._run_rows,
            generator=self._generator,
            position=self._position,
            meter=self._meter,
            pad=self._pad,
            layout=self._layout,
            note=self._note,
        )

    def begin_epoch(self) -> EpochIterator:
        """Begin the next epoch, or go on with the one a loaded state was in.

        Raises:
            SiftUsageError: a memory was asked for, and no losses come back.
        """
        self._meter.take_over()
        self._reduction.begin_epoch(
            whole_one_is_over=self._under_way is None and not self._resumes_epoch
        )
        self._under_way = None
        if self._resumes_epoch:
            self._resumes_epoch = False
        else:
            self._mind_missing_losses()
            self.lengths.begin_epoch(self.engine)
            self._position.begin_epoch(None if self.shape is None else self.shape.rows_given)
        self.engine.begin_epoch()
        self._under_way = object()
        return EpochIterator(self.next, self._under_way)

    def _mind_missing_losses(self) -> None:
        """Act on a training loop that does not hand its losses back, once an epoch is over."""
        looked_at = 0 if self._epochs_ended else _LOOKED_AT
        was_tried = self._position.steps > 0 and self._position.epoch_steps > looked_at
        if self._reduction.was_used or not was_tried or not self._config.sifts:
            return
        if self._config.correction > 0 and not self._has_noted:
            self._has_noted = True
            self._note(
                f"correction={self._config.correction!r} has no effect: the training loop does "
                "not call loader.reduce(losses)"
            )
        if self.engine.name != "memory":
            return
        if self._config.scores == "memory":
            msg = (
                'scores="memory" needs the losses of the training loop: call '
                "loss = loader.reduce(losses) with one loss a sample in each step; it was not "
                'called in the first epoch. Or use scores="fresh"'
            )
            raise SiftUsageError(msg)
        self._change_engine("fresh", "the training loop does not call loader.reduce(losses)")

    def _change_engine(self, name: str, reason: str) -> None:
        self.engine.close()
        self.engine = self._build(name, reason)

    def next(self, iterator: EpochIterator) -> Batch:
        """Return the next batch.

        Raises:
            StopIteration: the epoch is over.
            SiftUsageError: it is over in another way than by its end.
        """
        if iterator.epoch is not self._under_way:
            raise iterator.over()
        self._meter.take_over()
        self.reporter.step()
        try:
            refined = self.engine.next()
        except BaseException:
            if not self.engine.goes_on_after_errors:
                iterator.failed = True
                self._leave_epoch()
            raise
        if refined is None:
            iterator.ended = True
            self._leave_epoch()
            self._epochs_ended += 1
            self.reporter.end_epoch(self.engine.stuck_ids(STUCK_TIMES, MOST_STUCK_REPORTED))
            raise StopIteration
        self._position.step()
        self._reduction.hand_out(refined)
        self._meter.hand_out()
        return refined.batch

    def _leave_epoch(self) -> None:
        self._under_way = None
        self.lengths.end_epoch()

    def take_back(self, losses: Tensor, batch: Batch | None, values: Tensor | None) -> Tensor:
        """Return the weighted mean of a batch's losses, which become scores."""
        mean, ids = self._reduction.take_back(losses, batch, values)
        if ids is not None:
            self.engine.learn(ids, losses, values)
        return mean

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed to go on exactly here."""
        return {
            **self._header(),
            "engine_name": self.engine.name,
            "engine": self.engine.state_dict(),
            "position": vars(self._position).copy(),
            "meter": self._meter.state_dict(),
            "generator": self._generator.get_state(),
            "reduction": self._reduction.state_dict(),
            "lengths": self.lengths.state_dict(),
            "reporter": self.reporter.state_dict(),
            "epochs_ended": self._epochs_ended,
            "has_noted": self._has_noted,
            "mid_epoch": self._under_way is not None or self._resumes_epoch,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where a saved run was.

        Raises:
            SiftStateError: the state is of another config, of other data or of another version.
        """
        check_state(state, self._header())
        if state["engine_name"] != self.engine.name:
            self._change_engine(state["engine_name"], "the saved state has them so")
        self.engine.load_state_dict(state["engine"], mid_epoch=state["mid_epoch"])
        self._under_way = None
        self._resumes_epoch = state["mid_epoch"]
        vars(self._position).update(state["position"])
        self._meter.load_state_dict(state["meter"])
        self._generator.set_state(state["generator"])
        self._reduction.load_state_dict(state["reduction"])
        self.lengths.load_state_dict(state["lengths"])
        self.reporter.load_state_dict(state["reporter"])
        self._epochs_ended = state["epochs_ended"]
        self._has_noted = state["has_noted"]

    def _header(self) -> dict[str, Any]:
        return state_header(self._config, self.shape, getattr(self._inner, "dataset", None))
