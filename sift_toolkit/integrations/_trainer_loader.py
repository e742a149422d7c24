"""What a Trainer iterates: a sifted loader without a length, in whole accumulation groups.

A Trainer takes one length for all epochs, and an epoch's last batches make an optimizer step only
where that length says so. Sifted epochs differ in length. So it is told none: it trains for
`max_steps` then, and its epochs end when the loader's do. Batches that fill no group at the end of
an epoch come first in the next one, so that every group makes a step, in every version.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sift_toolkit.sifting import Batch, SiftingDataloader

_SIFTED_KEY: Final = "sifted"
_HELD_KEY: Final = "held"
_EPOCHS_KEY: Final = "epochs_ended"
_GIVEN_KEY: Final = "given"
_UNDER_WAY_KEY: Final = "under_way"
_LONGEST_LOOK_AHEAD: Final = 1024


class TrainerLoader:
    """Gives a Trainer the batches of a sifted loader, one epoch after the other.

    Args:
        sifted: the sifted loader; its own epochs.
        group: batches of one optimizer step.
    """

    def __init__(self, sifted: SiftingDataloader, group: int) -> None:
        self.sifted = sifted
        self._group = group
        self._batches: Iterator[Batch] | None = None
        self._held: list[Batch] = []
        self._epochs_ended = 0
        self._given = 0
        self._resumes = False
        self._with_trainer: deque[Batch | None] = deque(maxlen=_LONGEST_LOOK_AHEAD)

    @property
    def dataset(self) -> Any:
        """The dataset of the loader inside."""
        return self.sifted.dataset

    @property
    def batch_size(self) -> int | None:
        """Samples in a full batch."""
        return self.sifted.batch_size

    @property
    def epoch(self) -> float:
        """How many epochs of the data have come by, the share of the one under way included."""
        length = self._length()
        if self._batches is None or not length:
            return float(self._epochs_ended)
        return self._epochs_ended + min(self._given / length, 1.0)

    def _length(self) -> int | None:
        """Return the batches of the epoch under way, None if that is not known."""
        try:
            return len(self.sifted)
        except TypeError:
            return None

    def __iter__(self) -> Iterator[Batch]:
        """Begin the next epoch, or go on with the one a loaded state was in."""
        self._with_trainer.clear()
        self._begin()
        return self._groups()

    def _begin(self) -> None:
        self.sifted.set_epoch(self._epochs_ended)
        self._batches = iter(self.sifted)
        self._given = self._given if self._resumes else 0
        self._resumes = False

    def _groups(self) -> Iterator[Batch]:
        """Yield the groups of an epoch; of several, where one does not fill a group."""
        has_given = False
        while not has_given or self._batches is not None:
            if self._batches is None:
                self._begin()
            batches, self._held = self._held, []
            # The losses of these cannot come back: their epoch is over, what follows is decided.
            known: list[Batch | None] = [None] * len(batches)
            while len(batches) < self._group and (batch := self._next()) is not None:
                batches.append(batch)
                known.append(batch)
            if len(batches) < self._group:
                self._held = batches
                continue
            has_given = True
            self._with_trainer.extend(known)
            yield from batches

    def _next(self) -> Batch | None:
        if self._batches is None:
            return None
        batch = next(self._batches, None)
        if batch is None:
            self._batches = None
            self._epochs_ended += 1
        else:
            self._given += 1
        return batch

    def end_if_over(self) -> bool:
        """End the epoch if it has no whole group left; return whether it has ended.

        To be called between steps, when nothing is fetched that was not trained on.
        """
        length = self._length() if self._batches is not None else None
        if self._batches is not None and (length is None or length - self._given >= self._group):
            return False
        while (batch := self._next()) is not None:
            self._held.append(batch)
        return True

    def take_back(self) -> Batch | None:
        """Return, once for each batch in order, the batch whose losses come back now.

        None: it is of an epoch that is over, and nobody waits for its losses.
        """
        return self._with_trainer.popleft() if self._with_trainer else None

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed to go on after the step that was made last."""
        return {
            _SIFTED_KEY: self.sifted.state_dict(),
            # As plain containers: what a state may hold that is loaded with weights_only=True.
            _HELD_KEY: [dict(each) if isinstance(each, Mapping) else each for each in self._held],
            _EPOCHS_KEY: self._epochs_ended,
            _GIVEN_KEY: self._given,
            _UNDER_WAY_KEY: self._batches is not None or self._resumes,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a saved loader was.

        Raises:
            SiftStateError: the state is of another config, of other data or of another version.
        """
        self.sifted.load_state_dict(state[_SIFTED_KEY])
        self._held = list(state[_HELD_KEY])
        self._epochs_ended = state[_EPOCHS_KEY]
        self._given = state[_GIVEN_KEY]
        self._resumes = state[_UNDER_WAY_KEY]
        self._batches = None
