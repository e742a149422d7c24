"""SiftingDataloader: a loader around the user's loader that gives out the samples that matter."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed import ProcessGroup

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting._batches import Batch, Pad
from sift_toolkit.sifting._build import check_arguments
from sift_toolkit.sifting._labels import Labels
from sift_toolkit.sifting._layout import Layout
from sift_toolkit.sifting._loss import Loss, LossObject, as_loss
from sift_toolkit.sifting._meter import Listener
from sift_toolkit.sifting._reporter import MOST_STUCK_REPORTED, STUCK_TIMES
from sift_toolkit.sifting._run import Run
from sift_toolkit.sifting._scoring import Scorer
from sift_toolkit.sifting._shuffling import shufflers_of
from sift_toolkit.sifting._wiring import wire

_logger = logging.getLogger(__name__)


class SiftingDataloader:
    """Gives out full batches of the samples worth training on.

    Wraps any iterable of batches; the batches that come out are of the same type and size as those
    that go in. Not a subclass of DataLoader: it has a length, `dataset`, `batch_size` and
    `set_epoch`, and what it cannot do is not pretended.

    Each `iter()` begins the next epoch and ends the one under way, if the loop broke out of it;
    what that left of its data counts as come by.

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
        batch_format_index: the dimension of a batch that holds the samples, as AWS has it: a list
            is indexed by sample (0) or by feature (1), a tensor has them in dimension 0 or 1.
            Default: a list of tensors is indexed by feature, a tensor by sample.
        layout: finds the samples in batches of other types, in place of that index.
        process_group: the processes that train one model together and stay in step; default: all
            of torch.distributed's default group, where there is one. All of them make the loader
            and iterate it.
        shares_samples: whether all of them draw from one dataset, so that a loss that one of them
            saw counts for all (``scores="memory"``); default: if a sampler is a
            DistributedSampler.
        labels: the class of each sample, of which then none disappears (`class_floor`). Whole
            numbers: a tensor of shape (samples,), by position in the dataset, for a memory; or a
            function ``(batch) -> tensor`` of shape (rows,), for fresh scores.

    Raises:
        SiftConfigError: the config needs `epochs`, or a loader with a known number of rows, or
            asks for a memory that this loader cannot have.
        SiftLossError: the loss is neither callable nor an object with a `loss` method.
        SiftUsageError: *sift_config*, *orig_dataloader*, *epochs*, *batch_format_index* or
            *labels* is not what it should be, or the labels are not of the kind that the scores
            can use.
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
        batch_format_index: int | None = None,
        layout: Layout | None = None,
        process_group: ProcessGroup | None = None,
        shares_samples: bool | None = None,
        labels: Labels | None = None,
    ) -> None:
        check_arguments(sift_config, orig_dataloader, epochs, labels)
        layout = layout or Layout(batch_format_index)
        self._inner = orig_dataloader
        self._epochs = epochs
        scorer = Scorer(
            as_loss(loss_impl),
            scoring_model or model,
            transform=layout.as_given(scoring_transform),
            needs_own=sift_config.needs_own_values,
        )
        wiring = wire(
            sift_config,
            orig_dataloader,
            epochs=epochs,
            scorer=scorer,
            layout=layout,
            pad=pad,
            note=on_note or _logger.info,
            process_group=process_group,
            shares_samples=shares_samples,
            labels=labels,
        )
        self._run = Run(wiring, model=model, listener=listener)

    def __iter__(self) -> Iterator[Batch]:
        """Begin the next epoch; an iterator of an epoch before ends there.

        Raises:
            SiftUsageError: ``scores="memory"`` is set, and the losses of the first epoch were not
                handed back.
        """
        return self._run.begin_epoch()

    def __len__(self) -> int:
        """Return the batches of the epoch under way, or else of the next one.

        Exact under quota; an expectation with coins, and if NaN is dropped in a part of an epoch.

        Raises:
            TypeError: the number of rows of the loader inside is not known.
        """
        return self._run.lengths.of_epoch(self._run.engine)

    def total_steps(self, epochs: int | None = None) -> int:
        """Return the batches of a whole run, those handed out included: for a schedule's length.

        The same whenever it is asked, unless a loop breaks out of an epoch or ``gate="on"`` ends
        the sifting; on ranks with different numbers of rows, once the first epoch has begun.

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
        return self._run.lengths.of_run(self._run.engine, epochs)

    @property
    def progress(self) -> float:
        """Share of the run's data that has come by, from 0 to 1: what a schedule can follow.

        Raises:
            SiftUsageError: `epochs` was not given, or the number of rows is not known.
        """
        progress = self._run.reporter.progress
        if progress is None:
            msg = "progress needs `epochs` and a loader with a known number of rows"
            raise SiftUsageError(msg)
        return progress

    def reduce(
        self, losses: Tensor, batch: Batch | None = None, *, values: Tensor | None = None
    ) -> Tensor:
        """Return the mean of a batch's losses, weighted as the config's correction asks.

        Call it once for each batch, with the losses of the training step: they are the scores of
        the memory, and what the reported training loss is made of. To accumulate gradients over k
        batches, divide by k: the sum is the weighted mean over the global batch.

        Args:
            losses: shape (batch,), with their gradient.
            batch: the batch they belong to; default: the oldest of that length that is
                outstanding, which is right also for trainers that fetch batches ahead.
            values: shape (batch,), your own values, for ``value="own"`` with a memory.

        Returns:
            A tensor of no dimensions, to call `backward()` on.

        Raises:
            SiftLossError: *losses* are not one a sample or not on the model's device, *values* are
                missing, or one is not finite and ``nonfinite="raise"`` is set.
            SiftUsageError: no outstanding batch has as many samples.
        """
        return self._take_back(losses, batch, values)

    @functools.cached_property
    def _take_back(self) -> Callable[..., Tensor]:
        # Not traced into a graph: what is remembered changes with each batch, and so would it.
        return torch.compiler.disable(self._run.take_back)  # type: ignore[no-any-return, no-untyped-call] # torch's own gap

    def record(self, **values: float) -> None:
        """Report what you measured: ``record(validation_accuracy=0.93)``, a share from 0 to 1.

        Raises:
            SiftUsageError: a value is none, or has another name.
        """
        self._run.reporter.record(values)

    def stuck_ids(self, *, times: int = STUCK_TIMES, limit: int = MOST_STUCK_REPORTED) -> list[int]:
        """Return samples that stay hard however often they are trained on: suspected mislabels.

        Known with a memory only. At the top means above the percentile `high_loss_cap`, or 0.95.
        It takes more epochs to tell by default than with `law="percentile"`, which picks them.

        Args:
            times: losses in a row, up to 255, that a sample has had at the top.
            limit: how many to return, the longest there first.

        Returns:
            Positions in the dataset.
        """
        return self._run.engine.stuck_ids(times, limit)

    def set_epoch(self, epoch: int) -> None:
        """Pass the number of the epoch on to whatever shuffles, as DistributedSampler needs."""
        for shuffler in shufflers_of(self._inner):
            shuffler.set_epoch(epoch)

    @property
    def scores(self) -> str:
        """Where the scores come from: "fresh" or "memory"."""
        return self._run.engine.name

    @property
    def dataset(self) -> Any:
        """The dataset of the loader inside."""
        return getattr(self._inner, "dataset", None)

    @property
    def batch_size(self) -> int | None:
        """Samples in a full batch, None if the loader inside does not say."""
        shape = self._run.shape
        return getattr(self._inner, "batch_size", None) if shape is None else shape.batch_size

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed to go on exactly here; loads with ``weights_only=True``.

        Save the global random states beside it if your sampler or dataset draws from them. A
        batch counts as done once it is handed out: one that a trainer has fetched ahead is not
        handed out again.
        """
        return self._run.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where a saved loader was; iterate to do so.

        Raises:
            SiftStateError: the state is of another config, of other data or of another version.
        """
        self._run.load_state_dict(state)
