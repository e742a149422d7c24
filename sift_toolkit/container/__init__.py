"""Inside the job: reads the config, wraps the loader, emits metrics, trains, checkpoints.

Importing this package imports no torch: each name is resolved on first use. A script that
`run_entry` runs is thus the first to import torch, as it would be without the toolkit.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sift_toolkit.container._alias import alias_smart_sifting
    from sift_toolkit.container._checkpoints import Checkpoints
    from sift_toolkit.container._hooks import Hooks
    from sift_toolkit.container._job import Job
    from sift_toolkit.container._run_entry import run_entry
    from sift_toolkit.container._sift import sift
    from sift_toolkit.container._train_entry import train_entry

__all__ = [
    "Checkpoints",
    "Hooks",
    "Job",
    "alias_smart_sifting",
    "run_entry",
    "sift",
    "train_entry",
]

_HOME = {
    "Checkpoints": "sift_toolkit.container._checkpoints",
    "Hooks": "sift_toolkit.container._hooks",
    "Job": "sift_toolkit.container._job",
    "alias_smart_sifting": "sift_toolkit.container._alias",
    "run_entry": "sift_toolkit.container._run_entry",
    "sift": "sift_toolkit.container._sift",
    "train_entry": "sift_toolkit.container._train_entry",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
