"""Whether a batch that is a list is indexed by sample or by feature, told by the batch size."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sift_toolkit.sifting import Batch, Layout
from sift_toolkit.sifting._containers import is_array, is_list, leaves
from sift_toolkit.smart_sifting._exceptions import UnsupportedDataFormatException


class InferredLayout(Layout):
    """Finds the samples of lists as AWS does: where there are as many as the batch size says.

    The first list that tells decides for all: an epoch's last batch may be shorter. Batches of
    other types, and lists that do not tell, are judged by what they hold, as a `Layout` does.

    Args:
        batch_size: samples in a full batch of the loader inside; None: not known.
    """

    def __init__(self, batch_size: int | None) -> None:
        super().__init__()
        self._batch_size = batch_size
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
        size = self._batch_size
        if size is None:
            return None
        by_sample, by_feature = len(batch) == size, set(_lengths(batch)) == {size}
        if by_sample and by_feature:
            msg = (
                f"dimension 0 and dimension 1 of a batch of type {type(batch).__name__} both match "
                f"the batch size, {size}: set batch_format_index=0 if it is indexed by sample "
                "(batch[i] is a sample), 1 if it is indexed by feature (batch[0] holds the first "
                "feature of all samples)"
            )
            raise UnsupportedDataFormatException(msg)
        if by_sample or by_feature:
            return Layout(0 if by_sample else 1)
        return None


def _lengths(features: Batch) -> Iterator[int]:
    """Yield how many rows each part would hold, were the batch indexed by feature."""
    for feature in features:
        for leaf in leaves(feature):
            if is_list(leaf) or (is_array(leaf) and leaf.ndim > 0):
                yield len(leaf)
