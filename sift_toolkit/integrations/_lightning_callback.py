"""The Lightning callback that makes a Trainer at home with sifted loaders."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.integrations._lightning_framework import framework
from sift_toolkit.integrations._lightning_loader import EpochLoader
from sift_toolkit.integrations._lightning_sifted import Wish
from sift_toolkit.integrations._lightning_state import CHECKPOINT_KEY, of_all_ranks, of_this_rank
from sift_toolkit.integrations._lightning_trainer import (
    attach,
    begin_fetching,
    count_the_saved_batch,
    detach,
    epochs_of,
    expect,
    limited,
    stepping_batches,
)
from sift_toolkit.report import Observation
from sift_toolkit.sifting import (
    Labels,
    Loss,
    LossObject,
    Pad,
    Rewiring,
    SiftingDataloader,
    global_state,
    set_global_state,
)


class SiftingCallback(framework().Callback):  # type: ignore[misc] # known only when it is imported
    """Sifts the training data of a Trainer.

    With a *loss* it sifts the loader that the module or data module returns. Without one it looks
    after a loader that is sifted already, and does nothing where there is none. Either way each
    process trains on its own part of the data, `estimated_stepping_batches` is the true number,
    every epoch has its own length, checkpoints hold the state of the sifting, and its metrics go
    to the trainer's loggers as ``sift/kept_share`` and so on.

    Args:
        config: how to sift; in a job that carries a sift config, that one is followed.
        loss: ``(module, batch) -> losses`` of shape (batch,), or an object with AWS's method.
        pad: brings tensors of batches with different trailing sizes to one size.
        labels: the class of each sample, so that none disappears; see `SiftingDataloader`.

    Raises:
        SiftUsageError: there is a config, and no loss.
    """

    def __init__(
        self,
        config: SiftConfig | None = None,
        *,
        loss: Loss | LossObject | None = None,
        pad: Pad | None = None,
        labels: Labels | None = None,
    ) -> None:
        if loss is None and config is not None:
            msg = (
                "SiftingCallback(config) needs loss=(module, batch) -> one loss a sample; without "
                "a config it looks after a loader that train_dataloader() returns sifted"
            )
            raise SiftUsageError(msg)
        super().__init__()
        self._wish = Wish(config=config, loss=loss, pad=pad, labels=labels)
        self._trainer: Any = None
        self._loader: EpochLoader | None = None
        self._given: Any = None
        self._saved: list[dict[str, Any]] | None = None
        self._resumes = False
        self._epochs_over = self._steps_before = 0

    @property
    def loader(self) -> SiftingDataloader | None:
        """The sifted loader, None where nothing is sifted."""
        return None if self._loader is None else self._loader.sifted

    def reduce(self, losses: Tensor, *, values: Tensor | None = None) -> Tensor:
        """Return the mean of a batch's losses, weighted as the config asks, and remember them.

        Call it once in each training step. Without sifting, and while validating, it is the mean.

        Args:
            losses: shape (batch,), with their gradient.
            values: shape (batch,), your own values, for ``value="own"`` with a memory.
        """
        if self._loader is None or not self._trainer.training:
            return losses.mean()
        return self._loader.sifted.reduce(losses, self._loader.batch, values=values)

    def setup(self, trainer: Any, pl_module: nn.Module, stage: str) -> None:
        """Have a look at the training loader when it comes."""
        if stage != "fit":
            return
        self._trainer, self._loader, self._given = trainer, None, None
        self._saved, self._resumes = None, False
        self._count(trainer.current_epoch)
        is_first = attach(trainer, lambda given: self._look(given, pl_module), self._all_steps)
        if not is_first and self._wish.loss is not None:
            msg = "a callback before SiftingCallback(loss=...) sifts already: leave that one out"
            raise SiftUsageError(msg)

    def _look(self, given: Any, module: nn.Module) -> Any:
        """Return what to train from instead of what train_dataloader() returned."""
        if self._loader is not None:
            if given is not self._given:
                msg = (
                    "train_dataloader() returned another loader than before, and sifting goes by "
                    "what it has seen: leave out Trainer(reload_dataloaders_every_n_epochs=...)"
                )
                raise SiftUsageError(msg)
            return self._loader
        sifted = self._wish.sifted(given, self._trainer, module)
        if sifted is None:
            return given
        if self._trainer.overfit_batches:
            Rewiring(sifted).note("overfit_batches is set: training is on those, not sifted")
            return Rewiring(sifted).inner
        Rewiring(sifted).also_tell(self._log)
        self._given = given
        self._loader = EpochLoader(sifted, lambda: int(self._trainer.current_epoch), self._on_begin)
        return self._loader

    def _all_steps(self) -> int | None:
        """Return the optimizer steps of the whole run, None if they are not known here."""
        epochs = epochs_of(self._trainer)
        if self._loader is None or epochs is None:
            return None
        to_come = epochs - self._epochs_over
        try:
            lengths = Rewiring(self._loader.sifted).epoch_lengths(to_come)
        except TypeError:
            return None
        steps = self._steps_before + stepping_batches(self._trainer, lengths)
        most: int = self._trainer.max_steps
        return steps if most == -1 else min(steps, most)

    def on_train_start(self, trainer: Any, *_: Any) -> None:
        """Go on where a checkpoint was saved."""
        saved, self._saved = self._saved, None
        if self._loader is None or saved is None:
            return
        count_the_saved_batch(trainer)
        state = of_this_rank(saved)
        self._loader.resume(state["loader"], state["trained"])
        self._epochs_over, self._steps_before = state["over"]
        self._resumes = state["mid_epoch"]
        if state["length"] is None:
            # Lightning has fetched ahead already.
            begin_fetching(trainer)
        else:
            expect(trainer, state["length"])
        set_global_state(state["random"])

    def on_train_epoch_start(self, trainer: Any, *_: Any) -> None:
        """Begin the epoch before Lightning asks for its length."""
        # After a checkpoint it may be over already: then its first batch never comes.
        if self._loader is not None and not trainer.fit_loop.restarting:
            self._loader.begin()

    def _on_begin(self) -> None:
        """Tell the Trainer how long the epoch is that has begun."""
        # Not in the hook above: Lightning leaves it out in the first epoch after a checkpoint.
        assert self._loader is not None
        if not self._resumes:
            self._count(self._trainer.current_epoch)
        self._resumes = False
        if (length := self._loader.length) is not None:
            expect(self._trainer, limited(length, self._trainer.limit_train_batches))

    def on_train_batch_start(self, *_: Any) -> None:
        """Know whose losses come back."""
        if self._loader is not None:
            self._loader.start_batch()

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        """End the epoch with its last batch, before anything validates or saves."""
        if self._loader is not None and self._loader.trained == self._loader.length:
            self._loader.finish()
            self._count(trainer.current_epoch + 1)

    def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
        """Let go of an epoch that was cut short."""
        if self._loader is not None:
            self._loader.leave()
            self._count(trainer.current_epoch + 1)

    def _count(self, epochs_over: int) -> None:
        self._epochs_over, self._steps_before = epochs_over, self._trainer.global_step

    def on_save_checkpoint(self, trainer: Any, _: Any, checkpoint: dict[str, Any]) -> None:
        """Save the sifting of all ranks, and the random states its order is drawn from."""
        if self._loader is not None:
            length = trainer.num_training_batches
            state = {
                "loader": self._loader.sifted.state_dict(),
                # Of Lightning's epoch: it saves before and after the sifted loader's own has ended.
                "length": None if length == math.inf else length,
                "trained": self._loader.trained,
                "mid_epoch": self._loader.is_under_way,
                "over": [self._epochs_over, self._steps_before],
                "random": global_state(),
            }
            checkpoint[CHECKPOINT_KEY] = of_all_ranks(state)

    def on_load_checkpoint(self, _: Any, __: Any, checkpoint: dict[str, Any]) -> None:
        """Remember the state until the loader is there."""
        self._saved = checkpoint.get(CHECKPOINT_KEY)

    def teardown(self, trainer: Any, _: Any, stage: str) -> None:
        """Leave the trainer as it was."""
        if stage == "fit":
            detach(trainer)

    def on_exception(self, trainer: Any, *_: Any) -> None:
        """Leave the trainer as it was."""
        detach(trainer)

    def _log(self, observation: Observation) -> None:
        """Give the metrics to the trainer's loggers, which speak on the first rank only."""
        values = {f"sift/{name}": value for name, value in observation.values.items()}
        for logger in self._trainer.loggers:
            logger.log_metrics(values, step=self._trainer.global_step)
