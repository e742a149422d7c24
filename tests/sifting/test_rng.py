"""Random states: read, set, and given back as they were."""

from __future__ import annotations

import io
import random
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler

from sift_toolkit import SiftStateError
from sift_toolkit.sifting._rng import (
    generator_states,
    global_state,
    kept_global_state,
    parts_of,
    set_generator_states,
    set_global_state,
)

Unmoved = Callable[[], AbstractContextManager[None]]


def draw() -> tuple[float, float, float, float]:
    """Draw from every global random state, Gaussian leftovers included."""
    return (
        float(torch.rand(())),
        random.gauss(0, 1),
        random.random(),
        float(np.random.standard_normal()),  # noqa: NPY002 - the global state is the subject
    )


def loader_of(generator: torch.Generator | None = None) -> DataLoader[Any]:
    """Return a shuffled loader, seeded or not."""
    return DataLoader(range(10), batch_size=3, shuffle=True, generator=generator)  # type: ignore[arg-type] # a range is a dataset


class TestGlobalState:
    """The states that everybody shares."""

    def test_what_is_set_is_drawn_again(self) -> None:
        """Setting a state brings back the numbers that were drawn from it."""
        with kept_global_state():
            draw()
            state = global_state()
            first = draw()
            set_global_state(state)
            assert draw() == first

    def test_a_state_survives_a_checkpoint(self) -> None:
        """A state is saved by torch and loaded without trust in the file."""
        with kept_global_state():
            file = io.BytesIO()
            torch.save(global_state(), file)
            first = draw()
            file.seek(0)
            set_global_state(torch.load(file, weights_only=True))
            assert draw() == first

    def test_a_block_moves_nothing(self, unmoved_rng: Unmoved) -> None:
        """Whatever is drawn or seeded in a block, the states are as before at its end."""
        with unmoved_rng(), kept_global_state():
            draw()
            torch.manual_seed(0)
            random.seed(0)

    def test_a_generator_of_another_kind_moves_no_more(self) -> None:
        """The global numbers of numpy may come from a generator whose state has another form."""
        own = np.random.get_bit_generator()
        with kept_global_state():
            try:
                np.random.set_bit_generator(np.random.PCG64(3))
                with kept_global_state():
                    expected = draw()
                    draw()
                assert draw() == expected
            finally:
                np.random.set_bit_generator(own)

    def test_an_error_moves_nothing(self, unmoved_rng: Unmoved) -> None:
        """An error in a block gives the states back too."""

        def fails() -> None:
            with kept_global_state():
                draw()
                raise KeyError

        with unmoved_rng(), pytest.raises(KeyError):
            fails()

    @pytest.mark.parametrize("kind", ["cpu", "meta", "mps"])
    def test_devices_without_states_are_left_alone(self, kind: str, unmoved_rng: Unmoved) -> None:
        """A device whose random state torch cannot set one by one is no hindrance."""
        with unmoved_rng(), kept_global_state([torch.device(kind)]):
            draw()

    def test_numpy_is_not_needed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where nobody has imported numpy's random numbers, they are neither saved nor set."""
        with kept_global_state():
            whole = global_state()
            monkeypatch.delitem(sys.modules, "numpy.random")
            state = global_state()
            assert set(whole) - set(state) == {"numpy"}
            first = draw()[:3]
            for each in (state, whole):
                set_global_state(each)
                with kept_global_state():
                    assert draw()[:3] == first
                assert draw()[:3] == first
            assert "numpy.random" not in sys.modules

    def test_a_state_without_numpy_sets_the_others(self) -> None:
        """A state saved where numpy was not in use is set where it is."""
        with kept_global_state():
            state = global_state()
            first = draw()
            del state["numpy"]
            set_global_state(state)
            assert draw()[:3] == first[:3]


class TestGenerators:
    """The generators that a loader has of its own."""

    def test_a_seeded_loader_has_one(self) -> None:
        """A generator that the loader and its sampler share is one state."""
        assert len(generator_states(loader_of(torch.Generator()))) == 1

    def test_an_unseeded_loader_has_none(self) -> None:
        """A loader that shuffles by the global state has no generator of its own."""
        assert generator_states(loader_of()) == []
        assert generator_states([1, 2, 3]) == []

    def test_samplers_have_their_own(self) -> None:
        """Generators of a loader, its batch sampler's sampler, are all found."""
        sampler = RandomSampler(range(10), generator=torch.Generator())
        loader = DataLoader(
            range(10),  # type: ignore[arg-type] # a range is a dataset
            batch_sampler=BatchSampler(sampler, 3, drop_last=False),
            generator=torch.Generator(),
        )
        assert len(generator_states(loader)) == 2

    def test_what_is_set_is_drawn_again(self) -> None:
        """A loader whose generators were set back gives the same order again."""
        loader = loader_of(torch.Generator().manual_seed(7))
        states = generator_states(loader)
        first = [batch.tolist() for batch in loader]
        second = [batch.tolist() for batch in loader]
        set_generator_states(loader, states)
        assert [batch.tolist() for batch in loader] == first
        assert first != second

    def test_another_number_of_generators_is_refused(self) -> None:
        """A state of a seeded loader does not fit an unseeded one, and the message says why."""
        states = generator_states(loader_of(torch.Generator()))
        with pytest.raises(SiftStateError, match="1 random generators of its own, this one has 0"):
            set_generator_states(loader_of(), states)


def test_parts_are_found_once() -> None:
    """A loader's parts are itself, its samplers and its batch sampler, each once."""
    loader = loader_of()
    assert parts_of(loader) == [loader, loader.sampler, loader.batch_sampler]
    assert parts_of([1]) == [[1]]
