"""`watch`: a job that changes while it is looked at, on a clock that a test turns."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from rich.console import Console

from sift_toolkit.client._host_job import HostJob
from sift_toolkit.client._job_facts import JobFacts
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.client._watch import JobWatch, watch
from sift_toolkit.config import SiftConfig
from sift_toolkit.contract import JobResult, JobTree
from sift_toolkit.errors import SiftJobError, SiftUsageError
from sift_toolkit.metrics import KEPT_SHARE, PROGRESS, TRAIN_SECONDS, VALIDATION_ACCURACY
from sift_toolkit.testing import FakeJob, MockedAws, record_job

FAKE = FakeJob(SiftConfig(keep=0.5), epochs=2, rows=2000)
GROUP = "/aws/sagemaker/TrainingJobs"
COUNT = itertools.count()
Act = Callable[[], None]


class Stage:
    """A job in the mocked account, and what happens to it while somebody sleeps."""

    def __init__(self, aws: MockedAws, session: Any = None) -> None:
        self.name = f"watched-{next(COUNT)}"
        self.time = datetime.now(timezone.utc) - timedelta(minutes=30)
        self.start = self.time
        self.naps: list[float] = []
        self.file = io.StringIO()
        self.aws = aws
        self.session = aws.boto_session if session is None else session
        self._acts: list[Act] = []
        record_job(
            aws.boto_session,
            self.name,
            FAKE,
            status="InProgress",
            started=self.start,
            logged=False,
            charted=False,
        )
        self.job.final_metric_data_list = None
        aws.calls.clear()

    @property
    def job(self) -> Any:
        """The job as moto keeps it."""
        from moto.sagemaker.models import sagemaker_backends

        return sagemaker_backends["123456789012"][self.aws.region].training_jobs[self.name]

    @property
    def lines(self) -> list[str]:
        """What a person saw, without the name that each line begins with."""
        seen = self.file.getvalue().splitlines()
        return [line.removeprefix(f"{self.name}: ") for line in seen]

    def sleep(self, seconds: float) -> None:
        """Let time pass, and the next thing happen."""
        self.naps.append(seconds)
        self.time += timedelta(seconds=seconds)
        assert len(self.naps) < 50, "it never ends"
        if self._acts:
            self._acts.pop(0)()

    def then(self, *acts: Act) -> None:
        """Say what happens during the next sleeps, one each."""
        self._acts += acts

    def prints(self, *messages: str, stream: str = "algo-1-5", late: float = 0) -> Act:
        """Return the act of the job printing lines, which may reach AWS so many seconds *late*."""

        def act() -> None:
            logs = self.aws.boto_session.client("logs")
            with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_group(logGroupName=GROUP)
            place = {"logGroupName": GROUP, "logStreamName": f"{self.name}/{stream}"}
            with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_stream(**place)
            now = int((self.time.timestamp() - late) * 1000)
            events = [
                {"timestamp": now + index, "message": text} for index, text in enumerate(messages)
            ]
            logs.put_log_events(**place, logEvents=events)

        return act

    def turns(self, status: str, *, stage: str | None = None, reason: str | None = None) -> Act:
        """Return the act of the job changing its status, its end where it is one."""

        def act() -> None:
            self.job.training_job_status = status
            self.job.secondary_status = stage or status
            self.job.secondary_status_transitions = [
                {"Status": stage or status, "StatusMessage": f"it is {stage or status}"}
            ]
            self.job.failure_reason = reason
            if status in {"Completed", "Failed", "Stopped"}:
                self.job.training_end_time = self.time
                seconds = int((self.time - self.start).total_seconds())
                self.job.training_time_in_seconds = seconds
                self.job.billable_time_in_seconds = seconds

        return act

    def watch(self, **options: Any) -> JobFacts:
        """Watch the job to its end."""
        return JobWatch(
            self.name,
            self.session,
            console=Console(file=self.file, width=200, color_system=None),
            sleep=self.sleep,
            now=lambda: self.time,
            **options,
        ).run()


@pytest.fixture
def stage(aws: MockedAws) -> Stage:
    """A job that has just begun to run."""
    return Stage(aws)


def group(progress: float, **others: float) -> list[str]:
    """Return the lines that a job prints at once."""
    return [
        PROGRESS.line(progress),
        KEPT_SHARE.line(0.5),
        TRAIN_SECONDS.line(100 * progress),
        VALIDATION_ACCURACY.line(0.9 * progress),
    ]


def test_a_job_from_its_first_line_to_its_end(stage: Stage) -> None:
    """Lines are shown as they come, one look a pause; the facts are the last that was reported."""
    stage.then(
        stage.prints("hello", *group(0.25)),
        stage.prints(*group(0.5)),
        stage.prints(*group(0.75)),
        stage.turns("Completed"),
        stage.prints(*group(1.0), late=90),
    )
    facts = stage.watch(poll_seconds=60)
    assert stage.naps == [60] * 5
    assert facts.status == "Completed"
    assert facts.figures.progress == 1.0
    assert facts.figures.train_seconds == 100.0
    assert [point.accuracy for point in facts.figures.curve] == [0.225, 0.45, 0.675, 0.9]
    assert (facts.elapsed_seconds, facts.billable_seconds) == (240.0, 240.0)
    assert facts.config == SiftConfig(keep=0.5)
    assert facts.source == "log"
    assert stage.lines == [
        "started",
        "Training: Training image download",
        "25%, kept 50.0%, accuracy 22.50%, 2:00 gone",
        "50%, kept 50.0%, accuracy 45.00%, 3:00 gone, 1:00 left",
        "75%, kept 50.0%, accuracy 67.50%, 3:30 gone, 0:30 left",
        "done in 4:00, kept 50.0%, accuracy 90.00%",
    ]


def test_only_these_calls_are_made(stage: Stage) -> None:
    """A job is looked at, never touched."""
    stage.then(stage.prints(*group(1.0)), stage.turns("Completed"))
    stage.watch()
    assert {name for name, _ in stage.aws.calls} - {
        # What the test itself does meanwhile.
        "CreateLogGroup",
        "CreateLogStream",
        "PutLogEvents",
    } == {"DescribeTrainingJob", "DescribeLogStreams", "GetLogEvents"}


def test_a_job_that_fails_is_no_error(stage: Stage) -> None:
    """The facts say that it failed and why; so does the last line."""
    stage.then(
        stage.prints(*group(0.3), "Traceback (most recent call last):"),
        stage.turns("Failed", reason="AlgorithmError: CUDA out of memory"),
    )
    facts = stage.watch()
    assert (facts.status, facts.failure_reason) == ("Failed", "AlgorithmError: CUDA out of memory")
    assert stage.lines[-2:] == [
        "failed after 0:20 at 30%, kept 50.0%, accuracy 27.00%",
        "AlgorithmError: CUDA out of memory",
    ]


def test_a_job_that_is_stopped(stage: Stage) -> None:
    """While it stops it is still watched; then it has stopped."""
    stage.then(stage.turns("Stopping"), stage.turns("Stopped", stage="MaxRuntimeExceeded"))
    facts = stage.watch()
    assert (facts.status, facts.stage) == ("Stopped", "MaxRuntimeExceeded")
    assert stage.lines[-2:] == ["Stopping: it is Stopping", "stopped after 0:20"]


def test_what_a_job_waits_for_is_said(stage: Stage) -> None:
    """Before it trains its stage is shown whenever it changes, and no time has gone."""
    stage.job.training_start_time = None
    stage.turns("InProgress", stage="Pending")()

    def started() -> None:
        stage.job.training_start_time = stage.time
        stage.turns("InProgress", stage="Training")()

    stage.then(lambda: None, started, stage.turns("Completed"))
    stage.watch(poll_seconds=60)
    assert stage.lines == [
        "started",
        "Pending: it is Pending",
        "Training: it is Training",
        "done in 1:00",
    ]


def test_a_metric_cut_between_two_looks(stage: Stage) -> None:
    """Half a line at the end of one look and half at the begin of the next is one metric."""
    line = KEPT_SHARE.line(0.25)
    stage.then(stage.prints(line[:15]), stage.prints(line[15:], "[si"), stage.turns("Completed"))
    assert stage.watch().figures.kept_share == 0.25


def test_an_interrupted_spot_job_is_followed(stage: Stage) -> None:
    """The log of the second start is read on, where the first one ended."""
    stage.then(
        stage.prints(*group(0.5)),
        stage.turns("InProgress", stage="Interrupted"),
        stage.prints(*group(0.6), stream="algo-1-9"),
        stage.turns("Completed"),
    )
    facts = stage.watch()
    assert facts.figures.progress == 0.6
    assert "Interrupted: it is Interrupted" in stage.lines


def test_a_job_that_ended_long_ago(stage: Stage) -> None:
    """A finished job is read at once, without a pause, and its time is its own."""
    stage.prints(*group(1.0))()
    stage.turns("Completed")()
    stage.time += timedelta(minutes=10)
    facts = stage.watch()
    assert stage.naps == []
    assert facts.figures.progress == 1.0
    assert stage.lines[0] == "started"
    assert stage.lines[-1].startswith("done in 0:00, kept 50.0%")


def test_ctrl_c_leaves_the_job_running(stage: Stage) -> None:
    """Ctrl-C goes through, nothing is stopped, and that is said."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    stage.then(stage.prints(*group(0.5)), interrupt)
    with pytest.raises(KeyboardInterrupt):
        stage.watch()
    assert stage.job.training_job_status == "InProgress"
    assert not any("Stop" in name for name, _ in stage.aws.calls)
    assert stage.lines[-2].startswith("not watched any more after 0:20 at 50%")
    assert "the job goes on; watch(" in stage.lines[-1]


