"""Where in a batch the samples are, if not where one would look for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor

from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting._batches import Batch
from sift_toolkit.sifting._containers import is_container, is_list


class _Sample:
    """One entry of a batch that is a list of samples; nothing looks into it."""

    __slots__ = ("entry",)

    def __init__(self, entry: Any) -> None:
        self.entry = entry


class _SampleList(list[_Sample]):
    """A list of samples."""


class _SampleTuple(tuple[_Sample, ...]):
    """A tuple of samples."""

    __slots__ = ()


class _FeatureLists(tuple[Any, ...]):
    """A list of features that are lists: as a tuple it is told from a list of samples."""

    __slots__ = ()


@dataclasses.dataclass(frozen=True)
class Layout:
    """Turns batches so that the samples are found, and back into the user's form.

    As AWS's `batch_format_index` has it: the dimension of the batch that holds the samples. A list
    is indexed by sample (0) or by feature (1); a tensor has its samples in dimension 0 or 1.

    Raises:
        SiftUsageError: another index.
    """

    index: int | None = None
    """None: a list with tensors in it is indexed by feature, and tensors by sample."""

    def __post_init__(self) -> None:
        if self.index not in {None, 0, 1}:
            msg = (
                "batch_format_index must be 0 (a batch is indexed by sample), 1 (by feature) or "
                f"None, got {self.index!r}"
            )
            raise SiftUsageError(msg)

    def rows_first(self, batch: Batch) -> Batch:
        """Return the batch with its samples where the rest of this package looks for them."""
        if self.index == 0 and is_list(batch):
            return self.of_samples(batch, batch)
        if self.index == 1 and isinstance(batch, list) and not is_container(batch):
            return _FeatureLists(batch)
        return _turned(batch) if self.index == 1 else batch

    def as_given(
        self, transform: Callable[[Batch], Batch] | None
    ) -> Callable[[Batch], Batch] | None:
        """Return *transform* for batches that `rows_first` returned; None: there is nothing to do.

        Args:
            transform: of batches in the user's form.
        """
        if self.index is None or transform is None:
            return transform if self.index is None else self.back
        return lambda batch: transform(self.back(batch))

    def back(self, batch: Batch) -> Batch:
        """Return what `rows_first` returned, or rows of it, in the user's form."""
        samples = self.samples_of(batch)
        if samples is not None:
            return tuple(samples) if isinstance(batch, _SampleTuple) else samples
        if isinstance(batch, _FeatureLists):
            return list(batch)
        return _turned(batch) if self.index == 1 else batch

    def samples_of(self, batch: Batch) -> list[Any] | None:
        """Return the entries of a batch that `rows_first` made a list of samples, else None."""
        if not isinstance(batch, _SampleTuple | _SampleList):
            return None
        return [sample.entry for sample in batch]

    def of_samples(self, samples: Iterable[Any], like: Batch) -> Batch:
        """Return a list of samples as `rows_first` would have: a tuple if *like* is one."""
        entries = map(_Sample, samples)
        return _SampleTuple(entries) if isinstance(like, tuple) else _SampleList(entries)


def _turned(batch: Batch) -> Batch:
    return batch.transpose(0, 1).contiguous() if isinstance(batch, Tensor) else batch
