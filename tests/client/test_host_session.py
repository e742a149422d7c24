"""Real estimators whose jobs run on this machine."""

from __future__ import annotations

import json
import os
import socket
import tarfile
import tempfile
import textwrap
import time
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.endpoint import Endpoint
from botocore.exceptions import ClientError
from sagemaker.estimator import _TrainingJob
from sagemaker.inputs import FileSystemInput, TrainingInput
from sagemaker.local import LocalSession
from sagemaker.pytorch import PyTorch

from sift_toolkit.client._host_job import HostJob
from sift_toolkit.client._host_session import HostSession
from sift_toolkit.contract import JobTree
from sift_toolkit.errors import SiftJobError, SiftRequestError
from sift_toolkit.metrics import KEPT_SHARE, read_series

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
NO_NETWORK = "there is no network in this test"


@pytest.fixture(scope="module", autouse=True)
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """No account, no region, no network: what is tried all the same is noted, and fails."""
    noted: list[str] = []
    nowhere = tmp_path_factory.mktemp("aws") / "nowhere"

    def connect(_: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            noted.append(f"connect {address}")
            raise OSError(NO_NETWORK)

    def look_up(host: str, *_: object, **__: object) -> list[Any]:
        noted.append(f"look up {host}")
        raise OSError(NO_NETWORK)

    def request(_: Endpoint, operation: Any, __: object) -> None:
        noted.append(f"call {operation.name}")
        raise OSError(NO_NETWORK)

    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", str(nowhere))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere))
        # The SDK's own constructor of an estimator looks for credentials there.
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        # Looked for in S3 by a session that reads the SDK's defaults.
        patch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", "s3://bucket/config.yaml")
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket, "getaddrinfo", look_up)
        patch.setattr(Endpoint, "make_request", request)
        yield noted


@pytest.fixture(autouse=True)
def _no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files of the sessions go where the test's own go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture(autouse=True)
def _no_calls(calls: list[str]) -> Iterator[None]:
    """Whatever a test does, nothing is looked up, connected to or asked of AWS."""
    calls.clear()
    yield
    assert calls == []


def write_script(folder: Path, text: str, name: str = "train.py") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def make_estimator(session: HostSession, script: Path, **changes: Any) -> Any:
    arguments = {
        "entry_point": str(script),
        "role": "SageMakerRole",
        "instance_type": "local",
        "instance_count": 1,
        "image_uri": "none",
        "sagemaker_session": session,
    }
    return PyTorch(**{**arguments, **changes})


Fit = Callable[..., Any]


@pytest.fixture
def session(tmp_path: Path) -> HostSession:
    """A session that keeps its jobs in a folder of the test's, and prints nothing."""
    return HostSession(tmp_path / "jobs", on_line=lambda line: None)


@pytest.fixture(scope="module")
def idle(calls: list[str], tmp_path_factory: pytest.TempPathFactory) -> HostSession:
    """A session in which no job ever runs."""
    return HostSession(tmp_path_factory.mktemp("idle") / "jobs")


@pytest.fixture
def fit(session: HostSession, tmp_path: Path) -> Fit:
    """Run a script's text through a real estimator; keyword arguments are the estimator's."""

    def run(script: str, inputs: Any = None, job_name: str = "a-job", **arguments: Any) -> Any:
        path = write_script(tmp_path / "source", script)
        session_of_job = arguments.pop("session", session)
        estimator = make_estimator(session_of_job, path, **arguments)
        estimator.fit(inputs, job_name=job_name)
        return estimator

    return run


@dataclass
class Trained:
    """An estimator that was fitted, its job, and the data it got."""

    estimator: Any
    session: HostSession
    job: HostJob
    data: Path

    def description(self) -> dict[str, Any]:
        """What the SDK says of the job."""
        return dict(self.estimator.latest_training_job.describe())


