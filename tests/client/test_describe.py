"""What would be sent, before anything is: equal to what is sent, and without a word to AWS."""

from __future__ import annotations

import copy
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import botocore.httpsession
import pytest

from sift_toolkit import HostSession, SiftConfig, sift_estimator
from sift_toolkit.client import describe_request
from sift_toolkit.client._job_names import TIMESTAMP
from sift_toolkit.errors import SiftRequestError, SiftUsageError

CONFIG = SiftConfig(keep=0.5)
INPUTS = {"training": "s3://sift-tests/data", "test": "s3://sift-tests/test"}
OPTIONS: dict[str, dict[str, Any]] = {
    "nothing more": {},
    "script": {"launcher": "script"},
    "script of the SDK's own archive": {"launcher": "script", "ship_toolkit": False},
    "much": {
        "launcher": "run",
        "instance_type": "ml.g5.12xlarge",
        "instance_count": 2,
        "hyperparameters": {"epochs": 3, "note": "it's ü", "layers": [64, 64]},
        "distribution": {"torch_distributed": {"enabled": True}},
        "metric_definitions": [{"Name": "f1", "Regex": "f1=([0-9.]+);"}],
        "use_spot_instances": True,
        "max_run": 3600,
        "max_wait": 7200,
        "checkpoint_s3_uri": "s3://sift-tests/checkpoints",
        "environment": {"LEVEL": "1"},
        "tags": {"team": "a b"},
        "subnets": ["subnet-1"],
        "security_group_ids": ["sg-1"],
        "output_kms_key": "alias/key",
        "base_job_name": "letters-" * 9 + "x",
    },
    "isolated": {"enable_network_isolation": True, "output_path": "s3://sift-tests/models"},
    "own image": {"framework_version": None, "py_version": None, "image_uri": "1.ecr/mine:2"},
    "code in S3": {
        "source_dir": "s3://sift-tests/sourcedir.tar.gz",
        "launcher": "script",
        "ship_toolkit": False,
    },
    "role by name": {"role": "sift-role"},
}


@pytest.fixture
def arguments(job_arguments: dict[str, Any]) -> dict[str, Any]:
    """What every job on SageMaker needs, started by an entry point of the toolkit."""
    return {"launcher": "train", **job_arguments}


def sent(aws: Any, estimator: Any, job_name: str | None = None) -> dict[str, Any]:
    """Start the job, and return its request with a stand-in where the name has the time."""
    estimator.fit(INPUTS, wait=False, job_name=job_name)
    request = aws.request()
    name = request["TrainingJobName"]
    stand_in = job_name or f"{name[: -len(TIMESTAMP)]}{TIMESTAMP}"
    text = json.dumps(request).replace(name, stand_in)
    return json.loads(text)  # type: ignore[no-any-return] # JSON


class TestAgainstFit:
    """What is described is what fit() sends."""

    @pytest.mark.parametrize("option", [name for name in OPTIONS if name != "role by name"])
    def test_same_request(self, aws: Any, arguments: dict[str, Any], option: str) -> None:
        """Apart from the time in the job's name, the requests are equal."""
        estimator = sift_estimator(CONFIG, **{**arguments, **OPTIONS[option]})
        described = describe_request(estimator, INPUTS)
        assert aws.calls == []
        assert sent(aws, estimator) == described

    def test_own_name(self, aws: Any, arguments: dict[str, Any]) -> None:
        """With a name of its own a job is described to the last letter."""
        estimator = sift_estimator(CONFIG, **arguments)
        described = estimator.describe_request(INPUTS, job_name="letters-1")
        assert sent(aws, estimator, "letters-1") == described
        assert described["TrainingJobName"] == "letters-1"

    def test_rules_of_the_debugger(self, aws: Any, arguments: dict[str, Any]) -> None:
        """Settings that the SDK fills in on its own objects are described, and left alone."""
        from sagemaker.debugger import DebuggerHookConfig, Rule, rule_configs

        hook = DebuggerHookConfig(hook_parameters={"save_interval": "5"})
        estimator = sift_estimator(
            CONFIG,
            **arguments,
            debugger_hook_config=hook,
            rules=[Rule.sagemaker(rule_configs.loss_not_decreasing())],
        )
        described = describe_request(estimator, INPUTS)
        assert hook.s3_output_path is None
        assert described["DebugHookConfig"]["S3OutputPath"] == "s3://sift-tests/"
        assert sent(aws, estimator) == described

    def test_second_job(self, aws: Any, arguments: dict[str, Any]) -> None:
        """An estimator that has run a job describes the next one as well."""
        estimator = sift_estimator(CONFIG, **arguments)
        first = sent(aws, estimator)
        assert first == describe_request(estimator, INPUTS) == sent(aws, estimator)

    def test_nothing_is_changed(self, aws: Any, arguments: dict[str, Any]) -> None:
        """Describing a job leaves its estimator as it was, and gives a request of its own."""
        estimator = sift_estimator(CONFIG, **{**arguments, **OPTIONS["much"]})
        containers = (list, dict)
        state = {
            key: copy.deepcopy(value) if isinstance(value, containers) else value
            for key, value in vars(estimator).items()
        }
        described = describe_request(estimator, INPUTS)
        described["Tags"].append("x")
        described["HyperParameters"].clear()
        described["AlgorithmSpecification"]["MetricDefinitions"].clear()
        assert vars(estimator) == state


