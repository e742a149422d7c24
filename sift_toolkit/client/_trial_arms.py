"""The arms of a trial: ways to train, each with a label and a cost that is known beforehand."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftConfigError

__all__ = ["PLAIN", "ArmKind", "TrialArm", "arm_problems", "plain_arms", "sifting_arms"]

ArmKind = Literal["plain", "random", "sifted"]

PLAIN: Final = "plain"
"""Label of plain training in full."""

_MOST_SHORTENED: Final = 3
_SCORED: Final = 1 / 3
"""What a scored sample costs of a trained one."""

_DEFAULT_SHARES: Final = (0.65, 0.45, 0.25)
_LAWS: Final[Mapping[str, Mapping[str, Any]]] = {
    "learnability": {"law": "proportional", "value": "learnability"},
    "percentile": {"law": "percentile"},
}
_RANDOM: Final = "random"
_WORD: Final = re.compile(r"[^a-zA-Z0-9]+")
_LONGEST_WORD: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialArm:
    """One way to train."""

    label: str
    """What it is called in tables."""
    config: SiftConfig
    """How it sifts, but for the seed; with ``enabled=False`` not at all."""
    epochs: int
    """Epochs of each of its jobs, the schedule of the script ending there."""

    @property
    def kind(self) -> ArmKind:
        """Whether it trains on all data, on random samples, or on those that losses choose."""
        if not self.config.sifts:
            return "plain"
        return "sifted" if self.config.needs_scores else "random"

    @property
    def word(self) -> str:
        """What stands for it in the names of jobs and files."""
        return _WORD.sub("-", self.label.replace(".", "p").replace("%", "percent")).strip("-")

    def expected_cost(self, epochs: int) -> float:
        """Return the passes it will make, of those of plain training of *epochs* epochs."""
        return self.epochs / epochs * _expected_passes(self.config, self.epochs)


def sifting_arms(
    keep: Iterable[float | tuple[float, float]] | None, config: SiftConfig | None, epochs: int
) -> list[TrialArm]:
    """Return a sifted arm for each share and law, and one of random samples.

    Scores are left to the loader: the free ones of a memory, fresh ones where none is possible.

    Args:
        keep: Shares to keep, or pairs of the share at the start and at the end. Default: three.
        config: What the arms have in common, but for share and law. Default: nothing.
        epochs: Epochs of each.

    Raises:
        SiftConfigError: a share is none.
    """
    shares = [_share_of(one) for one in (_DEFAULT_SHARES if keep is None else keep)]
    base = SiftConfig(keep=1.0) if config is None else config
    laws = _laws_of(base)
    arms = [
        TrialArm(label=f"{_words(share)} {name}", config=_with(base, share, law), epochs=epochs)
        for share in shares
        for name, law in laws.items()
    ]
    if shares and _RANDOM not in laws:
        # Of one share only: it tells what choosing by losses is worth, not which share is best.
        middle = shares[len(shares) // 2]
        chance = _with(base, middle, {"law": _RANDOM})
        arms.append(TrialArm(label=f"{_words(middle)} {_RANDOM}", config=chance, epochs=epochs))
    return arms


def plain_arms(epochs: int, arms: Iterable[TrialArm]) -> list[TrialArm]:
    """Return plain training in full, and shortened to about what other arms cost.

    Of many costs three are taken, the lowest rounded down, so that what lies between is measured
    on both sides.

    Args:
        epochs: Epochs in full, at least 2.
        arms: The others.
    """
    config = SiftConfig(keep=1.0, enabled=False)
    full = TrialArm(label=PLAIN, config=config, epochs=epochs)
    costs = sorted(arm.expected_cost(epochs) for arm in arms)
    wanted = [math.floor(costs[0] * epochs)] if costs else []
    wanted += [round(cost * epochs) for cost in costs]
    each = sorted({min(max(one, 1), epochs - 1) for one in wanted})
    if len(each) > _MOST_SHORTENED:
        last = len(each) - 1
        each = [each[round(step * last / (_MOST_SHORTENED - 1))] for step in range(_MOST_SHORTENED)]
    shortened = [
        replace(full, label=f"{PLAIN}, {number} epoch{'s' if number > 1 else ''}", epochs=number)
        for number in reversed(each)
    ]
    return [full, *shortened]


def arm_problems(arms: Sequence[TrialArm]) -> list[str]:
    """Name arms that could not be told apart, or have labels that no job can be named by."""
    words = [arm.word for arm in arms]
    problems = [
        f"{words.count(word)} arms are called {word!r}: give each a label of its own"
        for word in dict.fromkeys(words)
        if words.count(word) > 1
    ]
    problems += [
        f"an arm's label must have 1 to {_LONGEST_WORD} letters, digits and signs between them, "
        f"got {arm.label!r}"
        for arm in arms
        if not 0 < len(arm.word) <= _LONGEST_WORD
    ]
    if all(arm.kind == "plain" for arm in arms):
        problems.append("a trial needs at least one arm that sifts")
    return problems


def _share_of(one: object) -> tuple[float, float | None]:
    if isinstance(one, tuple) and len(one) == 2:
        return one
    if isinstance(one, int | float) and not isinstance(one, bool):
        return float(one), None
    problem = f"keep holds shares, or pairs of the first and the last share, got {one!r}"
    raise SiftConfigError([problem])


def _words(share: tuple[float, float | None]) -> str:
    return "keep=" + "-".join(f"{part:g}" for part in share if part is not None)


def _with(
    base: SiftConfig, share: tuple[float, float | None], law: Mapping[str, Any]
) -> SiftConfig:
    changes = {"keep": share[0], "beta_value": None, "keep_end": share[1], "enabled": True, **law}
    return replace(base, **changes)


def _laws_of(base: SiftConfig) -> Mapping[str, Mapping[str, Any]]:
    """Return the laws to try: the default ones, but where the common config has one of its own."""
    default = SiftConfig(keep=1.0)
    if (base.law, base.value) != (default.law, default.value):
        return {base.value if base.law == "proportional" else base.law: {}}
    return _LAWS


def _expected_passes(config: SiftConfig, epochs: int) -> float:
    """Return the passes made of those of plain training on the same data."""
    if not config.sifts:
        return 1.0
    fresh = config.scores == "fresh" or (config.scores == "auto" and epochs == 1)
    # A memory knows nothing yet in its first epoch, which is seen in full.
    start = 1 / epochs if config.needs_scores and not fresh else 0.0
    end = max(1 - config.anneal, start)
    last = config.kept_share if config.keep_end is None else config.keep_end
    middle = config.kept_share + (start + end) / 2 * (last - config.kept_share)
    scoring = _SCORED / config.score_every if config.needs_scores and fresh else 0.0
    return 1 - (end - start) * (1 - middle - scoring)
