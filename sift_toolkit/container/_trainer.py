"""A complete trainer around a hooks module: schedule, evaluation, checkpoints, the saved model."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

import torch

from sift_toolkit.container._checkpoint_folder import own_folder
from sift_toolkit.container._checkpoints import DEFAULT_MINUTES, Checkpoints
from sift_toolkit.container._divergence import Divergence
from sift_toolkit.container._evaluation import accuracy, drawn_alike
from sift_toolkit.container._hooks import Hooks
from sift_toolkit.container._job import Job
from sift_toolkit.container._learning_rate import scheduler_for
from sift_toolkit.container._processes import Processes, alone
from sift_toolkit.container._progress import CommonProgress
from sift_toolkit.container._random_state import random_state, seed_all, set_random_state
from sift_toolkit.container._run_numbers import epochs_of, seed_of
from sift_toolkit.container._same_run import another_run, changes, model_differences
from sift_toolkit.container._shares import own_share, why_not_shared
from sift_toolkit.container._sift import job_sifting
from sift_toolkit.outside import brief, damage_in_words
from sift_toolkit.sifting import Batch, SiftingDataloader, to_device

MODEL_FILE: Final = "model.pt"
"""The trained weights, a state dict, in the job's model folder."""

"""Hyperparameter that everything random in the training follows from."""

_MINUTES: Final = "checkpoint_minutes"
"""Hyperparameter: time between two checkpoints; 0: only at the end of an epoch."""

_STEPS: Final = "checkpoint_steps"
"""Hyperparameter: training steps between two checkpoints; left out: by the time alone."""

_EPOCHS_TRAINED: Final = "epochs_trained"
_EPOCHS_DONE: Final = "epochs_done"
_KINDS: Final = "kinds"
_LOADER: Final = "loader"
_BUFFERS: Final = "buffers"


