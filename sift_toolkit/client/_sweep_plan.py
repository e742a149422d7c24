"""The jobs of a sweep: a label, a name and a config each, told before any of them is launched."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sift_toolkit.client._tuning_ranges import with_dials
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftConfigError

TWIN: Final = "plain"
"""Label of the job that sifts nothing."""


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """One job of a sweep."""

    label: str
    """What it is called in tables: "plain", or "keep=0.5"."""
    word: str
    """What its name holds of it: "plain", or "keep-50" for 50 %."""
    config: SiftConfig


def plan_sweep(
    config: SiftConfig | None, shares: object, *, twin: bool
) -> tuple[list[PlannedJob], list[str]]:
    """Return the jobs of a sweep, the twin first, and what is wrong with the shares.

    Args:
        config: What all jobs have in common, but for the share; None: nothing.
        shares: The shares to keep, each above 0 to 1.
        twin: Whether there is a job that sifts nothing.
    """
    if isinstance(shares, str) or not isinstance(shares, Iterable) or not (given := [*shares]):
        return [], [f"shares must be a list of shares to keep, as [0.3, 0.5], got {shares!r}"]
    planned, problems = [], []
    for share in given:
        try:
            planned.append(_planned(config, share))
        except SiftConfigError as error:  # noqa: PERF203 - a handful
            problems += [f"shares holds {share!r}: {problem}" for problem in error.problems]
    words = [job.word for job in planned]
    problems += [
        f"shares holds {words.count(word)} times what makes {word!r}: give each share once"
        for word in dict.fromkeys(words)
        if words.count(word) > 1
    ]
    if twin and planned:
        plain = (config or planned[0].config).plain_twin()
        planned.insert(0, PlannedJob(TWIN, TWIN, plain))
    return planned, problems


def _planned(config: SiftConfig | None, share: object) -> PlannedJob:
    own = (
        SiftConfig(keep=share)  # type: ignore[arg-type] # refused in words if it is no number
        if config is None
        else with_dials(dataclasses.replace(config, enabled=True), {"keep": share})
    )
    kept = own.kept_share
    return PlannedJob(f"keep={kept:.12g}", f"keep-{100 * kept:.10g}".replace(".", "p"), own)
