"""AWS's SiftingDataloader: the same arguments, around this package's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from torch import Tensor, nn

from sift_toolkit.config import SiftConfig
from sift_toolkit.container._sift import job_sifting
from sift_toolkit.contract import JobTree
from sift_toolkit.errors import SiftBatchError, SiftLossError
from sift_toolkit.integrations._prepared import view_of
from sift_toolkit.sifting import Batch, Layout, Loss, LossObject, as_loss, to_device
from sift_toolkit.sifting import SiftingDataloader as OwnDataloader
from sift_toolkit.smart_sifting._exceptions import (
    LossImplementationNotProvidedException,
    UnsupportedDataFormatException,
)
from sift_toolkit.smart_sifting.data_model.data_model_interface import SiftingBatchTransform
from sift_toolkit.smart_sifting.dataloader._batch_log import log_given_out, logged, warn_of_content
from sift_toolkit.smart_sifting.dataloader._inferred_layout import InferredLayout
from sift_toolkit.smart_sifting.dataloader._transform_layout import Scored, TransformLayout
from sift_toolkit.smart_sifting.loss.abstract_sift_loss_module import Loss as AwsLoss
from sift_toolkit.smart_sifting.loss.abstract_sift_loss_module import not_written
from sift_toolkit.smart_sifting.sift_config.sift_configs import (
    RelativeProbabilisticSiftConfig,
    sift_config_of,
)

__all__ = ["SiftingDataloader"]


class SiftingDataloader(OwnDataloader):
    """Gives out full batches of the samples worth training on.

    Beyond AWS's it has a length, `total_steps`, `state_dict` and all else of
    `sift_toolkit.SiftingDataloader`. In a job that carries a sift config, that one is followed:
    twins, sweeps and tuning work with the unchanged script.

    Args:
        sift_config: AWS's config classes, the nested dict of one, or a `SiftConfig`.
        orig_dataloader: the loader inside.
        batch_transforms: for batches whose samples cannot be found otherwise: a
            `SiftingBatchTransform`, or several, applied one after the other.
        loss_impl: an object with a method ``loss(model, transformed_batch, original_batch)``.
        model: scored as it is at each step, wherever it has been moved to by then.
        log_batch_data: whether the log shows all that is scored and all that is given out: what
            is in your data, then, anybody can read who reads the job's log.
        batch_format_index: the dimension of a batch that holds the samples: of a list, 0 where it
            is indexed by sample, 1 by feature; of a tensor, 0 or 1. Default: of a list, the one
            that holds as many as the batch size says; of a tensor, 0.

    Raises:
        LossImplementationNotProvidedException: there is no loss.
        SiftConfigValidationException: the config lacks a key or has a value of a wrong type.
        UnsupportedDataFormatException: while iterating: a batch needs a transform.
    """

    def __init__(
        self,
        sift_config: RelativeProbabilisticSiftConfig | SiftConfig | Mapping[str, Any],
        orig_dataloader: Iterable[Batch],
        batch_transforms: SiftingBatchTransform | Sequence[SiftingBatchTransform] | None = None,
        loss_impl: Loss | LossObject | None = None,
        model: nn.Module | None = None,
        log_batch_data: bool = False,  # noqa: FBT001, FBT002 - AWS's order of arguments
        batch_format_index: int | None = None,
    ) -> None:
        loss = checked_loss(loss_impl)
        if model is None:
            msg = "SiftingDataloader needs the model: model=..."
            raise TypeError(msg)
        own = sift_config if isinstance(sift_config, SiftConfig) else sift_config_of(sift_config)
        config, recorder = job_sifting(JobTree.current(), own)
        loader = view_of(orig_dataloader)
        self._logs = log_batch_data
        if log_batch_data:
            warn_of_content()
        super().__init__(
            sift_config=scored_fresh(config),
            orig_dataloader=loader,
            loss_impl=logged(loss) if log_batch_data else loss,
            model=model,
            listener=recorder,
            on_note=recorder.note,
            layout=_layout(_as_sequence(batch_transforms), batch_format_index, loader),
        )

    def __iter__(self) -> Iterator[Batch]:
        """Begin the next epoch; an iterator of an epoch before ends there.

        Raises:
            UnsupportedDataFormatException: while iterating: a batch needs a transform.
        """
        batches = in_words(super().__iter__())
        return map(log_given_out, batches) if self._logs else batches


def checked_loss(given: Loss | LossObject | None) -> Loss:
    """Return a loss as a function of model and batch, whatever came of the batch.

    Raises:
        LossImplementationNotProvidedException: there is none, or only the method to override; or
            it is a class, or has no method `loss`.
    """
    if given is None:
        msg = "no loss: loss_impl must be an object with loss(model, transformed_batch, ...)"
        raise LossImplementationNotProvidedException(msg)
    if getattr(type(given), "loss", None) is AwsLoss.loss:
        raise LossImplementationNotProvidedException(not_written(type(given)))
    try:
        loss = as_loss(given)
    except SiftLossError as error:
        raise LossImplementationNotProvidedException(str(error)) from error
    if not callable(getattr(type(given), "loss", None)):
        return lambda model, batch: loss(model, _transformed(model, batch))
    method = cast("LossObject", given).loss

    def told_both(model: nn.Module, batch: Any) -> Tensor:
        original = batch.original if isinstance(batch, Scored) else batch
        return method(model, _transformed(model, batch), original)

    return told_both


def _transformed(model: nn.Module, batch: Any) -> Any:
    """Return what the transforms made of a batch, on the model's device like all that is scored."""
    if not isinstance(batch, Scored):
        return batch
    parameter = next(model.parameters(), None)
    made = batch.transformed
    if parameter is None:
        return made
    parts = (to_device(each, parameter.device) for each in (made.inputs, made.labels))
    return type(made)(*parts)


def in_words(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield batches; one whose samples cannot be found ends that by AWS's exception."""
    try:
        yield from batches
    except UnsupportedDataFormatException:
        raise
    except SiftBatchError as error:
        msg = (
            f"{error}; or give batch_transforms=..., a SiftingBatchTransform that turns such a "
            "batch into a ListBatch or a TensorBatch"
        )
        raise UnsupportedDataFormatException(msg) from error


def scored_fresh(config: SiftConfig) -> SiftConfig:
    """Return the config, with fresh scores where that was left open.

    Scripts written for AWS's loader hand no losses back, which is what a memory lives on.
    """
    return dataclasses.replace(config, scores="fresh") if config.scores == "auto" else config


def _layout(
    transforms: Sequence[SiftingBatchTransform], index: int | None, loader: Iterable[Batch]
) -> Layout:
    """Return where the samples are: as the transforms or the user say, else by the batch size."""
    if transforms:
        return TransformLayout(transforms)
    if index is not None:
        return Layout(index)
    return InferredLayout(loader)


def _as_sequence(
    transforms: SiftingBatchTransform | Sequence[SiftingBatchTransform] | None,
) -> Sequence[SiftingBatchTransform]:
    """Return the transforms in order.

    Raises:
        UnsupportedDataFormatException: one of them has no `transform` and `reverse_transform`.
    """
    if transforms is None:
        return ()
    several = transforms if isinstance(transforms, list | tuple) else (transforms,)
    for each in several:
        if isinstance(each, type) or not (
            hasattr(each, "transform") and hasattr(each, "reverse_transform")
        ):
            msg = (
                "batch_transforms must be an object with transform(batch) and "
                f"reverse_transform(sifting_batch), or a list of such, got {each!r}"
            )
            raise UnsupportedDataFormatException(msg)
    return several
