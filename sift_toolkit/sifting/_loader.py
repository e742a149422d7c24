"""SiftingDataloader: a loader around the user's loader that gives out the samples that matter."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from torch import Generator, Tensor, nn

from sift_toolkit import metrics
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftLossError, SiftUsageError
from sift_toolkit.metrics import Metric, metric_named
from sift_toolkit.report import Observation
from sift_toolkit.sifting._batches import Batch, Pad
from sift_toolkit.sifting._build import build_engine, check_schedule, choose_engine, shuffler_of
from sift_toolkit.sifting._engine import Engine
from sift_toolkit.sifting._forecast import Carried
from sift_toolkit.sifting._loss import Loss, LossObject, as_loss
from sift_toolkit.sifting._meter import Listener, Meter
from sift_toolkit.sifting._returned import OutstandingBatches
from sift_toolkit.sifting._schedule import Position
from sift_toolkit.sifting._scoring import Scorer
from sift_toolkit.sifting._source import shape_of
from sift_toolkit.sifting._state import check_state, state_header

_logger = logging.getLogger(__name__)


class SiftingDataloader:
    """Gives out full batches of the samples worth training on.

    Wraps any iterable of batches; the batches that come out are of the same type and size as those
    that go in. Not a subclass of DataLoader: it has a length, `dataset`, `batch_size` and
    `set_epoch`, and what it cannot do is not pretended.

    Args:
        sift_config: how to sift; with ``enabled=False`` batches pass through untouched.
        orig_dataloader: the user's DataLoader or any iterable of batches whose tensors hold the
            samples in dimension 0.
        loss_impl: ``(model, batch) -> losses`` of shape (batch,), or an object with AWS's method
            ``loss(model, transformed_batch, original_batch)``.
        model: scored as it is at each step, in evaluation mode and without gradients.
        epochs: epochs the training will make; needed by `keep_end`, `anneal` and `progress`.
        listener: told an `Observation` every `log_every` training steps and when an epoch ends.
        on_note: told in words what the loader decides; default: the log of this package.
        scoring_transform: what the scoring model sees of a batch, such as shorter sequences.
        scoring_model: scored instead of the model: a smaller one, or its moving average.
        pad: brings tensors of batches with different trailing sizes to one size.

    Raises:
        SiftConfigError: the config needs `epochs`, or a loader with a known number of rows, or
            asks for a memory that this loader cannot have.
        SiftLossError: the loss is neither callable nor an object with a `loss` method.
    """

    def __init__(
        self,
        *,
        sift_config: SiftConfig,
        orig_dataloader: Iterable[Batch],
        loss_impl: Loss | LossObject,
        model: nn.Module,
        epochs: int | None = None,
        listener: Listener | None = None,
        on_note: Callable[[str], None] | None = None,
        scoring_transform: Callable[[Batch], Batch] | None = None,
        scoring_model: nn.Module | None = None,
        pad: Pad | None = None,
    ) -> None:
        self._shape = shape_of(orig_dataloader)
        self._config = sift_config
        self._inner = orig_dataloader
        self._epochs = epochs
        self._run_rows = self._shape.rows_given * epochs if self._shape and epochs else None
        check_schedule(sift_config, epochs, self._run_rows)
        self._listener = listener
        self._note = on_note or _logger.info
        self._pad = pad
        self._scorer = Scorer(
            as_loss(loss_impl),
            scoring_model or model,
            transform=scoring_transform,
            needs_own=sift_config.needs_own_values,
        )
        self._generator = Generator().manual_seed(sift_config.seed)
        self._position = Position()
        self._meter = Meter()
        self._outstanding = OutstandingBatches()
        self._iterator: _EpochIterator | None = None
        self._length: int | None = None
        self._observed_at = 0
        self._was_reduced = False
        self._has_warned = False
        self._resumes_epoch = False
        name, reason = choose_engine(sift_config, orig_dataloader, epochs)
        self._engine = self._build(name)
        self._note(f"scores: {name}, because {reason}")

    def _build(self, name: str) -> Engine:
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
        )

    def __iter__(self) -> Iterator[Batch]:
        """Begin the next epoch; an iterator of an epoch before ends there.

        Raises:
            SiftUsageError: ``scores="memory"`` is set, and the losses of the first epoch were not
                handed back.
        """
        self._meter.take_over()
        if self._resumes_epoch:
            self._resumes_epoch = False
        else:
            self._mind_missing_losses()
            self._outstanding.forget()
            self._length = None if self._shape is None else self._forecast()
            self._position.begin_epoch(None if self._shape is None else self._shape.rows_given)
        self._engine.begin_epoch()
        self._iterator = _EpochIterator(self)
        return self._iterator

    def _mind_missing_losses(self) -> None:
        """Act on a training loop that does not hand its losses back, once an epoch is over."""
        if self._position.epochs == 0 or self._was_reduced:
            return
        if self._config.correction > 0 and self._position.epochs == 1:
            self._note(
                f"correction={self._config.correction!r} has no effect: the training loop does "
                "not call loader.reduce(losses)"
            )
        if self._engine.name != "memory":
            return
        if self._config.scores == "memory":
            msg = (
                'scores="memory" needs the losses of the training loop: call '
                "loss = loader.reduce(losses) with one loss a sample in each step; it was not "
                'called in the first epoch. Or use scores="fresh"'
            )
            raise SiftUsageError(msg)
        self._engine = self._build("fresh")
        self._note(
            "scores: fresh from now on, because the training loop does not call "
            "loader.reduce(losses)"
        )

    def __len__(self) -> int:
        """Return the batches of the epoch under way, or else of the next one.

        Exact under quota; with coins (``selection="bernoulli"``) an expectation.

        Raises:
            TypeError: the number of rows of the loader inside is not known.
        """
        if self._length is not None and (self._iterator is not None or self._resumes_epoch):
            return self._length
        return self._forecast()

    def total_steps(self, epochs: int | None = None) -> int:
        """Return the batches of a whole run from its start: what a learning rate schedule needs.

        Args:
            epochs: epochs of the run; default: the `epochs` given to the loader.

        Raises:
            SiftUsageError: no number of epochs was given here or there.
            TypeError: the number of rows of the loader inside is not known.
        """
        epochs = epochs or self._epochs
        if epochs is None:
            msg = "total_steps() needs the number of epochs, here or as `epochs` of the loader"
            raise SiftUsageError(msg)
        return self._forecast(epochs, from_start=True)

    def _forecast(self, epochs: int = 1, *, from_start: bool = False) -> int:
        if self._shape is None:
            msg = "the loader inside has no known number of rows, so the sifted one has no length"
            raise TypeError(msg)
        position = Position() if from_start else dataclasses.replace(self._position)
        carried = Carried() if from_start else self._engine.carried()
        before = position.steps
        for _ in range(epochs):
            carried = self._engine.forecast(self._shape, position, self._run_rows, carried)
        return position.steps - before

    @property
    def progress(self) -> float:
        """Share of the run's data that has come by, from 0 to 1: what a schedule can follow.

        Raises:
            SiftUsageError: `epochs` was not given, or the number of rows is not known.
        """
        if self._run_rows is None:
            msg = "progress needs `epochs` and a loader with a known number of rows"
            raise SiftUsageError(msg)
        return min(self._position.rows / self._run_rows, 1.0)

    def reduce(
        self, losses: Tensor, batch: Batch | None = None, *, values: Tensor | None = None
    ) -> Tensor:
        """Return the mean of a batch's losses, weighted as the config's correction asks.

        Call it once for each batch, with the losses of the training step: they are the scores of
        the memory, and what the reported training loss is made of.

        Args:
            losses: shape (batch,), with their gradient.
            batch: the batch they belong to; default: the oldest of that length that is
                outstanding, which is right also for trainers that fetch batches ahead.
            values: shape (batch,), your own values, for ``value="own"`` with a memory.

        Returns:
            A tensor of no dimensions, to call `backward()` on.

        Raises:
            SiftLossError: *losses* has not one dimension, or *values* are missing.
            SiftUsageError: no outstanding batch has as many samples.
        """
        if losses.ndim != 1:
            msg = (
                f"reduce() needs one loss a sample, shape (batch,), got {tuple(losses.shape)}: "
                'compute the loss with reduction="none"'
            )
            raise SiftLossError(msg)
        handed = self._outstanding.take_back(losses.numel(), batch)
        self._was_reduced = True
        self._meter.add_training_losses(losses)
        if handed.ids is not None:
            if self._config.needs_own_values and values is None:
                msg = 'value="own" with a memory needs reduce(losses, values=...), one a sample'
                raise SiftLossError(msg)
            self._engine.learn(handed.ids, losses, values)
        if handed.weights is None:
            return losses.mean()
        return (losses * handed.weights.to(losses.device, losses.dtype)).mean()

    def record(self, **values: float) -> None:
        """Report values of your own measuring, such as ``record(validation_accuracy=0.93)``.

        Raises:
            KeyError: no metric has that name.
        """
        numbers = {metric_named(name).name: float(value) for name, value in values.items()}
        if self._listener is not None:
            place = {metric.name: float(value) for metric, value in self._place().items()}
            self._listener(Observation(values={**place, **numbers}))

    def set_epoch(self, epoch: int) -> None:
        """Pass the number of the epoch on to whatever shuffles, as DistributedSampler needs."""
        shuffler = shuffler_of(self._inner)
        if shuffler is not None:
            shuffler.set_epoch(epoch)

    @property
    def scores(self) -> str:
        """Where the scores come from: "fresh" or "memory"."""
        return self._engine.name

    @property
    def dataset(self) -> Any:
        """The dataset of the loader inside."""
        return getattr(self._inner, "dataset", None)

    @property
    def batch_size(self) -> int | None:
        """Samples in a full batch, None if the loader inside does not say."""
        return None if self._shape is None else self._shape.batch_size

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed to go on exactly here; loads with ``weights_only=True``.

        Save torch's global random state beside it if the user's sampler draws from that.
        """
        return {
            **state_header(self._config, self._shape),
            "engine_name": self._engine.name,
            "engine": self._engine.state_dict(),
            "position": vars(self._position).copy(),
            "meter": self._meter.state_dict(),
            "generator": self._generator.get_state(),
            "outstanding": self._outstanding.state_dict(),
            "length": self._length,
            "was_reduced": self._was_reduced,
            "mid_epoch": self._iterator is not None or self._resumes_epoch,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where a saved loader was; iterate to do so.

        Raises:
            SiftStateError: the state is of another config, of other data or of a newer version.
        """
        check_state(state, state_header(self._config, self._shape))
        if state["engine_name"] != self._engine.name:
            self._engine = self._build(state["engine_name"])
        self._resumes_epoch = state["mid_epoch"]
        self._engine.load_state_dict(state["engine"], mid_epoch=self._resumes_epoch)
        vars(self._position).update(state["position"])
        self._observed_at = self._position.steps
        self._meter.load_state_dict(state["meter"])
        self._generator.set_state(state["generator"])
        self._outstanding.load_state_dict(state["outstanding"])
        self._length = state["length"]
        self._was_reduced = state["was_reduced"]
        self._iterator = None

    def _place(self) -> dict[Metric, float]:
        place: dict[Metric, float] = {
            metrics.EPOCH: self._position.epochs,
            metrics.TRAINING_STEPS: self._position.steps,
        }
        if self._run_rows is not None:
            place = {metrics.PROGRESS: self.progress, **place}
        return place

    def _observe(self) -> None:
        if self._listener is not None and self._position.steps > self._observed_at:
            self._listener(self._meter.observe(self._place()))
        self._observed_at = self._position.steps

    def _next(self, iterator: _EpochIterator) -> Batch:
        if iterator is not self._iterator:
            if iterator.ended:
                raise StopIteration
            msg = (
                "this iterator's epoch was ended by a later iter() of the same loader: a sifted "
                "loader has one epoch under way at a time"
            )
            raise SiftUsageError(msg)
        self._meter.take_over()
        if self._position.steps - self._observed_at >= self._config.log_every:
            self._observe()
        refined = self._engine.next()
        if refined is None:
            self._end_epoch(iterator)
            raise StopIteration
        self._position.step()
        self._outstanding.hand_out(refined.batch, refined.rows, refined.weights, refined.ids)
        self._meter.hand_out()
        return refined.batch

    def _end_epoch(self, iterator: _EpochIterator) -> None:
        iterator.ended = True
        self._iterator = None
        self._observe()
        saving = self._meter.counters.estimated_saving()
        if self._config.gate == "warn" and saving < 0 and not self._has_warned:
            self._has_warned = True
            self._note(
                f"sifting costs more than it saves: {-saving:.0%} more time so far than training "
                "on all data would have taken"
            )


class _EpochIterator:
    """The iterator of one epoch; all state is the loader's."""

    def __init__(self, loader: SiftingDataloader) -> None:
        self._loader = loader
        self.ended = False

    def __iter__(self) -> _EpochIterator:
        return self

    def __next__(self) -> Batch:
        return self._loader._next(self)  # noqa: SLF001 - two halves of one thing
