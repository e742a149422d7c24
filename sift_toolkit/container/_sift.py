"""sift(): one line in the user's own training script."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import nn

from sift_toolkit.config import SiftConfig
from sift_toolkit.container._recorder import MetricRecorder
from sift_toolkit.contract import JobTree
from sift_toolkit.sifting import Batch, Loss, LossObject, Pad, SiftingDataloader


def sift(
    dataloader: Iterable[Batch],
    *,
    model: nn.Module,
    loss: Loss | LossObject,
    epochs: int | None = None,
    config: SiftConfig | None = None,
    scoring_transform: Callable[[Batch], Batch] | None = None,
    pad: Pad | None = None,
) -> SiftingDataloader:
    """Wrap a loader with the sifting that the client asked for.

    The same script serves both twins: where the job carries no sift config, or one with
    ``enabled=False``, batches pass through untouched, and the same metrics are reported.

    Args:
        dataloader: any DataLoader or iterable of batches.
        model: scored in evaluation mode, without gradients.
        loss: ``(model, batch) -> losses`` of shape (batch,), or an object with AWS's `loss` method.
        epochs: epochs the training will make.
        config: used instead of the job's, such as outside of a job.
        scoring_transform: what the model sees of a batch when scoring it.
        pad: brings tensors of different trailing sizes to one size.

    Returns:
        The loader to train from; hand it the losses of each step: ``loader.reduce(losses)``.

    Raises:
        SiftConfigError: the job's hyperparameters hold a config this package cannot follow.
    """
    tree = JobTree.current()
    in_job = tree.exists
    if config is None and in_job:
        config = SiftConfig.from_hyperparameters(tree.read_hyperparameters())
    asked = config is not None
    config = config or SiftConfig(keep=1.0, enabled=False)
    recorder = MetricRecorder(config, tree.output_data_dir if in_job else None)
    if not asked:
        recorder.note("no sift config came with this job: training on all data")
    return SiftingDataloader(
        sift_config=config,
        orig_dataloader=dataloader,
        loss_impl=loss,
        model=model,
        epochs=epochs,
        listener=recorder,
        on_note=recorder.note,
        scoring_transform=scoring_transform,
        pad=pad,
    )
