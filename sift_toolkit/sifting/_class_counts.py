"""How many rows of each class came by, and how many of them were chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor

from sift_toolkit.report import ClassTotals
from sift_toolkit.sifting._labels import NumberedLabels

_MOST_CLASSES: Final = 10_000
"""Classes that are still reported."""


class ClassCounts:
    """Totals of a run by class; of labels and numbers only.

    Args:
        note: is told, once, that there are too many classes to report.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._too_many = False
        self._totals = _nothing()

    def add(self, labels: NumberedLabels, chosen: Tensor | None) -> None:
        """Count rows.

        Args:
            labels: of the rows.
            chosen: shape (kept,), int64, those that were chosen; None: all were.
        """
        if self._too_many:
            return
        classes = labels.values.numel()
        seen = labels.numbers.bincount(minlength=classes)
        kept = seen if chosen is None else labels.of(chosen).numbers.bincount(minlength=classes)
        there = seen > 0
        self._merge(torch.stack([labels.values, seen, kept])[:, there])

    def _merge(self, added: Tensor) -> None:
        own = self._totals[0]
        places = torch.searchsorted(own, added[0])
        if own.numel() and torch.equal(own[places.clamp_max(own.numel() - 1)], added[0]):
            self._totals[1:].index_add_(1, places, added[1:])
            return
        both = torch.cat([self._totals, added], dim=1)
        values, numbers = torch.unique(both[0], return_inverse=True)
        if values.numel() > _MOST_CLASSES:
            self._give_up(values.numel())
            return
        counts = torch.zeros((2, values.numel()), dtype=torch.int64)
        self._totals = torch.cat([values[None], counts.index_add_(1, numbers, both[1:])])

    def _give_up(self, classes: int) -> None:
        self._too_many = True
        self._totals = _nothing()
        self._note(
            f"what was chosen of each class is not reported: there are {classes:,} classes or "
            f"more, reported are up to {_MOST_CLASSES:,}"
        )

    def totals(self) -> ClassTotals | None:
        """Return the totals by class, None where no labels came or there are too many classes."""
        if not self._totals.numel():
            return None
        labels, seen, chosen = (tuple(row) for row in self._totals.tolist())
        return ClassTotals(labels=labels, seen=seen, chosen=chosen)

    def state_dict(self) -> dict[str, Any]:
        """Return the totals."""
        return {"too_many": self._too_many, "totals": self._totals.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from saved totals."""
        self._too_many = state["too_many"]
        self._totals = torch.tensor(state["totals"], dtype=torch.int64)


def _nothing() -> Tensor:
    """Return rows for labels, seen and chosen, without a class."""
    return torch.empty((3, 0), dtype=torch.int64)