def test_updates_come_with_news_only(stage: Stage) -> None:
    """Whoever wants to know is told what is new, and the end."""
    updates: list[JobFacts] = []
    stage.then(lambda: None, stage.prints(*group(0.5)), lambda: None, stage.turns("Completed"))
    facts = stage.watch(on_update=updates.append)
    assert [update.figures.progress for update in updates] == [None, 0.5, 0.5]
    assert [update.status for update in updates] == ["InProgress", "InProgress", "Completed"]
    assert updates[-1] == facts


def test_what_an_update_raises_ends_the_watching(stage: Stage) -> None:
    """A mistake of the caller's is not taken for trouble with AWS."""
    with pytest.raises(ZeroDivisionError):
        stage.watch(on_update=lambda _: 1 / 0)
    assert stage.lines[-1] == "not watched any more after 0:00"


class Faults:
    """Answers of AWS instead of those of the mock, one a call, until they are used up."""

    def __init__(self, session: Any, operation: str, *faults: Any) -> None:
        self.left = list(faults)
        session.events.register(f"before-call.{operation}", self)

    def __call__(self, **_: Any) -> Any:
        """Answer in the mock's place, or let it answer."""
        fault = self.left.pop(0) if self.left else None
        if isinstance(fault, Exception):
            raise fault
        if fault is None:
            return None
        answer = {"Error": {"Code": fault, "Message": "words"}, "ResponseMetadata": {}}
        return SimpleNamespace(status_code=400), answer


