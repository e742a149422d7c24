"""sift(): one line in the user's own training script."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from torch import nn
from torch.distributed import ProcessGroup

from sift_toolkit.config import SiftConfig
from sift_toolkit.container._recorder import MetricRecorder
from sift_toolkit.contract import JobTree
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting import Batch, Labels, Loss, LossObject, Pad, SiftingDataloader


def sift(
    dataloader: Iterable[Batch],
    *,
    model: nn.Module,
    loss: Loss | LossObject,
    epochs: int | None = None,
    config: SiftConfig | None = None,
    scoring_transform: Callable[[Batch], Batch] | None = None,
    scoring_model: nn.Module | None = None,
    pad: Pad | None = None,
    batch_format_index: int | None = None,
    labels: Labels | None = None,
    process_group: ProcessGroup | None = None,
    shares_samples: bool | None = None,
) -> SiftingDataloader:
    """Wrap a loader with the sifting that the client asked for.

    The same script serves both twins: where the job carries no sift config, or one with
    ``enabled=False``, batches pass through untouched, and the same metrics are reported. Outside
    of a job metrics are printed, and no report is written.

    Args:
        dataloader: any DataLoader or iterable of batches.
        model: scored in evaluation mode, without gradients.
        loss: ``(model, batch) -> losses`` of shape (batch,), or an object with AWS's `loss` method.
        epochs: epochs the training will make; needed by `keep_end`, `anneal` and `progress`.
        config: how to sift where no config came with the job: a script that is run directly.
            Default: not at all there. The job's own wins, so that twins and sweeps need no other
            script.
        scoring_transform: what the model sees of a batch when scoring it.
        scoring_model: scored instead of the model: a smaller one, or its moving average.
        pad: brings tensors of different trailing sizes to one size.
        batch_format_index: 0 if a batch is a list of samples, not of features with all samples.
        labels: the class of each sample, so that none disappears: a tensor by position in the
            dataset, or, for fresh scores, a function ``(batch) -> tensor`` of shape (rows,).
        process_group: the processes that train the model together; default: all. Metrics are
            those of the first rank of the job.
        shares_samples: whether they draw from one dataset; default: as the sampler suggests.

    Returns:
        The loader to train from; hand it the losses of each step: ``loader.reduce(losses)``.

    Raises:
        SiftConfigError: the job's hyperparameters hold a config this package cannot follow, such
            as a newer one, or this loader cannot.
        SiftLossError: *loss* is neither callable nor an object with a `loss` method.
        SiftUsageError: an argument is not what it should be.
    """
    followed, recorder = job_sifting(JobTree.current(), config)
    return SiftingDataloader(
        sift_config=followed,
        orig_dataloader=dataloader,
        loss_impl=loss,
        model=model,
        epochs=epochs,
        listener=recorder,
        on_note=recorder.note,
        scoring_transform=scoring_transform,
        scoring_model=scoring_model,
        pad=pad,
        batch_format_index=batch_format_index,
        labels=labels,
        process_group=process_group,
        shares_samples=shares_samples,
    )


class JobSifting(NamedTuple):
    """How a job sifts, and who is told about it."""

    config: SiftConfig
    recorder: MetricRecorder


def job_sifting(tree: JobTree, own: SiftConfig | None = None) -> JobSifting:
    """Return the config a job follows, and a recorder that has noted where it came from.

    Args:
        tree: the job's; where there is no job, nothing is read or written.
        own: the script's, followed where none came with the job.

    Raises:
        SiftConfigError: the job's hyperparameters hold a config this package cannot follow.
        SiftUsageError: *own* is no config.
    """
    _check_config(own)
    config = SiftConfig.from_hyperparameters(tree.read_hyperparameters())
    note = None
    if config is not None and own is not None:
        note = f"the sift config that came with the job is followed, not the script's own: {config}"
    elif own is not None:
        config = own
        note = f"the script's own sift config is followed: {config}"
    elif config is None:
        config = SiftConfig(keep=1.0, enabled=False)
        where = "came with this job" if tree.exists else "was given, and there is no job"
        note = f"no sift config {where}: training on all data"
    recorder = MetricRecorder(config, tree.output_data_dir if tree.exists else None)
    if note is not None:
        recorder.note(note)
    return JobSifting(config, recorder)


def _check_config(value: object) -> None:
    if value is not None and not isinstance(value, SiftConfig):
        msg = f"config must be a SiftConfig, got {value!r}"
        raise SiftUsageError(msg)
