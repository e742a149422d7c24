"""What a sifted training does at a Trainer's events."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from sift_toolkit.integrations._trainer_checkpoint import save_state
from sift_toolkit.integrations._trainer_sifting import TrainerSifting


class SiftingCallback(TrainerCallback):  # type: ignore[misc, unused-ignore] # untyped where transformers is not installed
    """Tells a Trainer which epoch it is in and when that ends; saves the sifting state.

    Args:
        sifting: of the trainer.
    """

    def __init__(self, sifting: TrainerSifting) -> None:
        self._sifting = sifting

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, *_: TrainerControl, **__: Any
    ) -> None:
        """Name the epochs: a Trainer that is told no length counts on endlessly many."""
        epochs = self._sifting.extent_of(args).epochs
        if epochs is not None:
            state.num_train_epochs = math.ceil(epochs)

    def on_step_end(
        self, _: TrainingArguments, state: TrainerState, control: TrainerControl, **__: Any
    ) -> None:
        """Say how many epochs of the data have come by, and end one that is over."""
        loader = self._sifting.loader
        if loader is not None:
            if loader.end_if_over():
                control.should_epoch_stop = True
            state.epoch = loader.epoch

    def on_save(
        self, args: TrainingArguments, state: TrainerState, *_: TrainerControl, **__: Any
    ) -> None:
        """Put the sifting state into the checkpoint, which is complete but for that."""
        loader = self._sifting.loader
        folder = self._sifting.folder_of(state.global_step)
        if loader is not None and not args.save_only_model:
            save_state(Path(folder), args.process_index, loader.state_dict())
