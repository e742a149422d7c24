"""A run of sifted epochs: what stands behind a SiftingDataloader, and remembers everything."""

from __future__ import annotations

from typing import Any, Final

from torch import Tensor, nn

from sift_toolkit.errors import SiftUsageError
from sift_toolkit.outside import damage_in_words
from sift_toolkit.sifting._agreement import check_same, common_shape, figures_of
from sift_toolkit.sifting._batches import Batch
from sift_toolkit.sifting._build import build_engine, check_schedule, choose_engine
from sift_toolkit.sifting._engine import Engine
from sift_toolkit.sifting._epoch_iterator import EpochIterator
from sift_toolkit.sifting._gate import Gate
from sift_toolkit.sifting._lengths import Lengths
from sift_toolkit.sifting._meter import Listener
from sift_toolkit.sifting._reduction import Reduction
from sift_toolkit.sifting._reporter import MOST_STUCK_REPORTED, STUCK_TIMES, Reporter
from sift_toolkit.sifting._schedule import EpochShape
from sift_toolkit.sifting._state import check_state, state_header
from sift_toolkit.sifting._timeline import timeline_of
from sift_toolkit.sifting._unsplit import refuse_unsplit
from sift_toolkit.sifting._wiring import Wiring

_GATE: Final = "gate"
_NOWHERE: Final = -1
_LOOKED_AT: Final = 8
"""Batches that a script may look at, and break off, before the training that calls `reduce`."""


