"""Whether a batch that is a list is indexed by sample or by feature, told by the batch size."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sift_toolkit.sifting import Batch, Layout
from sift_toolkit.sifting._containers import is_array, is_list, leaves
from sift_toolkit.sifting._source import shape_of
from sift_toolkit.smart_sifting._exceptions import UnsupportedDataFormatException


class InferredLayout(Layout):
    """Finds the samples of lists as AWS does: where there are as many as the batch size says.

    The first list that tells decides for all: an epoch's last batch may be shorter. Batches of
    other types, and lists that do not tell, are judged by what they hold, as a `Layout` does.

    Args:
        loader: the one inside, which may know its batch size and how short its last batch is.
    """

    def __init__(self, loader: object) -> None:
        super().__init__()
        self._batch_size: int | None = getattr(loader, "batch_size", None)
        shape = shape_of(loader)
        # A run that goes on from a checkpoint may see that batch first.
        self._short = None if shape is None else shape.rows % shape.batch_size
        self._found: Layout | None = None

    def rows_first(self, batch: Batch) -> Batch:
        """Return the batch with its samples where the rest of this package looks for them.

        Raises:
            UnsupportedDataFormatException: it may as well be indexed by sample as by feature.
        """
        if not is_list(batch):
            return batch
        if self._found is None:
            self._found = self._layout_of(batch)
        return batch if self._found is None else self._found.rows_first(batch)

    def as_given(self, transform: Callable[[Batch], Batch] | None) -> Callable[[Batch], Batch]:
        """Return what makes of rows what a loss is given."""
        assert transform is None, "AWS's loader has no other transform"
        return self.back

    def back(self, batch: Batch) -> Batch:
        """Return what `rows_first` returned, or rows of it, in the user's form."""
        return batch if self._found is None else self._found.back(batch)

    def _layout_of(self, batch: Batch) -> Layout | None:
        index = _indices(batch, self._batch_size)
        if len(index) > 1:
            msg = (
                f"dimension 0 and dimension 1 of a batch of type {type(batch).__name__} both match "
                f"the batch size, {self._batch_size}: set batch_format_index=0 if it is indexed by "
                "sample (batch[i] is a sample), 1 if it is indexed by feature (batch[0] holds the "
                "first feature of all samples)"
            )
            raise UnsupportedDataFormatException(msg)
        index = index or _indices(batch, self._short)
        return Layout(index[0]) if len(index) == 1 else None


def _indices(batch: Batch, size: int | None) -> list[int]:
    """Return by what a list may be indexed, if it holds *size* samples: 0 sample, 1 feature."""
    if not size:
        return []
    matches = (len(batch) == size, set(_lengths(batch)) == {size})
    return [index for index, is_match in enumerate(matches) if is_match]


def _lengths(features: Batch) -> Iterator[int]:
    """Yield how many rows each part would hold, were the batch indexed by feature."""
    for feature in features:
        for leaf in leaves(feature):
            if is_list(leaf) or (is_array(leaf) and leaf.ndim > 0):
                yield len(leaf)
