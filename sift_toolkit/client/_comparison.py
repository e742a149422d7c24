"""Twins compared: what sifting saved beside the same job without it, and what it cost.

Twins are run alternately (plain, sifted, plain, sifted, ...), so that a machine that slows down
slows both. Pair n is the nth plain and the nth sifted run; a saving is taken within each pair.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.display import pairs_table
from sift_toolkit.errors import SiftUsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["NOT_REPORTED", "JobFigures", "Spread", "TwinComparison", "compare_twins"]

NOT_REPORTED: Final = "not reported"
"""Stands where a job's log lacks what a figure needs."""

_NOTHING: Final = 1e-9
"""Seconds, or passes, that are none."""

_Figure: TypeAlias = "Callable[[JobFigures], float | None]"


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over repeated runs."""

    center: float
    """The mean or the median: whoever has the figure says which."""
    low: float
    high: float

    @classmethod
    def of(
        cls, values: Iterable[float | None], center: Callable[[list[float]], float]
    ) -> Spread | None:
        """Return the spread of *values*, None if one is missing: half the runs are no figure."""
        known: list[float] = []
        for value in values:
            if value is None:
                return None
            known.append(value)
        return cls(center(known), min(known), max(known)) if known else None

    def text(self, form: str) -> str:
        """Return the figure, and its range where that can be seen, each value in *form*."""
        low, high = form.format(self.low), form.format(self.high)
        return form.format(self.center) + ("" if low == high else f" ({low} to {high})")


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class TwinComparison:
    """Sifted runs beside their plain twins; a figure that one of the runs lacks is None.

    Print it, or show it in a notebook.

    Raises:
        SiftUsageError: the runs are no pairs, or there are none.
    """

    label: str
    """What is compared, say ``"Letters, keep 0.5"``."""
    plain: tuple[JobFigures, ...]
    """The runs without sifting, in order."""
    sifted: tuple[JobFigures, ...]
    """The runs with sifting, in order; each belongs to the plain run of the same place."""

    def __post_init__(self) -> None:
        if not self.plain or len(self.plain) != len(self.sifted):
            msg = (
                f"{self.label!r}: twins are compared in pairs, got {len(self.plain)} plain and "
                f"{len(self.sifted)} sifted runs; give as many of one as of the other, at least one"
            )
            raise SiftUsageError(msg)

    @property
    def kept_share(self) -> Spread | None:
        """Samples that the sifted runs chose, of those seen: the mean, 0 to 1."""
        return Spread.of((run.kept_share for run in self.sifted), statistics.mean)

    @property
    def measured_saving(self) -> Spread | None:
        """Share of the plain runs' training seconds saved, scoring charged: median of the pairs.

        Negative where sifting made training slower.
        """
        return self._saving(lambda run: run.training_seconds)

    @property
    def counted_saving(self) -> Spread | None:
        """Share of the plain runs' passes saved, a scored sample a third: median of the pairs."""
        return self._saving(lambda run: run.passes)

    @property
    def job_saving(self) -> Spread | None:
        """Share saved of the whole jobs' wall-clock seconds: median of the pairs."""
        return self._saving(lambda run: run.job_seconds)

    @property
    def plain_accuracy(self) -> Spread | None:
        """Validation accuracy of the plain runs: the mean, 0 to 1."""
        return Spread.of((run.validation_accuracy for run in self.plain), statistics.mean)

    @property
    def sifted_accuracy(self) -> Spread | None:
        """Validation accuracy of the sifted runs: the mean, 0 to 1."""
        return Spread.of((run.validation_accuracy for run in self.sifted), statistics.mean)

    @property
    def difference(self) -> Spread | None:
        """Sifted minus plain validation accuracy, in percentage points: the mean of the pairs."""
        points = self._pairs(lambda run: run.validation_accuracy, _points_gained)
        return Spread.of(points, statistics.mean)

    def __repr__(self) -> str:
        return f"<TwinComparison {self._head}>"

    def __str__(self) -> str:
        """The comparison line by line, with what the table has no room for."""
        return "\n".join([self._head, *(_line(name, words) for name, words in self._lines())])

    def _repr_html_(self) -> str:
        return pairs_table(self._head, self._lines())

    @property
    def _head(self) -> str:
        return f"{self.label} ({len(self.plain)} x plain, {len(self.sifted)} x sifted)"

    def _lines(self) -> Iterator[tuple[str, str]]:
        figures = (
            ("data kept", self.kept_share, "{:.1%}"),
            ("training time saved", self.measured_saving, "{:.1%}"),
            ("counted cost saved", self.counted_saving, "{:.1%}"),
            ("whole job's time saved", self.job_saving, "{:.1%}"),
            ("accuracy, plain", self.plain_accuracy, "{:.2%}"),
            ("accuracy, sifted", self.sifted_accuracy, "{:.2%}"),
            ("difference in points", self.difference, "{:+.2f}"),
        )
        for name, spread, form in figures:
            yield name, NOT_REPORTED if spread is None else spread.text(form)
        yield "seconds, plain", _seconds(self.plain)
        yield "seconds, sifted", _seconds(self.sifted)

    def _saving(self, cost: _Figure) -> Spread | None:
        return Spread.of(self._pairs(cost, _share_saved), statistics.median)

    def _pairs(
        self, figure: _Figure, compare: Callable[[float, float], float | None]
    ) -> Iterator[float | None]:
        for plain_run, sifted_run in zip(self.plain, self.sifted, strict=True):
            plain, sifted = figure(plain_run), figure(sifted_run)
            yield None if plain is None or sifted is None else compare(plain, sifted)


def compare_twins(
    plain: Sequence[JobFigures], sifted: Sequence[JobFigures], *, label: str
) -> TwinComparison:
    """Compare runs that were made alternately: plain, sifted, plain, sifted, ...

    Raises:
        SiftUsageError: there are not as many of one as of the other, or none at all.
    """
    return TwinComparison(label=label, plain=tuple(plain), sifted=tuple(sifted))


def _share_saved(plain: float, sifted: float) -> float | None:
    # A plain run that cost nothing had nothing to save; nor one that cost next to nothing.
    return 1 - sifted / plain if plain > _NOTHING else None


def _points_gained(plain: float, sifted: float) -> float:
    return 100 * (sifted - plain)


def _line(name: str, text: str) -> str:
    return f"  {name:<24}{text}"


def _seconds(runs: Sequence[JobFigures]) -> str:
    def median(values: Iterable[float | None]) -> str:
        spread = Spread.of(values, statistics.median)
        return NOT_REPORTED if spread is None else f"{spread.center:.1f}"

    whole = median(run.training_seconds for run in runs)
    parts = (
        f"loading {median(run.load_seconds for run in runs)}",
        f"scoring {median(run.score_seconds for run in runs)}",
        f"training loop {median(run.train_seconds for run in runs)}",
    )
    return whole if whole == NOT_REPORTED else f"{whole} ({', '.join(parts)})"
