"""keep_sweep: real jobs on this machine, and real requests in a mocked account."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from sift_toolkit import HostSession, SiftConfig, sift_estimator
from sift_toolkit.client import Sweep, keep_sweep
from sift_toolkit.client._limits import JOB_NAME
from sift_toolkit.errors import SiftJobError, SiftRequestError, SiftSweepError

LETTERS = Path(__file__).parents[2] / "demo" / "letters"
CONFIG = SiftConfig(keep=0.5, log_every=2)
THROTTLED = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
NO_ROOM = {"Error": {"Code": "ResourceLimitExceeded", "Message": "is 2 Instances"}}


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """The demo's code and a few of its letters."""
    folder = tmp_path / "letters"
    (folder / "data").mkdir(parents=True)
    shutil.copy(LETTERS / "letters.py", folder)
    with np.load(LETTERS / "data" / "letters.npz") as arrays:
        few = {name: array[:600] for name, array in arrays.items()}
    np.savez(folder / "data" / "letters.npz", **few)
    return folder


def test_a_sweep_on_this_machine(letters: Path, tmp_path: Path) -> None:
    """A twin and two shares really train, one after the other, and are compared by their logs."""
    session = HostSession(tmp_path / "jobs", on_line=lambda line: None)
    estimator = sift_estimator(
        CONFIG,
        entry_point="letters.py",
        launcher="train",
        source_dir=letters,
        role="any",
        base_job_name="letters",
        sagemaker_session=session,
        hyperparameters={"epochs": 2},
    )
    sweep = keep_sweep(
        estimator, [0.5, 0.25], inputs={"letters": (letters / "data").as_uri()}, wait=True
    )
    assert list(sweep.jobs) == ["plain", "keep=0.5", "keep=0.25"]
    for label, word in (("plain", "plain"), ("keep=0.5", "keep-50"), ("keep=0.25", "keep-25")):
        assert sweep.names[label].startswith(f"letters-{word}-")
        assert session.job(sweep.names[label]).status == "Completed"
    comparison = sweep.compare()
    assert comparison.twin == "plain"
    kept = {job.label: job.facts.figures.kept_share for job in comparison.jobs}
    assert kept["plain"] == 1
    # With a memory the first of two epochs is seen in full.
    assert kept["keep=0.5"] == pytest.approx(0.75, abs=0.01)
    assert kept["keep=0.25"] == pytest.approx(0.625, abs=0.01)
    assert all(job.facts.figures.validation_accuracy is not None for job in comparison.jobs)
    assert "keep=0.25" in str(comparison)
    assert estimator.latest_training_job is None


def test_a_failure_on_this_machine(user_code: Path, tmp_path: Path) -> None:
    """A job that fails ends the sweep: it is said which ran, which failed and which never did."""
    (user_code / "train.py").write_text(
        "import json, os\n"
        "keep = json.loads(os.environ['SM_TRAINING_ENV'])['job_name'].split('-')[2]\n"
        "if keep == '30':\n    raise ValueError('thirty is too few')\n"
    )
    session = HostSession(tmp_path / "jobs", on_line=lambda line: None)
    estimator = sift_estimator(
        CONFIG,
        entry_point="train.py",
        source_dir=user_code,
        role="any",
        sagemaker_session=session,
    )
    with pytest.raises(SiftSweepError) as caught:
        keep_sweep(estimator, [0.5, 0.3, 0.2], twin=False)
    error = caught.value
    assert list(error.launched) == ["keep=0.5", "keep=0.3"]
    assert [session.job(name).status for name in error.launched.values()] == ["Completed", "Failed"]
    text = str(error)
    assert text.startswith(
        f"the sweep ended at keep=0.3. Launched were keep=0.5 ({error.launched['keep=0.5']!r}), "
    )
    assert "Not launched were keep=0.2. keep=0.3: training job" in text
    assert "thirty is too few" in text
    assert isinstance(error.__cause__, SiftJobError)


@pytest.fixture
def make(job_arguments: dict[str, Any]) -> Callable[..., Any]:
    """Build an estimator in the mocked account."""
    return lambda config=CONFIG, **changes: sift_estimator(config, **{**job_arguments, **changes})


