"""The global random states of a training process: seeded, saved, restored.

The trainer is the program here, and owns them; the sifting core touches none.
"""

from __future__ import annotations

import random
import sys
from typing import Any

import torch

from sift_toolkit.sifting import global_state, set_global_state

_NUMPY_SEED_LIMIT = 2**32


def seed_all(seed: int) -> None:
    """Seed torch, Python, and numpy where it is in use."""
    torch.manual_seed(seed)
    random.seed(seed)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(seed % _NUMPY_SEED_LIMIT)


def random_state() -> dict[str, Any]:
    """Return the states of all; loads with ``weights_only=True``."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {**global_state(), "cuda": cuda}


def set_random_state(state: dict[str, Any]) -> None:
    """Set what `random_state` returned; devices and libraries that are not here are left out."""
    set_global_state(state)
    if len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
