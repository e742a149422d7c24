"""Sifting in Hugging Face's Trainer: one line.

    trainer = Trainer(model, args, train_dataset=..., eval_dataset=...)
    enable_sifting(trainer, SiftConfig(keep=0.5))
    trainer.train()

Or, in a class of your own, ``class MyTrainer(SiftingTrainerMixin, Trainer)``, and the same line.
For a `get_train_dataloader` of your own that returns a sifted loader, see `sift` in
`sift_toolkit.integrations.accelerate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from torch import nn

from sift_toolkit.config import SiftConfig
from sift_toolkit.container._recorder import MetricRecorder
from sift_toolkit.container._sift import job_sifting
from sift_toolkit.contract import JobTree
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.integrations._trainer_losses import model_loss
from sift_toolkit.integrations._trainer_sifting import TrainerSifting
from sift_toolkit.sifting import Loss, LossObject

if TYPE_CHECKING:
    _Base = Any
else:
    _Base = object

__all__ = ["SiftingTrainerMixin", "enable_sifting", "model_loss"]


class SiftingTrainerMixin(_Base):  # type: ignore[misc, unused-ignore] # stands before a Trainer, whatever its class
    """What a Trainer that sifts does differently; without `enable_sifting` nothing.

    To stand first among the bases: ``class MyTrainer(SiftingTrainerMixin, Trainer)``.
    """

    _sifting: TrainerSifting | None = None

    def get_train_dataloader(self) -> Any:
        """Return the sifted loader around the trainer's own, and set its number of steps."""
        loader = super().get_train_dataloader()
        return loader if self._sifting is None else self._sifting.loader_around(loader)

    def train(
        self,
        resume_from_checkpoint: str | bool | None = None,  # noqa: FBT001 - as Trainer has it
        *more: Any,
        **given: Any,
    ) -> Any:
        """Train; from a checkpoint, go on with the very batches that would have come."""
        if self._sifting is None:
            return super().train(resume_from_checkpoint, *more, **given)
        checkpoint: Any = resume_from_checkpoint or None
        if checkpoint is True:
            from transformers.trainer_utils import get_last_checkpoint

            checkpoint = get_last_checkpoint(self.args.output_dir)
        with self._sifting.training(checkpoint):
            return super().train(resume_from_checkpoint, *more, **given)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: Mapping[str, Any],
        return_outputs: bool = False,  # noqa: FBT001, FBT002 - as Trainer has it
        **given: Any,
    ) -> Any:
        """Return the trainer's own loss; what the model said of each sample becomes its score."""
        sifting = self._sifting
        if sifting is None or not model.training or not sifting.wants_losses:
            return super().compute_loss(model, inputs, return_outputs=return_outputs, **given)
        # As it is now: a Trainer may take the labels out.
        batch = dict(inputs)
        loss, outputs = super().compute_loss(model, inputs, return_outputs=True, **given)
        loss = sifting.hand_back(loss, batch, outputs)
        return (loss, outputs) if return_outputs else loss


def enable_sifting(
    trainer: Any,
    config: SiftConfig | None = None,
    loss: Loss | LossObject | None = None,
    set_epochs: bool | None = None,  # noqa: FBT001 - AWS's order of arguments
    *,
    sift_config: SiftConfig | None = None,
    **options: Any,
) -> None:
    """Make a Trainer train on the samples that matter.

    `num_train_epochs` stay epochs of the data; the trainer's `max_steps`, and so its schedule of
    the learning rate, is set to the steps that they come to. A `max_steps` that was set counts as
    it is. Where scores come from a memory, the trainer's own forward pass makes them.

    The one object is changed, not its class: it becomes of a subclass that `SiftingTrainerMixin`
    stands before.

    Args:
        trainer: a `transformers.Trainer`, before `train()`.
        config: how to sift where no config came with the job; the job's own wins. Where there is
            neither, nothing is sifted.
        loss: ``(model, batch) -> losses`` of shape (batch,), or an object with AWS's method.
            In a training step it is called with a stand-in whose answer is already there.
            Default: `model_loss`, of any model that has `logits` and is given `labels`.
        set_epochs: whether `num_train_epochs` counts, not `max_steps`. Default: unless that is set.
        sift_config: AWS's name for `config`.
        options: further arguments of `SiftingDataloader`: `scoring_transform`, `scoring_model`,
            `pad`, `labels`, `shares_samples`.

    Raises:
        SiftUsageError: an argument is not what it should be.
        SiftConfigError: the job's hyperparameters hold a config this package cannot follow.
    """
    if config is not None and sift_config is not None:
        msg = "config and sift_config are two names of one argument: give one of them"
        raise SiftUsageError(msg)
    given: Any = sift_config if config is None else config
    # AWS's config classes say of themselves what they mean in this package's terms.
    given = given.to_sift_config() if hasattr(given, "to_sift_config") else given
    followed, recorder = job_sifting(JobTree.current(), given)
    sift_trainer(
        trainer, followed, recorder, loss=loss or model_loss, set_epochs=set_epochs, **options
    )


def sift_trainer(
    trainer: Any,
    config: SiftConfig,
    recorder: MetricRecorder,
    *,
    loss: Loss | LossObject,
    set_epochs: bool | None,
    **options: Any,
) -> None:
    """Make a Trainer sift as *config* says, and tell *recorder*.

    Raises:
        SiftUsageError: *trainer* is none.
    """
    from transformers import Trainer

    from sift_toolkit.integrations._trainer_callback import SiftingCallback

    if not isinstance(trainer, Trainer):
        msg = f"enable_sifting() needs a transformers.Trainer, got {trainer!r}"
        raise SiftUsageError(msg)
    sifting = TrainerSifting(
        trainer,
        config=config,
        recorder=recorder,
        loss=loss,
        set_epochs=set_epochs,
        options=options,
    )
    if not isinstance(trainer, SiftingTrainerMixin):
        kind = type(trainer)
        trainer.__class__ = type(f"Sifting{kind.__name__}", (SiftingTrainerMixin, kind), {})
    trainer.pop_callback(SiftingCallback)
    trainer.add_callback(SiftingCallback(sifting))
    cast("Any", trainer)._sifting = sifting  # noqa: SLF001 - the mixin's own
