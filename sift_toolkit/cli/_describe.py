"""`sift-toolkit describe`: what is known of a job, or what an estimator would send."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from sift_toolkit.cli._aws_session import session_of
from sift_toolkit.cli._estimator_file import estimator_in
from sift_toolkit.cli._options import JobArgument, Pair, aws_options, json_option, once
from sift_toolkit.cli._printing import facts_json, print_facts, print_json
from sift_toolkit.outside import one_line


@click.command(
    epilog="""Examples:

\b
  sift-toolkit describe letters-sifted
  sift-toolkit describe sift-jobs/train-20261123-101500-123/output/data/sift_report.json
  sift-toolkit describe --request launch.py:estimator --channel training=s3://bucket/data

Exit codes: 0 it could be described; 1 there is no such job, or AWS would refuse the request.""",
    short_help="What is known of a job, or what an estimator would send.",
)
@click.argument("job", required=False, type=JobArgument())
@click.option(
    "--request",
    metavar="FILE:NAME",
    help="Show the CreateTrainingJob request of the estimator, or of the function that returns "
    "one, that FILE calls NAME. FILE is run as a module; nothing is sent.",
)
@click.option(
    "--channel",
    "channels",
    type=Pair("name=address"),
    metavar="NAME=ADDRESS",
    multiple=True,
    help="With --request: a channel, as fit() would be given it.",
)
@click.option("--job-name", help="With --request: the job's name.  [default: made from the image]")
@aws_options
@json_option
@click.pass_context
def describe(
    ctx: click.Context,
    job: str | None,
    *,
    request: str | None,
    channels: Sequence[tuple[str, str]],
    job_name: str | None,
    region: str | None,
    profile: str | None,
    as_json: bool,
) -> None:
    """Tell all that is known of JOB, as `compare` reads it.

    With --request FILE:NAME, show what an estimator of yours would send to AWS, held against the
    limits of AWS's own API.
    """
    if (job is None) == (request is None):
        msg = "give a JOB, or --request FILE:NAME, one of them"
        raise click.UsageError(msg)
    if request is not None:
        if region or profile:
            msg = (
                "--region and --profile belong to a JOB: an estimator has a session of its own, or "
                "goes by AWS_DEFAULT_REGION and AWS_PROFILE"
            )
            raise click.UsageError(msg)
        _describe_request(ctx, request, once(channels, "--channel"), job_name, as_json=as_json)
        return
    if channels or job_name:
        msg = "--channel and --job-name belong to --request"
        raise click.UsageError(msg)
    from sift_toolkit.client._job_source import JobSources

    facts = JobSources(session_of(region, profile)).facts(str(job))
    if as_json:
        print_json(facts_json(facts))
    else:
        click.echo(one_line(facts.name))
        print_facts(facts)


def _describe_request(
    ctx: click.Context,
    place: str,
    channels: dict[str, str],
    job_name: str | None,
    *,
    as_json: bool,
) -> None:
    from sift_toolkit.client._describe import describe_request
    from sift_toolkit.testing import request_violations

    file, _, name = place.rpartition(":")
    if not file or not name:
        msg = f"--request must be FILE:NAME, got {place!r}"
        raise click.UsageError(msg)
    # Neither the user's file nor the SDK may print between the braces.
    with contextlib.redirect_stdout(sys.stderr):
        estimator = estimator_in(Path(file), name)
        request: dict[str, Any] = describe_request(estimator, channels or None, job_name=job_name)
        violations = request_violations(request)
    if as_json:
        print_json({"request": request, "violations": violations})
    else:
        print_json(request)
    for violation in violations:
        click.echo(f"AWS would refuse it: {violation}", err=True)
    ctx.exit(1 if violations else 0)
