"""One job's part of a report page: its figures, its charts, its config and its notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

from sift_toolkit.client._compare_figures import accuracy_figure, times_figure
from sift_toolkit.client._compare_html import notes_html
from sift_toolkit.client._compare_rows import ComparedJob, is_finished
from sift_toolkit.client._job_words import duration, pairs_of_facts
from sift_toolkit.client._page_shell import Section
from sift_toolkit.display import Figure, figures_html, pairs_table
from sift_toolkit.outside import brief
from sift_toolkit.report import class_figure, kept_figure, loss_figure

if TYPE_CHECKING:
    from sift_toolkit.client._job_facts import JobFacts

__all__ = ["job_section"]

_SECONDS_UNTIL: Final = 100.0
"""From here on a time is shown in minutes and hours."""
_STUCK: Final = (
    "Samples whose loss stays at the top however often they are trained on, those longest there "
    "first. Their labels may be wrong: look at them in your data. The numbers are positions in the "
    "dataset."
)


class _Tile(NamedTuple):
    """One figure, large."""

    name: str
    value: str
    meaning: str


def job_section(job: ComparedJob, notes: Sequence[str] = ()) -> Section:
    """Return all that is known of a job.

    Args:
        job: The job, beside its twin where there is one.
        notes: Sentences that stand in no other part of the page.
    """
    history = job.facts.history
    parts = [_tiles_html(_tiles(job)), figures_html(_figures(job), heading=3)]
    if history is not None and history.stuck_ids:
        parts.append(_stuck_html(history.stuck_ids))
    if job.facts.config is not None:
        parts.append(f"<h3>Sift config of {escape(job.label)}</h3>")
        parts.append(job.facts.config._repr_html_())
    parts.append("<details><summary>All that is known of this job</summary>")
    parts.append(pairs_table(f"All that is known of {job.label}", pairs_of_facts(job.facts)))
    parts.append("</details>")
    told = [] if history is None else [f"The job noted: {note}" for note in history.notes]
    if said := [*told, *notes]:
        parts += ["<h3>Notes</h3>", notes_html(said)]
    return Section(job.label, "\n".join(parts))


def _figures(job: ComparedJob) -> list[Figure]:
    of = f" of {job.label}"
    history = job.facts.history
    drawn = [times_figure([job], of), accuracy_figure([job], of)]
    if history is not None:
        drawn[:0] = [kept_figure(history, of)]
        drawn += [loss_figure(history, of), class_figure(history, of)]
    return [figure for figure in drawn if figure is not None]


def _tiles(job: ComparedJob) -> Iterator[_Tile]:
    figures = job.facts.figures
    if not is_finished(job.facts):
        yield _status_tile(job.facts)
    if figures.kept_share is not None:
        yield _Tile("Data kept", f"{figures.kept_share:.1%}", "of the samples seen")
    yield from _savings(job)
    if figures.validation_accuracy is not None:
        beside = job.accuracy_difference
        meaning = "" if beside is None else f", {beside:+.2f} points beside the twin"
        yield _Tile("Accuracy", f"{figures.validation_accuracy:.2%}", f"on held-out data{meaning}")
    if figures.training_seconds is not None:
        spent = figures.training_seconds
        words = duration(spent) if spent >= _SECONDS_UNTIL else f"{spent:.1f} s"
        yield _Tile("Time", words, "loading, scoring and training")
    if job.cost_money is not None:
        saved = job.saved_money
        meaning = "" if saved is None else f", {saved:,.3f} less than the twin"
        yield _Tile("Cost", f"{job.cost_money:,.3f}", f"money, at the price given{meaning}")


def _status_tile(facts: JobFacts) -> _Tile:
    """Say first that what follows is of a job that did not come to its end."""
    progress = facts.figures.progress
    meaning = [] if progress is None else [f"at {progress:.0%} of the training"]
    if facts.failure_reason:
        meaning.append(brief(facts.failure_reason))
    return _Tile("Status", facts.status or "Unfinished", ": ".join(meaning))


def _savings(job: ComparedJob) -> Iterator[_Tile]:
    """Yield what was saved: measured beside the twin, else by the job's own estimate."""
    figures = job.facts.figures
    if job.is_twin:
        yield _Tile("Sifting", "off", "the twin that the others are compared to")
        return
    if job.training_time_saved is not None:
        yield _Tile("Time saved", f"{job.training_time_saved:.1%}", "of the twin's, measured")
    elif figures.estimated_saving is not None:
        meaning = "against training on all, the job's own estimate"
        yield _Tile("Time saved", f"{figures.estimated_saving:.1%}", meaning)
    if figures.counted_cost is not None:
        meaning = "of plain training's, a scored sample as a third of a trained one"
        yield _Tile("Passes made", f"{figures.counted_cost:.1%}", meaning)


def _tiles_html(tiles: Iterator[_Tile]) -> str:
    drawn = "\n".join(
        f'<div><dt>{escape(name)}</dt><dd class="value">{escape(value)}</dd>'
        f"<dd>{escape(meaning)}</dd></div>"
        for name, value, meaning in tiles
    )
    return f'<dl class="tiles">\n{drawn}\n</dl>' if drawn else ""


def _stuck_html(ids: Sequence[int]) -> str:
    named = ", ".join(str(each) for each in ids)
    return (
        f"<h3>Samples stuck at the top of the losses: {len(ids)} named</h3>\n"
        f"<p>{escape(_STUCK)}</p>\n<details><summary>Their ids</summary>\n"
        f'<p class="ids">{escape(named)}</p></details>'
    )
