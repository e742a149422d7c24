"""The file of runs: one JSON line each, written whole, so that any number may be added later."""

from __future__ import annotations

import json
import os
import platform
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import torch
from training import Outcome


class Key(NamedTuple):
    """What tells one run from all others."""

    task: str
    arm: str
    rate: float
    seed: int


def read(path: Path) -> dict[Key, Outcome]:
    """Return the runs of a file; one that is not there has none."""
    if not path.exists():
        return {}
    runs = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        record: dict[str, Any] = json.loads(line)
        key = Key(*(record[name] for name in Key._fields))
        runs[key] = Outcome(*(record[name] for name in Outcome._fields))
    return runs


def write(path: Path, key: Key, outcome: Outcome) -> None:
    """Add a run to a file, in one write: other processes add to it too."""
    record = {
        **key._asdict(),
        **{name: _rounded(value) for name, value in outcome._asdict().items()},
        "date": datetime.now(timezone.utc).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, 1 thread used",
        "torch": torch.__version__,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:
        file.write((json.dumps(record) + "\n").encode())


def _rounded(value: float) -> float:
    return round(value, 4) if isinstance(value, float) else value
