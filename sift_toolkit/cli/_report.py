"""`sift-toolkit report`: one job, or several side by side, as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from sift_toolkit.cli._aws_session import session_of
from sift_toolkit.cli._job_arguments import labelled, price_of, price_option
from sift_toolkit.cli._options import JobArgument, aws_options, json_option
from sift_toolkit.cli._printing import print_json, written


@click.command(
    epilog="""Examples:

\b
  sift-toolkit report sift-jobs/train-20261123-101500-123
  sift-toolkit report plain=twin sifted=letters-sifted --price-per-hour 1.41 -o twins.html

Exit code 0 wherever the jobs could be read, be they failed or still running.""",
    short_help="Make a page of one job, or of several compared.",
)
@click.argument("jobs", nargs=-1, required=True, type=JobArgument(), metavar="[LABEL=]JOB...")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    metavar="FILE",
    help="Where the page goes.",
)
@click.option("--title", help="Of the page.  [default: the job, or what is compared]")
@price_option
@aws_options
@json_option
def report(
    jobs: Sequence[str],
    *,
    output: Path,
    title: str | None,
    prices: Sequence[str],
    region: str | None,
    profile: str | None,
    as_json: bool,
) -> None:
    """Write one HTML file about JOBs; of several their comparison comes first.

    A JOB is the name of a training job in AWS, a sift_report.json, a file with a job's log, or the
    folder of a job that `sift-toolkit run` made. The file loads nothing from anywhere, and holds
    no data: numbers, class numbers and positions of samples.
    """
    from sift_toolkit.client._report_page import report_page

    page = report_page(
        labelled(jobs),
        title=title,
        price_per_hour=price_of(prices),
        session=session_of(region, profile),
    )
    with written(output):
        page.save(output)
    if as_json:
        print_json({"title": page.title, "file": str(output), "bytes": output.stat().st_size})
    else:
        click.echo(f"{page.title}: {click.format_filename(output)}")
