"""`trial`: is sifting worth it for this training, and if so how; by experiment, within a budget."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from sift_toolkit.client._source import Launcher
from sift_toolkit.client._trial_folder import TrialFolder
from sift_toolkit.client._trial_request import TrialRequest
from sift_toolkit.client._trial_result import TrialResult
from sift_toolkit.client._trial_run import TrialRun
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftRequestError

__all__ = ["DEFAULT_OUTPUT", "run_trial", "trial"]

DEFAULT_OUTPUT: Final = "trial-output"
"""Folder of a trial that was given none, where the command is run."""


def trial(
    job: Any,
    *,
    epochs: int | None = None,
    budget: float | None = None,
    budget_hours: float | None = None,
    keep: Iterable[float | tuple[float, float]] | None = None,
    config: SiftConfig | None = None,
    arms: Mapping[str, SiftConfig] | None = None,
    seeds: int | Iterable[int] = 3,
    epochs_hyperparameter: str = "epochs",
    seed_hyperparameter: str | None = "seed",
    metric: Any = "validation_accuracy",
    better: str | None = None,
    tolerance: float | None = None,
    confidence: float = 0.9,
    inputs: Any = None,
    launcher: Launcher | None = None,
    source_dir: str | os.PathLike[str] | None = None,
    hyperparameters: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
    python: str | os.PathLike[str] = sys.executable,
    output: str | os.PathLike[str] = DEFAULT_OUTPUT,
    max_parallel: int = 1,
    poll_seconds: float = 30.0,
    say: Callable[[str], None] = print,
    on_line: Callable[[str], None] | None = None,
) -> TrialResult:
    """Find out whether sifting is worth it for a training, and how to sift.

    Runs plain training, plain training of fewer epochs, training on random samples and sifted
    training, each with several seeds. Arms that turn out worse than plain training of their own
    cost go no further (successive halving). The verdict is an arm with its saving, or not to sift
    but to train so much shorter, or that there are not enough seeds to tell.

    A trial that was interrupted goes on when it is started again: with the same *output*, jobs that
    have ended are not run again. So do trials with more arms, seeds or budget.

    Example:
        >>> result = trial("hooks.py", launcher="train", epochs=20, inputs={"letters": "data"})
        >>> print(result)
        >>> result.save_html("trial.html")
        >>> trial(sift_estimator(SiftConfig(keep=0.5), ...), epochs=20, inputs=inputs, budget=12)

    Args:
        job: A training script that calls `sift`, or a module of hooks, run on this machine without
            any SDK; or what `sift_estimator` or `sift_model_trainer` returned, or a function that
            returns such a one for a config.
        epochs: Epochs of plain training in full. Default: what the hyperparameter says.
        budget: Most to spend, in full plain trainings counted by passes; a scored sample is a third
            of a trained one. No job is started beyond it. Default: no limit.
        budget_hours: The same in hours of jobs. Default: no limit.
        keep: Shares to keep, or pairs (at the start, at the end). Default: three shares.
        config: What sifted arms have in common, but for share, law and seed; a law other than the
            default takes the place of the two that are tried. Default: of an estimator its own
            config's fields.
        arms: Sifted arms by label, instead of those that *keep* and *config* stand for.
        seeds: How many (0, 1, ...), or which; at least two.
        epochs_hyperparameter: The script's hyperparameter for the epochs; its learning rate must
            follow them, so that shortened plain training ends as training should.
        seed_hyperparameter: The one for the seed, None: the script has none.
        metric: What arms are compared by: a metric of the toolkit, or a definition of your own as
            SageMaker has them, ``{"Name": ..., "Regex": ...}``. The last value of a job counts.
        better: "higher" or "lower". Default: what the metric itself says.
        tolerance: How much worse than plain training in full is as good, in the metric's unit.
            Default: 0.001 of a share, a tenth of a point.
        confidence: Of the intervals, two-sided, by Student's t over seeds.
        inputs: Of a script the folders or files of its channels, by name; else as `fit` takes them.
        launcher: Of a script: "train" for a module of hooks; default "run".
        source_dir: Of a script: the folder that goes along. Default: the one it is in.
        hyperparameters: Of a script: its own, beside epochs and seed.
        environment: Of a script: environment variables of its jobs.
        python: Of a script: interpreter with torch and sagemaker-training that runs its jobs.
        output: Folder of the trial's state, and on this machine of its jobs' logs and reports.
        max_parallel: Of an estimator: jobs at a time.
        poll_seconds: Of an estimator: seconds between two looks at running jobs.
        say: Prints a line: the plan, and how each job ended.
        on_line: Of a script: called with each line its jobs print. Default: nothing is shown.

    Raises:
        SiftRequestError: something asked for cannot be; nothing was run.
        SiftConfigError: a share is none.
        SiftUsageError: the folder holds a trial of something else, or is in use.
        SiftJobError: plain training in full failed, or a job could not be launched.
    """
    given = {
        "launcher": launcher,
        "source_dir": source_dir,
        "hyperparameters": hyperparameters,
        "environment": environment,
    }
    is_script = isinstance(job, str | os.PathLike)
    misplaced = [] if is_script else [name for name, value in given.items() if value is not None]
    if misplaced:
        problem = f"{', '.join(misplaced)}: these are for a script; an estimator has its own"
        raise SiftRequestError([problem])
    request = TrialRequest(
        job=job,
        epochs=epochs,
        budget=budget,
        budget_hours=budget_hours,
        keep=keep,
        config=config,
        arms=arms,
        seeds=seeds,
        epochs_name=epochs_hyperparameter,
        seed_name=seed_hyperparameter,
        metric=metric,
        better=better,
        tolerance=tolerance,
        confidence=confidence,
        inputs=inputs,
        launcher=launcher or "run",
        source_dir=source_dir,
        hyperparameters=hyperparameters or {},
        environment=environment or {},
        python=python,
        max_parallel=max_parallel,
        poll_seconds=poll_seconds,
        on_line=on_line or _ignore,
    )
    return run_trial(request, Path(output), say)


def run_trial(request: TrialRequest, output: Path, say: Callable[[str], None]) -> TrialResult:
    """Run a trial as it was asked for; see `trial`."""
    plan = request.plan()
    folder = TrialFolder(output)
    runner = request.runner(plan, folder, say)
    if problems := runner.problems(list(plan.rung_jobs(0, plan.others))):
        raise SiftRequestError(problems)
    say(str(plan))
    with folder.claimed():
        folder.begin(plan, runner.subject())
        run = TrialRun(plan=plan, folder=folder, runner=runner, say=say)
        run.go()
    return TrialResult.of(plan, run.outcomes, over_budget=run.over_budget)


def _ignore(line: str) -> None:
    """Show nothing of a job's log, which is kept."""
