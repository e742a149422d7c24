"""Lightning's own Trainer trains on sifted data: lengths, schedules, validation, losses."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from torch.utils.data import DataLoader

from sift_toolkit import SiftConfig, SiftingDataloader
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.integrations.lightning import SiftingCallback
from sift_toolkit.smart_sifting.metrics.lightning import TrainingMetricsRecorder
from tests.integrations.lightning_task import (
    BATCH_SIZE,
    NO_DATA,
    Task,
    fit,
    loader,
    losses_of,
    pl,
    rows,
    sifting,
    trainer,
)

MEMORY = SiftConfig(keep=0.5)
FRESH = SiftConfig(keep=0.5, scores="fresh", sift_delay=10)
RISING = SiftConfig(keep=0.5, keep_end=0.25, anneal=0.34)
LENGTHS = {MEMORY: [16, 8, 8], FRESH: [13, 8, 8], RISING: [16, 7, 16]}


@pytest.mark.parametrize("accumulated", [1, 3])
@pytest.mark.parametrize("config", LENGTHS, ids=["memory", "fresh", "rising"])
def test_the_schedule_ends_with_the_last_step(
    config: SiftConfig, accumulated: int, tmp_path: Path
) -> None:
    """The estimate is the number of steps made, whatever the lengths; the rate ends at 0."""
    made = trainer(tmp_path, sifting(config), accumulate_grad_batches=accumulated)
    module = fit(made, Task(), val_dataloaders=loader(32))
    steps = sum(-(-length // accumulated) for length in LENGTHS[config])
    assert module.epoch_lengths == LENGTHS[config]
    assert module.asked == made.global_step == steps
    assert len(module.ids) == sum(LENGTHS[config])
    assert made.lr_scheduler_configs[0].scheduler.get_last_lr() == [0.0]
    # After each epoch, though the epochs differ in length.
    assert [epoch for epoch, _ in module.validated_at] == [0, 1, 2]


def test_the_estimate_holds_at_any_time(tmp_path: Path) -> None:
    """Asked again during training, the estimate is the same."""
    asked = []

    class Asks(pl.Callback):
        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            asked.append(trainer.estimated_stepping_batches)

        def on_validation_end(self, trainer: Any, *_: Any) -> None:
            asked.append(trainer.estimated_stepping_batches)

    made = trainer(tmp_path, sifting(RISING), Asks(), accumulate_grad_batches=3)
    module = fit(made, Task(), val_dataloaders=loader(32))
    assert set(asked) == {module.asked}


def test_memory_needs_no_pass_of_its_own(tmp_path: Path) -> None:
    """Losses handed back are the scores: as many forward passes as steps, and the hard half."""
    callback = sifting(MEMORY)
    module = fit(trainer(tmp_path, callback), Task())
    assert callback.loader is not None
    assert callback.loader.scores == "memory"
    assert module.passes == len(module.ids) == 32
    assert len({row for batch in module.ids[:16] for row in batch}) == 256
    assert len({row for batch in module.ids[16:24] for row in batch}) == 128


def test_without_losses_it_scores_by_itself(tmp_path: Path) -> None:
    """A module that hands nothing back is sifted by fresh scores from the second epoch on."""
    callback = sifting(MEMORY)
    fit(trainer(tmp_path, callback), Task(returns_losses=False))
    assert callback.loader is not None
    assert callback.loader.scores == "fresh"


@pytest.mark.parametrize("as_data_module", [False, True])
def test_a_loader_that_is_sifted_already(as_data_module: bool, tmp_path: Path) -> None:
    """train_dataloader() of a module or a data module may return a sifted loader itself."""

    def sifted(module: Task) -> SiftingDataloader:
        return SiftingDataloader(
            sift_config=MEMORY, orig_dataloader=loader(), loss_impl=losses_of, model=module
        )

    class OwnData(Task):
        def train_dataloader(self) -> SiftingDataloader:
            return sifted(self)

    class Data(pl.LightningDataModule):
        def train_dataloader(self) -> SiftingDataloader:
            return sifted(self.trainer.lightning_module)

    made = trainer(tmp_path, TrainingMetricsRecorder())
    module = Task() if as_data_module else OwnData()
    fit(made, module, Data() if as_data_module else NO_DATA)
    assert module.epoch_lengths == [16, 8, 8]
    assert module.asked == made.global_step == 32


def test_each_epoch_validates_at_its_own_quarters(tmp_path: Path) -> None:
    """val_check_interval is a share of the epoch under way, not of the first one."""
    made = trainer(tmp_path, sifting(MEMORY), val_check_interval=0.25)
    module = fit(made, Task(), val_dataloaders=loader(32))
    assert [step for _, step in module.validated_at] == [4, 8, 12, 16, *range(18, 33, 2)]


@pytest.mark.parametrize(("limit", "lengths"), [(10, [10, 8, 8]), (0.5, [8, 4, 4])])
def test_an_epoch_may_be_cut_short(limit: float, lengths: list[int], tmp_path: Path) -> None:
    """limit_train_batches holds for each epoch, and the estimate knows."""
    made = trainer(tmp_path, sifting(MEMORY), limit_train_batches=limit)
    module = fit(made, Task())
    assert module.epoch_lengths == lengths
    assert module.asked == made.global_step == sum(lengths)


def test_steps_may_be_limited(tmp_path: Path) -> None:
    """max_steps ends the run, and the estimate, wherever in an epoch."""
    made = trainer(tmp_path, sifting(MEMORY), max_steps=21)
    module = fit(made, Task())
    assert module.asked == made.global_step == 21


def test_a_development_run(tmp_path: Path) -> None:
    """fast_dev_run trains and validates one batch."""
    made = trainer(tmp_path, sifting(MEMORY), fast_dev_run=True)
    module = fit(made, Task(), val_dataloaders=loader(32))
    assert (module.asked, made.global_step, len(module.validated_at)) == (1, 1, 1)


def test_overfitting_is_not_sifted(tmp_path: Path) -> None:
    """overfit_batches trains on the same batches again and again."""
    data = DataLoader(rows(), batch_size=BATCH_SIZE)
    callback = sifting(MEMORY)
    module = fit(trainer(tmp_path, callback, overfit_batches=2), Task(), data)
    assert module.ids[:2] == module.ids[2:4] == module.ids[4:]
    assert callback.loader is None


def test_an_epoch_of_unknown_length(tmp_path: Path) -> None:
    """Coins give lengths that nobody knows before: Lightning looks ahead, and still validates."""
    config = SiftConfig(keep=0.5, scores="fresh", selection="bernoulli")
    made = trainer(tmp_path, sifting(config))
    module = fit(made, Task(), val_dataloaders=loader(32))
    assert module.epoch_lengths == [float("inf")] * 3
    assert [epoch for epoch, _ in module.validated_at] == [0, 1, 2]
    assert module.asked == 24  # expected
    assert 10 < made.global_step < 48


def test_the_bar_has_the_epochs_total(tmp_path: Path) -> None:
    """The progress bar runs to the number of batches of each epoch."""
    totals = []

    class Bar(pl.callbacks.TQDMProgressBar):
        def on_train_epoch_end(self, *arguments: Any) -> None:
            totals.append((self.train_progress_bar.total, self.train_progress_bar.n))
            super().on_train_epoch_end(*arguments)

    fit(trainer(tmp_path, sifting(MEMORY), Bar(), enable_progress_bar=True), Task())
    assert totals == [(16, 16), (8, 8), (8, 8)]


def test_metrics_go_to_the_logger(tmp_path: Path) -> None:
    """What the sifting does stands beside the module's own metrics."""
    logger = pl.loggers.CSVLogger(tmp_path)
    fit(trainer(tmp_path, sifting(MEMORY), logger=logger), Task())
    with (Path(logger.log_dir) / "metrics.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [float(line["sift/kept_share"]) for line in lines] == [1, 0.75, pytest.approx(2 / 3)]
    assert [int(line["step"]) for line in lines] == [16, 24, 32]


def test_the_recorder_is_harmless_without_sifting(tmp_path: Path) -> None:
    """A training on all data is left alone, and `reduce` is the mean."""
    made = trainer(tmp_path, TrainingMetricsRecorder())
    module = fit(made, Task())
    plain = fit(trainer(tmp_path), Task())
    assert module.asked == made.global_step == plain.asked == 48
    assert type(made) is pl.Trainer


def test_the_trainer_is_left_as_it_was(tmp_path: Path) -> None:
    """After training, or an error in it, the trainer is of its own class again."""
    made = trainer(tmp_path, sifting(MEMORY))

    class Fails(Task):
        def on_train_batch_end(self, *arguments: Any) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fit(made, Fails())
    assert type(made) is pl.Trainer
    fit(made, Task())
    assert type(made) is pl.Trainer


def test_a_second_fit_begins_anew(tmp_path: Path) -> None:
    """A callback serves one training after the other."""
    callback = sifting(MEMORY)
    first = fit(trainer(tmp_path, callback), Task())
    second = fit(trainer(tmp_path, callback), Task())
    assert first.epoch_lengths == second.epoch_lengths == [16, 8, 8]


class TestRefusals:
    """What cannot be sifted is refused, before any training."""

    def test_a_config_without_a_loss(self) -> None:
        """There is nothing to judge samples by."""
        with pytest.raises(SiftUsageError, match="needs loss="):
            SiftingCallback(MEMORY)

    def test_several_loaders(self, tmp_path: Path) -> None:
        """Of several loaders none is the one to be sifted."""
        with pytest.raises(SiftUsageError, match="one loader to be sifted, got dict of 2"):
            fit(trainer(tmp_path, sifting(MEMORY)), Task(), {"a": loader(), "b": loader()})

    def test_a_loss_for_a_loader_that_is_sifted(self, tmp_path: Path) -> None:
        """Which of the two sifts would be a guess."""
        module = Task()
        sifted = SiftingDataloader(
            sift_config=MEMORY, orig_dataloader=loader(), loss_impl=losses_of, model=module
        )
        with pytest.raises(SiftUsageError, match="leave out SiftingCallback's loss"):
            fit(trainer(tmp_path, sifting(MEMORY)), module, sifted)

    def test_another_loader_in_each_epoch(self, tmp_path: Path) -> None:
        """What was seen in one epoch says nothing of the data of the next one."""

        class Reloads(Task):
            def train_dataloader(self) -> Any:
                return loader()

        made = trainer(tmp_path, sifting(MEMORY), reload_dataloaders_every_n_epochs=1)
        with pytest.raises(SiftUsageError, match="reload_dataloaders_every_n_epochs"):
            fit(made, Reloads(), NO_DATA)

    def test_two_that_sift(self, tmp_path: Path) -> None:
        """The recorder is part of the callback."""
        made = trainer(tmp_path, TrainingMetricsRecorder(), sifting(MEMORY))
        with pytest.raises(SiftUsageError, match="leave that one out"):
            fit(made, Task())
