"""When a rank may hand out a batch: at once, or when all ranks can."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sift_toolkit.errors import SiftRankError
from sift_toolkit.sifting._wiring import Wiring

_GRANTED_KEY: Final = "granted"


class Readiness(NamedTuple):
    """What a rank can do after it has loaded a batch."""

    full_batches: int
    flushes: bool
    """Whether it would hand out what waits as a smaller batch, if the epoch ended here."""


class Pace:
    """Keeps ranks in step that choose different numbers of rows.

    Under quota all ranks give equal numbers of batches without a word. With coins, barred rows or
    data of unknown length they do not: then each hands out a batch only when all have one, which
    takes two small reductions for each batch that is loaded, and ends the epoch with the first.

    Args:
        wiring: of the run.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        # Stays when an epoch is broken off: what was granted still waits on all ranks.
        self._granted = 0
        self.in_lockstep = False
        """Whether the ranks agree on each batch of the epoch under way."""
        self.counts_on_rows = False
        """Whether the ranks keep step by the rows that their samplers give."""

    def begin_epoch(self) -> None:
        """Look once for all batches of an epoch, in which none of it changes."""
        config, several = self._wiring.config, self._wiring.ranks.size > 1
        varies = config.selection != "quota" or config.nonfinite == "drop"
        self.in_lockstep = several and (varies or self._wiring.extent.shape is None)
        self.counts_on_rows = several and not self.in_lockstep

    def take(self, full_batches: int) -> bool:
        """Return whether a full batch may be handed out now, and count it."""
        if not self.in_lockstep:
            return full_batches > 0
        # Rows of a saved state wait for their form: what was granted of them is granted again.
        if self._granted == 0 or full_batches == 0:
            return False
        self._granted -= 1
        return True

    def all_go_on(self, goes_on: bool, error: Exception | None) -> bool:  # noqa: FBT001 - a fact
        """Return whether every rank has a batch to score; no rank scores before.

        A sharded model is scored by all ranks at once, or by none.

        Args:
            goes_on: whether this one has.
            error: what went wrong here, if anything did.

        Raises:
            SiftRankError: something went wrong on another rank.
        """
        if not self.in_lockstep:
            return goes_on
        return bool(self._least(error, int(goes_on))[0])

    def agree(self, own: Readiness, error: Exception | None) -> Readiness:
        """Return what all ranks can do.

        Args:
            own: what this one can do.
            error: what went wrong here, if anything did.

        Raises:
            SiftRankError: something went wrong on another rank.
        """
        if not self.in_lockstep:
            return own
        self._granted, flushes = self._least(error, own.full_batches, int(own.flushes))
        return Readiness(self._granted, bool(flushes))

    def _least(self, error: Exception | None, *numbers: int) -> list[int]:
        ranks = self._wiring.ranks
        if error is not None:
            ranks.failed(f"{type(error).__name__}: {error}")
        # The wait for slower ranks is part of what sifting costs.
        with self._wiring.meter.timing("score"):
            is_well, *least = ranks.least([int(error is None), *numbers], kind="batch")
        if not is_well:
            raise error or SiftRankError(ranks.reason() or "another rank has failed")
        return least

    def batches_of_all(self, own: int) -> int:
        """Return how many batches of an epoch all ranks can give, where that is known at its start.

        Raises:
            SiftRankError: another rank has failed.
        """
        return self._wiring.ranks.least([own], kind="epoch")[0] if self.in_lockstep else own

    def state_dict(self) -> dict[str, Any]:
        """Return the batches granted that were not taken yet."""
        return {_GRANTED_KEY: self._granted}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self._granted = state[_GRANTED_KEY]
