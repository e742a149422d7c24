"""AWS's one line for a Hugging Face Trainer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sift_toolkit.config import SiftConfig
from sift_toolkit.container._sift import job_sifting
from sift_toolkit.contract import JobTree
from sift_toolkit.integrations.huggingface import sift_trainer
from sift_toolkit.sifting import Loss, LossObject
from sift_toolkit.smart_sifting.dataloader.sift_dataloader import checked_loss, scored_fresh
from sift_toolkit.smart_sifting.sift_config.sift_configs import (
    RelativeProbabilisticSiftConfig,
    sift_config_of,
)

__all__ = ["enable_sifting"]


def enable_sifting(
    trainer: Any,
    sift_config: RelativeProbabilisticSiftConfig | SiftConfig | Mapping[str, Any],
    loss: Loss | LossObject | None = None,
    set_epochs: bool | None = None,  # noqa: FBT001 - AWS's order of arguments
) -> None:
    """Make a Trainer train on the samples that matter, with AWS's semantics.

    In a job that carries a sift config, that one is followed: twins, sweeps and tuning work with
    the unchanged script.

    Args:
        trainer: a `transformers.Trainer`, before `train()`.
        sift_config: AWS's config classes, the nested dict of one, or a `SiftConfig`.
        loss: an object with a method ``loss(model, transformed_batch, original_batch)``.
        set_epochs: whether the trainer trains for `num_train_epochs`, not for `max_steps`.
            Default: unless that is set.

    Raises:
        LossImplementationNotProvidedException: there is no loss.
        SiftConfigValidationException: the config lacks a key or has a value of a wrong type.
        SiftUsageError: *trainer* is none, or does not say how long to train.
    """
    checked = checked_loss(loss)
    own = sift_config if isinstance(sift_config, SiftConfig) else sift_config_of(sift_config)
    config, recorder = job_sifting(JobTree.current(), own)
    sift_trainer(trainer, scored_fresh(config), recorder, loss=checked, set_epochs=set_epochs)