class Run:
    """Takes a training loop through its epochs, one batch at a time.

    Args:
        wiring: what its parts share.
        model: the one that is trained.
        listener: is told how the run goes.
    """

    def __init__(self, wiring: Wiring, *, model: nn.Module, listener: Listener | None) -> None:
        check_schedule(wiring.config, wiring.extent)
        self._wiring = wiring
        self._model = model
        self._config = wiring.config
        self._note = wiring.note
        self._position = wiring.position
        self._meter = wiring.meter
        self._ranks = wiring.ranks
        self.lengths = Lengths(wiring)
        self._reduction = Reduction(
            model,
            wiring.meter,
            needs_values=wiring.config.needs_own_values,
            note=wiring.note,
        )
        self.reporter = Reporter(wiring, listener)
        self._gate = Gate(wiring)
        self._under_way: object | None = None
        self._resumes_epoch = False
        self._epochs_ended = 0
        self._has_noted = False
        choice = choose_engine(wiring.config, wiring.loader, wiring.extent.epochs, wiring.labels)
        self.engine = self._build(*choice)

    @property
    def shape(self) -> EpochShape | None:
        """Shape of an epoch, None if it is not known."""
        return self._wiring.extent.shape

    def _build(self, name: str, reason: str) -> Engine:
        self._note(f"scores: {name}, because {reason}")
        return build_engine(name, self._wiring)

    def begin_epoch(self) -> EpochIterator:
        """Begin the next epoch, or go on with the one a loaded state was in.

        Raises:
            SiftRankError: another rank has failed, or does not do what this one does.
            SiftUsageError: a memory was asked for, and no losses come back; or Accelerate left
                all data to each rank.
        """
        try:
            return self._begin_epoch()
        except Exception as error:
            self._ranks.tell_of(error)
            raise

    def _begin_epoch(self) -> EpochIterator:
        self._meter.take_over()
        # Asked anew: a model may be moved after its loader was made.
        self._meter.read_from(timeline_of(self._model))
        resumes, self._resumes_epoch = self._resumes_epoch, False
        self._reduction.begin_epoch(whole_one_is_over=self._under_way is None and not resumes)
        if resumes:
            # Where the epoch before was left is not known here, only where it was saved.
            self._ranks.leave(_NOWHERE, 0)
        else:
            self._ranks.leave(self._position.epochs, self._position.epoch_steps)
        self._under_way = None
        if not resumes:
            self._mind_missing_losses()
        if self._ranks.size > 1 and self._wiring.shares_samples is None:
            refuse_unsplit(self._wiring.loader)
        self._agree(resumes=resumes)
        if not resumes:
            self.lengths.begin_epoch(self.engine)
            self._position.begin_epoch(None if self.shape is None else self.shape.rows_given)
        self.engine.begin_epoch()
        self._under_way = object()
        return EpochIterator(self.next, self._under_way)

    def _agree(self, *, resumes: bool) -> None:
        """Make sure that all ranks begin the same epoch, of data that each of them has."""
        extent = self._wiring.extent
        own = figures_of(
            self._config, self.engine, extent.own_shape, self._position, resumes=resumes
        )
        said = self._ranks.meet({**own, _GATE: self._gate.report()})
        check_same(said)
        if self.lengths.agree(common_shape(extent.own_shape, said)):
            self._note(
                "ranks have different numbers of rows: len() and total_steps() change with this "
                "epoch to those of the least; a schedule made before it is another one on each rank"
            )
        if not resumes:
            self._gate.decide([each[_GATE] for each in said])

    def _mind_missing_losses(self) -> None:
        """Act on a training loop that does not hand its losses back, once an epoch is over."""
        looked_at = 0 if self._epochs_ended else _LOOKED_AT
        was_tried = self._position.steps > 0 and self._position.epoch_steps > looked_at
        if self._reduction.was_used or not was_tried or not self._config.needs_scores:
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
        self.reporter.step()
        self._gate.step()
        self._meter.fetch()
        try:
            refined = self.engine.next()
        except BaseException as error:
            self._meter.pause()
            self._ranks.tell_of(error)
            if not self.engine.goes_on_after_errors:
                iterator.failed = True
                self._leave_epoch()
            raise
        if refined is None:
            self._meter.pause()
            iterator.ended = True
            self._leave_epoch()
            self._epochs_ended += 1
            self.reporter.end_epoch(self.engine.stuck_ids(STUCK_TIMES, MOST_STUCK_REPORTED))
            self._gate.end_epoch()
            raise StopIteration
        self._position.step()
        self._ranks.tell(self._position.epochs, self._position.epoch_steps)
        self._reduction.hand_out(refined)
        self._meter.hand_out()
        return refined.batch

    def _leave_epoch(self) -> None:
        self._under_way = None
        self.lengths.end_epoch()

    def take_back(self, losses: Tensor, batch: Batch | None, values: Tensor | None) -> Tensor:
        """Return the weighted mean of a batch's losses, which become scores."""
        try:
            reduced = self._reduction.take_back(losses, batch, values)
            if reduced.ids is not None:
                self.engine.learn(reduced.ids, reduced.losses, reduced.values)
        except Exception as error:
            self._ranks.tell_of(error)
            raise
        return reduced.mean

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed to go on exactly here."""
        return {
            **self._header(),
            "engine_name": self.engine.name,
            "engine": self.engine.state_dict(),
            "position": vars(self._position).copy(),
            "meter": self._meter.state_dict(),
            "generator": self._wiring.generator.get_state(),
            "reduction": self._reduction.state_dict(),
            "lengths": self.lengths.state_dict(),
            "reporter": self.reporter.state_dict(),
            "gate": self._gate.state_dict(),
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
        with damage_in_words("the saved state cannot be gone on from"):
            self._go_on_from(state)

    def _go_on_from(self, state: dict[str, Any]) -> None:
        if state["engine_name"] != self.engine.name:
            self._change_engine(state["engine_name"], "the saved state has them so")
        self.engine.load_state_dict(state["engine"], mid_epoch=state["mid_epoch"])
        self._under_way = None
        self._resumes_epoch = state["mid_epoch"]
        vars(self._position).update(state["position"])
        self._meter.load_state_dict(state["meter"])
        self._wiring.generator.set_state(state["generator"])
        self._reduction.load_state_dict(state["reduction"])
        self.lengths.load_state_dict(state["lengths"])
        self.reporter.load_state_dict(state["reporter"])
        self._gate.load_state_dict(state["gate"])
        self._epochs_ended = state["epochs_ended"]
        self._has_noted = state["has_noted"]

    def _header(self) -> dict[str, Any]:
        return state_header(
            self._config,
            self._wiring.extent.own_shape,
            getattr(self._wiring.loader, "dataset", None),
            self._ranks,
            self._wiring.labels,
        )
