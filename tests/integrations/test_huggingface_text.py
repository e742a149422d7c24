"""Text in a Trainer: batches of different lengths, losses of tokens, weights of samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import TrainerCallback, TrainingArguments

from sift_toolkit import SiftConfig
from sift_toolkit.errors import SiftLossError
from sift_toolkit.integrations._trainer_losses import Answered, corrected, is_causal, targets_of
from sift_toolkit.integrations._trainer_pad import pad_of
from sift_toolkit.integrations.huggingface import enable_sifting, model_loss
from tests.integrations.huggingface_tasks import (
    BATCH_SIZE,
    CallCount,
    LearningRates,
    Rows,
    bert,
    gpt2,
    trainer_of,
)

GROUPED = (
    {"train_sampling_strategy": "group_by_length"}
    if hasattr(TrainingArguments, "train_sampling_strategy")
    else {"group_by_length": True}
)


def sentences(count: int) -> Rows:
    """Return sequences of 4 to 19 words that follow each other: each is the one before plus 1."""
    texts = [(torch.arange(4 + row * 7 % 16) + row) % 30 + 1 for row in range(count)]
    return Rows({"input_ids": texts})


def collate(rows: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Pad to the longest, as Hugging Face's collators do."""
    texts = [row["input_ids"] for row in rows]
    pad = torch.nn.utils.rnn.pad_sequence
    return {
        "input_ids": pad(texts, batch_first=True),
        "attention_mask": pad([torch.ones_like(text) for text in texts], batch_first=True),
        "labels": pad(texts, batch_first=True, padding_value=-100),
    }


def mean_loss(model: Any) -> float:
    """Return the mean loss of 64 sentences."""
    texts = sentences(64)
    model.eval()
    with torch.no_grad():
        return float(model_loss(model, collate([texts[row] for row in range(64)])).mean())


class Seen(TrainerCallback):
    """Holds each batch against the data it must have come from."""

    def __init__(self, model: Any) -> None:
        self.batches: list[dict[str, Tensor]] = []
        model.register_forward_pre_hook(self._look, with_kwargs=True)

    def _look(self, model: Any, _: Any, given: dict[str, Any]) -> None:
        if model.training:
            self.batches.append(given)


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize("scores", ["memory", "fresh"])
def test_batches_are_padded_again(scores: str, group: int, tmp_path: Path) -> None:
    """Rows of batches of different lengths, grouped by length, are joined by name."""
    model, rates = gpt2(), LearningRates()
    seen = Seen(model)
    trainer = trainer_of(
        tmp_path,
        sentences(80),
        model,
        data_collator=collate,
        gradient_accumulation_steps=group,
        callbacks=[rates],
        **GROUPED,
    )
    enable_sifting(trainer, SiftConfig(keep=0.5, scores=scores))  # type: ignore[arg-type] # one of its words
    trainer.train()
    expected = {"memory": 10 + 5 + 5, "fresh": 15}[scores] // group
    assert trainer.state.global_step == expected
    assert rates.after[-1] == 0.0
    assert len({batch["input_ids"].shape[1] for batch in seen.batches}) > 1
    for batch in seen.batches:
        assert len(batch["input_ids"]) == BATCH_SIZE
        real = batch["attention_mask"].bool()
        assert torch.equal(batch["labels"] == -100, ~real)
        assert torch.equal(batch["labels"][real], batch["input_ids"][real])
        assert bool((batch["input_ids"][~real] == 0).all())
        assert bool((batch["input_ids"][real] > 0).all())


def test_padding_follows_the_tokenizer() -> None:
    """Its pad token, on its side."""

    class Tokenizer:
        pad_token_id = 7
        padding_side = "left"

    pad = pad_of(Tokenizer())
    short, long = torch.ones(1, 2, dtype=torch.int64), torch.ones(1, 4, dtype=torch.int64)
    ids, labels, mask = (
        [each.tolist() for each in pad.at(f"batch[{name!r}]")([short, long])]
        for name in ("input_ids", "labels", "attention_mask")
    )
    assert ids == [[[7, 7, 1, 1]], [[1, 1, 1, 1]]]
    assert labels[0] == [[-100, -100, 1, 1]]
    assert mask[0] == [[0, 0, 1, 1]]