@pytest.fixture
def nobody_to_ask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No call, no connection, no credentials, no region: whoever asks for one fails."""

    def fail(*arguments: object, **_: object) -> None:
        pytest.fail(f"asked for {arguments[1:]}")

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", fail)
    monkeypatch.setattr(botocore.httpsession.URLLib3Session, "send", fail)
    monkeypatch.setattr(socket.socket, "connect", fail)


def session_of(region: str, **settings: Any) -> Any:
    """Return a session without credentials, with no bucket known unless it is given."""
    from sagemaker import Session

    session = Session(boto_session=boto3.Session(region_name=region), **settings)
    session.sagemaker_config = {}
    return session


class TestNobodyIsAsked:
    """No AWS, no network, no credentials."""

    @pytest.mark.parametrize("option", OPTIONS)
    def test_no_call(
        self,
        nobody_to_ask: None,
        user_code: Path,
        api_violations: Callable[[dict[str, Any]], list[str]],
        option: str,
    ) -> None:
        """Every kind of job is described, in words that the API's own model accepts."""
        arguments = {
            "launcher": "train",
            "entry_point": "train.py",
            "source_dir": user_code,
            "role": "arn:aws:iam::123456789012:role/sift-tests",
            "instance_type": "ml.m5.xlarge",
            "instance_count": 1,
            "framework_version": "2.8.0",
            "py_version": "py312",
            "sagemaker_session": session_of("eu-west-1"),
        }
        estimator = sift_estimator(CONFIG, **{**arguments, **OPTIONS[option]})
        request = describe_request(estimator, INPUTS)
        assert api_violations(request) == []
        assert json.loads(json.dumps(request)) == request
        assert SiftConfig.from_hyperparameters(request["HyperParameters"]) == CONFIG

    def test_stand_ins(self, nobody_to_ask: None, user_code: Path) -> None:
        """What only AWS or the clock knows has a stand-in, the same each time."""
        estimator = sift_estimator(
            CONFIG,
            entry_point=user_code / "train.py",
            role="sift-role",
            instance_type="ml.m5.xlarge",
            instance_count=1,
            framework_version="2.8.0",
            py_version="py312",
            sagemaker_session=session_of("eu-west-1", default_bucket_prefix="mine"),
        )
        request = describe_request(estimator, INPUTS)
        name, bucket = f"pytorch-training-{TIMESTAMP}", "sagemaker-eu-west-1-000000000000/mine"
        code = f'"s3://{bucket}/{name}/source/sourcedir.tar.gz"'
        assert request["TrainingJobName"] == name
        assert request["RoleArn"] == "arn:aws:iam::000000000000:role/sift-role"
        assert request["OutputDataConfig"]["S3OutputPath"] == f"s3://{bucket}/"
        assert request["HyperParameters"]["sagemaker_submit_directory"] == code
        assert request == describe_request(estimator, INPUTS)

    def test_code_from_git_is_not_cloned(self, nobody_to_ask: None) -> None:
        """Code in a repository is described without fetching it."""
        estimator = sift_estimator(
            CONFIG,
            entry_point="train.py",
            source_dir="src",
            git_config={"repo": "https://example.org/repo.git"},
            ship_toolkit=False,
            role="sift-role",
            instance_type="ml.m5.xlarge",
            instance_count=1,
            framework_version="2.8.0",
            py_version="py312",
            sagemaker_session=session_of("eu-west-1", default_bucket="mine"),
        )
        hyperparameters = describe_request(estimator)["HyperParameters"]
        assert hyperparameters["sagemaker_program"] == '"train.py"'
        assert hyperparameters["sagemaker_submit_directory"].startswith('"s3://mine/')
        assert estimator.git_config == {"repo": "https://example.org/repo.git"}

    def test_host_job(self, nobody_to_ask: None, user_code: Path) -> None:
        """A job for this machine is described as its HostSession would get it."""
        estimator = sift_estimator(
            CONFIG,
            entry_point=user_code / "train.py",
            role="any",
            sagemaker_session=HostSession(),
        )
        request = describe_request(estimator, {"training": "file:///data"}, job_name="here")
        assert request["ResourceConfig"]["InstanceType"] == "local"
        assert request["OutputDataConfig"]["S3OutputPath"] == "s3://sift-host/"

    @pytest.mark.parametrize("launcher", ["script", "run"])
    def test_local_code(self, nobody_to_ask: None, user_code: Path, launcher: Any) -> None:
        """Code that local mode uses in place is described by its own folder, or a stand-in."""
        from sagemaker.local import LocalSession

        session = LocalSession(boto_session=boto3.Session(region_name="us-west-2"))
        session.config = {"local": {"local_code": True}}
        shipped = launcher == "run"
        estimator = sift_estimator(
            CONFIG,
            entry_point="model/net.py",
            source_dir=user_code,
            launcher=launcher,
            ship_toolkit=shipped,
            role="any",
            instance_type="local",
            instance_count=1,
            image_uri="image",
            sagemaker_session=session,
        )
        hyperparameters = describe_request(estimator)["HyperParameters"]
        folder = "file:///tmp/sift-staged-XXXXXXXX/code" if shipped else f"file://{user_code}"
        assert hyperparameters["sagemaker_submit_directory"] == json.dumps(folder)
        estimator.prepare_workflow_for_training("job")
        same = "sagemaker_program"
        assert hyperparameters[same] == estimator.hyperparameters()[same]


class TestRefusals:
    """What cannot be described."""

    def test_wrong_request(self, aws: Any, arguments: dict[str, Any]) -> None:
        """What fit() would refuse is refused here too."""
        estimator = sift_estimator(CONFIG, **arguments)
        estimator.max_run = 0
        with pytest.raises(SiftRequestError) as caught:
            describe_request(estimator, {"a b": "s3://bucket/a"}, job_name="a_b")
        assert len(caught.value.problems) == 3

    def test_no_job(self) -> None:
        """Anything that describes no job is refused with what would."""
        with pytest.raises(SiftUsageError, match=r"sift_estimator or sift_model.*got a dict"):
            describe_request({})