def train(hooks: Hooks, job: Job, processes: Processes | None = None) -> None:
    """Train, evaluate after each epoch, checkpoint every few minutes, and save the model.

    Where the job's checkpoint folder holds a checkpoint, training goes on from there, to the same
    bits as if it had never stopped; with ``persistent_workers=True`` only nearly so, for the
    random states of such workers are out of reach.

    Args:
        hooks: of the user.
        job: what they are told.
        processes: those that train the model together; default: this one alone.

    Raises:
        SiftConfigError: the job's sift config cannot be followed.
        SiftJobError: nothing can be written to the checkpoint folder.
        SiftLossError: no loss has been finite for long, or the weights are not in the end.
        SiftStateError: there is a checkpoint, but of another run.
        SiftUsageError: a hook returned what it should not.
        SystemExit: the job was asked to end, and a checkpoint is written.
    """
    processes = processes or alone()
    seed_all(seed_of(job))
    run = _Run(hooks, job, processes)
    # All are made alike, down to a dataset that was split at random.
    processes.part_ways(seed_of(job))
    run.go()


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

    def __init__(self, hooks: Hooks, job: Job, processes: Processes) -> None:
        self._hooks = hooks
        self._tree = job.tree
        self._processes = processes
        self._device = processes.device
        self._seed = seed_of(job)
        self._epochs = epochs_of(hooks, job)
        self._epochs_trained = self._epochs_done = 0
        config, recorder = job_sifting(job.tree)
        self._note = recorder.note
        self._folder = own_folder(job.tree)
        self._checkpoints = Checkpoints(
            self._folder,
            every_minutes=job.hyperparameters.get(_MINUTES, DEFAULT_MINUTES),
            every_steps=job.hyperparameters.get(_STEPS),
            run={"epochs": self._epochs, "seed": self._seed, "processes": processes.size},
            processes=processes,
        )
        self._model = hooks.model(job).to(self._device)
        self._divergence = Divergence(self._model)
        self._test_data = own_share(hooks.test_data(job), processes.rank, processes.size)
        train_data = hooks.train_data(job)
        if words := why_not_shared(train_data, processes.size):
            self._note(words)
        self._trained = processes.together(self._model)
        self._loader = SiftingDataloader(
            sift_config=config,
            orig_dataloader=train_data,
            loss_impl=hooks.loss,
            model=self._trained,
            epochs=self._epochs,
            listener=recorder,
            on_note=recorder.note,
            labels=hooks.class_labels(job),
        )
        self._optimizer = hooks.optimizer(self._model, job)
        self._progress = (
            CommonProgress(self._loader, processes, self._epochs) if processes.size > 1 else None
        )
        self._scheduler = scheduler_for(
            self._loader, self._optimizer, hooks.learning_rate_factor, self._note, self._progress
        )
        self._parts: dict[str, _Stateful] = {
            _LOADER: self._loader,
            "model": self._model,
            "optimizer": self._optimizer,
            "scheduler": self._scheduler,
            **({"progress": self._progress} if self._progress else {}),
        }

    def go(self) -> None:
        """Train from where the checkpoint left off, or from the start, to the end."""
        self._restore()
        while self._epochs_done < self._epochs:
            if self._epochs_trained == self._epochs_done:
                self._train_epoch()
                self._epochs_trained += 1
            self._loader.record(validation_accuracy=self._accuracy())
            self._epochs_done += 1
            self._save()
        self._divergence.refuse_lost_weights()
        self._mind_drift()
        if self._processes.is_first:
            self._save_model()

    def _save_model(self) -> None:
        self._tree.model_dir.mkdir(parents=True, exist_ok=True)
        torch.save(self._model.state_dict(), self._tree.model_dir / MODEL_FILE)

    def _train_epoch(self) -> None:
        """Train an epoch, or what is left of the one that the checkpoint was in."""
        self._loader.set_epoch(self._epochs_trained)
        if self._progress:
            self._progress.begin_epoch(self._epochs_trained)
        self._trained.train()
        for batch in self._loader:
            result = self._hooks.loss(self._trained, to_device(batch, self._device))
            losses, values = result if isinstance(result, tuple) else (result, None)
            loss = self._loader.reduce(losses, batch, values=values)
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call] # torch's own gap
            self._optimizer.step()
            if self._progress:
                self._progress.step()
            self._scheduler.step()
            self._divergence.see(loss)
            if self._checkpoints.due():
                self._save()

    def _accuracy(self) -> float:
        processes = self._processes
        # Each has gathered running statistics of its own; those of the first are saved.
        processes.take_first_buffers(self._model)
        alike = contextlib.nullcontext() if processes.size == 1 else drawn_alike(self._seed)
        with alike:
            return accuracy(
                self._hooks, self._model, self._held_out(), self._device, processes.sums
            )

    def _held_out(self) -> Iterator[Batch]:
        """Yield the held-out data; asked to end meanwhile, the next job begins with it again.

        Several processes go on to its end, for they have no step in common here.
        """
        before = random_state()
        for batch in self._test_data:
            if self._processes.size == 1 and self._checkpoints.interrupted:
                set_random_state(before)
                self._save()
            yield batch

    def _save(self) -> None:
        """Save where the run stands; it ends here if it was asked to."""
        if any(self._processes.greatest([int(self._divergence.is_under_way)])):
            # Of NaN nobody wants to go on; the checkpoint before may be a good one.
            self._checkpoints.pass_over()
            return
        states = {name: part.state_dict() for name, part in self._parts.items()}
        content = {
            **states,
            _BUFFERS: dict(self._model.named_buffers()) if self._processes.size > 1 else {},
            _KINDS: self._kinds(),
            _EPOCHS_TRAINED: self._epochs_trained,
            _EPOCHS_DONE: self._epochs_done,
        }
        self._checkpoints.save(content, own=(_LOADER, _BUFFERS))

    def _mind_drift(self) -> None:
        if not self._processes.are_same(self._model):
            self._note(
                "the processes have trained different models, and the first one's is saved: the "
                "hook loss must call the model that it is given, not a part of it"
            )

    def _kinds(self) -> dict[str, str]:
        # Another optimizer's state may load without a word.
        return {name: type(part).__name__ for name, part in self._parts.items()}

    def _restore(self) -> None:
        """Go on from the checkpoint, if there is one."""
        if (content := self._checkpoints.load()) is None:
            return
        folder = str(self._folder)
        with damage_in_words(f"the checkpoint in {folder!r} cannot be gone on from"):
            self._go_on_from(content, folder)
        self._note(f"{self._epochs_done} of {self._epochs} epochs are done")

    def _go_on_from(self, content: Mapping[str, Any], folder: str) -> None:
        changed = changes(content[_KINDS], self._kinds())
        changed += model_differences(content["model"], self._model.state_dict())
        if changed:
            raise another_run(folder, changed)
        try:
            for name, part in self._parts.items():
                part.load_state_dict(content[name])
            self._model.load_state_dict(content[_BUFFERS], strict=False)
        except (KeyError, RuntimeError, ValueError) as error:
            raise another_run(folder, [brief(str(error))]) from error
        self._epochs_trained = content[_EPOCHS_TRAINED]
        self._epochs_done = content[_EPOCHS_DONE]