class TestLosses:
    """One loss a sample."""

    def test_a_causal_model_has_the_mean_of_each_sequence(self) -> None:
        """What the model itself says of a batch of that sequence alone."""
        model, batch = gpt2(), collate([sentences(8)[row] for row in range(8)])
        losses = model_loss(model, batch)
        for row in range(8):
            alone = {name: values[row : row + 1] for name, values in batch.items()}
            torch.testing.assert_close(losses[row], model(**alone).loss)

    def test_a_model_is_known_by_what_is_inside(self) -> None:
        """Adapters, compilation and the stand-in of a training step hide no causal model."""

        class Adapted(torch.nn.Module):
            peft_config: dict[str, Any] = {}  # noqa: RUF012 - as PEFT has it

            def __init__(self, model: Any) -> None:
                super().__init__()
                self.base_model = torch.nn.Module()
                self.base_model.model = model

        for model in (gpt2(), Adapted(gpt2()), torch.compile(gpt2())):
            assert is_causal(model)
            assert is_causal(Answered(model, None))
        assert not is_causal(bert())

    def test_numbers_and_several_labels(self) -> None:
        """As the model's own loss has it, one sample at a time."""
        for labels, kind in ((torch.rand(4), {"num_labels": 1}), (torch.rand(4, 26).round(), {})):
            model = bert(problem_type="regression" if kind else "multi_label_classification").eval()
            if kind:
                model.config.num_labels = model.num_labels = 1
                model.classifier = torch.nn.Linear(16, 1)
            batch = {"input_ids": torch.arange(12).view(4, 3), "labels": labels}
            losses = model_loss(model, batch)
            for row in range(4):
                alone = {name: values[row : row + 1] for name, values in batch.items()}
                torch.testing.assert_close(losses[row], model(**alone).loss)

    def test_other_models_need_a_loss(self) -> None:
        """The message says what came."""
        with pytest.raises(SiftLossError, match="batch with input_ids"):
            model_loss(gpt2(), {"input_ids": torch.zeros(2, 3, dtype=torch.int64)})


class TestCorrection:
    """Weights of samples in the trainer's own loss."""

    def test_weights_of_1_change_nothing(self) -> None:
        """Neither the loss nor its gradient, whatever its scale."""
        losses = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
        own = losses.mean() / 5
        result = corrected(own, losses, torch.ones(3), torch.ones(3))
        assert result == own
        (gradient,) = torch.autograd.grad(result, losses)
        torch.testing.assert_close(gradient, torch.full((3,), 1 / 15))

    def test_a_weight_counts_for_all_tokens_of_its_sample(self) -> None:
        """The gradient is that of the weighted mean over tokens."""
        losses = torch.tensor([1.0, 2.0], requires_grad=True)
        batch = {"labels": torch.tensor([[9, 1, 2, 3], [9, 1, -100, -100]])}
        targets = targets_of(losses, batch, causal=True)
        own = (losses * targets).sum() / targets.sum()
        weights = torch.tensor([0.5, 3.0])
        result = corrected(own, losses, weights, targets)
        torch.testing.assert_close(result, torch.tensor((0.5 * 3 * 1 + 3 * 1 * 2) / 4))
        (gradient,) = torch.autograd.grad(result, losses)
        torch.testing.assert_close(gradient, torch.tensor([0.5 * 3 / 4, 3 * 1 / 4]))

    def test_it_trains_without_another_forward(self, tmp_path: Path) -> None:
        """A causal model, a mean over tokens, correction and accumulation together."""
        model = gpt2()
        calls = CallCount(model)
        trainer = trainer_of(
            tmp_path,
            sentences(64),
            model,
            data_collator=collate,
            gradient_accumulation_steps=2,
            learning_rate=1e-2,
            num_train_epochs=6,
        )
        enable_sifting(trainer, SiftConfig(keep=0.5, correction=1.0))
        before = mean_loss(model)
        calls.training = 0
        trainer.train()
        assert trainer.state.global_step == (8 + 5 * 4) // 2
        assert calls.training == 28
        assert mean_loss(model) < before
