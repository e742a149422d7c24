"""sift_report.json: a job's sifting over time, in its output data. Never holds data content."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from sift_toolkit.errors import SiftStateError

REPORT_FILE: Final = "sift_report.json"
REPORT_VERSION: Final = 1
LOSS_PERCENTILES: Final = (5, 25, 50, 75, 95)
"""The percentiles of the kept and of the dropped losses that each observation holds."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What was known at one moment of a job; all counts and seconds are totals since its start."""

    values: Mapping[str, float]
    """Values by the name of their `Metric`."""
    kept_losses: Sequence[float] | None = None
    """`LOSS_PERCENTILES` of the losses kept since the observation before; None: none were."""
    dropped_losses: Sequence[float] | None = None
    """The same for the losses dropped."""


@dataclass(kw_only=True)
class SiftReport:
    """Everything a report page needs about one job."""

    config: Mapping[str, object] = field(default_factory=dict)
    """The sift config's hyperparameters, as sent."""
    notes: list[str] = field(default_factory=list)
    """What the job decided or noticed, in words, in order."""
    observations: list[Observation] = field(default_factory=list)

    def series(self, name: str) -> list[tuple[int, float]]:
        """Return ``(index of the observation, value)`` for each that holds the metric *name*."""
        return [
            (index, observation.values[name])
            for index, observation in enumerate(self.observations)
            if name in observation.values
        ]

    def last(self, name: str) -> float | None:
        """Return the last value of the metric *name*, None if it was never reported."""
        points = self.series(name)
        return points[-1][1] if points else None

    def write(self, path: Path) -> None:
        """Write the report to *path* at once: a reader never sees half a file."""
        content = {"version": REPORT_VERSION, "loss_percentiles": LOSS_PERCENTILES, **asdict(self)}
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(content, allow_nan=False, indent=1), encoding="utf-8")
        os.replace(partial, path)  # noqa: PTH105 - the atomic one

    @classmethod
    def read(cls, path: Path) -> SiftReport:
        """Read a report back.

        Raises:
            SiftStateError: the file is no report, or one of a newer version.
        """
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            version = content["version"]
            if version > REPORT_VERSION:
                msg = f"{path} has report version {version}, this package reads {REPORT_VERSION}"
                raise SiftStateError(msg)
            return cls(
                config=content["config"],
                notes=content["notes"],
                observations=[Observation(**entry) for entry in content["observations"]],
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            msg = f"{path} is not a sift report: {error!r}"
            raise SiftStateError(msg) from error
