"""`sift-toolkit compare`: what sifting saved, from jobs, reports or logs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from sift_toolkit.cli._aws_session import session_of
from sift_toolkit.cli._job_arguments import labelled, price_of, price_option
from sift_toolkit.cli._options import JobArgument, aws_options, json_option
from sift_toolkit.cli._printing import print_json, written

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
@price_option
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
    help="Write a page too, with the tables and charts.",
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
        labelled(jobs), price_per_hour=price_of(prices), session=session_of(region, profile)
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
        click.echo(f"picture: {click.format_filename(plot)}", err=as_json)
    if html is not None:
        with written(html):
            html.write_text(comparison.to_html(), encoding="utf-8")
        click.echo(f"page: {click.format_filename(html)}", err=as_json)