def test_requests(aws: Any, make: Callable[..., Any]) -> None:
    """All jobs differ in share, name and folder of checkpoints; in nothing else."""
    estimator = make(
        base_job_name="a-base-name-of-so-many-characters-that-no-label-has-any-room",
        checkpoint_s3_uri="s3://sift-tests/checkpoints/",
        hyperparameters={"epochs": 2},
    )
    sweep = keep_sweep(estimator, [0.5, 0.3], inputs="s3://sift-tests/data")
    requests = aws.requests()
    assert [request["TrainingJobName"] for request in requests] == [*sweep.names.values()]
    configs = [SiftConfig.from_hyperparameters(each["HyperParameters"]) for each in requests]
    assert configs == [
        CONFIG.plain_twin(),
        SiftConfig(keep=0.5, log_every=2),
        SiftConfig(keep=0.3, log_every=2),
    ]
    for request, word in zip(requests, ("plain", "keep-50", "keep-30"), strict=True):
        name = request["TrainingJobName"]
        assert JOB_NAME.fullmatch(name)
        assert f"-{word}-20" in name
        assert request["CheckpointConfig"]["S3Uri"] == f"s3://sift-tests/checkpoints/{name}/"
        assert request["HyperParameters"]["epochs"] == "2"
        (channel,) = request["InputDataConfig"]
        assert channel["DataSource"]["S3DataSource"]["S3Uri"] == "s3://sift-tests/data"
    assert {each.latest_training_job.name for each in sweep.jobs.values()} == {
        *sweep.names.values()
    }
    assert repr(sweep).startswith("<Sweep of 3 jobs: plain: ")


def test_a_function_of_a_config(aws: Any, make: Callable[..., Any]) -> None:
    """Where more than the config differs, a function makes each job."""
    given = []

    def of(config: SiftConfig) -> Any:
        given.append(config)
        return make(config, hyperparameters={"lr": 0.1 / config.kept_share})

    keep_sweep(of, [0.5], config=SiftConfig(keep=1, seed=9))
    assert given == [SiftConfig(keep=1, seed=9).plain_twin(), SiftConfig(keep=0.5, seed=9)]
    assert [each["HyperParameters"]["lr"] for each in aws.requests()] == ["0.1", "0.2"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"shares": [0, 0.5]}, "shares holds 0"),
        ({"shares": [0.5], "max_parallel": 0}, "max_parallel must be a whole number from 1, got 0"),
        ({"shares": [0.5], "job": "an estimator"}, "what sift_estimator or sift_model_trainer ret"),
        ({"shares": [0.5], "job": lambda config: None}, "returned no sift estimator for plain"),
    ],
)
def test_what_is_refused(
    aws: Any, make: Callable[..., Any], arguments: dict[str, Any], problem: str
) -> None:
    """What could be known before is said before anything is launched."""
    with pytest.raises(SiftRequestError) as caught:
        keep_sweep(**{"job": make(), **arguments})
    assert problem in str(caught.value)
    assert aws.calls == []


def test_jobs_that_would_go_on_from_each_other(tmp_path: Path) -> None:
    """A HostSession that keeps checkpoints would hand those of the twin to the first sifted job."""
    estimator = sift_estimator(
        CONFIG,
        entry_point=__file__,
        role="any",
        sagemaker_session=HostSession(tmp_path / "jobs", checkpoints=tmp_path / "kept"),
    )
    with pytest.raises(SiftRequestError, match="make the session without"):
        keep_sweep(estimator, [0.5])
    assert not (tmp_path / "jobs").exists()


CREATE = "before-call.sagemaker.CreateTrainingJob"
DESCRIBED = "after-call.sagemaker.DescribeTrainingJob"


def test_no_room_for_the_third(aws: Any, make: Callable[..., Any], on: Any) -> None:
    """A launch that AWS refuses midway leaves the others running, and known by name."""
    created = []

    def refuse(**_: Any) -> None:
        created.append(1)
        if len(created) == 3:
            raise ClientError(NO_ROOM, "CreateTrainingJob")

    on(CREATE, refuse)
    with pytest.raises(SiftSweepError) as caught:
        keep_sweep(make(), [0.5, 0.3, 0.2])
    launched = caught.value.launched
    assert list(launched) == ["plain", "keep=0.5"]
    assert [each["TrainingJobName"] for each in aws.requests()][:2] == [*launched.values()]
    text = str(caught.value)
    assert "Not launched were keep=0.3, keep=0.2." in text
    assert "Service Quotas" in text
    assert len(created) == 3


