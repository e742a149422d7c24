"""The random states that the order of an epoch is drawn from: read, set, and kept."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Generator, Tensor


def global_state() -> dict[str, Any]:
    """Return the global random states of torch (CPU) and Python."""
    version, internal, gauss = random.getstate()
    return {"torch": torch.get_rng_state(), "python": [version, list(internal), gauss]}


def set_global_state(state: dict[str, Any]) -> None:
    """Set what `global_state` returned."""
    torch.set_rng_state(state["torch"])
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))


@contextmanager
def kept_global_state() -> Iterator[None]:
    """Give the global random states back as they were."""
    state = global_state()
    try:
        yield
    finally:
        set_global_state(state)


def generator_states(loader: object) -> list[Tensor]:
    """Return the states of the loader's own generators: its own, its samplers'."""
    return [generator.get_state() for generator in _generators(loader)]


def set_generator_states(loader: object, states: list[Tensor]) -> None:
    """Set what `generator_states` returned for a loader of the same make."""
    for generator, state in zip(_generators(loader), states, strict=True):
        generator.set_state(state)


def _generators(loader: object) -> list[Generator]:
    """Return the loader's own generators, each once."""
    batches = getattr(loader, "batch_sampler", None)
    owners = (loader, getattr(loader, "sampler", None), batches, getattr(batches, "sampler", None))
    found = [getattr(owner, "generator", None) for owner in owners]
    return list({id(each): each for each in found if isinstance(each, Generator)}.values())