def own_session(key: str | None = None) -> Any:
    """Return a boto3 session that no other test has."""
    keys = {"aws_access_key_id": key, "aws_secret_access_key": "x"} if key else {}
    return boto3.Session(region_name="us-west-2", **keys)


def test_throttling_and_a_lost_network_are_survived(aws: MockedAws) -> None:
    """The job is watched to its end, with longer pauses in between, and it is said why."""
    session = own_session()
    stage = Stage(aws, session)
    lost = EndpointConnectionError(endpoint_url="https://api.sagemaker")
    faults = Faults(session, "sagemaker.DescribeTrainingJob", None, *["ThrottlingException"] * 2)
    others = Faults(session, "cloudwatch-logs.GetLogEvents", None, lost)
    stage.then(stage.prints(*group(0.5)), lambda: None, lambda: None, stage.turns("Completed"))
    facts = stage.watch()
    assert facts.figures.progress == 0.5
    assert facts.status == "Completed"
    assert (faults.left, others.left) == ([], [])
    assert stage.naps[:3] == [10, 10, 20]
    said = [line for line in stage.lines if "Trying again" in line]
    assert ["throttled" in line for line in said] == [True, False]
    assert stage.lines.count("AWS answers again") == 2


def test_expired_credentials_come_from_a_new_session(aws: MockedAws) -> None:
    """A function that makes sessions is asked once, and the job is watched on without a pause."""
    sessions: list[Any] = []

    def make() -> Any:
        session = own_session(f"key-{len(sessions)}")
        if not sessions:
            expired = ["ExpiredTokenException"] * 9
            Faults(session, "sagemaker.DescribeTrainingJob", None, *expired)
            Faults(session, "cloudwatch-logs.DescribeLogStreams", None, *expired)
        sessions.append(session)
        return session

    stage = Stage(aws)
    stage.session = make
    stage.then(stage.prints(*group(1.0)), stage.turns("Completed"))
    watching = JobWatch(
        stage.name,
        make,
        console=Console(file=stage.file, width=200),
        sleep=stage.sleep,
        now=lambda: stage.time,
    )
    facts = watching.run()
    assert facts.figures.progress == 1.0
    assert len(sessions) == 2
    assert stage.naps == [10, 10, 10]


