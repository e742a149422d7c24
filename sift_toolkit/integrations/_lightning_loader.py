"""What Lightning iterates in the place of a sifted loader."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from sift_toolkit.sifting import Batch, Rewiring, SiftingDataloader

_END: Final = object()


class EpochLoader:
    """Begins an epoch of a sifted loader once, when Lightning really does.

    Lightning calls `iter()` of a loader several times before an epoch; that of a sifted loader
    begins an epoch each time. All else is the sifted loader's own.

    Args:
        sifted: the loader.
        epoch: returns the number of the epoch that Lightning is in, for what shuffles by it.
        on_begin: is called when an epoch has begun, whose length is then known for certain.
    """

    def __init__(
        self, sifted: SiftingDataloader, epoch: Callable[[], int], on_begin: Callable[[], None]
    ) -> None:
        self.sifted = sifted
        self._epoch = epoch
        self._on_begin = on_begin
        self._batches: Iterator[Batch] | None = None
        self._resumed = 0
        self._fetched: deque[Batch] = deque()
        self.batch: Batch | None = None
        """The one that is trained on: the object that the sifted loader gave out."""
        self.trained = 0
        """Batches of the epoch that were trained on, that one included."""

    def __len__(self) -> int:
        """Return the batches of the epoch under way, or else of the next one.

        Raises:
            TypeError: it is not known exactly. Lightning then fetches one batch ahead.
        """
        config = Rewiring(self.sifted).config
        if config.sifts and config.selection == "bernoulli":
            msg = 'selection="bernoulli" gives epochs whose length nobody knows before their end'
            raise TypeError(msg)
        return len(self.sifted)

    @property
    def length(self) -> int | None:
        """The same, None if it is not known."""
        try:
            return len(self)
        except TypeError:
            return None

    @property
    def is_under_way(self) -> bool:
        """Whether an epoch has begun and not ended."""
        return self._batches is not None

    def __iter__(self) -> Iterator[Batch]:
        # A generator: nothing begins before the first batch is asked for.
        self.begin()
        assert self._batches is not None
        for batch in self._batches:
            self._fetched.append(batch)
            yield batch
        self._batches = None

    def begin(self) -> None:
        """Begin an epoch, if none is under way."""
        if self._batches is None:
            self._fetched.clear()
            self.trained = self._resumed
            self._resumed = 0
            self.sifted.set_epoch(self._epoch())
            self._batches = iter(self.sifted)
            self._on_begin()

    def start_batch(self) -> None:
        """The oldest batch fetched is trained on now."""
        self.batch = self._fetched.popleft() if self._fetched else None
        self.trained += 1

    def finish(self) -> None:
        """Let the sifted loader know that its last batch was trained on.

        Lightning asks a loader of known length for no batch after the last one.
        """
        if self._batches is not None:
            rest = next(self._batches, _END)
            assert rest is _END, "the length of a sifted epoch is exact"
        self._batches = None
        self.trained = 0

    def leave(self) -> None:
        """Let go of the epoch under way, however far it is."""
        self._batches = None
        self.batch = None

    def resume(self, state: dict[str, Any], trained: int) -> None:
        """Go on where a saved sifted loader was.

        Args:
            state: its state.
            trained: batches of its epoch that had been trained on.

        Raises:
            SiftStateError: the state is not of this loader.
        """
        self.leave()
        self._fetched.clear()
        self._resumed = trained
        self.sifted.load_state_dict(state)

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: the callback keeps the state, of all ranks.

        That there is a state tells Lightning that it can resume within an epoch.
        """
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Do nothing; see `state_dict`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "sifted":
            raise AttributeError(name)
        return getattr(self.sifted, name)
