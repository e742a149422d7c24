"""A sifted Lightning training goes on from a checkpoint bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from sift_toolkit import SiftConfig
from sift_toolkit.errors import SiftStateError
from sift_toolkit.integrations._lightning_state import CHECKPOINT_KEY, of_this_rank
from tests.integrations.lightning_task import Task, fit, pl, rows, sifting, trainer

CONFIGS = {
    "memory": SiftConfig(keep=0.5),
    "fresh": SiftConfig(keep=0.5, scores="fresh", sift_delay=10),
    "rising": SiftConfig(keep=0.5, keep_end=0.25, anneal=0.34),
}


class Cut(pl.Callback):
    """Ends a training after so many steps, as a lost instance does."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
        """Raise in the first step that is too many."""
        if trainer.global_step == self.steps:
            raise InterruptedError


def saving(folder: Path, **arguments: Any) -> Any:
    """Return a callback that keeps all checkpoints."""
    return pl.callbacks.ModelCheckpoint(folder, filename="{step}", save_top_k=-1, **arguments)


def held_out() -> Any:
    """Return validation data. Its loader draws nothing from the random states of the training.

    Lightning leaves out the validation that follows a checkpoint of an epoch's last step.
    """
    return DataLoader(rows(32), batch_size=16, generator=torch.Generator())


class EarlyAsking(Task):
    """Asks for the number of steps while its optimizer is made, as Lightning's examples do."""


class LateAsking(Task):
    """Knows the number of steps from elsewhere, so that the loader is made later."""

    def configure_optimizers(self) -> Any:
        """Return SGD and a schedule of a fixed length."""
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, 40)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


@pytest.mark.parametrize("step", [5, 16, 19, 23, 24])
@pytest.mark.parametrize(
    ("name", "kind"), [*((name, EarlyAsking) for name in CONFIGS), ("memory", LateAsking)]
)
def test_it_goes_on_where_it_was(name: str, step: int, kind: type[Task], tmp_path: Path) -> None:
    """In the middle of an epoch and at its end: the same batches, lengths and weights."""
    if name == "fresh":
        step = {16: 13, 24: 21}.get(step, step)
    torch.manual_seed(2)
    whole = kind()
    made = trainer(
        tmp_path,
        sifting(CONFIGS[name]),
        saving(tmp_path / "saved", every_n_train_steps=1),
        enable_checkpointing=True,
    )
    fit(made, whole, val_dataloaders=held_out())
    torch.manual_seed(3)
    again = trainer(tmp_path, sifting(CONFIGS[name]))
    rest = fit(
        again,
        kind(),
        ckpt_path=tmp_path / "saved" / f"step={step}.ckpt",
        val_dataloaders=held_out(),
    )
    assert rest.ids == whole.ids[step:]
    assert rest.rates == whole.rates[step:]
    assert rest.asked == whole.asked
    assert again.global_step == made.global_step
    assert rest.validated_at[-1] == whole.validated_at[-1]
    for mine, theirs in zip(rest.parameters(), whole.parameters(), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("arguments", [{"monitor": "epoch"}, {"save_on_train_epoch_end": True}])
def test_it_goes_on_with_the_next_epoch(arguments: dict[str, Any], tmp_path: Path) -> None:
    """Checkpoints of whole epochs, saved when they were validated or after that."""
    whole = Task()
    saves = (
        saving(tmp_path / "saved", every_n_epochs=1, save_on_train_epoch_end=False)
        if ("monitor" in arguments)
        else saving(tmp_path / "saved", **arguments)
    )
    torch.manual_seed(2)
    made = trainer(tmp_path, sifting(CONFIGS["memory"]), saves, enable_checkpointing=True)
    fit(made, whole, val_dataloaders=held_out())
    again = trainer(tmp_path, sifting(CONFIGS["memory"]))
    rest = fit(
        again, Task(), ckpt_path=tmp_path / "saved" / "step=24.ckpt", val_dataloaders=held_out()
    )
    assert rest.ids == whole.ids[24:]
    assert again.global_step == 32


def test_a_lost_training_is_taken_up(tmp_path: Path) -> None:
    """A training that broke off goes on from its last checkpoint, accumulating as before."""
    torch.manual_seed(2)
    whole = fit(trainer(tmp_path, sifting(CONFIGS["memory"]), accumulate_grad_batches=2), Task())
    torch.manual_seed(2)
    saves = saving(tmp_path / "saved", every_n_train_steps=2, save_last=True)
    cut = trainer(
        tmp_path,
        sifting(CONFIGS["memory"]),
        saves,
        Cut(11),
        accumulate_grad_batches=2,
        enable_checkpointing=True,
    )
    with pytest.raises(InterruptedError):
        fit(cut, Task())
    again = trainer(tmp_path, sifting(CONFIGS["memory"]), accumulate_grad_batches=2)
    rest = fit(again, Task(), ckpt_path=tmp_path / "saved" / "last.ckpt")
    assert rest.ids == whole.ids[20:]
    assert again.global_step == whole.asked == 16


def test_a_checkpoint_without_sifting_begins_anew(tmp_path: Path) -> None:
    """A training on all data can be taken up with sifting, between two epochs."""
    saves = saving(tmp_path / "saved", save_on_train_epoch_end=True)
    fit(trainer(tmp_path, saves, enable_checkpointing=True, max_epochs=1), Task())
    again = trainer(tmp_path, sifting(CONFIGS["memory"]))
    rest = fit(again, Task(), ckpt_path=tmp_path / "saved" / "step=16.ckpt")
    assert [len(batch) for batch in rest.ids] == [16] * 24


def test_weights_alone_hold_no_state(tmp_path: Path) -> None:
    """save_weights_only leaves the sifting out, as it does the optimizer."""
    made = trainer(tmp_path, sifting(CONFIGS["memory"]), max_epochs=1)
    fit(made, Task())
    made.save_checkpoint(tmp_path / "weights.ckpt", weights_only=True)
    assert CHECKPOINT_KEY not in torch.load(tmp_path / "weights.ckpt", weights_only=True)


def test_the_state_loads_as_weights_do(tmp_path: Path) -> None:
    """A checkpoint holds nothing of ours that torch calls unsafe."""
    saves = saving(tmp_path / "saved", every_n_train_steps=5)
    made = trainer(tmp_path, sifting(CONFIGS["memory"]), saves, enable_checkpointing=True)
    fit(made, Task())
    saved = torch.load(tmp_path / "saved" / "step=20.ckpt", weights_only=True)
    assert len(saved[CHECKPOINT_KEY]) == 1


def test_another_number_of_processes_is_refused() -> None:
    """Each process has a part of the data of its own."""
    with pytest.raises(SiftStateError, match="saved by 2 processes and is loaded by 1"):
        of_this_rank([{}, {}])
