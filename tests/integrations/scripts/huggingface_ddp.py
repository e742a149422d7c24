"""One rank of a sifted Trainer, started by torchrun: writes down what it loaded, how it ended."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[3]))

from sift_toolkit import SiftConfig
from sift_toolkit.integrations.huggingface import enable_sifting
from tests.integrations.huggingface_tasks import (
    RESUMES_ON_CPU_RANKS,
    CallCount,
    LearningRates,
    letters,
    trainer_of,
    weights_of,
)


def train(folder: Path, scores: str, name: str, checkpoint: str | None = None) -> None:
    """Train, and write down what happened."""
    rows, rates = letters(200), LearningRates()
    trainer = trainer_of(
        folder,
        rows,
        callbacks=[rates],
        gradient_accumulation_steps=2,
        save_strategy="steps",
        save_steps=8,
        eval_strategy="epoch",
        eval_dataset=letters(20, start=500),
    )
    enable_sifting(trainer, SiftConfig(keep=0.5, scores=scores))  # type: ignore[arg-type] # one of its words
    calls = CallCount(trainer.model)
    trainer.train(resume_from_checkpoint=checkpoint)
    told = {
        "steps": trainer.state.global_step,
        "max_steps": trainer.state.max_steps,
        "rates": rates.after,
        "epoch": trainer.state.epoch,
        "loaded": rows.loaded,
        "forwards": calls.training,
        "weights": [float(each.double().sum()) for each in weights_of(trainer.model)],
    }
    file = folder / f"{name}_{trainer.args.process_index}.json"
    file.write_text(json.dumps(told), encoding="utf-8")


def main(folder: Path) -> None:
    """Train with each kind of scores, in full and from a checkpoint."""
    torch.set_num_threads(1)
    for scores in ("memory", "fresh"):
        train(folder / scores, scores, "whole")
        if RESUMES_ON_CPU_RANKS:
            train(folder / scores, scores, "resumed", str(folder / scores / "checkpoint-8"))
    # Together: gloo's threads of a rank that ends alone have been seen to abort it.
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
