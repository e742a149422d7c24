"""`sift-toolkit watch`: a running job's metrics as they come."""

from __future__ import annotations

import contextlib
import sys

import click

from sift_toolkit.cli._aws_session import session_of
from sift_toolkit.cli._options import JobArgument, aws_options, json_option
from sift_toolkit.cli._printing import facts_json, print_facts, print_json


@click.command(
    epilog="""Example:

\b
  sift-toolkit watch letters-sifted && sift-toolkit compare letters-plain letters-sifted

Exit codes: 0 the job completed; 1 it failed or was stopped; 130 Ctrl-C, which leaves the job
running.""",
    short_help="Follow a running job until it ends.",
)
@click.argument("job", type=JobArgument())
@click.option(
    "--every", type=float, default=10.0, show_default=True, help="Seconds between two looks."
)
@aws_options
@json_option
@click.pass_context
def watch(
    ctx: click.Context,
    job: str,
    *,
    every: float,
    region: str | None,
    profile: str | None,
    as_json: bool,
) -> None:
    """Show how far the training job JOB is, until it ends, and then what it did.

    A bar on a terminal, a line now and then elsewhere; with --json on standard error. A watch goes
    on through throttling and new credentials.
    """
    from sift_toolkit.client._watch import watch as watch_job

    # The display is drawn wherever standard output leads to.
    target = sys.stderr if as_json else sys.stdout
    with contextlib.redirect_stdout(target):
        facts = watch_job(job, session=lambda: session_of(region, profile), poll_seconds=every)
    if as_json:
        print_json(facts_json(facts))
    else:
        print_facts(facts)
    ctx.exit(0 if facts.status == "Completed" else 1)