SCRIPT = """
    import argparse, json, os, pathlib, sys
    import helper

    pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("weights")
    rows = pathlib.Path(os.environ["SM_CHANNEL_TRAINING"], "rows.csv").read_text()
    seen = {"arguments": sys.argv[1:], "rows": rows, "helper": helper.VALUE, **os.environ}
    pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "seen.json").write_text(json.dumps(seen))
    print("[sift] kept_share=0.75;")
    print("[sift] kept_share=0.5;")
    print("words=none;")
"""


@pytest.fixture(scope="module")
def trained(calls: list[str], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One job that went well, for the tests that only look at it."""
    folder = tmp_path_factory.mktemp("trained")
    data = folder / "data"
    data.mkdir()
    (data / "rows.csv").write_text("1,2", encoding="utf-8")
    helper = write_script(folder / "library", "VALUE = 42", "helper.py")
    session = HostSession(folder / "jobs", on_line=lambda line: None)
    estimator = make_estimator(
        session,
        write_script(folder / "source", SCRIPT),
        dependencies=[str(helper)],
        hyperparameters={"lr": 0.1, "name": "two words"},
        metric_definitions=[KEPT_SHARE.definition, {"Name": "words", "Regex": "words=(.*);"}],
        environment={"MINE": "1"},
        tags=[{"Key": "team", "Value": "sift"}],
    )
    estimator.fit({"training": f"file://{data}"})
    job = session.job(estimator.latest_training_job.name)
    return Trained(estimator, session, job, data)


def seen_by(job: HostJob) -> dict[str, Any]:
    text = (job.tree.output_data_dir / "seen.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def names_in(archive: Path) -> set[str]:
    with tarfile.open(archive, "r:gz") as tar:
        return set(tar.getnames())


def test_the_script_sees_a_training_job(trained: Trained) -> None:
    """Hyperparameters, channel, variables and name reach the script as on SageMaker."""
    seen = seen_by(trained.job)

    assert seen["arguments"] == ["--lr", "0.1", "--name", "two words"]
    assert seen["SM_HP_LR"] == "0.1"
    assert seen["rows"] == "1,2"
    assert seen["MINE"] == "1"
    assert seen["TRAINING_JOB_NAME"] == trained.job.name


def test_dependencies_are_shipped(trained: Trained) -> None:
    """What the estimator's dependencies name is importable in the job, as on SageMaker."""
    assert seen_by(trained.job)["helper"] == 42


def test_model_data_is_a_file(trained: Trained) -> None:
    """estimator.model_data points to an archive of what the script saved, beside its output's."""
    model = Path(trained.estimator.model_data.removeprefix("file://"))

    assert model == trained.job.model_archive == trained.job.tree.base / "artifacts/model.tar.gz"
    assert names_in(model) == {"model.txt"}
    assert {"data", "data/seen.json"} <= names_in(model.with_name("output.tar.gz"))


def test_the_description_tells_the_ending(trained: Trained) -> None:
    """describe() tells status, times and durations, with time zones, as SageMaker does."""
    description = trained.description()
    took = description["TrainingEndTime"] - description["TrainingStartTime"]
    whole = description["TrainingTimeInSeconds"]

    assert description["TrainingJobStatus"] == description["SecondaryStatus"] == "Completed"
    assert "FailureReason" not in description
    assert description["CreationTime"] <= description["TrainingStartTime"]
    assert description["TrainingStartTime"].utcoffset() == timedelta(0)
    assert took == timedelta(seconds=trained.job.seconds or 0)
    assert 0 <= whole - took.total_seconds() < 1
    assert description["BillableTimeInSeconds"] == whole
    assert trained.job.exit_code == 0


def test_the_description_repeats_the_request(trained: Trained) -> None:
    """describe() returns what was asked for: hyperparameters, channels, image, environment."""
    description = trained.description()

    assert description["HyperParameters"]["lr"] == "0.1"
    assert description["InputDataConfig"][0]["ChannelName"] == "training"
    assert description["AlgorithmSpecification"]["TrainingImage"] == "none"
    assert description["Environment"] == {"MINE": "1"}
    assert description["RoleArn"] == "arn:aws:iam::000000000000:role/SageMakerRole"
    assert description["TrainingJobArn"].endswith(f":training-job/{trained.job.name}")


def test_metrics_are_charted(trained: Trained) -> None:
    """The last number each metric definition finds is a final metric; words are none."""
    metrics = trained.description()["FinalMetricDataList"]

    assert [(entry["MetricName"], entry["Value"]) for entry in metrics] == [
        ("sift:kept_share", 0.5)
    ]


def test_metrics_are_read_from_the_log(trained: Trained) -> None:
    """The job's lines are there to be read with the metrics' own reader."""
    assert read_series(trained.job.lines()) == {KEPT_SHARE: [0.75, 0.5]}
    assert trained.job.log_path.is_file()
    assert trained.job.report_path == trained.job.tree.output_data_dir / "sift_report.json"


def test_waiting_again_returns_at_once(trained: Trained) -> None:
    """wait() with and without logs ends at once, for fit ran the job to its end."""
    begun = time.monotonic()
    trained.estimator.latest_training_job.wait(logs="All")
    trained.estimator.latest_training_job.wait(logs=False)

    assert time.monotonic() - begun < 2


def test_attach(trained: Trained) -> None:
    """An estimator can be made again from the job's name, tags and all."""
    attached = PyTorch.attach(trained.job.name, sagemaker_session=trained.session)

    assert attached.model_data == trained.estimator.model_data
    assert attached.tags == [{"Key": "team", "Value": "sift"}]


def test_a_job_says_what_it_is(trained: Trained) -> None:
    """A job's repr tells its name, its status and where it is."""
    assert repr(trained.job) == (
        f"<HostJob {trained.job.name} Completed in {trained.job.tree.base}>"
    )


def test_is_a_local_session(trained: Trained) -> None:
    """The session passes wherever the SDK asks for a LocalSession."""
    assert isinstance(trained.session, LocalSession)
    assert trained.session.local_mode


def test_a_failing_job(fit: Fit, session: HostSession) -> None:
    """fit() raises with the reason from the failure file; the job is described as failed."""
    script = """
        import os, pathlib, sys
        pathlib.Path(os.environ["SM_OUTPUT_DIR"], "failure").write_text("no such column: age")
        sys.exit(3)
    """
    with pytest.raises(SiftJobError, match="'a-job' failed: no such column: age") as caught:
        fit(script)

    job = session.job("a-job")
    description = session.describe_training_job("a-job")
    output = Path(description["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("file://"))
    assert isinstance(caught.value, RuntimeError)
    assert str(job.log_path) in str(caught.value)
    assert description["TrainingJobStatus"] == job.status == "Failed"
    assert description["FailureReason"] == job.failure == "no such column: age"
    assert job.exit_code == 1
    assert "failure" in names_in(output.with_name("output.tar.gz"))


def test_a_script_that_raises_is_quoted_first(fit: Fit) -> None:
    """The exception leads the message, its traceback follows, the launcher's own words do not."""
    with pytest.raises(SiftJobError) as caught:
        fit("raise ValueError('bad data in row 3')")
    first, second, *_ = str(caught.value).splitlines()
    assert first == "training job 'a-job' failed: ValueError: bad data in row 3"
    assert second == "Traceback (most recent call last):"
    assert "sagemaker-training-toolkit" not in str(caught.value)


def test_a_failure_without_words_shows_the_log(fit: Fit) -> None:
    """Where the script wrote no reason, the error shows its traceback."""
    with pytest.raises(SiftJobError, match="ValueError: boom"):
        fit("raise ValueError('boom')")


def test_not_waiting_runs_it_too(session: HostSession, tmp_path: Path) -> None:
    """fit(wait=False) returns when the job has ended, as in local mode."""
    estimator = make_estimator(session, write_script(tmp_path / "source", "print('ran')"))
    estimator.fit(wait=False, job_name="a-job")

    assert session.job("a-job").status == "Completed"


def test_lines_are_printed(fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By default the job's lines are printed, as in local mode."""
    fit("print('hello from the job')", session=HostSession(tmp_path / "printing"))

    assert "hello from the job\n" in capsys.readouterr().out


def test_lines_come_while_it_runs(fit: Fit, tmp_path: Path) -> None:
    """Each line is handed over before the job goes on, which is in progress then."""
    answer, statuses = tmp_path / "answer", []

    def take(line: str) -> None:
        if line == "asking":
            statuses.append(session.describe_training_job("a-job")["TrainingJobStatus"])
            answer.touch()

    session = HostSession(tmp_path / "streaming", on_line=take)
    script = f"""
        import pathlib, sys, time
        print("asking")
        deadline = time.monotonic() + 10
        while not pathlib.Path({str(answer)!r}).exists():
            time.sleep(0.02)
            if time.monotonic() > deadline:
                sys.exit(1)
    """
    fit(script, session=session)

    assert statuses == ["InProgress"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_is_not_swallowed(
    fit: Fit, tmp_path: Path, error: type[BaseException]
) -> None:
    """Ctrl-C stops the job and comes out of fit(), though the SDK hides what is no Exception."""

    def take(line: str) -> None:
        if line == "running":
            raise error

    session = HostSession(tmp_path / "interrupted", on_line=take)
    with pytest.raises(SiftJobError, match=f"interrupted \\({error.__name__}\\)") as caught:
        fit("import time; print('running'); time.sleep(60)", session=session)

    description = session.describe_training_job("a-job")
    assert isinstance(caught.value.__cause__, error)
    assert description["TrainingJobStatus"] == session.job("a-job").status == "Stopped"
    assert description["TrainingEndTime"] > description["TrainingStartTime"]


def test_an_error_of_the_callback_goes_on(fit: Fit, tmp_path: Path) -> None:
    """What the caller's own callback raises ends the job, and is what fit() raises."""

    def take(line: str) -> None:
        raise LookupError(line)

    session = HostSession(tmp_path / "broken", on_line=take)
    with pytest.raises(LookupError):
        fit("import time; time.sleep(60)", session=session)

    assert session.job("a-job").status == "Stopped"


def test_checkpoints_are_kept(fit: Fit, tmp_path: Path) -> None:
    """A session with a checkpoint folder hands it from one job to the next."""
    script = """
        import os, pathlib
        path = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"], "checkpoints", "epoch")
        print("found", path.exists())
        path.touch()
    """
    session = HostSession(
        tmp_path / "jobs", checkpoints=tmp_path / "kept", on_line=lambda line: None
    )
    for name in ("first", "second"):
        fit(script, job_name=name, session=session)

    assert "found False" in session.job("first").lines()
    assert "found True" in session.job("second").lines()
    assert (tmp_path / "kept" / "epoch").is_file()


def test_a_name_is_used_once(fit: Fit, session: HostSession, tmp_path: Path) -> None:
    """A second job of the same name is refused, in the next session too; the first one stays."""
    fit("print('first')")

    for again in (session, HostSession(tmp_path / "jobs")):
        with pytest.raises(SiftRequestError, match=r"'a-job' ran in .* before"):
            fit("print('second')", session=again)

    assert "first" in session.job("a-job").lines()


def test_archives_go_to_the_output_path(fit: Fit, tmp_path: Path) -> None:
    """A file:// output path gets the archives, as in local mode."""
    out = tmp_path / "out put"
    estimator = fit("print('x')", output_path=f"file://{out}")

    assert estimator.model_data == f"file://{out}/model.tar.gz"
    assert sorted(path.name for path in out.iterdir()) == ["model.tar.gz", "output.tar.gz"]


@pytest.mark.parametrize("wrap", [str, TrainingInput])
def test_a_channel_may_be_one_file(
    fit: Fit, session: HostSession, tmp_path: Path, wrap: Callable[[str], Any]
) -> None:
    """A channel that is a single file is a folder with that file, however it is given."""
    rows = tmp_path / "rows.csv"
    rows.write_text("1,2", encoding="utf-8")
    script = """
        import os, pathlib
        print(pathlib.Path(os.environ["SM_CHANNEL_TEST"], "rows.csv").read_text())
    """
    fit(script, {"test": wrap(rows.as_uri())})

    assert "1,2" in session.job("a-job").lines()


def test_local_code_may_be_switched_on(fit: Fit, session: HostSession, tmp_path: Path) -> None:
    """With the SDK's local_code the source folder is copied from where it is."""
    session.config = {"local": {"local_code": True}}
    write_script(tmp_path / "source", "VALUE = 'neighbour'", "beside.py")

    fit("import beside; print(beside.VALUE)", source_dir=None)

    assert "neighbour" in session.job("a-job").lines()


def test_network_isolation(fit: Fit, session: HostSession) -> None:
    """A job whose code comes as a channel, as under network isolation, finds it here too."""
    fit("print('started')", enable_network_isolation=True)
    assert "started" in session.job("a-job").lines()


def test_the_script_gets_a_copy(fit: Fit, tmp_path: Path) -> None:
    """What a script writes in its folder does not land among the user's files."""
    fit("open('litter', 'w').close()")

    assert [path.name for path in (tmp_path / "source").iterdir()] == ["train.py"]


FILE = "file:///"
REFUSED = [
    pytest.param(
        {"instance_count": 2}, None, "instance_count=1, or use a LocalSession", id="hosts"
    ),
    pytest.param({}, "s3://bucket/data", "got 'training' at 's3://bucket/data'", id="s3 channel"),
    pytest.param(
        {}, FileSystemInput("fs-1", "EFS", "/data"), "'training' at a file system", id="file system"
    ),
    pytest.param({}, TrainingInput(FILE, input_mode="Pipe"), "channels as folders", id="pipe"),
    pytest.param({"input_mode": "Pipe"}, None, "channels as folders, got input_mode", id="pipes"),
    pytest.param({"output_path": "s3://bucket/out"}, None, "got output_path=", id="s3 output"),
    pytest.param({"disable_output_compression": True}, None, "leave disable_output", id="plain"),
    pytest.param({"container_entry_point": ["sh"]}, None, "and no container", id="entry point"),
    pytest.param({"source_dir": "s3://b/c.tar.gz"}, None, "source_dir='s3://b/c", id="s3 source"),
    pytest.param(
        {"metric_definitions": [{"Name": "a", "Regex": "("}]}, None, "that is none", id="regex"
    ),
    pytest.param(
        {"metric_definitions": [{"Name": "a", "Regex": "a"}]}, None, "a group around", id="group"
    ),
    pytest.param({}, "file:///no/such", "'training' points to '/no/such'", id="no data"),
    pytest.param(
        {"distribution": {"torch_distributed": {"enabled": True}}}, None, "torchrun", id="torchrun"
    ),
]


@pytest.mark.parametrize(("arguments", "inputs", "message"), REFUSED)
def test_what_cannot_run_here_is_refused(
    idle: HostSession, tmp_path: Path, arguments: dict[str, Any], inputs: Any, message: str
) -> None:
    """What this machine cannot do as asked is refused in words, and nothing runs."""
    estimator = make_estimator(idle, write_script(tmp_path / "source", ""), **arguments)
    with pytest.raises(SiftRequestError) as caught:
        estimator.fit(inputs)

    assert message in str(caught.value)
    assert not idle.root.exists()


def test_an_algorithm_of_awss_is_refused(idle: HostSession, tmp_path: Path) -> None:
    """A job whose algorithm is a package on AWS, an image, is refused."""
    estimator = make_estimator(idle, write_script(tmp_path / "source", ""))
    estimator._prepare_for_training()
    request = {
        **_TrainingJob.get_train_args(estimator, None, None),
        "image_uri": None,
        "algorithm_arn": "arn:aws:sagemaker:us-west-2:1:algorithm/a",
    }
    with pytest.raises(SiftRequestError, match="cannot run the algorithm 'arn:aws"):
        idle.train(**request)


def test_all_refusals_come_at_once(idle: HostSession, tmp_path: Path) -> None:
    """Every reason against a job is told in one error."""
    estimator = make_estimator(
        idle,
        write_script(tmp_path / "source", ""),
        instance_count=2,
        output_path="s3://bucket/out",
    )
    with pytest.raises(SiftRequestError) as caught:
        estimator.fit("s3://bucket/data")

    assert len(caught.value.problems) == 3


def test_an_interpreter_without_the_toolkit(fit: Fit, tmp_path: Path) -> None:
    """A python without sagemaker-training is told how to get it; the name stays free."""
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    python = tmp_path / "bare" / "bin" / "python"
    session = HostSession(tmp_path / "jobs", python=python)

    for _ in range(2):
        with pytest.raises(SiftJobError, match=r"sift_toolkit\[container\]"):
            fit("print('x')", session=session)


def test_unknown_jobs(fit: Fit, session: HostSession) -> None:
    """A job that never ran here is an error that names those that did; the SDK gets its own."""
    with pytest.raises(SiftJobError, match="no job called 'b'; it ran none yet"):
        session.job("b")
    fit("print('x')")
    with pytest.raises(SiftJobError, match="no job called 'b'; it ran 'a-job'"):
        session.job("b")
    with pytest.raises(ClientError, match="Could not find local training job"):
        session.describe_training_job("b")


def test_uploaded_data_may_be_a_channel(fit: Fit, session: HostSession, tmp_path: Path) -> None:
    """Data given to upload_data stays on this machine, and its address may be a channel's."""
    data = tmp_path / "data" / "deep"
    data.mkdir(parents=True)
    (data / "rows.csv").write_text("1,2", encoding="utf-8")
    address = session.upload_data(str(tmp_path / "data"), key_prefix="rows")
    script = """
        import os, pathlib
        print(pathlib.Path(os.environ["SM_CHANNEL_TRAINING"], "deep", "rows.csv").read_text())
    """
    fit(script, address)

    assert address == f"s3://{session.default_bucket()}/rows"
    assert "1,2" in session.job("a-job").lines()


def test_aws_is_never_called(idle: HostSession) -> None:
    """Whatever asks AWS for something through the session is refused before it is sent."""
    with pytest.raises(SiftJobError, match="no AWS call, but sts GetCallerIdentity"):
        idle.boto_session.client("sts").get_caller_identity()
    with pytest.raises(SiftJobError, match="no AWS call, but s3 GetObject"):
        idle.boto_session.client("s3").get_object(Bucket="bucket", Key="key")


def test_no_credentials_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    """Neither making a session nor fitting asks the machine's metadata for credentials."""
    estimator = make_estimator(HostSession(), write_script(tmp_path / "source", "print('x')"))
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    estimator.sagemaker_session = HostSession(tmp_path / "jobs", on_line=lambda line: None)
    estimator.fit()

    assert calls == []


@pytest.mark.parametrize("variable", ["AWS_DEFAULT_REGION", "AWS_REGION"])
def test_the_users_region_is_used(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """A region that is set is the session's; without one any will do."""
    assert HostSession().boto_region_name == "us-west-2"
    monkeypatch.setenv(variable, "eu-central-1")

    assert HostSession().boto_region_name == "eu-central-1"


def test_the_process_is_left_alone() -> None:
    """Making a session changes no variable and no default session that real jobs would use."""
    before = dict(os.environ), boto3.DEFAULT_SESSION
    HostSession()

    assert before == (dict(os.environ), boto3.DEFAULT_SESSION)


def test_roles_need_no_account(idle: HostSession) -> None:
    """A bare name becomes an ARN of no account; an ARN stays what it is."""
    arn = "arn:aws:iam::123456789012:role/mine"

    assert idle.expand_role("mine") == "arn:aws:iam::000000000000:role/mine"
    assert idle.expand_role(arn) == arn


def test_the_default_root_is_new_and_kept(fit: Fit) -> None:
    """Without a root each session has a new temporary folder, and leaves it there."""
    first, second = HostSession(on_line=lambda line: None), HostSession()
    fit("print('x')", session=first)
    root = first.root
    del first

    assert root != second.root
    assert JobTree(root / "a-job").exists
    assert list(second.root.iterdir()) == []
