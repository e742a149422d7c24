"""Everything random in a training follows from its seed, and goes on where it was."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from sift_toolkit.container._random_state import random_state, seed_all, set_random_state


def draw() -> list[float]:
    """Draw from each source, a normal number too, of which two are drawn at once."""
    return [
        *torch.rand(2).tolist(),
        random.random(),
        random.gauss(0, 1),
        float(np.random.standard_normal()),  # noqa: NPY002 - the global one is what is tested
    ]


def test_the_seed_decides() -> None:
    """The same seed, the same numbers; another one, others."""
    drawn = []
    for seed in (0, 0, 2**63 - 1):
        seed_all(seed)
        drawn.append(draw())

    assert drawn[0] == drawn[1]
    assert not set(drawn[0]) & set(drawn[2])


def test_a_state_goes_on_where_it_was(tmp_path: Path) -> None:
    """After a way through a file, the same numbers follow."""
    seed_all(0)
    draw()
    torch.save(random_state(), tmp_path / "state")
    following = draw()
    draw()
    set_random_state(torch.load(tmp_path / "state", weights_only=True))

    assert draw() == following


def test_a_machine_without_the_devices(tmp_path: Path) -> None:
    """The states of devices that are not here are left out, the rest is set."""
    seed_all(0)
    state = {**random_state(), "cuda": [torch.get_rng_state()] * (torch.cuda.device_count() + 1)}
    following = draw()
    set_random_state(state)

    assert draw() == following


def test_numpy_may_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where numpy is not in use, its state is neither kept nor missed."""
    with monkeypatch.context() as without:
        # A process without numpy has neither of the two.
        without.delitem(sys.modules, "numpy.random")
        without.delitem(sys.modules, "numpy")
        seed_all(0)
        state = random_state()
        following = random.random()
        set_random_state(state)
        assert random.random() == following
    assert "numpy" not in state
