"""A complete trainer around a hooks module: schedule, evaluation, checkpoints, the saved model."""

from __future__ import annotations

import os
from typing import Any, Final, Protocol

import torch

from sift_toolkit.container._checkpoint import load_checkpoint, save_checkpoint
from sift_toolkit.container._evaluation import accuracy
from sift_toolkit.container._hooks import Hooks
from sift_toolkit.container._job import Job
from sift_toolkit.container._learning_rate import scheduler_for
from sift_toolkit.container._random_state import random_state, seed_all, set_random_state
from sift_toolkit.container._sift import job_sifting
from sift_toolkit.errors import SiftStateError, SiftUsageError
from sift_toolkit.sifting import SiftingDataloader, to_device

MODEL_FILE: Final = "model.pt"
"""The trained weights, a state dict, in the job's model folder."""

_SEED: Final = "seed"
"""Hyperparameter that everything random in the training follows from."""

_EPOCHS_DONE: Final = "epochs_done"
_EPOCHS: Final = "epochs"
_RANDOM: Final = "random"


def train(hooks: Hooks, job: Job) -> None:
    """Train, evaluate and checkpoint after each epoch, and save the model.

    Where the job's checkpoint folder holds a checkpoint, training goes on from there, to the same
    bits as if it had never stopped; with ``persistent_workers=True`` only nearly so, for the
    random states of such workers are out of reach.

    Raises:
        SiftConfigError: the job's sift config cannot be followed.
        SiftStateError: there is a checkpoint, but of another run.
        SiftUsageError: a hook returned what it should not.
    """
    _refuse_company()
    seed_all(_seed(job))
    _Run(hooks, job).go()


class _Stateful(Protocol):
    """What goes into a checkpoint."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> object:
        """Go on from a state."""
        ...


class _Run:
    """The moving parts of one training run, and the way in and out of a checkpoint."""

    def __init__(self, hooks: Hooks, job: Job) -> None:
        self._hooks = hooks
        self._tree = job.tree
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._epochs = _epochs(hooks, job)
        self._model = hooks.model(job).to(self._device)
        self._test_data = hooks.test_data(job)
        config, recorder = job_sifting(job.tree)
        self._note = recorder.note
        self._loader = SiftingDataloader(
            sift_config=config,
            orig_dataloader=hooks.train_data(job),
            loss_impl=hooks.loss,
            model=self._model,
            epochs=self._epochs,
            listener=recorder,
            on_note=recorder.note,
            labels=hooks.class_labels(job),
        )
        self._optimizer = hooks.optimizer(self._model, job)
        self._scheduler = scheduler_for(
            self._loader, self._optimizer, hooks.learning_rate_factor, self._note
        )
        self._parts: dict[str, _Stateful] = {
            "loader": self._loader,
            "model": self._model,
            "optimizer": self._optimizer,
            "scheduler": self._scheduler,
        }

    def go(self) -> None:
        """Train from where the checkpoint left off, or from the start, to the end."""
        for epoch in range(self._restore(), self._epochs):
            self._loader.set_epoch(epoch)
            self._train_epoch()
            share = accuracy(self._hooks, self._model, self._test_data, self._device)
            self._loader.record(validation_accuracy=share)
            self._save(epoch + 1)
        self._tree.model_dir.mkdir(parents=True, exist_ok=True)
        torch.save(self._model.state_dict(), self._tree.model_dir / MODEL_FILE)

    def _train_epoch(self) -> None:
        self._model.train()
        for batch in self._loader:
            result = self._hooks.loss(self._model, to_device(batch, self._device))
            losses, values = result if isinstance(result, tuple) else (result, None)
            loss = self._loader.reduce(losses, batch, values=values)
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call] # torch's own gap
            self._optimizer.step()
            self._scheduler.step()

    def _save(self, epochs_done: int) -> None:
        content = {
            **{name: part.state_dict() for name, part in self._parts.items()},
            _EPOCHS: self._epochs,
            _EPOCHS_DONE: epochs_done,
            _RANDOM: random_state(),
        }
        save_checkpoint(self._tree.checkpoints_dir, content)

    def _restore(self) -> int:
        """Go on from the checkpoint, if there is one; return the epochs it had done."""
        folder = self._tree.checkpoints_dir
        content = load_checkpoint(folder)
        if content is None:
            return 0
        try:
            self._take_over(content)
        except (KeyError, RuntimeError, ValueError) as error:
            msg = (
                f"the checkpoint in {str(folder)!r} belongs to another run: {error}; give this "
                "job a checkpoint folder of its own, or make it the same run"
            )
            raise SiftStateError(msg) from error
        epochs_done: int = content[_EPOCHS_DONE]
        self._note(f"going on from a checkpoint: {epochs_done} of {self._epochs} epochs are done")
        return epochs_done

    def _take_over(self, content: dict[str, Any]) -> None:
        if content[_EPOCHS] != self._epochs:
            msg = f"it makes {content[_EPOCHS]} epochs, this job {self._epochs}"
            raise SiftStateError(msg)
        for name, part in self._parts.items():
            part.load_state_dict(content[name])
        set_random_state(content[_RANDOM])


def _refuse_company() -> None:
    processes = os.environ.get("WORLD_SIZE", "1")
    if processes != "1":
        msg = (
            f"this trainer is one process, but the job starts WORLD_SIZE={processes!r} of them: "
            "leave `distribution` out, or call sift() in a training script of your own"
        )
        raise SiftUsageError(msg)


def _seed(job: Job) -> int:
    seed = job.hyperparameters.get(_SEED, 0)
    if isinstance(seed, int) and 0 <= seed < 2**63:
        return int(seed)
    msg = f"hyperparameter {_SEED!r} must be a whole number from 0, got {seed!r}"
    raise SiftUsageError(msg)


def _epochs(hooks: Hooks, job: Job) -> int:
    epochs: object = hooks.epochs(job)
    if isinstance(epochs, int) and epochs >= 1:
        return epochs
    msg = f"the hook epochs must return a whole number from 1, got {epochs!r}"
    raise SiftUsageError(msg)
