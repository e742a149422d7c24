"""How one Trainer sifts: its loader, its steps, the losses that it hands back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sift_toolkit.config import SiftConfig
from sift_toolkit.container._recorder import MetricRecorder
from sift_toolkit.integrations._prepared import plain_loader
from sift_toolkit.integrations._trainer_checkpoint import load_state, state_file
from sift_toolkit.integrations._trainer_loader import TrainerLoader
from sift_toolkit.integrations._trainer_losses import (
    SampleLosses,
    corrected,
    is_causal,
    targets_of,
)
from sift_toolkit.integrations._trainer_pad import pad_of
from sift_toolkit.integrations._trainer_steps import Extent, extent_of, optimizer_steps
from sift_toolkit.sifting import Loss, LossObject, SiftingDataloader


class TrainerSifting:
    """Sifts the training data of one Trainer.

    Args:
        trainer: a `transformers.Trainer`.
        config: how to sift.
        recorder: told how it goes.
        loss: one loss a sample.
        set_epochs: whether the trainer's epochs count, not its steps; None: unless steps were set.
        options: further arguments of `SiftingDataloader`.
    """

    def __init__(
        self,
        trainer: Any,
        *,
        config: SiftConfig,
        recorder: MetricRecorder,
        loss: Loss | LossObject,
        set_epochs: bool | None,
        options: Mapping[str, Any],
    ) -> None:
        self._trainer = trainer
        self._config = config
        self._recorder = recorder
        self._loss = loss
        self._losses = SampleLosses(loss)
        self._set_epochs = set_epochs
        # While it trains, the trainer's own is what that comes to.
        self._max_steps: int = trainer.args.max_steps
        self._skips: bool = trainer.args.ignore_data_skip
        self._options = dict(options)
        self.loader: TrainerLoader | None = None
        self.resume_from: str | None = None
        self.extent_of(trainer.args)

    def extent_of(self, args: Any) -> Extent:
        """Return how long the trainer trains.

        Raises:
            SiftUsageError: it is not said.
        """
        return extent_of(args.num_train_epochs, self._max_steps, set_epochs=self._set_epochs)

    def folder_of(self, step: int) -> str:
        """Return the folder of the checkpoint of a step."""
        run: str = self._trainer._get_output_dir(trial=getattr(self._trainer, "_trial", None))  # noqa: SLF001 - a search has a folder for each run
        return str(Path(run) / f"checkpoint-{step}")

    def loader_around(self, prepared: Any) -> TrainerLoader:
        """Return what the trainer iterates, and tell it for how many steps.

        Args:
            prepared: the trainer's own loader.

        Raises:
            SiftUsageError: the number of steps is not known.
            SiftConfigError: the config cannot be followed with this loader.
        """
        args = self._trainer.args
        extent = self.extent_of(args)
        tokenizer = getattr(self._trainer, "processing_class", None)
        sifted = SiftingDataloader(
            **{
                "pad": pad_of(tokenizer),
                **self._options,
                "sift_config": self._config,
                "orig_dataloader": plain_loader(prepared),
                "loss_impl": self._loss,
                "model": self._trainer.model,
                "epochs": extent.whole_epochs,
                "listener": self._recorder,
                "on_note": self._recorder.note,
            }
        )
        group = args.gradient_accumulation_steps
        args.max_steps = optimizer_steps(sifted, extent, group)
        # The loader finds its place by its own state; a Trainer would skip batches as if each
        # epoch were the first one.
        args.ignore_data_skip = True
        self.loader = TrainerLoader(sifted, group)
        self._resume()
        return self.loader

    @contextmanager
    def training(self, checkpoint: str | None) -> Iterator[None]:
        """Leave the trainer's arguments as they were: another Trainer may be given them too.

        Args:
            checkpoint: the folder to go on from, None to begin.
        """
        self.resume_from = checkpoint
        try:
            yield
        finally:
            self._trainer.args.max_steps = self._max_steps
            self._trainer.args.ignore_data_skip = self._skips

    def _resume(self) -> None:
        checkpoint, self.resume_from = self.resume_from, None
        if checkpoint is None or self.loader is None:
            return
        rank = self._trainer.args.process_index
        state = load_state(Path(checkpoint), rank)
        if state is None:
            self._recorder.note(
                f"{state_file(Path(checkpoint), rank)} is not there: sifting begins anew, with "
                "the first epoch of the data"
            )
            return
        self.loader.load_state_dict(state)

    @property
    def wants_losses(self) -> bool:
        """Whether the losses of training steps are of use."""
        if self.loader is None or not self._config.sifts:
            return False
        return self.loader.sifted.scores == "memory" or self._config.correction > 0

    def hand_back(self, loss: Tensor, batch: Mapping[str, Any], outputs: Any) -> Tensor:
        """Hand the losses of a step back to the loader, and return the loss to train on.

        Args:
            loss: the trainer's own.
            batch: what the model was called with.
            outputs: what it returned.

        Returns:
            The trainer's own; where the config asks for a correction, its samples weighted.
        """
        # The very object that was handed out: the trainer may have made another one of it.
        given = None if self.loader is None else self.loader.take_back()
        if self.loader is None or given is None:
            return loss
        model: nn.Module = self._trainer.model
        weighs = self._config.correction > 0
        with torch.set_grad_enabled(weighs):
            losses, values = self._losses.of(model, batch, outputs)
        if not weighs:
            self.loader.sifted.reduce(losses, given, values=values)
            return loss
        leaf = losses.detach().requires_grad_()
        mean = self.loader.sifted.reduce(leaf, given, values=values)
        (shares,) = torch.autograd.grad(mean, leaf)
        targets = targets_of(losses, batch, causal=is_causal(model))
        return corrected(loss, losses, shares * len(losses), targets)
