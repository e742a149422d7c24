"""Runs the learning benchmark: all arms on all tasks, seed by seed; goes on where it was stopped.

Examples:
    python benchmarks/learning/run.py tune    # then: choose
    python benchmarks/learning/run.py choose
    python benchmarks/learning/run.py full --shard 1/2 &
    python benchmarks/learning/run.py full --shard 2/2
    python benchmarks/learning/run.py short
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from arms import ARMS, Arm
from explore import EXPLORED, EXPLORED_TASKS, EXPLORING_SEEDS
from learning_tasks import TASKS, Task
from rates import choose, load, rate_for, tuning_runs
from records import Key, read, write
from training import train

RESULTS = Path(__file__).resolve().parents[1] / "results"
RATES = RESULTS / "learning_rates.json"
SEEDS = (0, 1, 2, 3, 4)
SHORT_SEEDS = (0, 1, 2)
SHORT_TASKS = ("letters", "letters-noisy", "shuttle", "fashion")
SHORT_ARMS = ("plain 100%", "plain 50%", "random 50%", "learnability 50%", "InfoBatch")

Runs = Iterable[tuple[Key, Task, Arm]]


def compared(tasks: Iterable[str], arms: dict[str, Arm], seeds: Iterable[int]) -> Runs:
    """Yield the runs of a comparison, seed by seed, so that it is whole up to some seed."""
    rates = load(RATES)
    for seed in seeds:
        for task in tasks:
            for arm in arms.values():
                yield Key(task, arm.name, rate_for(rates, task, arm), seed), TASKS[task], arm


def plan(name: str) -> Runs:
    """Return the runs of a plan."""
    if name == "tune":
        return tuning_runs()
    if name == "explore":
        return compared(EXPLORED_TASKS, EXPLORED, EXPLORING_SEEDS)
    if name == "short":
        return compared(SHORT_TASKS, {arm: ARMS[arm] for arm in SHORT_ARMS}, SHORT_SEEDS)
    return compared(TASKS, ARMS, SEEDS)


def part(runs: Runs, shard: str) -> Iterator[tuple[Key, Task, Arm]]:
    """Return every so-manieth run: "2/3" is the second of three parts."""
    number, parts = map(int, shard.split("/"))
    return (run for index, run in enumerate(runs) if index % parts == number - 1)


def main() -> None:
    """Run what is asked for and not there yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("plan", choices=["tune", "choose", "short", "explore", "full"])
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), help="only these")
    parser.add_argument("--families", nargs="+", help="only arms of these: plain, random, ...")
    parser.add_argument("--shard", default="1/1", help="such as 2/3: the second part of three")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder that runs go to")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no run after")
    options = parser.parse_args()
    file = options.results / f"learning_{options.plan}.jsonl"
    if options.plan == "choose":
        rates = choose(RESULTS / "learning_tune.jsonl")
        RATES.write_text(json.dumps(rates, indent=1) + "\n", encoding="utf-8")
        return
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    start = time.monotonic()
    for key, task, arm in part(plan(options.plan), options.shard):
        if key in read(file) or task.name not in (options.tasks or TASKS):
            continue
        if options.families and arm.family not in options.families:
            continue
        if time.monotonic() - start > options.seconds:
            print("out of time: run the same command again to go on")
            return
        outcome = train(task, arm.make_feed, key.rate, key.seed)
        write(file, key, outcome)
        print(*key, f"cost {outcome.cost:.2f}", f"accuracy {outcome.accuracy:.2f}", flush=True)


if __name__ == "__main__":
    main()
