"""The random states that an epoch of a DataLoader was drawn from, to draw the same again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from sift_toolkit.sifting._rng import (
    generator_states,
    global_state,
    kept_global_state,
    set_generator_states,
    set_global_state,
)


class EpochDraws:
    """Remembers where all generators were when an epoch began.

    Args:
        loader: the user's; it and its samplers may have generators of their own.
    """

    def __init__(self, loader: object) -> None:
        self._loader = loader
        self._global: dict[str, Any] | None = None
        self._own: list[Tensor] = []

    def begin(self) -> None:
        """Remember: an epoch begins."""
        self._global = global_state()
        self._own = generator_states(self._loader)

    @contextmanager
    def again(self) -> Iterator[None]:
        """Draw in here what was drawn at the start of the epoch; afterwards nothing has moved."""
        assert self._global is not None
        now = generator_states(self._loader)
        try:
            with kept_global_state():
                set_global_state(self._global)
                set_generator_states(self._loader, self._own)
                yield
        finally:
            set_generator_states(self._loader, now)

    def state_dict(self) -> dict[str, Any]:
        """Return the remembered states, and those of the loader's own generators now."""
        return {
            "global_at_start": self._global,
            "own_at_start": self._own,
            "own": generator_states(self._loader),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state.

        Raises:
            SiftStateError: the loader has another number of generators.
        """
        set_generator_states(self._loader, state["own"])
        self._global = state["global_at_start"]
        self._own = state["own_at_start"]
