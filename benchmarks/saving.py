"""How much of what sifting drops is really saved: time against counted cost, by engine.

Each sifted run follows a plain one of the same seed at once, several times over; a saving is taken
within each such pair, of wall time and of CPU time. Overall kept shares are AWS's: 67, 50 and 33 %.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from machine import hold_pages, spread, write_result
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
    Way(
        "AWS's scheme as documented",
        {"law": "percentile", "scores": "fresh", "selection": "bernoulli"},
    ),
)


class Spent(NamedTuple):
    """What one training run took."""

    seconds: float
    cpu_seconds: float
    counted_cost: float
    kept: float


def run(task: Task, way: Way, kept: float, seed: int) -> Spent:
    """Train once."""
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
    start, cpu_start = time.perf_counter(), time.process_time()
    for _ in range(EPOCHS):
        for batch in loader:
            optimizer.zero_grad(set_to_none=True)
            loader.reduce(per_sample_loss(model, batch)).backward()
            optimizer.step()
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    counters = loader.state_dict()["meter"]
    passes = counters["kept"] + counters["scored"] / 3
    seen = counters["seen"]
    return Spent(seconds, cpu_seconds, passes / seen, counters["kept"] / seen)


def measure(task: Task, way: Way, kept: float, repeats: int) -> dict[str, Any]:
    """Measure one way on one task at one kept share."""
    wall, cpu, steps = [], [], []
    for repeat in range(repeats):
        plain = run(task, PLAIN, 1.0, repeat)
        sifted = run(task, way, kept, repeat)
        wall.append(1 - sifted.seconds / plain.seconds)
        cpu.append(1 - sifted.cpu_seconds / plain.cpu_seconds)
        steps.append(plain.cpu_seconds / (EPOCHS * len(task.loader())))
    return {
        "task": task.name,
        "plain_step_ms": round(spread(steps)["median"] * 1000, 1),
        "way": way.name,
        "kept": round(sifted.kept, 4),
        "counted_saving": round(1 - sifted.counted_cost, 4),
        "measured_saving": spread(wall),
        "cpu_saving": spread(cpu),
        "of_what_is_dropped": round(spread(wall)["median"] / (1 - sifted.kept), 3),
        "cpu_of_what_is_dropped": round(spread(cpu)["median"] / (1 - sifted.kept), 3),
    }


def main() -> None:
    """Measure everything, print it, and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    hold_pages()
    torch.set_num_threads(1)
    rows = []
    for task in TASKS:
        for kept in KEPT:
            for way in WAYS:
                if way.halves and task.halve is None:
                    continue
                rows.append(measure(task, way, kept, options.repeats))
                print(rows[-1], flush=True)
    print(write_result("saving", rows))


if __name__ == "__main__":
    main()