def test_no_room_for_the_first(make: Callable[..., Any], on: Any) -> None:
    """Where nothing was launched at all, the error is that of a single job."""

    def refuse(**_: Any) -> None:
        raise ClientError(NO_ROOM, "CreateTrainingJob")

    on(CREATE, refuse)
    with pytest.raises(SiftJobError, match="No job was started") as caught:
        keep_sweep(make(), [0.5])
    assert not isinstance(caught.value, SiftSweepError)


def test_an_interruption(make: Callable[..., Any], on: Any) -> None:
    """Ctrl-C midway does not lose sight of what was launched before."""
    created = []

    def interrupt(**_: Any) -> None:
        created.append(1)
        if len(created) == 2:
            raise KeyboardInterrupt

    on(CREATE, interrupt)
    with pytest.raises(SiftSweepError, match=r"keep=0\.5: KeyboardInterrupt") as caught:
        keep_sweep(make(), [0.5, 0.3])
    assert list(caught.value.launched) == ["plain"]


@pytest.fixture
def endings(on: Any) -> dict[str, list[tuple[str, str | None]]]:
    """What DescribeTrainingJob says, look by look, of jobs with these words in their names."""
    planned: dict[str, list[tuple[str, str | None]]] = {}

    def describe(parsed: dict[str, Any], **_: Any) -> None:
        for word, looks in planned.items():
            if word in parsed["TrainingJobName"]:
                status, reason = looks.pop(0) if len(looks) > 1 else looks[0]
                parsed["TrainingJobStatus"] = status
                if reason:
                    parsed["FailureReason"] = reason

    on(DESCRIBED, describe)
    return planned


def test_so_many_at_a_time(aws: Any, make: Callable[..., Any], endings: Any) -> None:
    """The next job is launched when one has ended, and no sooner."""
    running = ("InProgress", None)
    endings["plain"] = [running] * 3 + [("Completed", None)]
    endings["keep-50"] = [running] * 2 + [("Completed", None)]
    endings["keep-30"] = [("Completed", None)]
    keep_sweep(make(), [0.5, 0.3], max_parallel=1, poll_seconds=0.001)
    steps = [name for name, _ in aws.calls if name in {"CreateTrainingJob", "DescribeTrainingJob"}]
    create, look = "CreateTrainingJob", "DescribeTrainingJob"
    assert steps == [create, *[look] * 4, create, *[look] * 3, create]


def test_waiting(make: Callable[..., Any], endings: Any, on: Any, capsys: Any) -> None:
    """Waiting outlives throttling, goes on until all have ended, and then names what failed."""
    endings["plain"] = [("InProgress", None)] * 2 + [("Failed", "AlgorithmError: boom")]
    endings["keep-50"] = [("InProgress", None)] * 4 + [("Stopped", None)]
    sweep = keep_sweep(make(), [0.5])
    looks = []

    def throttle(**_: Any) -> None:
        looks.append(1)
        if len(looks) == 2:
            raise ClientError(THROTTLED, "DescribeTrainingJob")

    on("before-call.sagemaker.DescribeTrainingJob", throttle)
    with pytest.raises(SiftSweepError) as caught:
        sweep.wait(poll_seconds=0.001)
    assert str(caught.value) == (
        f"1 of 2 jobs failed: plain ({sweep.names['plain']!r}): AlgorithmError: boom"
    )
    assert caught.value.launched == dict(sweep.names)
    assert endings["keep-50"] == [("Stopped", None)]
    assert "throttled" in capsys.readouterr().out


def test_a_view(make: Callable[..., Any]) -> None:
    """What a sweep holds cannot be changed from outside."""
    sweep = keep_sweep(make(), [0.5], twin=False)
    assert isinstance(sweep, Sweep)
    with pytest.raises(TypeError):
        sweep.jobs["more"] = 1  # type: ignore[index] # the test
    with pytest.raises(TypeError):
        sweep.names["more"] = "name"  # type: ignore[index] # the test
