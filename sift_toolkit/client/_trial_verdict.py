"""The verdict of a trial: sift, train shorter, leave it as it is, or not enough seeds to tell.

The rule. As good as plain training in full is an arm whose mean difference to it, paired by seed,
is no lower than minus the tolerance. Of the arms as good that cost less, these may be recommended:

- a sifting arm, measured with two seeds or more, whose interval of advantage over plain training
  of its own cost lies above 0, intervals being so wide that those of all arms hold at once;
- plain training of fewer epochs, measured with two seeds or more.

The cheapest of these is recommended. Where it is no sifting arm, and a cheaper one may yet be
better than plain training of its cost by more than the tolerance (its mean advantage is above 0,
and its interval reaches beyond the tolerance), there are not enough seeds to tell.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sift_toolkit.client._trial_rows import ArmRow
from sift_toolkit.client._trial_statistics import Estimate
from sift_toolkit.config import SiftConfig

__all__ = ["TrialVerdict", "VerdictKind", "saved_share", "verdict_of"]

VerdictKind = Literal["sift", "shorter", "full", "unknown"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialVerdict:
    """What to do, by what a trial has measured."""

    kind: VerdictKind
    """ "sift", "shorter" (plain training of fewer epochs), "full" (plain training as it is), or
    "unknown": not enough seeds to tell."""
    row: ArmRow | None = None
    """The arm that is recommended; for "unknown" the one that more seeds would decide about, None
    where there is none."""
    nearest: ArmRow | None = None
    """For "full" the sifting arm whose score came nearest, None where none was measured."""
    fallback: TrialVerdict | None = None
    """For "unknown": what holds until then."""
    reason: str = ""
    """Why, in words."""

    @property
    def config(self) -> SiftConfig | None:
        """The config to sift with; None: do not sift, or not yet."""
        return self.row.arm.config if self.kind == "sift" and self.row is not None else None

    @property
    def saving(self) -> Estimate | None:
        """Share of the passes of plain training in full that the arm saves."""
        return None if self.row is None else saved_share(self.row.cost)

    @property
    def seconds_saving(self) -> Estimate | None:
        """The same of the seconds loading, scoring and training; None: they are not known."""
        return None if self.row is None else saved_share(self.row.seconds)

    def to_json(self) -> dict[str, Any]:
        """Return what it holds, fit for JSON."""
        config = None if self.config is None else dataclasses.asdict(self.config)
        row, saving, seconds = self.row, self.saving, self.seconds_saving
        return {
            "kind": self.kind,
            "reason": self.reason,
            "arm": None if row is None else row.arm.label,
            "config": config,
            "epochs": None if row is None else row.arm.epochs,
            "seeds": 0 if row is None else len(row.seeds),
            "saving": saving and saving.to_json(),
            "seconds_saving": seconds and seconds.to_json(),
            "difference": row and row.difference and row.difference.to_json(),
            "advantage": row and row.advantage and row.advantage.to_json(),
            "nearest": self.nearest and self.nearest.arm.label,
            "fallback": self.fallback and self.fallback.to_json(),
        }


def verdict_of(rows: Sequence[ArmRow], tolerance: float) -> TrialVerdict:
    """Return the verdict on arms, plain training in full being the first of them.

    Args:
        rows: What was measured.
        tolerance: How much worse than plain training in full is as good, in the metric's unit.
    """
    full = rows[0]
    if len(full.seeds) < 2:
        measured = f"{len(full.seeds)} seed{'' if len(full.seeds) == 1 else 's'}"
        reason = f"plain training in full was measured with {measured} only, beside all the others"
        return TrialVerdict(kind="unknown", reason=reason)
    good = sorted((row for row in rows[1:] if _is_as_good(row, tolerance)), key=_cost)
    best = next((row for row in good if _is_sure(row)), None)
    decided = _decided(best, full, rows, tolerance)
    if decided.kind == "sift":
        return decided
    limit = 1.0 if best is None else _cost(best)
    undecided = [row for row in good if _cost(row) < limit and _is_undecided(row, tolerance)]
    if not undecided:
        return decided
    most = max(undecided, key=lambda row: row.advantage.mean if row.advantage else 0.0)
    reason = "its advantage over plain training of the same cost may be chance"
    return TrialVerdict(kind="unknown", row=most, fallback=decided, reason=reason)


def _decided(
    best: ArmRow | None, full: ArmRow, rows: Sequence[ArmRow], tolerance: float
) -> TrialVerdict:
    if best is None:
        reason = _why_full(rows, tolerance)
        return TrialVerdict(kind="full", row=full, nearest=_nearest(rows), reason=reason)
    if best.arm.kind == "plain":
        reason = "no arm that sifts is as good for less"
        return TrialVerdict(kind="shorter", row=best, reason=reason)
    reason = "it is the cheapest that is as good as plain training, and no chance"
    return TrialVerdict(kind="sift", row=best, reason=reason)


def _why_full(rows: Sequence[ArmRow], tolerance: float) -> str:
    good = [row for row in rows[1:] if _is_as_good(row, tolerance)]
    if good:
        return "no arm as good as plain training beats plain training of its own cost"
    return "no arm that costs less is as good as plain training"


def _nearest(rows: Sequence[ArmRow]) -> ArmRow | None:
    """Return the sifting arm that lost least beside plain training in full."""
    sifting = [row for row in rows if row.arm.kind != "plain" and row.is_candidate]
    return max(
        sifting, key=lambda row: row.difference.mean if row.difference else 0.0, default=None
    )


def _is_as_good(row: ArmRow, tolerance: float) -> bool:
    """Whether an arm may be recommended by its score: for less than plain training in full."""
    difference = row.difference
    return (
        row.is_candidate
        and difference is not None
        and difference.mean >= -tolerance
        and _cost(row) < 1
    )


def _is_sure(row: ArmRow) -> bool:
    if row.arm.kind == "plain":
        return len(row.seeds) > 1
    return row.advantage is not None and row.advantage.n > 1 and row.advantage.low > 0


def _is_undecided(row: ArmRow, tolerance: float) -> bool:
    advantage = row.advantage
    return advantage is not None and advantage.mean > 0 and advantage.high > tolerance


def _cost(row: ArmRow) -> float:
    assert row.cost is not None
    return row.cost.mean


def saved_share(cost: Estimate | None) -> Estimate | None:
    """Return the share saved, of a cost in shares of plain training in full."""
    if cost is None:
        return None
    return Estimate(1 - cost.mean, 1 - cost.high, 1 - cost.low, cost.n)
