"""sift_report.json: a job's sifting over time, in its output data. Never holds data content."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sift_toolkit.display import figures_html, pairs_table
from sift_toolkit.errors import SiftStateError
from sift_toolkit.metrics import METRICS, Metric
from sift_toolkit.outside import damage_in_words, read_json, shown
from sift_toolkit.report._charts import report_figures
from sift_toolkit.report._values import (
    as_list,
    as_number,
    as_object,
    as_plain,
    as_text,
    as_whole,
)
from sift_toolkit.report._words import pairs_of_values, stuck_words

REPORT_FILE: Final = "sift_report.json"
"""Name of the report in a job's output data."""
REPORT_VERSION: Final = 1
"""Version of what is written; newer ones are not read."""
LOSS_PERCENTILES: Final = (5, 25, 50, 75, 95)
"""The percentiles of the kept and of the dropped losses that each observation holds."""
MOST_BYTES: Final = 1 << 28
"""Bytes of a file that is read: a report of ten million steps is smaller."""


@dataclass(frozen=True, kw_only=True)
class ClassTotals:
    """Rows by their class, totals since the job's start; whole numbers, never data."""

    labels: Sequence[int]
    """The classes that came by, as the user labels them, ascending."""
    seen: Sequence[int]
    """Rows of each that were considered for training."""
    chosen: Sequence[int]
    """Rows of each that were chosen."""

    @property
    def kept_shares(self) -> list[float]:
        """Share of each class's rows that were chosen."""
        pairs = zip(self.chosen, self.seen, strict=True)
        return [chosen / seen if seen else 1.0 for chosen, seen in pairs]


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What was known at one moment of a job; all counts and seconds are totals since its start."""

    values: Mapping[str, float]
    """Values by the name of their `Metric`."""
    kept_losses: Sequence[float] | None = None
    """`LOSS_PERCENTILES` of the losses kept since the observation before; None: none were."""
    dropped_losses: Sequence[float] | None = None
    """The same for the losses dropped."""
    stuck_ids: Sequence[int] = ()
    """At the end of an epoch: positions in the dataset of samples whose loss stays at the top
    however often they are trained on, the longest there first; their labels may be wrong."""
    classes: ClassTotals | None = None
    """At the end of an epoch, where labels were given: how many rows of each class were kept."""


@dataclass(kw_only=True, repr=False)
class SiftReport:
    """Everything a report page needs about one job; print it, or show it in a notebook."""

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

    @property
    def last_values(self) -> dict[Metric, float]:
        """The last value of each metric that was reported."""
        found = ((metric, self.last(metric.name)) for metric in METRICS)
        return {metric: value for metric, value in found if value is not None}

    @property
    def stuck_ids(self) -> list[int]:
        """The samples stuck at the top, by the last observation that names any."""
        named = (observation.stuck_ids for observation in reversed(self.observations))
        return next((list(ids) for ids in named if ids), [])

    @property
    def classes(self) -> ClassTotals | None:
        """What was kept of each class, by the last observation that tells it."""
        told = (observation.classes for observation in reversed(self.observations))
        return next((classes for classes in told if classes is not None), None)

    def __repr__(self) -> str:
        return f"<SiftReport of {len(self.observations)} observations>"

    def __str__(self) -> str:
        """What came of the job, line by line."""
        pairs = list(self._pairs())
        width = max(len(name) for name, _ in pairs)
        return "\n".join(f"{name:<{width}}  {words}" for name, words in pairs)

    def _repr_html_(self) -> str:
        return pairs_table("Sift report", self._pairs()) + figures_html(report_figures(self))

    def _pairs(self) -> Iterator[tuple[str, str]]:
        yield "observations", f"{len(self.observations):,}"
        yield from pairs_of_values(self.last_values)
        if ids := self.stuck_ids:
            yield "stuck at the top", stuck_words(ids)
        for note in self.notes:
            yield "note", note

    def write(self, path: Path) -> None:
        """Write the report to *path* at once: a reader never sees half a file.

        Values that are not finite, such as the loss of a training that diverged, are left out.
        """
        partial = path.with_name(path.name + ".partial")
        partial.write_text(self.to_json(), encoding="utf-8")
        os.replace(partial, path)  # noqa: PTH105 - the atomic one

    def to_json(self) -> str:
        """Return the report as the text of its file."""
        content = {
            "version": REPORT_VERSION,
            "loss_percentiles": LOSS_PERCENTILES,
            "config": dict(self.config),
            "notes": self.notes,
            "observations": [_to_json(observation) for observation in self.observations],
        }
        return json.dumps(content, allow_nan=False, indent=1)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> SiftReport:
        """Read a report back.

        Raises:
            SiftStateError: the file is no report, or one of a newer version.
            OSError: there is no such file.
        """
        path = Path(path)
        if (size := path.stat().st_size) > MOST_BYTES:
            msg = f"{path} is not a sift report: it has {size} bytes, one has {MOST_BYTES} at most"
            raise SiftStateError(msg)
        return cls.from_json(path.read_bytes(), str(path))

    @classmethod
    def from_json(cls, text: str | bytes, name: str) -> SiftReport:
        """Return the report that is the text of a file; *name* is what errors call it.

        Raises:
            SiftStateError: the text is no report, or one of a newer version.
        """
        with damage_in_words(f"{name} is not a sift report"):
            content = as_object(read_json(text))
            version = as_whole(content["version"])
            if version <= REPORT_VERSION:
                return cls(
                    config={
                        key: as_plain(value) for key, value in as_object(content["config"]).items()
                    },
                    notes=[as_text(entry) for entry in as_list(content["notes"])],
                    observations=[_from_json(entry) for entry in as_list(content["observations"])],
                )
        msg = (
            f"{name} has report version {shown(version)}, this package reads up to {REPORT_VERSION}"
        )
        raise SiftStateError(msg)


def _to_json(observation: Observation) -> dict[str, object]:
    values = observation.values.items()
    return {
        "values": {name: value for name, value in values if math.isfinite(value)},
        "kept_losses": observation.kept_losses,
        "dropped_losses": observation.dropped_losses,
        "stuck_ids": list(observation.stuck_ids),
        "classes": None if observation.classes is None else _classes_to_json(observation.classes),
    }


def _from_json(entry: object) -> Observation:
    content = as_object(entry)
    values = as_object(content["values"])
    return Observation(
        values={name: as_number(value) for name, value in values.items()},
        kept_losses=_losses(content["kept_losses"]),
        dropped_losses=_losses(content["dropped_losses"]),
        stuck_ids=tuple(map(as_whole, as_list(content.get("stuck_ids", [])))),
        classes=_classes_from_json(content.get("classes")),
    )


def _classes_to_json(classes: ClassTotals) -> dict[str, object]:
    return {
        "labels": list(classes.labels),
        "seen": list(classes.seen),
        "chosen": list(classes.chosen),
        "kept_shares": classes.kept_shares,
    }


def _classes_from_json(entry: object) -> ClassTotals | None:
    if entry is None:
        return None
    content = as_object(entry)
    labels, seen, chosen = (
        tuple(map(as_whole, as_list(content[name]))) for name in ("labels", "seen", "chosen")
    )
    if not len(labels) == len(seen) == len(chosen):
        msg = f"classes: {len(labels)} labels, {len(seen)} seen, {len(chosen)} chosen"
        raise ValueError(msg)
    return ClassTotals(labels=labels, seen=seen, chosen=chosen)


def _losses(entry: object) -> tuple[float, ...] | None:
    if entry is None:
        return None
    losses = tuple(map(as_number, as_list(entry)))
    if len(losses) != len(LOSS_PERCENTILES):
        msg = f"{len(losses)} losses, there is one for each of {len(LOSS_PERCENTILES)} percentiles"
        raise ValueError(msg)
    return losses
