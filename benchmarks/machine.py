"""What a result file says of where and how it was made."""

from __future__ import annotations

import json
import os
import platform
import shlex
import statistics
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).resolve().parent / "results"


def write_result(name: str, rows: Sequence[dict[str, Any]], *, is_whole: bool = True) -> Path:
    """Write measured rows, with the command and the machine, to a file of their own.

    Args:
        name: of the file.
        rows: what was measured.
        is_whole: whether that is all that was to be measured; else the file says so.
    """
    content = {
        "command": f"python benchmarks/{Path(sys.argv[0]).name} {shlex.join(sys.argv[1:])}".strip(),
        "date": datetime.now(timezone.utc).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, 1 thread used",
        "python": platform.python_version(),
        "torch": torch.__version__,
        **({} if is_whole else {"interrupted": True}),
        "rows": list(rows),
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def write_as_measured(name: str, measured: Iterable[dict[str, Any]]) -> None:
    """Print each row as it comes and write them all; those there are, if Ctrl-C ends it."""
    rows = []
    try:
        for row in measured:
            print(row, flush=True)
            rows.append(row)
    except KeyboardInterrupt:
        if rows:
            print(write_result(name, rows, is_whole=False))
        raise
    print(write_result(name, rows))


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the median of repeats and their range."""
    return {
        "median": round(statistics.median(values), 4),
        "low": round(min(values), 4),
        "high": round(max(values), 4),
    }


def hold_pages() -> None:
    """Start this program again with an allocator that gives no memory back to the kernel.

    Else it returns and clears anew large tensors at each step, or does not, as the order of a
    loop's allocations happens to be: up to a fifth of a step's time either way.
    """
    held = {"MALLOC_TRIM_THRESHOLD_": "-1", "MALLOC_MMAP_MAX_": "0"}
    if not held.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **held})  # noqa: S606 - itself


def interval(values: Sequence[float]) -> dict[str, float]:
    """Return the median of repeats and an interval that holds it with 95 %, by order statistics."""
    ordered = sorted(values)
    half = 0.98 * len(ordered) ** 0.5
    low, high = int(len(ordered) / 2 - half), int(len(ordered) / 2 + half)
    return {
        "median": round(statistics.median(ordered), 4),
        "low": round(ordered[max(low, 0)], 4),
        "high": round(ordered[min(high, len(ordered) - 1)], 4),
    }
