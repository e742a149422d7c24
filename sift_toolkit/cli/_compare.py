"""`sift-toolkit compare`: what sifting saved, from jobs, reports or logs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from sift_toolkit.cli._jobs import job_of, session_of
from sift_toolkit.cli._options import JobArgument, aws_options, json_option
from sift_toolkit.cli._printing import print_json
from sift_toolkit.cli._written import written

_PICTURES: Final = (".png", ".svg", ".pdf")


def _drawable(
    ctx: click.Context,  # noqa: ARG001 - click gives it
    param: click.Parameter,  # noqa: ARG001 - click gives it
    path: Path | None,
) -> Path | None:
    """Refuse the ending of a picture before any job is looked up."""
    if path is not None and path.suffix.lower() not in _PICTURES:
        msg = f"must end in {' or '.join(_PICTURES)}, got {str(path)!r}"
        raise click.BadParameter(msg)
    return path


@click.command(
    epilog="""Examples:

\b
  sift-toolkit compare letters-plain letters-sifted --price-per-hour 1.41
  sift-toolkit compare plain=twin sifted=sift-jobs/train-20261123-101500-123
  sift-toolkit compare a/sift_report.json b/sift_report.json --plot twins.png

Exit code 0 wherever the jobs could be read, be they failed or still running.""",
    short_help="Compare jobs: data kept, cost saved, accuracy.",
)
@click.argument("jobs", nargs=-1, required=True, type=JobArgument(), metavar="[LABEL=]JOB...")
@click.option(
    "--price-per-hour",
    "prices",
    multiple=True,
    metavar="[TYPE=]PRICE",
    help="What one instance costs an hour; repeat it as TYPE=PRICE for several types.",
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    callback=_drawable,
    help="Draw a picture too, .png, .svg or .pdf; needs matplotlib.",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a page too, with the table and the picture.",
)
@aws_options
@json_option
def compare(
    jobs: Sequence[str],
    *,
    prices: Sequence[str],
    plot: Path | None,
    html: Path | None,
    region: str | None,
    profile: str | None,
    as_json: bool,
) -> None:
    """Put JOBs side by side, beside the one whose sifting is off.

    A JOB is the name of a training job in AWS, a sift_report.json, a file with a job's log, or the
    folder of a job that `sift-toolkit run` made.
    """
    from sift_toolkit.client._compare import compare as compare_jobs

    comparison = compare_jobs(
        _labelled(jobs), price_per_hour=_price(prices), session=session_of(region, profile)
    )
    if as_json:
        print_json(
            {
                "twin": comparison.twin,
                "jobs": comparison.records(),
                "notes": list(comparison.notes),
            }
        )
    else:
        click.echo(str(comparison))
    # After the table, which took its time to come, and is worth having where a file cannot be.
    if plot is not None:
        with written(plot):
            comparison.plot(plot)
    if html is not None:
        with written(html):
            html.write_text(comparison.to_html(plot=comparison.has_picture), encoding="utf-8")


def _labelled(jobs: Sequence[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for text in jobs:
        label, sign, job = text.partition("=")
        # A path may have such a sign in it; the name of a job has none.
        if not sign or Path(text).exists():
            label = job = text
        if label in found:
            msg = f"{label!r} is given more than once: give each job a label of its own, LABEL=JOB"
            raise click.UsageError(msg)
        found[label] = job_of(job)
    return found


def _price(texts: Sequence[str]) -> float | dict[str, float] | None:
    pairs = [text.rpartition("=") for text in texts]
    try:
        prices = [(kind, float(number)) for kind, _, number in pairs]
    except ValueError:
        msg = f"--price-per-hour must be a number, or TYPE=NUMBER, got {' '.join(texts)}"
        raise click.UsageError(msg) from None
    if any(kind for kind, _ in prices):
        return dict(prices)
    if len(prices) > 1:
        msg = "--price-per-hour is given more than once: say for which type each is, TYPE=PRICE"
        raise click.UsageError(msg)
    return prices[0][1] if prices else None
