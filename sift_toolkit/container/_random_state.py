"""The global random states of a training process: seeded, saved, restored.

The trainer is the program here, and owns them; the sifting core touches none.
"""

from __future__ import annotations

import random
import sys
from typing import Any

import torch

_NUMPY_SEED_LIMIT = 2**32


def seed_all(seed: int) -> None:
    """Seed torch, Python, and numpy where it is in use."""
    torch.manual_seed(seed)
    random.seed(seed)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(seed % _NUMPY_SEED_LIMIT)


def random_state() -> dict[str, Any]:
    """Return the states of all; loads with ``weights_only=True``."""
    version, internal, gauss = random.getstate()
    state: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "python": (version, list(internal), gauss),
    }
    if (numpy := sys.modules.get("numpy")) is not None:
        algorithm, keys, *rest = numpy.random.get_state(legacy=True)
        state["numpy"] = (algorithm, keys.tolist(), *rest)
    return state


def set_random_state(state: dict[str, Any]) -> None:
    """Set what `random_state` returned; devices and libraries that are not here are left out."""
    torch.set_rng_state(state["torch"])
    if len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    if "numpy" in state and (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.set_state(state["numpy"])
