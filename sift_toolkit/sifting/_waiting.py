"""The fresh engine's waiting rows, and their way through a checkpoint."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from sift_toolkit.sifting._batches import Batch, Pad, num_rows
from sift_toolkit.sifting._layout import Layout
from sift_toolkit.sifting._pinning import is_pinned, pinned
from sift_toolkit.sifting._plain_rows import formed_rows, plain_rows
from sift_toolkit.sifting._refined import RefinedBuffer, Rows


class WaitingRows:
    """A buffer of chosen rows whose state holds plain tensors and words, whatever the batch's type.

    A checkpoint is read without running code, so the user's own types cannot be in it. Saved rows
    are put into the form of the first batch that comes after; until then nobody needs them.

    Args:
        layout: where the samples are in a batch.
        pad: joins rows of batches whose tensors differ in their trailing sizes.
    """

    def __init__(self, layout: Layout, pad: Pad | None) -> None:
        self._layout = layout
        self._buffer = RefinedBuffer(pad)
        self._saved: list[dict[str, Any]] = []
        self._pins = False

    def __len__(self) -> int:
        return sum((int(part["rows"]) for part in self._saved), len(self._buffer))

    def recognise(self, like: Batch) -> None:
        """Put saved rows into the form of a batch, its samples where they are looked for.

        Rows come out in pinned memory if it is in it.
        """
        self._pins = is_pinned(like)
        for part in self._saved:
            self._buffer.push(Rows(formed_rows(part, like, self._layout), part["weights"]))
        self._saved = []

    @property
    def needs_form(self) -> bool:
        """Whether saved rows wait for a batch to be recognised by."""
        return bool(self._saved)

    def push(self, batch: Batch, weights: Tensor | None) -> None:
        """Add rows at the end."""
        self._buffer.push(Rows(batch, weights))

    def pop(self, count: int) -> Rows:
        """Take out the first *count* rows."""
        batch, weights = self._buffer.pop(count)
        return Rows(pinned(batch) if self._pins else batch, weights)

    def clear(self) -> int:
        """Forget all rows; return how many there were."""
        count = len(self)
        self._buffer.clear()
        self._saved = []
        return count

    def state_dict(self) -> dict[str, Any]:
        """Return copies of the waiting rows.

        Raises:
            SiftStateError: they hold what a checkpoint cannot.
        """
        parts = [
            {"rows": num_rows(batch), "weights": weights, **plain_rows(batch, self._layout)}
            for batch, weights in self._buffer.state_dict()["parts"]
        ]
        return {"parts": [*self._saved, *parts]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the waiting rows of a saved state."""
        self.clear()
        self._saved = list(state["parts"])
