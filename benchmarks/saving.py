"""How much of what sifting drops is really saved: time against counted cost, by engine.

Each model is trained plain and in every sifted way, in turn, several times; a saving is taken
within each turn. Overall kept shares are AWS's: 67, 50 and 33 %.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

import torch
from machine import spread, write_result
from tasks import TASKS, Task, per_sample_loss

from sift_toolkit import SiftConfig, SiftingDataloader

EPOCHS = 6
KEPT = (2 / 3, 1 / 2, 1 / 3)


@dataclass(frozen=True)
class Way:
    """One way to sift."""

    name: str
    options: dict[str, Any]
    halves: bool = False

    def config(self, kept: float) -> SiftConfig:
        """Return the config that keeps *kept* of all samples that come by in the run."""
        keep = kept
        if self.options.get("scores") == "memory":
            keep = (kept * EPOCHS - 1) / (EPOCHS - 1)  # the first epoch is on all data
        return SiftConfig(keep=keep, log_every=10**9, gate="off", **self.options)


PLAIN = Way("plain", {"enabled": False})
WAYS = (
    Way("memory: losses of the training itself", {"scores": "memory"}),
    Way("fresh: every batch scored", {"scores": "fresh"}),
    Way("fresh: every second batch scored", {"scores": "fresh", "score_every": 2}),
    Way("fresh: scored at half the size", {"scores": "fresh"}, halves=True),
    Way("AWS's scheme as documented", {"scores": "fresh", "selection": "bernoulli"}),
)


def run(task: Task, way: Way, kept: float, seed: int) -> tuple[float, float, float]:
    """Train once; return (seconds, counted cost, kept share)."""
    torch.manual_seed(seed)
    model = task.model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    halve = task.halve if way.halves else None
    loader = SiftingDataloader(
        sift_config=way.config(kept),
        orig_dataloader=task.loader(),
        loss_impl=per_sample_loss,
        model=model,
        epochs=EPOCHS,
        scoring_transform=None if halve is None else lambda batch: [halve(batch[0]), batch[1]],
    )
    start = time.perf_counter()
    for _ in range(EPOCHS):
        for batch in loader:
            optimizer.zero_grad(set_to_none=True)
            loader.reduce(per_sample_loss(model, batch)).backward()
            optimizer.step()
    seconds = time.perf_counter() - start
    counters = loader.state_dict()["meter"]
    passes = counters["kept"] + counters["scored"] / 3
    return seconds, passes / counters["seen"], counters["kept"] / counters["seen"]


def measure(task: Task, kept: float, repeats: int) -> list[dict[str, Any]]:
    """Measure all ways on one task at one kept share, in turn."""
    ways = [way for way in WAYS if task.halve is not None or not way.halves]
    savings: dict[str, list[float]] = {way.name: [] for way in ways}
    facts: dict[str, tuple[float, float]] = {}
    step = 0.0
    for repeat in range(repeats):
        plain, _, _ = run(task, PLAIN, 1.0, repeat)
        step = plain / (EPOCHS * len(task.loader()))
        for way in ways:
            seconds, cost, share = run(task, way, kept, repeat)
            savings[way.name].append(1 - seconds / plain)
            facts[way.name] = cost, share
    return [
        {
            "task": task.name,
            "plain_step_ms": round(step * 1000, 1),
            "way": way.name,
            "kept": round(facts[way.name][1], 4),
            "counted_saving": round(1 - facts[way.name][0], 4),
            "measured_saving": spread(savings[way.name]),
            "of_what_is_dropped": round(
                spread(savings[way.name])["median"] / (1 - facts[way.name][1]), 3
            ),
        }
        for way in ways
    ]


def main() -> None:
    """Measure everything, print it, and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for task in TASKS:
        for kept in KEPT:
            for row in measure(task, kept, options.repeats):
                print(row, flush=True)
                rows.append(row)
    print(write_result("saving", rows))


if __name__ == "__main__":
    main()
