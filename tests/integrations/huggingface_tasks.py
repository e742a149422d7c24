"""Tiny transformers made from a config, and data to train them on: what the tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor, nn
from torch.utils.data import Dataset
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

LETTERS = Path(__file__).parents[2] / "demo" / "letters" / "data" / "letters.npz"
# Before, transformers itself could not load an optimizer's state on several processes of a CPU.
RESUMES_ON_CPU_RANKS = tuple(map(int, transformers.__version__.split(".")[:2])) >= (4, 50)
WORDS = 32
BATCH_SIZE = 8


class Rows(Dataset[dict[str, Any]]):
    """Rows of named tensors, which remembers what was loaded."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self._columns = columns
        self.loaded: list[int] = []

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def __getitem__(self, row: int) -> dict[str, Any]:
        self.loaded.append(row)
        return {name: values[row] for name, values in self._columns.items()}


def letters(rows: int, *, start: int = 0) -> Rows:
    """Return UCI Letter Recognition as sequences of 16 words out of 16."""
    with np.load(LETTERS) as arrays:
        features = torch.from_numpy(arrays["train_features"][start : start + rows]).long()
        labels = torch.from_numpy(arrays["train_labels"][start : start + rows]).long()
    return Rows({"input_ids": features, "labels": labels})


def bert(**config: Any) -> Any:
    """Return a classifier of letters."""
    set_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=WORDS,
            intermediate_size=32,
            num_labels=26,
            max_position_embeddings=32,
            **{**sizes, **config},
        )
    )


def gpt2(**config: Any) -> Any:
    """Return a causal language model without dropout."""
    set_seed(0)
    off = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=WORDS,
            n_positions=32,
            n_embd=16,
            n_layer=1,
            n_head=2,
            bos_token_id=0,
            eos_token_id=0,
            **{**off, **config},
        )
    )


class LearningRates(TrainerCallback):
    """Remembers the learning rate after each optimizer step."""

    def __init__(self) -> None:
        self.after: list[float] = []

    def on_step_end(self, *_: Any, lr_scheduler: Any = None, **__: Any) -> None:
        """Remember it."""
        self.after.append(lr_scheduler.get_last_lr()[0])


class CallCount:
    """Counts the forward passes of a model, those in training apart from the others."""

    def __init__(self, model: nn.Module) -> None:
        self.training = 0
        self.evaluating = 0
        model.register_forward_pre_hook(self._count)

    def _count(self, model: nn.Module, _: Any) -> None:
        if model.training:
            self.training += 1
        else:
            self.evaluating += 1


def arguments(folder: Path, **given: Any) -> TrainingArguments:
    """Return arguments for a short training on the CPU that reports to nobody."""
    defaults = {
        "output_dir": str(folder),
        "per_device_train_batch_size": BATCH_SIZE,
        "num_train_epochs": 3,
        "learning_rate": 1e-3,
        "report_to": [],
        "save_strategy": "no",
        "logging_strategy": "no",
        "use_cpu": True,
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }
    return TrainingArguments(**{**defaults, **given})


def trainer_of(
    folder: Path, rows: Dataset[Any], model: Any = None, *, kind: Any = Trainer, **given: Any
) -> Any:
    """Return a trainer; what it keeps of its own: `data_collator`, `eval_dataset`, `callbacks`."""
    own = {
        name: given.pop(name)
        for name in ("data_collator", "eval_dataset", "callbacks", "processing_class")
        if name in given
    }
    return kind(
        model=bert() if model is None else model,
        args=arguments(folder, **given),
        train_dataset=rows,
        **own,
    )


def weights_of(model: nn.Module) -> list[Tensor]:
    """Return copies of a model's parameters."""
    return [parameter.detach().clone() for parameter in model.parameters()]
