"""The last losses seen, and where a new loss stands among them."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor

_LOSSES_KEY: Final = "losses"


class LossHistory:
    """The last *length* finite losses.

    The batch that is asked about always counts in full, even if it is larger than the history:
    sifting can start with the very first batch, and a falling loss does not lower the kept share.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._losses = torch.empty(0, dtype=torch.float32)

    def join(self, losses: Tensor) -> tuple[Tensor, Tensor]:
        """Add finite losses and return their percentile intervals.

        Args:
            losses: shape (n,), finite.

        Returns:
            (low, high), float64, shape (n,): the shares of the history below each loss, and below
            or equal to it. They differ by the share of samples with that very loss.
        """
        losses = losses.to(torch.float32)
        room = max(self._length - losses.numel(), 0)
        older = self._losses[max(self._losses.numel() - room, 0) :]
        joined = torch.cat([older, losses])
        self._losses = joined if joined.numel() <= self._length else joined[-self._length :]
        return percentile_intervals(losses, joined)

    @property
    def median(self) -> float:
        """The median of the losses held, the lower one of two; 0 where there are none."""
        return float(self._losses.median()) if self._losses.numel() else 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return the losses held, oldest first."""
        return {_LOSSES_KEY: self._losses.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the losses of a saved history, the newest of them if they are too many."""
        self._losses = state[_LOSSES_KEY][-self._length :].clone()


def percentile_intervals(losses: Tensor, population: Tensor) -> tuple[Tensor, Tensor]:
    """Return the shares of *population* below, and below or equal to, each of *losses*.

    Args:
        losses: shape (n,), each of them also in the population.
        population: shape (m,), m > 0.

    Returns:
        (low, high), float64, shape (n,).
    """
    ordered = population.sort().values
    low = torch.searchsorted(ordered, losses, right=False).to(torch.float64)
    high = torch.searchsorted(ordered, losses, right=True).to(torch.float64)
    return low.div_(population.numel()), high.div_(population.numel())
