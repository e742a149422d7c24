"""The random states that an epoch is drawn from: read, set, and kept."""

from __future__ import annotations

import random
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Generator, Tensor

from sift_toolkit.errors import SiftStateError

_TORCH_KEY: Final = "torch"
_PYTHON_KEY: Final = "python"
_NUMPY_KEY: Final = "numpy"

_DEVICES_WITH_STATES: Final = frozenset({"cuda", "xpu"})
"""Kinds of devices whose random state torch can read and set device by device."""


def global_state() -> dict[str, Any]:
    """Return the global random states of torch (CPU), Python and, where it is loaded, numpy."""
    version, internal, gauss = random.getstate()
    state = {_TORCH_KEY: torch.get_rng_state(), _PYTHON_KEY: [version, list(internal), gauss]}
    numpy = _numpy_random()
    if numpy is not None:
        name, keys, *rest = numpy.get_state()
        state[_NUMPY_KEY] = [name, keys.tolist(), *rest]
    return state


def set_global_state(state: dict[str, Any]) -> None:
    """Set what `global_state` returned."""
    torch.set_rng_state(state[_TORCH_KEY])
    version, internal, gauss = state[_PYTHON_KEY]
    random.setstate((version, tuple(internal), gauss))
    numpy = _numpy_random()
    if numpy is not None and _NUMPY_KEY in state:
        numpy.set_state(tuple(state[_NUMPY_KEY]))


def may_be_global_state(state: object) -> bool:
    """Whether `set_global_state` could set it; nothing is set."""
    try:
        assert isinstance(state, dict)
        version, internal, gauss = state[_PYTHON_KEY]
        random.Random().setstate((version, tuple(internal), gauss))  # noqa: S311 - draws nothing
        numpy = _numpy_random()
        if numpy is not None and _NUMPY_KEY in state:
            numpy.RandomState().set_state(tuple(state[_NUMPY_KEY]))
        return may_be_state(state[_TORCH_KEY])
    except (AssertionError, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
        return False


def may_be_state(state: object) -> bool:
    """Whether a generator of torch's, on the CPU, could be set to it."""
    try:
        Generator().set_state(state)  # type: ignore[arg-type] # whether it can be is the question
    except (RuntimeError, TypeError):
        return False
    return True


@contextmanager
def kept_global_state(devices: Collection[torch.device] = ()) -> Iterator[None]:
    """Give the global random states back as they were, those of *devices* too."""
    forked = [device for device in devices if device.type in _DEVICES_WITH_STATES]
    numpy = _numpy_random()
    numpy_state = None if numpy is None else numpy.get_state(legacy=False)
    python_state, torch_state = random.getstate(), torch.get_rng_state()
    try:
        if forked:
            with torch.random.fork_rng(forked, device_type=forked[0].type):
                yield
        else:
            yield
    finally:
        torch.set_rng_state(torch_state)
        random.setstate(python_state)
        if numpy_state is not None:
            numpy.set_state(_listed(numpy_state))


def _listed(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state of numpy's with a list of numbers, which numpy takes quicker than its array.

    It reads them one by one, and makes an object of each that stands in an array.
    """
    numbers = state["state"]
    if "key" not in numbers:
        return state
    return {**state, "state": {**numbers, "key": numbers["key"].tolist()}}


def _numpy_random() -> Any:
    """Return numpy's module of random numbers, None if nobody has imported it."""
    return sys.modules.get("numpy.random")


def generator_states(loader: object) -> list[Tensor]:
    """Return the states of the loader's own generators: its own, its samplers'."""
    return [generator.get_state() for generator in _generators(loader)]


def set_generator_states(loader: object, states: list[Tensor]) -> None:
    """Set what `generator_states` returned for a loader of the same make.

    Raises:
        SiftStateError: the loader has another number of generators.
    """
    generators = _generators(loader)
    if len(generators) != len(states):
        msg = (
            f"the saved state is of a loader with {len(states)} random generators of its own, "
            f"this one has {len(generators)}: shuffle with a seeded generator in both, or in none"
        )
        raise SiftStateError(msg)
    for generator, state in zip(generators, states, strict=True):
        generator.set_state(state)


def _generators(loader: object) -> list[Generator]:
    """Return the loader's own generators, each once."""
    found = [getattr(part, "generator", None) for part in parts_of(loader)]
    return list({id(each): each for each in found if isinstance(each, Generator)}.values())


def parts_of(loader: object) -> list[object]:
    """Return the loader and those of its parts that the order of an epoch may come from."""
    batches = getattr(loader, "batch_sampler", None)
    parts = (loader, getattr(loader, "sampler", None), batches, getattr(batches, "sampler", None))
    return list({id(part): part for part in parts if part is not None}.values())