def test_credentials_that_cannot_be_renewed(aws: MockedAws) -> None:
    """Keys of the environment stay expired: the watching ends with one sentence."""
    session = own_session()
    stage = Stage(aws, session)
    Faults(session, "sagemaker.DescribeTrainingJob", None, "ExpiredTokenException")
    with pytest.raises(SiftJobError, match="could not be looked at: the credentials have expired"):
        stage.watch()
    assert stage.lines[-1] == "not watched any more after 0:10"


def test_a_log_that_may_not_be_read(aws: MockedAws) -> None:
    """Without leave for logs the status is watched, and the figures are those of the charts."""
    session = own_session()
    stage = Stage(aws, session)
    Faults(session, "cloudwatch-logs.DescribeLogStreams", *["AccessDeniedException"] * 9)
    stage.aws.boto_session.client("cloudwatch").put_metric_data(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricData=[
            {
                "MetricName": KEPT_SHARE.definition["Name"],
                "Dimensions": [{"Name": "TrainingJobName", "Value": stage.name}],
                "Timestamp": stage.time,
                "Value": 0.5,
            }
        ],
    )
    stage.then(lambda: None, stage.turns("Completed"))
    facts = stage.watch()
    assert (facts.figures.kept_share, facts.source) == (0.5, "CloudWatch")
    assert sum("the log could not be read" in line for line in stage.lines) == 1


def test_an_unknown_job_is_refused_at_once(stage: Stage) -> None:
    """A misspelt name is not waited for."""
    stage.name = "nobody"
    with pytest.raises(SiftJobError, match="'nobody' could not be looked at"):
        stage.watch()
    assert stage.naps == []


def test_a_bar_on_a_terminal(stage: Stage) -> None:
    """On a terminal there is one bar, what is said stands above it, and the end below."""
    stage.then(stage.prints(*group(0.5)), stage.turns("Failed", reason="out of memory"))
    console = Console(
        file=stage.file, width=80, force_terminal=True, force_jupyter=False, color_system=None
    )
    watching = JobWatch(
        stage.name,
        stage.session,
        console=console,
        sleep=stage.sleep,
        now=lambda: stage.time,
    )
    watching.run()
    shown = stage.file.getvalue()
    assert "50% failed after 0:20" in shown
    assert shown.rstrip().endswith("out of memory")
    assert "Training: Training image download" in shown


def test_a_job_of_this_machine(tmp_path: Path) -> None:
    """A HostJob is watched without AWS."""
    tree = JobTree(tmp_path / "here")
    tree.log_file.parent.mkdir(parents=True)
    tree.log_file.write_text("\n".join(FAKE.lines()) + "\n")
    request = {
        "TrainingJobName": "here",
        "AlgorithmSpecification": {},
        "OutputDataConfig": {"S3OutputPath": ""},
        "ResourceConfig": {"InstanceType": "local", "InstanceCount": 1},
    }
    job = HostJob(request, tree, "arn")
    ended = datetime.now(timezone.utc) - timedelta(hours=1)
    job.result = JobResult(tree=tree, exit_code=1, failure="no", started=ended, seconds=3.0)
    file = io.StringIO()
    facts = JobWatch(job, console=Console(file=file, width=200)).run()
    assert (facts.status, facts.failure_reason) == ("Failed", "no")
    assert facts.figures == JobFigures.from_lines(FAKE.lines(), name="here", seconds=3.0)
    assert file.getvalue().splitlines()[-1] == "here: no"


def test_a_file_is_no_running_job(tmp_path: Path) -> None:
    """Logs and reports are for compare."""
    (tmp_path / "job.log").write_text("hello")
    with pytest.raises(SiftUsageError, match="watch needs a job that runs or has run"):
        watch(tmp_path / "job.log")


@pytest.mark.parametrize("poll", [0, -1, float("nan")])
def test_a_pause_is_longer_than_nothing(poll: float) -> None:
    """Nobody polls without a pause."""
    with pytest.raises(SiftUsageError, match="poll_seconds must be above 0"):
        watch("job", poll_seconds=poll)


def test_the_public_function_is_this(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """`watch` draws on standard output."""
    stage.prints(*group(1.0))()
    stage.turns("Completed")()
    facts = watch(stage.name, session=stage.session, poll_seconds=1)
    assert facts.status == "Completed"
    assert f"{stage.name}: done in 0:00" in capsys.readouterr().out
