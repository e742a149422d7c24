"""Running a trial: the next jobs by what is known, until all is done or the budget is used up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sift_toolkit.client._trial_budget import affords
from sift_toolkit.client._trial_folder import TrialFolder
from sift_toolkit.client._trial_halving import dropped_arms, next_jobs
from sift_toolkit.client._trial_outcome import Outcome
from sift_toolkit.client._trial_plan import TrialJob, TrialPlan
from sift_toolkit.client._trial_ruler import epochs_ignored
from sift_toolkit.client._trial_runner import TrialRunner
from sift_toolkit.errors import SiftJobError
from sift_toolkit.outside import brief, one_line

__all__ = ["TrialRun"]


@dataclass(kw_only=True)
class TrialRun:
    """A trial under way: what is known is written down at once, in the trial's folder."""

    plan: TrialPlan
    folder: TrialFolder
    runner: TrialRunner
    say: Callable[[str], None]
    outcomes: dict[tuple[str, int], Outcome] = field(default_factory=dict)
    """What came of jobs, by label and seed."""
    over_budget: bool = False
    """Whether jobs were left out because the budget is used up."""
    _running: dict[str, TrialJob] = field(default_factory=dict)
    _said: set[str] = field(default_factory=set)

    def go(self) -> None:
        """Run what is to be run; what an earlier process has finished is not run again.

        Raises:
            SiftJobError: plain training in full failed, to which everything is compared, or was
                not shortened where it was to be; or AWS would not launch a job, or not tell how
                one ended.
        """
        self.outcomes = self.folder.outcomes(self.plan)
        self._check_ruler()
        launched = self.folder.launched(self.plan)
        if self.outcomes:
            self.say(f"{len(self.outcomes)} jobs have ended before, and are not run again")
        while jobs := next_jobs(self.plan, self.outcomes):
            self._tell_dropped()
            waiting = [job for job in jobs if job.key not in self._running]
            # Jobs that run already cost the same whether they are looked at or not.
            waiting.sort(key=lambda job: job.key not in launched)
            if waiting and len(self._running) < self.runner.parallel and not self.over_budget:
                self._start(waiting[0], launched.pop(waiting[0].key, None))
            elif self._running:
                self._take_in()
            else:
                break
        self._tell_dropped()

    def _start(self, job: TrialJob, known: str | None) -> None:
        if known is None and not affords(self.plan, self.outcomes, self._running.values(), job):
            self.over_budget = True
            self.say(f"The budget does not pay for {job.title}: no more jobs are started.")
            return
        name = self.runner.name_for(job, known)
        self.folder.note_launch(job, name)
        self.runner.start(job, name, again=known is not None)
        self._running[job.key] = job

    def _take_in(self) -> None:
        for job, outcome in self.runner.collect():
            self.folder.note_end(job, outcome)
            self.runner.tidy(job)
            self._running.pop(job.key)
            self.outcomes[job.arm.label, job.seed] = outcome
            self.say(self._words(job, outcome))
            if not outcome.counts and job.arm == self.plan.full:
                msg = (
                    f"{job.title}, to which everything is compared, counts for nothing: "
                    f"{one_line(str(outcome.failure))}. Its job is {outcome.name!r}. Start the "
                    "trial again once that is mended: what has ended well is not run again"
                )
                raise SiftJobError(msg)
            self._check_ruler()

    def _check_ruler(self) -> None:
        if (problem := epochs_ignored(self.plan, self.outcomes)) is not None:
            raise SiftJobError(problem)

    def _tell_dropped(self) -> None:
        for label, seeds in dropped_arms(self.plan, self.outcomes).items():
            if label not in self._said:
                self._said.add(label)
                words = f"{label} goes no further, after {seeds} seed{'s' if seeds > 1 else ''}"
                self.say(words)

    def _words(self, job: TrialJob, outcome: Outcome) -> str:
        total = sum(number for number, _ in self.plan.expected())
        head = f"[{len(self.outcomes)} of at most {total}] {job.title}:"
        if outcome.score is None or not outcome.counts:
            return f"{head} {brief(str(outcome.failure))}"
        metric = self.plan.metric
        unit = " %" if metric.is_share else ""
        took = "" if outcome.job_seconds is None else f" in {outcome.job_seconds:.0f} s"
        return f"{head} {metric.title} {metric.scale * outcome.score:.4g}{unit}{took}"
