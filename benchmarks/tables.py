"""Writes benchmarks/results/README.md: the result files as tables, each with its command."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
FRESH_BOUND = 0.03
"""What the machinery of fresh scores may cost, as a share of the forward passes."""


def percent(value: float) -> str:
    """Return a share as a percentage."""
    return f"{100 * value:.1f} %"


def ranged(value: dict[str, float]) -> str:
    """Return a median with its range, as percentages."""
    return f"{percent(value['median'])} ({percent(value['low'])} to {percent(value['high'])})"


def saving_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the table of realised savings."""
    lines = [
        (
            "| task (plain step) | kept | way | counted saving | saving of wall time "
            "| saving of CPU time | CPU saving, of what is dropped |"
        ),
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row['task']} ({row['plain_step_ms']} ms) | {percent(row['kept'])} | {row['way']} "
        f"| {percent(row['counted_saving'])} | {ranged(row['measured_saving'])} "
        f"| {ranged(row['cpu_saving'])} | {row['cpu_of_what_is_dropped']:.2f} |"
        for row in rows
    ]
    return lines


def overhead_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the table of what the machinery costs."""
    lines = [
        "| task | scores | batch | the model's part | machinery | machinery to the model's part |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in sorted(rows, key=lambda row: (row["scores"] != "memory", row["model_ms"])):
        part = "training step" if row["scores"] == "memory" else "forward pass"
        lines.append(
            f"| {row['task']} | {row['scores']} | {row['batch_size']} "
            f"| {part}, {row['model_ms']:.1f} ms | {row['machinery_ms']['median']:.2f} ms "
            f"| {ranged(row['machinery_to_model'])} |"
        )
    least = least_forward_pass([row for row in rows if row["scores"] == "fresh"])
    if least is not None:
        lines += [
            "",
            (
                f"With fresh scores the machinery takes at most {percent(FRESH_BOUND)} of the "
                f"forward passes from {least:.0f} ms on, by the medians."
            ),
        ]
    return lines


def least_forward_pass(rows: list[dict[str, Any]]) -> float | None:
    """Return the milliseconds from which on all rows are within the bound, None if none are."""
    within = itertools.takewhile(
        lambda row: row["machinery_to_model"]["median"] <= FRESH_BOUND,
        sorted(rows, key=lambda row: -row["model_ms"]),
    )
    return min((row["model_ms"] for row in within), default=None)


def memory_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the table of choosing an epoch out of many samples."""
    lines = [
        "| config | samples | seconds to choose an epoch | state |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        if row.get("extrapolated"):
            seconds = row["epoch_cpu_seconds"]
            time, state = f"{seconds} (on paper)", f"{row['memory_megabytes']} MB (on paper)"
        else:
            seconds = row["epoch_seconds"]
            time = f"{seconds['median']} ({seconds['low']} to {seconds['high']})"
            state = f"{row['bytes_a_sample']} bytes a sample"
        lines.append(f"| {row['config']} | {row['samples']:,} | {time} | {state} |")
    return lines


def gate_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the table of what a gate spares where sifting cannot pay."""
    lines = [
        "| gate | plain step | first epoch, above plain | each later epoch, above plain |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        later = {key: value - 1 for key, value in row["later_epochs_to_plain"].items()}
        lines.append(
            f"| {row['gate']} | {row['plain_ms_per_step']} ms "
            f"| {percent(row['first_epoch_to_plain'] - 1)} | {ranged(later)} |"
        )
    return lines


def before_after_table(rows: list[dict[str, Any]], compared: int = 1) -> list[str]:
    """Return the table of trainings, and what one way is worth beside the first and the last."""
    lines = [
        "| run | steps | compute saved | held-out accuracy, % |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        mean, deviation = (100 * row["accuracy"][name] for name in ("mean", "deviation"))
        lines.append(
            f"| {row['way']} | {row['steps']:,} | {row['saved_compute']:.0%} "
            f"| {mean:.2f} ± {deviation:.2f} |"
        )
    means = [100 * row["accuracy"]["mean"] for row in rows]
    return [*lines, "", beside(rows[compared]["way"], means[compared], means[0], means[-1])]


def huggingface_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the table of trainings in Hugging Face's Trainer."""
    lines = [
        "| run | steps | compute saved | CPU time saved | held-out accuracy |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row['way']} | {row['steps']['median']:,} | {percent(row['saved_compute']['median'])} "
        f"| {ranged(row['saved_cpu_time'])} | {ranged(row['accuracy'])} |"
        for row in rows
    ]
    medians = [100 * row["accuracy"]["median"] for row in rows]
    return [*lines, "", beside(rows[1]["way"], medians[1], medians[0], medians[-1])]


def beside(way: str, sifted: float, full: float, short: float) -> str:
    """Say what sifting is worth beside both baselines, accuracies in percent."""
    return (
        f"{way}: {sifted - full:+.2f} points beside full training, {sifted - short:+.2f} points "
        "beside training on all data for about the same compute."
    )


Table = Callable[[list[dict[str, Any]]], list[str]]
PAGES: Mapping[str, tuple[str, Table]] = {
    "saving": ("What sifting really saves", saving_table),
    "overhead": ("What the machinery costs", overhead_table),
    "gate": ("Where sifting cannot pay: a frozen trunk, fresh scores, half kept", gate_table),
    "integrations_huggingface": ("In Hugging Face's Trainer", huggingface_table),
    "integrations_accelerate": ("In a loop with Accelerate", before_after_table),
    "integrations_lightning": ("In Lightning's Trainer", before_after_table),
    "drop_in": ("A loop with AWS's loader, unchanged", partial(before_after_table, compared=2)),
    "memory_scale": ("A memory of many samples, the user's own sampler excluded", memory_table),
}


def page() -> str:
    """Return the page of all results there are."""
    lines = [
        "# Results",
        "",
        "Medians of repeats with their range; every ratio is taken within one turn of one run.",
        "Written by `python benchmarks/tables.py` from the files beside it.",
        "Where a range is wider than what it is about, that machine could not tell: no claim.",
    ]
    for name, (title, table) in PAGES.items():
        path = RESULTS / f"{name}.json"
        if path.exists():
            content = json.loads(path.read_text(encoding="utf-8"))
            lines += [
                "",
                f"## {title}",
                "",
                (
                    f"`{content['command']}`, {content['date']}, {content['machine']}, "
                    f"torch {content['torch']}."
                    f"{' Interrupted: rows are missing.' if content.get('interrupted') else ''}"
                ),
                "",
                *table(content["rows"]),
            ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (RESULTS / "README.md").write_text(page(), encoding="utf-8")
