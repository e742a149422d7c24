"""A real Trainer trains on sifted data: steps, epochs, schedule, losses, what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Trainer, set_seed

from sift_toolkit import SiftConfig
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.integrations.huggingface import (
    SiftingTrainerMixin,
    enable_sifting,
    model_loss,
)
from tests.integrations.huggingface_tasks import (
    CallCount,
    LearningRates,
    bert,
    letters,
    trainer_of,
    weights_of,
)

MEMORY = SiftConfig(keep=0.5)
FRESH = SiftConfig(keep=0.5, scores="fresh")
RISING = SiftConfig(keep=0.5, keep_end=0.25, anneal=0.34)
ROWS = 96  # 12 batches
BATCHES = {MEMORY: [12, 6, 6], FRESH: [6, 6, 6], RISING: [12, 5, 12]}


@pytest.mark.parametrize("group", [1, 5])
@pytest.mark.parametrize("config", BATCHES, ids=["memory", "fresh", "rising"])
def test_the_schedule_ends_with_the_last_step(
    config: SiftConfig, group: int, tmp_path: Path
) -> None:
    """Epochs of different lengths are all trained on; the learning rate is 0 at the very end."""
    rates, rows = LearningRates(), letters(ROWS)
    trainer = trainer_of(
        tmp_path,
        rows,
        callbacks=[rates],
        gradient_accumulation_steps=group,
        eval_strategy="epoch",
        eval_dataset=letters(16, start=500),
    )
    calls = CallCount(trainer.model)
    enable_sifting(trainer, config)
    trainer.train()
    steps = sum(BATCHES[config]) // group
    assert trainer.state.global_step == trainer.state.max_steps == steps
    assert calls.training == steps * group
    assert rates.after[-1] == 0.0
    assert rates.after == sorted(rates.after, reverse=True)
    assert min(rates.after[:-1]) > 0.0
    evaluated = [log["epoch"] for log in trainer.state.log_history if "eval_loss" in log]
    assert evaluated[:2] == [1.0, 2.0]
    assert evaluated[-1] == pytest.approx(3.0, abs=0.8 if group > 1 else 0)
    assert trainer.state.num_train_epochs == 3


def test_other_trainers_are_left_alone(tmp_path: Path) -> None:
    """Neither the class nor the arguments change: a twin with the same arguments trains in full."""
    trainer, twin = (trainer_of(tmp_path, letters(ROWS)) for _ in range(2))
    twin.args = trainer.args
    enable_sifting(trainer, MEMORY)
    trainer.train()
    twin.train()
    assert (trainer.state.global_step, twin.state.global_step) == (24, 36)
    assert type(twin) is Trainer
    assert isinstance(trainer, Trainer)
    assert type(trainer).__name__ == "SiftingTrainer"


@pytest.mark.parametrize("group", [1, 4])
def test_nothing_sifted_is_the_plain_trainer(group: int, tmp_path: Path) -> None:
    """With enabled=False the same weights come out, to the bit."""
    plain, twin = (
        trainer_of(tmp_path, letters(ROWS), gradient_accumulation_steps=group) for _ in range(2)
    )
    enable_sifting(twin, SiftConfig(keep=0.5, enabled=False))
    for each in (plain, twin):
        set_seed(1)
        each.train()
    assert twin.state.global_step == plain.state.global_step
    assert all(map(torch.equal, weights_of(twin.model), weights_of(plain.model)))


class TestMemory:
    """The trainer's own losses are the scores."""

    @pytest.mark.parametrize("group", [1, 5])
    def test_each_sample_has_its_own_loss(self, group: int, tmp_path: Path) -> None:
        """What the trainer fetches ahead confuses no losses; there is no other forward pass."""
        rows = letters(ROWS)
        model = bert(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        calls = CallCount(model)
        trainer = trainer_of(
            tmp_path, rows, model, learning_rate=0.0, gradient_accumulation_steps=group
        )
        enable_sifting(trainer, MEMORY)
        trainer.train()
        known = trainer._sifting.loader.state_dict()["sifted"]["engine"]["memory"]["losses"]
        assert (calls.training, calls.evaluating) == (24 // group * group, 0)
        with torch.no_grad():
            model.eval()
            every = {
                name: torch.stack([rows[row][name] for row in range(ROWS)])
                for name in ("input_ids", "labels")
            }
            losses = model_loss(model, every)
        is_known = ~torch.isnan(known)
        # Of an accumulation over the end of an epoch, the first batches are not remembered.
        assert int(is_known.sum()) >= ROWS - 8 * (group - 1)
        torch.testing.assert_close(known[is_known], losses[is_known])

    def test_what_is_dropped_is_never_loaded(self, tmp_path: Path) -> None:
        """After the first epoch half of the samples are."""
        rows = letters(ROWS)
        trainer = trainer_of(tmp_path, rows)
        enable_sifting(trainer, MEMORY)
        trainer.train()
        assert len(rows.loaded) == 24 * 8
        assert sorted(rows.loaded[:ROWS]) == list(range(ROWS))

    def test_a_loss_of_the_users_is_asked_without_another_forward(self, tmp_path: Path) -> None:
        """It calls the model as ever, and is given the outputs that are there."""
        asked = []

        def loss(model: Any, batch: Any) -> torch.Tensor:
            logits = model(**batch).logits
            asked.append(model.config.num_labels)
            return torch.nn.functional.cross_entropy(logits, batch["labels"], reduction="none")

        trainer = trainer_of(tmp_path, letters(ROWS))
        calls = CallCount(trainer.model)
        enable_sifting(trainer, MEMORY, loss)
        trainer.train()
        assert asked == [26] * 24
        assert (calls.training, calls.evaluating) == (24, 0)

    def test_fresh_scores_take_one_forward_a_loaded_batch(self, tmp_path: Path) -> None:
        """The count above can tell."""
        trainer = trainer_of(tmp_path, letters(ROWS))
        calls = CallCount(trainer.model)
        enable_sifting(trainer, FRESH)
        trainer.train()
        assert (calls.training, calls.evaluating) == (18, 36)


class TestLength:
    """How long it trains."""

    def test_steps_that_were_set_count(self, tmp_path: Path) -> None:
        """The schedule decays to max_steps, through as many epochs as they take."""
        rates = LearningRates()
        trainer = trainer_of(tmp_path, letters(ROWS), max_steps=20, callbacks=[rates])
        enable_sifting(trainer, MEMORY)
        trainer.train()
        assert trainer.state.global_step == 20
        assert trainer.state.epoch == pytest.approx(2 + 2 / 6)
        assert rates.after[-1] == 0.0

    def test_epochs_count_if_asked(self, tmp_path: Path) -> None:
        """set_epochs=True passes over max_steps."""
        trainer = trainer_of(tmp_path, letters(ROWS), max_steps=20)
        enable_sifting(trainer, sift_config=MEMORY, set_epochs=True)
        trainer.train()
        assert trainer.state.global_step == 24

    def test_half_an_epoch_is_half_of_its_steps(self, tmp_path: Path) -> None:
        """As num_train_epochs may say."""
        trainer = trainer_of(tmp_path, letters(ROWS), num_train_epochs=2.5)
        enable_sifting(trainer, MEMORY)
        trainer.train()
        assert trainer.state.global_step == 12 + 6 + 3

    def test_epochs_smaller_than_a_group(self, tmp_path: Path) -> None:
        """Several of them make a step."""
        trainer = trainer_of(tmp_path, letters(16), gradient_accumulation_steps=3)
        enable_sifting(trainer, FRESH)
        trainer.train()
        assert trainer.state.global_step == 1

    def test_neither_counts(self, tmp_path: Path) -> None:
        """Refused at once, with what to set."""
        trainer = trainer_of(tmp_path, letters(ROWS))
        with pytest.raises(SiftUsageError, match="max_steps"):
            enable_sifting(trainer, MEMORY, set_epochs=False)

    def test_data_without_a_length_needs_steps(self, tmp_path: Path) -> None:
        """Refused in words; with max_steps it trains."""

        class Stream(torch.utils.data.IterableDataset[Any]):
            def __iter__(self) -> Any:
                return (letters(ROWS)[row] for row in range(ROWS))

        trainer = trainer_of(tmp_path, Stream(), max_steps=10)
        enable_sifting(trainer, MEMORY, set_epochs=True)
        with pytest.raises(SiftUsageError, match="set max_steps"):
            trainer.train()
        enable_sifting(trainer, MEMORY, set_epochs=False)
        trainer.train()
        assert trainer.state.global_step == 10


class TestRoutes:
    """A class of one's own."""

    def test_the_mixin_stands_before_a_trainer(self, tmp_path: Path) -> None:
        """Without enable_sifting it changes nothing; with it, a compute_loss of one's own stays."""
        computed = []

        class Mine(SiftingTrainerMixin, Trainer):  # type: ignore[misc] # the mixin acts as one
            def compute_loss(self, *args: Any, **given: Any) -> Any:
                computed.append(1)
                return super().compute_loss(*args, **given)

        trainer = trainer_of(tmp_path, letters(ROWS), kind=Mine)
        trainer.train()
        assert trainer.state.global_step == len(computed) == 36
        enable_sifting(trainer, MEMORY)
        trainer.train()
        assert trainer.state.global_step == 24
        assert len(computed) == 36 + 24
        assert type(trainer) is Mine

    def test_a_loss_below_the_mixin_is_trained_on(self, tmp_path: Path) -> None:
        """enable_sifting() puts itself in front of a Trainer's subclass."""

        class Doubled(Trainer):
            def compute_loss(self, *args: Any, **given: Any) -> Any:
                loss, outputs = super().compute_loss(*args, **{**given, "return_outputs": True})
                return (2 * loss, outputs) if given.get("return_outputs") else 2 * loss

        trainers = [trainer_of(tmp_path, letters(ROWS), kind=each) for each in (Trainer, Doubled)]
        totals = []
        for trainer in trainers:
            trainer.args.learning_rate = 0.0
            enable_sifting(trainer, MEMORY)
            set_seed(1)
            totals.append(trainer.train().training_loss)
        assert totals[1] == pytest.approx(2 * totals[0])

    def test_only_a_trainer_is_one(self) -> None:
        """Anything else is refused, and so is a config of another kind."""
        with pytest.raises(SiftUsageError, match=r"transformers\.Trainer"):
            enable_sifting(object(), MEMORY)
        with pytest.raises(SiftUsageError, match="SiftConfig"):
            enable_sifting(object(), {"keep": 0.5})  # type: ignore[arg-type] # the mistake
        with pytest.raises(SiftUsageError, match="two names"):
            enable_sifting(object(), MEMORY, sift_config=MEMORY)


def test_frameworks_are_imported_when_they_are_used() -> None:
    """Importing an integration, or AWS's names of one, imports no framework."""
    modules = (
        "sift_toolkit.integrations.huggingface",
        "sift_toolkit.integrations.accelerate",
        "sift_toolkit.smart_sifting.integrations.trainer",
        "sift_toolkit.smart_sifting.dataloader.sift_dataloader",
    )
    code = (
        f"import {', '.join(modules)}, sys; "
        "print({'transformers', 'accelerate', 'lightning'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "set()\n"
