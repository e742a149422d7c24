"""What an engine knows of its rows' classes: their floors go in, what became of them comes out."""

from __future__ import annotations

from torch import Tensor

from sift_toolkit.sifting._batches import Batch
from sift_toolkit.sifting._classes import Classes
from sift_toolkit.sifting._labels import NumberedLabels, batch_labels, numbered
from sift_toolkit.sifting._wiring import Wiring


class RowClasses:
    """Tells the classes of rows, and counts what was chosen of each.

    Where nothing is sifted labels are not looked at: there is nothing to tell.

    Args:
        wiring: of the run; the counts of its meter are moved along here.
    """

    def __init__(self, wiring: Wiring) -> None:
        labels = wiring.labels if wiring.config.sifts else None
        self._meter = wiring.meter
        self._layout = wiring.layout
        self._floor = wiring.config.class_floor
        self._by_id = numbered(labels) if isinstance(labels, Tensor) else None
        self._of_batch = None if isinstance(labels, Tensor) else labels

    def of_batch(self, batch: Batch, rows: int) -> NumberedLabels | None:
        """Return the classes of a loaded batch's rows; None: there are no classes.

        Args:
            batch: with its samples in dimension 0.
            rows: of the batch.

        Raises:
            SiftUsageError: the user's function returned something else than a number a row.
        """
        if self._of_batch is None:
            return None
        with self._meter.timing("score"):
            return batch_labels(self._of_batch, self._layout.back(batch), rows)

    def floors(self, labels: NumberedLabels | None) -> Classes | None:
        """Return what a window must know to keep each class at its floor; None: nothing."""
        if labels is None or self._floor == 0:
            return None
        return Classes(labels.numbers, labels.values.numel(), self._floor)

    def floors_of(self, ids: Tensor) -> Classes | None:
        """Return the same for samples by their ids, int64."""
        return None if self._by_id is None else self.floors(self._by_id.of(ids))

    def count(self, labels: NumberedLabels | None, chosen: Tensor | None = None) -> None:
        """Count rows.

        Args:
            labels: of the rows; None: there are no classes.
            chosen: shape (kept,), int64, those that were chosen; None: all were.
        """
        if labels is not None:
            with self._meter.timing("score"):
                self._meter.classes.add(labels, chosen)

    def count_ids(self, ids: Tensor, chosen: Tensor | None = None) -> None:
        """Count samples by their ids, int64, as `count` does rows."""
        if self._by_id is not None:
            self.count(self._by_id.of(ids), chosen)
