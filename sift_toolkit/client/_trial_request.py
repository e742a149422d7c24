"""What was asked of a trial, made into a plan and into what runs it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sift_toolkit.client._job_factory import job_factory
from sift_toolkit.client._source import LAUNCHERS, Launcher
from sift_toolkit.client._trial_arms import (
    TrialArm,
    arm_problems,
    plain_arms,
    sifting_arms,
)
from sift_toolkit.client._trial_folder import TrialFolder
from sift_toolkit.client._trial_host import HostRunner, HostSubject
from sift_toolkit.client._trial_metric import TrialMetric, read_trial_metric
from sift_toolkit.client._trial_plan import TrialPlan
from sift_toolkit.client._trial_runner import TrialRunner
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftRequestError

__all__ = ["TrialRequest"]

_LEAST: Final = 2


@dataclass(frozen=True, kw_only=True)
class TrialRequest:
    """The arguments of `trial`, as they came."""

    job: Any
    epochs: int | None
    budget: float | None
    budget_hours: float | None
    keep: Iterable[float | tuple[float, float]] | None
    config: SiftConfig | None
    arms: Mapping[str, SiftConfig] | None
    seeds: int | Iterable[int]
    epochs_name: str
    seed_name: str | None
    metric: Any
    better: str | None
    tolerance: float | None
    confidence: float
    inputs: Any
    launcher: Launcher
    source_dir: str | os.PathLike[str] | None
    hyperparameters: Mapping[str, object]
    environment: Mapping[str, str]
    python: str | os.PathLike[str]
    max_parallel: int
    poll_seconds: float
    on_line: Callable[[str], None]

    def plan(self) -> TrialPlan:
        """Return what is to be run.

        Raises:
            SiftRequestError: something asked for cannot be; all problems at once.
            SiftConfigError: a share is none.
        """
        metric, problems = read_trial_metric(self.metric, self.better, self.tolerance)
        seeds = tuple(range(self.seeds)) if isinstance(self.seeds, int) else tuple(self.seeds)
        epochs, found = self._epochs()
        problems += [*found, *self._number_problems(seeds)]
        if self.arms is not None and self.keep is not None:
            problems.append("give keep or arms, not both: each says which arms there are")
        if problems or metric is None:
            raise SiftRequestError(problems)
        return self._planned(metric, seeds, epochs)

    def runner(
        self, plan: TrialPlan, folder: TrialFolder, say: Callable[[str], None]
    ) -> TrialRunner:
        """Return what runs the jobs.

        Raises:
            SiftRequestError: *job* is neither a script nor what launches jobs.
        """
        if self._is_script:
            return HostRunner(
                self._host_subject(), folder, plan.metric, os.fspath(self.python), self.on_line
            )
        # It reads AWS, which a trial on this machine does without.
        from sift_toolkit.client._trial_jobs import JobsRunner, LaunchedSubject

        make, _ = job_factory(self.job, self.config)
        subject = LaunchedSubject(
            make=make,
            inputs=self.inputs,
            epochs_name=self.epochs_name,
            seed_name=self.seed_name,
            parallel=self.max_parallel,
        )
        return JobsRunner(subject, plan.metric, self.poll_seconds, say)

    def _planned(self, metric: TrialMetric, seeds: tuple[int, ...], epochs: int) -> TrialPlan:
        common = self.config
        if common is None and not self._is_script:
            _, common = job_factory(self.job, None)
        if self.arms is None:
            others = sifting_arms(self.keep, common, epochs)
        else:
            others = [
                TrialArm(label=label, config=one, epochs=epochs) for label, one in self.arms.items()
            ]
        # One report for all of them, so that figures are told at the same steps.
        base = others[0].config if others else SiftConfig(keep=1.0)
        plain = [
            replace(arm, config=replace(arm.config, log_every=base.log_every))
            for arm in plain_arms(epochs, others)
        ]
        if problems := arm_problems([*plain, *others]):
            raise SiftRequestError(problems)
        return TrialPlan(
            epochs=epochs,
            seeds=seeds,
            arms=(*plain, *others),
            metric=metric,
            confidence=self.confidence,
            budget=self.budget,
            budget_hours=self.budget_hours,
        )

    def _host_subject(self) -> HostSubject:
        script = Path(os.path.abspath(self.job))  # noqa: PTH100 - Path.absolute leaves dots in
        problems = []
        if not script.is_file():
            problems.append(f"there is no script {str(script)!r}")
        if self.launcher not in LAUNCHERS:
            problems.append(
                f"launcher must be one of {', '.join(map(repr, LAUNCHERS))}, got {self.launcher!r}"
            )
        if self.inputs is not None and not isinstance(self.inputs, Mapping):
            problems.append(
                f"inputs of a script are folders by channel, as {{'training': 'data'}}, got "
                f"{self.inputs!r}"
            )
        if problems:
            raise SiftRequestError(problems)
        others = {
            name: value
            for name, value in self.hyperparameters.items()
            if name not in {self.epochs_name, self.seed_name}
        }
        return HostSubject(
            script=script,
            launcher=self.launcher,
            source_dir=Path(os.path.abspath(self.source_dir or script.parent)),  # noqa: PTH100
            hyperparameters=others,
            channels={name: Path(path) for name, path in (self.inputs or {}).items()},
            environment=self.environment,
            epochs_name=self.epochs_name,
            seed_name=self.seed_name,
        )

    @property
    def _is_script(self) -> bool:
        return isinstance(self.job, str | os.PathLike)

    def _epochs(self) -> tuple[int, list[str]]:
        """Return the epochs in full: what was given, else the hyperparameter."""
        given: object = self.epochs
        if given is None:
            own = self.hyperparameters if self._is_script else _hyperparameters_of(self.job)
            given = own.get(self.epochs_name)
        if isinstance(given, int) and not isinstance(given, bool) and given >= _LEAST:
            return given, []
        problem = (
            f"epochs must be a whole number from {_LEAST}, for a trial also trains shorter, got "
            f"{given!r}; it is what plain training in full has as hyperparameter "
            f"{self.epochs_name!r}"
        )
        return _LEAST, [problem]

    def _number_problems(self, seeds: tuple[object, ...]) -> list[str]:
        problems = []
        if not all(type(seed) is int and seed >= 0 for seed in seeds) or len(set(seeds)) < _LEAST:
            problems.append(
                f"seeds must be {_LEAST} or more: one seed alone tells nothing of chance; got "
                f"{self.seeds!r}"
            )
        if not 0 < self.confidence < 1:
            problems.append(f"confidence must be between 0 and 1, got {self.confidence!r}")
        for name, value in (("budget", self.budget), ("budget_hours", self.budget_hours)):
            if value is not None and not (value > 0 and math.isfinite(value)):
                problems.append(f"{name} must be a number above 0, got {value!r}")
        if self.budget is not None and 0 < self.budget < 1:
            problems.append(
                f"budget is in full plain trainings, of which the first is one, got {self.budget!r}"
            )
        if type(self.max_parallel) is not int or self.max_parallel < 1:
            problems.append(
                f"max_parallel must be a whole number from 1, got {self.max_parallel!r}"
            )
        if not self.poll_seconds > 0:
            problems.append(f"poll_seconds must be above 0, got {self.poll_seconds!r}")
        return problems


def _hyperparameters_of(job: Any) -> Mapping[str, Any]:
    """Return those that an estimator (of SDK v2) or a trainer (of v3) was made with."""
    for name in ("_hyperparameters", "hyperparameters"):
        found = getattr(job, name, None)
        if isinstance(found, Mapping):
            return found
    return {}
