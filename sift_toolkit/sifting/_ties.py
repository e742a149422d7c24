"""Losses in groups of equal ones: what shares a percentile shares its chance."""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor

_EXACT_UP_TO: Final = 1 << 17
"""Samples up to which only equal losses are ties; above, the upper half of a float's bits ties."""
_LOWER_BITS: Final = 16
_BINS: Final = 1 << 16
_NONE: Final = -1


class TiedLosses(NamedTuple):
    """Losses in groups, in ascending order of their losses."""

    groups: Tensor
    """Shape (samples,), int32, each sample's group; -1 where its loss is not finite."""
    losses: Tensor
    """Shape (groups,), float32, the loss that stands for each group."""
    low: Tensor
    """Shape (groups,), float64, the share of the known losses below the group."""
    high: Tensor
    """Shape (groups,), float64, the share below the group or in it."""

    @property
    def median(self) -> float:
        """The median of the known losses, the lower one of two; 0 where none is known."""
        if not self.losses.numel():
            return 0.0
        return float(self.losses[torch.searchsorted(self.high, 0.5)])


def tied_losses(losses: Tensor) -> TiedLosses:
    """Put losses into groups of equal ones.

    Of many samples, losses within a hundredth of each other are ties: groups are then the values
    of the upper 16 bits of a float, counted in one pass, with no sort.

    Args:
        losses: shape (samples,), float32; those that are not finite belong to no group.
    """
    exact = losses.numel() <= _EXACT_UP_TO
    groups, values, counts = _equal_losses(losses) if exact else _binned_losses(losses)
    shares = counts.cumsum(0).to(torch.float64) / max(int(counts.sum()), 1)
    below = torch.cat([torch.zeros(1, dtype=torch.float64), shares])[:-1]
    return TiedLosses(groups, values, below, shares)


def _equal_losses(losses: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return each sample's group, the groups' losses, and how many samples they have."""
    known = torch.isfinite(losses)
    values, places = torch.unique(losses[known], return_inverse=True)
    groups = torch.full(losses.shape, _NONE, dtype=torch.int32)
    groups[known] = places.to(torch.int32)
    return groups, values, places.bincount(minlength=values.numel())


def _binned_losses(losses: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the same with the upper halves of the losses' bits as groups.

    Few passes over the samples: everything else is done on the 65,536 possible upper halves.
    """
    codes = losses.contiguous().view(torch.int32) >> _LOWER_BITS
    codes += _BINS // 2
    counts = codes.bincount(minlength=_BINS)
    middles = _middles()
    used = torch.where((counts > 0) & torch.isfinite(middles))[0]
    used = used[middles[used].argsort()]
    group_of_code = torch.full((_BINS,), _NONE, dtype=torch.int32)
    group_of_code[used] = torch.arange(used.numel(), dtype=torch.int32)
    return group_of_code.index_select(0, codes), middles[used], counts[used]


def _middles() -> Tensor:
    """Return the float in the middle of those that share each upper half, not finite for some."""
    upper = torch.arange(-_BINS // 2, _BINS // 2, dtype=torch.int32)
    return ((upper << _LOWER_BITS) + (1 << (_LOWER_BITS - 1))).view(torch.float32)
