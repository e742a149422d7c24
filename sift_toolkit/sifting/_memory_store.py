"""The last known loss of every sample: five bytes each."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor

from sift_toolkit.errors import SiftStateError
from sift_toolkit.sifting._history import percentile_intervals

_LOSSES_KEY: Final = "losses"
_PASSED_OVER_KEY: Final = "passed_over"
_VALUES_KEY: Final = "values"
_MOST_VISITS: Final = 255
_EXACT_UP_TO: Final = 1 << 17
"""Samples up to which percentiles are taken from a sorted copy, not from a histogram."""
_HISTOGRAM_SHIFT: Final = 16


class SampleMemory:
    """Losses by sample id, and how often each sample was passed over since it was last chosen.

    Args:
        samples: how many there are.
        with_values: whether the user's own values are remembered too, at four bytes more.
    """

    def __init__(self, samples: int, *, with_values: bool = False) -> None:
        self._losses = torch.full((samples,), torch.nan, dtype=torch.float32)
        self._values = torch.zeros(samples, dtype=torch.float32) if with_values else None
        self._passed_over = torch.zeros(samples, dtype=torch.uint8)

    def learn(self, ids: Tensor, losses: Tensor, values: Tensor | None = None) -> int:
        """Remember losses; of an id that occurs twice, the later one.

        Args:
            ids: shape (n,), int64.
            losses: shape (n,); those that are not finite mark their sample, nothing else.
            values: the user's own, shape (n,).

        Returns:
            How many losses were not finite.
        """
        losses = losses.to(torch.float32)
        finite = torch.isfinite(losses)
        # Infinity marks a sample whose last loss was not finite; it never enters a percentile.
        self._losses[ids] = torch.where(finite, losses, torch.inf)
        if self._values is not None and values is not None:
            self._values[ids[finite]] = values[finite].to(torch.float32)
        return ids.numel() - int(finite.sum())

    def losses(self, ids: Tensor) -> Tensor:
        """Return last losses: NaN if unknown, infinite if the last one was not finite."""
        return self._losses[ids]

    def values(self, ids: Tensor) -> Tensor | None:
        """Return the user's own values."""
        return None if self._values is None else self._values[ids]

    def is_due(self, ids: Tensor, visits: int) -> Tensor:
        """Return which samples will be passed over for *visits* visits if this one does too."""
        return self._passed_over[ids] >= min(visits, _MOST_VISITS) - 1

    def visit(self, ids: Tensor, chosen: Tensor) -> None:
        """Count a visit of each of *ids*; those at the places *chosen* were chosen."""
        visits = self._passed_over[ids]
        visits += visits < _MOST_VISITS
        visits[chosen] = 0
        self._passed_over[ids] = visits

    def percentiles(self, losses: Tensor) -> tuple[Tensor, Tensor]:
        """Return where finite losses of this memory stand among all of it.

        Returns:
            (low, high), float64: the shares of known losses below each, and below or equal.
        """
        known = self._losses
        if known.numel() <= _EXACT_UP_TO:
            return percentile_intervals(losses, known[torch.isfinite(known)])
        return histogram_intervals(losses, known)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is remembered."""
        return {
            _LOSSES_KEY: self._losses.clone(),
            _PASSED_OVER_KEY: self._passed_over.clone(),
            _VALUES_KEY: None if self._values is None else self._values.clone(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what a saved memory remembered.

        Raises:
            SiftStateError: it remembered another number of samples.
        """
        saved, ours = state[_LOSSES_KEY].numel(), self._losses.numel()
        if saved != ours:
            msg = f"the saved memory is of {saved} samples, this dataset has {ours}"
            raise SiftStateError(msg)
        self._losses = state[_LOSSES_KEY].clone()
        self._passed_over = state[_PASSED_OVER_KEY].clone()
        if self._values is not None:
            self._values = state[_VALUES_KEY].clone()


def histogram_intervals(losses: Tensor, population: Tensor) -> tuple[Tensor, Tensor]:
    """Return percentile intervals in one pass, losses within a hundredth of each other as ties.

    The upper half of a float's bits orders floats as the float does, and has 2 ** 16 values.

    Args:
        losses: shape (n,), float32, finite, each of them in the population.
        population: shape (m,), float32; what is not finite is left out.
    """
    counts = torch.bincount(_bins(population[torch.isfinite(population)]), minlength=1 << 16)
    sums = counts.cumsum(0).to(torch.float64) / max(int(counts.sum()), 1)
    places = _bins(losses)
    before = torch.cat([torch.zeros(1, dtype=torch.float64), sums[:-1]])
    return before[places], sums[places]


def _bins(losses: Tensor) -> Tensor:
    bits = losses.contiguous().view(torch.int32) >> _HISTOGRAM_SHIFT
    # Negative floats order backwards, and below all positive ones.
    return torch.where(bits < 0, -bits - 1, bits + (1 << 15)).to(torch.int64)
