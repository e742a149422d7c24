"""`sift-toolkit run`: a job on this machine, without an SDK, Docker or an AWS account."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sift_toolkit.cli._host_options import (
    FOLDER,
    channel_option,
    config_option,
    environment_option,
    hooks_option,
    python_option,
    source_dir_option,
    trailing_arguments,
)
from sift_toolkit.cli._options import Pair, config_of, json_option, json_value, once
from sift_toolkit.cli._printing import print_json, print_pairs, status_text
from sift_toolkit.cli._script_arguments import hyperparameters_of
from sift_toolkit.errors import SiftJobError, SiftUsageError

if TYPE_CHECKING:
    from sift_toolkit.cli._host_run import HostRun
    from sift_toolkit.contract import JobResult

_NOTHING_SIFTED = (
    "note: a sift config was given, and nothing of sifting was reported: does the script train "
    "from the loader that sift() returns? A module of hooks needs --hooks"
)


@click.command(
    epilog="""Examples:

\b
  sift-toolkit run train.py -c keep=0.5 --channel training=data -- --epochs 3
  sift-toolkit run train.py -c keep=0.5 -c enabled=false --output twin
  sift-toolkit run hooks.py --hooks -c keep=0.5 --checkpoints checkpoints

The exit code is the job's: 0 it trained; 1 its script failed, whatever the script's own code was;
128 + n it was ended by signal n. 2: it was refused, and nothing ran. 130: Ctrl-C, and the job was
ended with all it had started.""",
    short_help="Run a training job on this machine.",
)
@click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@trailing_arguments
@hooks_option
@config_option("A field of the sift config, as keep=0.5; repeat it.  [default: train on all data]")
@click.option(
    "--hyperparameter",
    "hyperparameters",
    type=Pair("name=value"),
    metavar="NAME=VALUE",
    multiple=True,
    help="A hyperparameter: JSON where it is that, else text; the script gets --NAME VALUE.",
)
@channel_option("the job finds it in SM_CHANNEL_<NAME>.", on_this_machine=True)
@environment_option("job")
@source_dir_option
@click.option("--alone", is_flag=True, help="Only SCRIPT goes along, not its folder.")
@click.option("--checkpoints", type=FOLDER, metavar="DIR", help="Kept from job to job.")
@click.option(
    "--output",
    type=FOLDER,
    metavar="DIR",
    help="The job's folder, empty or not there yet.  [default: sift-jobs/<name of the job>]",
)
@click.option("--name", help="Name of the job.  [default: SCRIPT's, and the time]")
@python_option("runs the job")
@click.option("-q", "--quiet", is_flag=True, help="Do not show the job's log.")
@json_option
@click.pass_context
def run(
    ctx: click.Context,
    script: Path,
    script_arguments: tuple[str, ...],
    *,
    hooks: bool,
    pairs: Sequence[tuple[str, str]],
    hyperparameters: Sequence[tuple[str, str]],
    channels: Sequence[tuple[str, str]],
    environment: Sequence[tuple[str, str]],
    source_dir: Path | None,
    alone: bool,
    checkpoints: Path | None,
    output: Path | None,
    name: str | None,
    python: str,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run SCRIPT as a SageMaker training job on this machine.

    The job has the folders, environment variables and hyperparameters that SageMaker would give
    it; SCRIPT is any training script, or with --hooks a module of hooks. What stands after -- are
    its own arguments, which reach it as hyperparameters. Its log is shown as it comes; with --json
    on standard error.
    """
    from sift_toolkit.cli._host_run import DEFAULT_FOLDER, HostRun, job_name_for, outcome_json

    if alone and source_dir is not None:
        msg = "give --source-dir or --alone, not both"
        raise click.UsageError(msg)
    job = HostRun(
        script=_absolute(script),
        hooks=hooks,
        source_dir=None if alone else _absolute(source_dir or script.parent),
        name=name or job_name_for(script, datetime.now().astimezone()),
        config=config_of(pairs),
        hyperparameters=_merged(hyperparameters, script_arguments),
        channels={channel: Path(path) for channel, path in once(channels, "--channel").items()},
        environment=once(environment, "--env"),
        checkpoints=checkpoints,
    )
    folder = output or Path(DEFAULT_FOLDER) / job.name
    on_line = (lambda _: None) if quiet else lambda line: click.echo(line, err=as_json)
    try:
        result = job.go(folder, python, on_line)
    except SiftJobError as error:
        # A job that fails is a result: this one could not begin.
        raise SiftUsageError(str(error)) from error
    if as_json:
        print_json(outcome_json(job.name, result))
    else:
        _print_outcome(job, result)
    ctx.exit(result.exit_code)


def _absolute(path: Path) -> Path:
    """Return *path* from the root, without dots; links stay what they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute leaves the dots in


def _merged(pairs: Sequence[tuple[str, str]], script_arguments: Sequence[str]) -> dict[str, object]:
    given = once([*pairs, *hyperparameters_of(script_arguments).items()], "--hyperparameter")
    return {name: json_value(text) for name, text in given.items()}


def _print_outcome(job: HostRun, result: JobResult) -> None:
    from sift_toolkit.client._job_figures import JobFigures
    from sift_toolkit.client._job_words import duration
    from sift_toolkit.report import pairs_of_values

    status = status_text(result.outcome.status)
    click.echo(f"\njob {job.name}: {status} in {duration(result.seconds)}")
    figures = JobFigures.from_lines(result.tree.log_lines(), name=job.name)
    folder, log = map(click.format_filename, (result.tree.base, result.log_path))
    print_pairs([*pairs_of_values(figures.values), ("folder", folder), ("log", log)])
    if job.config is not None and result.failure is None and not figures.values:
        click.echo(f"\n{_NOTHING_SIFTED}", err=True)
    if result.failure is not None:
        click.echo(f"\nit failed (exit code {result.exit_code}): {result.failure}", err=True)
