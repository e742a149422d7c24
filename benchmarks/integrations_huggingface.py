"""Before and after, with a real Trainer: a tiny BERT that reads 16 numbers and names the letter.

UCI Letter Recognition, 16,000 rows to train on and 4,000 held out. Five ways, of the same seed one
after the other: on all data; sifted with the losses of the training itself, by the default rule
and by AWS's percentiles; sifted with an extra forward pass, as AWS does; and on all data with no
more compute than the second way took, its learning rate decayed to that. Compute is counted, a
training step as three forward passes.

To be run by hand where transformers is installed: `.venv-integrations/bin/python` and this file;
twenty minutes on one core.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from machine import spread, write_result
from torch.utils.data import Dataset
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    Trainer,
    TrainingArguments,
    set_seed,
)

from sift_toolkit import SiftConfig
from sift_toolkit.integrations.huggingface import enable_sifting

LETTERS = Path(__file__).parents[1] / "demo" / "letters" / "data" / "letters.npz"
EPOCHS, BATCH_SIZE, LEARNING_RATE = 20, 64, 3e-3
KEEP = 0.4
MEMORY = "sifted, losses of the training itself"
WAYS: dict[str, SiftConfig | None] = {
    "all data": None,
    MEMORY: SiftConfig(keep=KEEP, log_every=10**9),
    "sifted, the same, highest losses first": SiftConfig(
        keep=KEEP, law="percentile", log_every=10**9
    ),
    "sifted, AWS's scheme: an extra forward pass": SiftConfig(
        keep=KEEP, law="percentile", log_every=10**9, scores="fresh"
    ),
    "all data, steps of the second way": None,
}


class Letters(Dataset[dict[str, Any]]):
    """Rows of one part of the data."""

    def __init__(self, part: str) -> None:
        with np.load(LETTERS) as arrays:
            self._features = torch.from_numpy(arrays[f"{part}_features"]).long()
            self._labels = torch.from_numpy(arrays[f"{part}_labels"]).long()

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {"input_ids": self._features[row], "labels": self._labels[row]}


class Counted:
    """Counts rows that pass forward through a model."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.trained = 0
        self.scored = 0
        self._hook = model.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, model: torch.nn.Module, _: Any, given: dict[str, Any]) -> None:
        rows = len(given["labels"])
        self.trained += rows if model.training else 0
        self.scored += 0 if model.training else rows

    def stop(self) -> None:
        """Count no more."""
        self._hook.remove()


def accuracy(prediction: Any) -> dict[str, float]:
    """Return the share of rows named right."""
    return {"accuracy": float((prediction.predictions.argmax(-1) == prediction.label_ids).mean())}


def run(config: SiftConfig | None, seed: int, max_steps: int) -> dict[str, float]:
    """Train once, and return what it took and came to."""
    set_seed(seed)
    sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=16,
            intermediate_size=128,
            num_labels=26,
            max_position_embeddings=16,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            **sizes,
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=BATCH_SIZE,
            per_device_eval_batch_size=1000,
            num_train_epochs=EPOCHS,
            max_steps=max_steps,
            learning_rate=LEARNING_RATE,
            warmup_steps=100,
            seed=seed,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            use_cpu=True,
            disable_tqdm=True,
            dataloader_pin_memory=False,
        )
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=Letters("train"),
            eval_dataset=Letters("test"),
            compute_metrics=accuracy,
        )
        if config is not None:
            enable_sifting(trainer, config)
        counted = Counted(model)
        start = time.process_time()
        trainer.train()
        spent = time.process_time() - start
        counted.stop()
        return {
            "steps": trainer.state.global_step,
            "passes": 3 * counted.trained + counted.scored,
            "cpu_seconds": spent,
            "accuracy": trainer.evaluate()["eval_accuracy"],
        }


def main() -> None:
    """Run all ways with each seed, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = range(parser.parse_args().seeds)
    torch.set_num_threads(1)
    told: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    for seed in seeds:
        for name, config in WAYS.items():
            steps = int(told[MEMORY][seed]["steps"]) if name.endswith("second way") else -1
            told[name].append(run(config, seed, steps))
            print(seed, name, told[name][-1], flush=True)
    rows = []
    for name, runs in told.items():
        pairs = list(zip(runs, told["all data"], strict=True))
        rows.append(
            {
                "way": name,
                "steps": spread([each["steps"] for each in runs]),
                "saved_compute": spread([1 - a["passes"] / b["passes"] for a, b in pairs]),
                "saved_cpu_time": spread(
                    [1 - a["cpu_seconds"] / b["cpu_seconds"] for a, b in pairs]
                ),
                "accuracy": spread([each["accuracy"] for each in runs]),
                "transformers": transformers.__version__,
            }
        )
    print(write_result("integrations_huggingface", rows))


if __name__ == "__main__":
    main()
