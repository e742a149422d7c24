"""`sift-toolkit trial`: is sifting worth it for a training, by experiment, within a budget."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
from sift_toolkit.cli._options import config_of, json_option, json_value, once
from sift_toolkit.cli._printing import print_json, written
from sift_toolkit.cli._script_arguments import hyperparameters_of
from sift_toolkit.cli._trial_values import JobSource, KeptShare


@click.command(
    epilog="""Examples:

\b
  sift-toolkit trial hooks.py --hooks --epochs 20 --channel letters=data --budget 12
  sift-toolkit trial train.py --keep 0.3 --keep 0.7:0.2 --channel training=data -- --epochs 20
  sift-toolkit trial launch.py:estimator --channel training=s3://bucket/data --max-parallel 4

Exit codes: 0 there is a verdict, be it that there are not enough seeds to tell; 1 plain training
failed, or a job could not be launched; 2 it was refused, and nothing ran; 130 Ctrl-C, 128 + n
ended by signal n: called again it goes on from there.""",
    short_help="Find out whether sifting is worth it, and how to sift.",
)
@click.argument("job", type=JobSource(), metavar="SCRIPT|FILE:NAME")
@trailing_arguments
@hooks_option
@click.option(
    "--epochs",
    type=int,
    help="Epochs of plain training in full.  [default: the script's own argument]",
)
@click.option(
    "--budget",
    type=float,
    metavar="TRAININGS",
    help="Most to spend, in full plain trainings by passes.  [default: no limit]",
)
@click.option("--budget-hours", type=float, help="Most to spend, in hours of jobs.")
@click.option(
    "--keep",
    type=KeptShare(),
    multiple=True,
    metavar="SHARE[:END]",
    help="A share to keep, falling to END; repeat it.  [default: 0.65, 0.45 and 0.25]",
)
@config_option("A field of the sift config that all sifted arms share; repeat it.")
@click.option("--seeds", default=3, show_default=True, help="Seeds of each arm, at least 2.")
@click.option(
    "--epochs-hyperparameter",
    default="epochs",
    show_default=True,
    metavar="NAME",
    help="The script's argument for the epochs, which its learning rate must follow.",
)
@click.option(
    "--seed-hyperparameter",
    default="seed",
    show_default=True,
    metavar="NAME",
    help="The one for its seed; empty: it has none.",
)
@click.option(
    "--metric",
    default="validation_accuracy",
    show_default=True,
    metavar="NAME[=REGEX]",
    help="What arms are compared by: a metric of the toolkit, or one of your own by its regex.",
)
@click.option(
    "--better",
    type=click.Choice(["higher", "lower"]),
    help="Which way the metric is better.  [default: what it says itself]",
)
@click.option(
    "--tolerance",
    type=float,
    help="How much worse is as good, in the metric's unit.  [default: 0.001 of a share]",
)
@channel_option("of an estimator what fit() would be given.")
@environment_option("jobs")
@source_dir_option
@click.option(
    "--output",
    type=FOLDER,
    metavar="DIR",
    help="The trial's folder, from which it goes on.  [default: trial-output]",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a page too, with the table and the chart.",
)
@python_option("runs the jobs")
@click.option(
    "--max-parallel", default=1, show_default=True, help="Of an estimator: jobs at a time."
)
@click.option(
    "--every",
    type=float,
    default=30.0,
    show_default=True,
    help="Of an estimator: seconds between two looks at running jobs.",
)
@json_option
def trial(
    job: str,
    script_arguments: tuple[str, ...],
    *,
    output: Path | None,
    html: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train SCRIPT plainly, for less, on random samples and sifted, and say what to do.

    SCRIPT calls sift(), or is with --hooks a module of hooks; its jobs run on this machine. With
    FILE:NAME they are those of the estimator that FILE calls NAME, or of the function that returns
    one. Arms that are worse than plain training of their cost stop early. The plan is told before
    anything runs; progress goes to standard error.
    """
    from sift_toolkit.client._trial import DEFAULT_OUTPUT
    from sift_toolkit.client._trial import trial as run_trial

    # Neither an estimator's file nor an SDK may print between the braces.
    with contextlib.redirect_stdout(sys.stderr):
        result = run_trial(
            output=output or DEFAULT_OUTPUT, **_arguments(job, script_arguments, **options)
        )
    if as_json:
        print_json(result.to_dict())
    else:
        click.echo(str(result))
    if html is not None:
        with written(html):
            result.save_html(html)


def _arguments(
    job: str,
    script_arguments: Sequence[str],
    *,
    keep: Sequence[float | tuple[float, float]],
    pairs: Sequence[tuple[str, str]],
    metric: str,
    seed_hyperparameter: str,
    channels: Sequence[tuple[str, str]],
    environment: Sequence[tuple[str, str]],
    hooks: bool,
    source_dir: Path | None,
    python: str,
    every: float,
    **others: Any,
) -> dict[str, Any]:
    """Return what `trial` of the client is called with."""
    from sift_toolkit.cli._estimator_file import estimator_in

    file, sign, name = job.rpartition(":")
    of_script = {
        "--hooks": hooks,
        "--source-dir": source_dir,
        "--env": environment,
        "arguments after --": script_arguments,
    }
    common: dict[str, Any] = {
        **others,
        "keep": keep or None,
        "config": config_of(_with_share(pairs)),
        "metric": _metric_of(metric),
        "seed_hyperparameter": seed_hyperparameter or None,
        "inputs": once(channels, "--channel") or None,
        "poll_seconds": every,
    }
    if sign and not Path(job).exists():
        if misplaced := [option for option, value in of_script.items() if value]:
            msg = f"{', '.join(misplaced)}: these are for a script; an estimator has its own"
            raise click.UsageError(msg)
        return {**common, "job": estimator_in(Path(file), name)}
    texts = hyperparameters_of(script_arguments)
    return {
        **common,
        "job": Path(job),
        "launcher": "train" if hooks else "run",
        "source_dir": source_dir,
        "hyperparameters": {name: json_value(text) for name, text in texts.items()},
        "environment": once(environment, "--env"),
        "python": python,
        "say": lambda line: click.echo(line, err=True),
    }


def _with_share(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the common fields with a share, which each arm replaces by its own."""
    for name, _ in pairs:
        if name in {"keep", "keep_end", "beta_value", "enabled", "seed"}:
            msg = f"-c {name}: each arm has its own; give --keep SHARE[:END], or --seeds"
            raise click.UsageError(msg)
    return [*pairs, ("keep", "1.0")] if pairs else []


def _metric_of(text: str) -> str | dict[str, str]:
    name, sign, regex = text.partition("=")
    return {"Name": name, "Regex": regex} if sign else text
