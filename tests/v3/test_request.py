"""The request that a job really is: what SDK v3 sends to AWS, and the code it uploads."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from sagemaker.core.training.configs import InstanceGroup, TensorBoardOutputConfig

from sift_toolkit import METRICS, SiftConfig, SiftJobError, SiftRequestError, sift_model_trainer
from sift_toolkit.client import describe_request
from sift_toolkit.client._limits import JOB_NAME
from sift_toolkit.client._staging import STAGED_PREFIX
from sift_toolkit.testing import MockedAws, request_violations
from tests.one_job import CONFIG, PLAIN, PLAIN_WIRE

DATA = {"training": "s3://sift-tests/data"}
OWN_METRIC = {"Name": "f1", "Regex": "f1=([0-9.]+);"}
MOST: dict[str, Any] = {
    "launcher": "run",
    "instance_type": "ml.g4dn.12xlarge",
    "instance_count": 2,
    "hyperparameters": {"epochs": 3, "note": "it's fine"},
    "metric_definitions": [OWN_METRIC],
    "distribution": {"torch_distributed": {"enabled": True}},
    "use_spot_instances": True,
    "max_run": 3600,
    "max_wait": 7200,
    "max_retry_attempts": 3,
    "checkpoint_s3_uri": "s3://sift-tests/checkpoints",
    "checkpoint_local_path": "/opt/ml/saved",
    "environment": {"LEVEL": "it's 1"},
    "tags": {"team": "a b"},
    "subnets": ["subnet-1"],
    "security_group_ids": ["sg-1"],
    "output_kms_key": "alias/key",
    "output_path": "s3://sift-tests/models",
    "disable_output_compression": True,
    "enable_network_isolation": True,
    "encrypt_inter_container_traffic": True,
    "base_job_name": "sifted",
    "volume_size": 50,
    "input_mode": "FastFile",
    "enable_remote_debug": True,
    "enable_infra_check": False,
    "enable_session_tag_chaining": False,
    "debugger_hook_config": False,
}
"""Most of what can be asked of a job."""


@pytest.fixture
def sent(aws: MockedAws, job_arguments: dict[str, Any]) -> dict[str, Any]:
    """The request of a job that asks for most of what there is."""
    trainer = sift_model_trainer(SiftConfig(keep=0.5), **{**job_arguments, **MOST})
    trainer.train(DATA, wait=False, logs=False)
    return aws.request()


def test_request(sent: dict[str, Any]) -> None:
    """It keeps to the API's model and says all it should."""
    assert request_violations(sent, "CreateTrainingJob") == []
    assert SiftConfig.from_hyperparameters(sent["HyperParameters"]) == SiftConfig(keep=0.5)
    algorithm = sent["AlgorithmSpecification"]
    expected = [*(metric.definition for metric in METRICS), OWN_METRIC]
    assert algorithm["MetricDefinitions"] == expected
    assert algorithm["TrainingImage"].endswith("pytorch-training:2.8.0-gpu-py312")
    assert algorithm["TrainingInputMode"] == "FastFile"
    assert sent["EnableManagedSpotTraining"] is True
    assert sent["StoppingCondition"] == {
        "MaxRuntimeInSeconds": 3600,
        "MaxWaitTimeInSeconds": 7200,
    }
    assert sent["RetryStrategy"] == {"MaximumRetryAttempts": 3}
    assert sent["CheckpointConfig"] == {
        "S3Uri": "s3://sift-tests/checkpoints",
        "LocalPath": "/opt/ml/saved",
    }
    assert sent["Environment"] == {"LEVEL": "it's 1"}
    assert sent["Tags"] == [{"Key": "team", "Value": "a b"}]
    assert sent["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    assert sent["OutputDataConfig"] == {
        "S3OutputPath": "s3://sift-tests/models",
        "KmsKeyId": "alias/key",
        "CompressionType": "NONE",
    }
    assert sent["EnableNetworkIsolation"] is True
    assert sent["EnableInterContainerTrafficEncryption"] is True
    assert sent["ResourceConfig"] == {
        "InstanceType": "ml.g4dn.12xlarge",
        "InstanceCount": 2,
        "VolumeSizeInGB": 50,
    }
    assert sent["RemoteDebugConfig"] == {"EnableRemoteDebug": True}
    assert re.fullmatch(r"sifted-[0-9-]{23}", sent["TrainingJobName"])
    channels = [channel["ChannelName"] for channel in sent["InputDataConfig"]]
    assert channels == ["training", "code", "sm_drivers"]


def test_warm_pool_and_volume_key(aws: MockedAws, job_arguments: dict[str, Any]) -> None:
    """What excludes spot instances goes its way too."""
    arguments = {"keep_alive_period_in_seconds": 600, "volume_kms_key": "alias/key"}
    trainer = sift_model_trainer(CONFIG, **job_arguments, **arguments, tags=[])
    trainer.train(wait=False, logs=False)
    assert aws.request()["ResourceConfig"] == {
        "InstanceType": "ml.m5.xlarge",
        "InstanceCount": 1,
        "VolumeSizeInGB": 30,
        "KeepAlivePeriodInSeconds": 600,
        "VolumeKmsKeyId": "alias/key",
    }
    assert aws.request()["StoppingCondition"] == {"MaxRuntimeInSeconds": 86_400}


def test_instance_groups_and_tensorboard(aws: MockedAws, job_arguments: dict[str, Any]) -> None:
    """Arguments that are objects of an SDK are objects of SDK v3."""
    del job_arguments["instance_type"], job_arguments["instance_count"]
    group = InstanceGroup(instance_group_name="one", instance_type="ml.m5.xlarge", instance_count=1)
    trainer = sift_model_trainer(
        CONFIG,
        **job_arguments,
        instance_groups=[group],
        image_uri="123456789012.dkr.ecr.us-west-2.amazonaws.com/image:1",
        tensorboard_output_config=TensorBoardOutputConfig(s3_output_path="s3://sift-tests/board"),
    )
    trainer.train(wait=False, logs=False)
    groups = aws.request()["ResourceConfig"]["InstanceGroups"]
    assert groups == [
        {"InstanceGroupName": "one", "InstanceType": "ml.m5.xlarge", "InstanceCount": 1}
    ]
    board = aws.request()["TensorBoardOutputConfig"]
    assert board["S3OutputPath"] == "s3://sift-tests/board"
    assert trainer.describe_request()["ResourceConfig"]["InstanceGroups"] == groups


def test_wire(aws: MockedAws, job_arguments: dict[str, Any]) -> None:
    """Hyperparameters are, sign by sign, those that SDK v2 sends for the same job."""
    for launcher in ("script", "run"):
        arguments = {**job_arguments, "launcher": launcher, "hyperparameters": PLAIN}
        sift_model_trainer(CONFIG, **arguments).train(wait=False, logs=False)
        assert aws.request()["HyperParameters"] == PLAIN_WIRE


def sent_code(aws: MockedAws) -> dict[str, bytes]:
    """Return the files that the last job gets as its code."""
    (code,) = (
        channel["DataSource"]["S3DataSource"]["S3Uri"]
        for channel in aws.request()["InputDataConfig"]
        if channel["ChannelName"] == "code"
    )
    return {name.removeprefix("./"): text for name, text in aws.code_at(code).items()}


def test_uploaded_code(aws: MockedAws, job_arguments: dict[str, Any], source: Path) -> None:
    """One archive holds the user's files and the whole toolkit, and no junk."""
    (source / "__pycache__").mkdir()
    (source / "__pycache__" / "train.cpython-311.pyc").write_text("junk")
    sift_model_trainer(CONFIG, **job_arguments).train(wait=False, logs=False)
    files = sent_code(aws)
    assert {
        "train.py",
        "beside.py",
        "sift_toolkit/__init__.py",
        "sift_toolkit/config/_config.py",
        "sift_toolkit/entry_points/run.py",
    } < set(files)
    assert not [name for name in files if "__pycache__" in name]


def test_toolkit_left_at_home(aws: MockedAws, job_arguments: dict[str, Any]) -> None:
    """With ship_toolkit=False only what starts the script goes along."""
    sift_model_trainer(CONFIG, **job_arguments, ship_toolkit=False).train(wait=False, logs=False)
    expected = {"train.py", "beside.py", "sift_toolkit/entry_points/run.py"}
    assert set(sent_code(aws)) == expected


def without_times(request: dict[str, Any]) -> Any:
    """Return a request with a stand-in for each time in it."""
    text = re.sub(r"\d{14}|YYYYMMDDHHMMSS", "SECONDS", json.dumps(request))
    return json.loads(re.sub(r"\d{4}(-\d\d){5}-\d{3}|YYYY-MM-DD-HH-MM-SS-mmm", "TIME", text))


@pytest.mark.parametrize("more", [MOST, {}])
def test_describe_request(
    aws: MockedAws, job_arguments: dict[str, Any], tmp_path: Path, more: dict[str, Any]
) -> None:
    """What would be sent is what is sent, told without a call or a trace."""
    trainer = sift_model_trainer(SiftConfig(keep=0.5), **{**job_arguments, **more})
    described = describe_request(trainer, DATA)
    assert describe_request(trainer, DATA) == described
    assert aws.calls == []
    assert request_violations(described, "CreateTrainingJob") == []
    assert list((tmp_path / "temporary").iterdir()) == []
    trainer.train(DATA, wait=False, logs=False)
    assert without_times(aws.request()) == without_times(described)
    assert describe_request(trainer, job_name="mine")["TrainingJobName"] == "mine"
    assert describe_request(trainer, DATA) == described


def test_describe_request_knows_nobody(
    job_arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a session or a role both are made up, in an account that is none."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    arguments = {**job_arguments, "sagemaker_session": None, "role": "a-name"}
    described = sift_model_trainer(CONFIG, **arguments).describe_request()
    assert described["RoleArn"] == "arn:aws:iam::000000000000:role/a-name"
    assert described["OutputDataConfig"]["S3OutputPath"].startswith(
        "s3://sagemaker-eu-west-1-000000000000/"
    )
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(SiftRequestError, match="no region is set"):
        sift_model_trainer(CONFIG, **arguments)


def test_each_job_has_a_name_of_its_own(aws: MockedAws, job_arguments: dict[str, Any]) -> None:
    """Two jobs of a second, and of a long base name, do not overwrite each other."""
    trainer = sift_model_trainer(CONFIG, **job_arguments, base_job_name="b" * 63)
    for _ in range(2):
        trainer.train(wait=False, logs=False)
    trainer.fit(wait=False, job_name="mine")
    names = [request["TrainingJobName"] for request in aws.requests()]
    assert len(set(names)) == 3
    assert names[-1] == "mine"
    assert all(JOB_NAME.fullmatch(name) for name in names)
    codes = {
        request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"]
        for request in aws.requests()
    }
    assert len(codes) == 3
    year = str(datetime.now(timezone.utc).year)
    assert names[0].startswith("b" * 39 + "-" + year)


def test_each_job_has_fresh_code(
    aws: MockedAws, job_arguments: dict[str, Any], source: Path, tmp_path: Path
) -> None:
    """A second job sends what the user has edited since; nothing is left here."""
    trainer = sift_model_trainer(CONFIG, **job_arguments, hyperparameters={"lr": 0.1})
    trainer.hyperparameters["lr"] = 0.2
    given = trainer.source_code, dict(trainer.hyperparameters)
    for text in (b"x = 1\n", b"x = 2\n"):
        (source / "train.py").write_bytes(text)
        trainer.train(wait=False, logs=False)
        assert aws.request()["HyperParameters"]["lr"] == "0.2"
        assert sent_code(aws)["train.py"] == text
    assert given == (trainer.source_code, trainer.hyperparameters)
    assert list((tmp_path / "temporary").glob(f"{STAGED_PREFIX}*")) == []


def test_refused_before_anything_is_sent(
    aws: MockedAws, job_arguments: dict[str, Any], source: Path, tmp_path: Path
) -> None:
    """What went wrong after the trainer was made stops train() before any call to AWS."""
    trainer = sift_model_trainer(CONFIG, **job_arguments)
    trainer.environment = {"A-B": "1"}
    trainer.hyperparameters["model.depth"] = 3
    (source / "train.py").unlink()
    with pytest.raises(SiftRequestError) as caught:
        trainer.train(wait=False, logs=False, job_name="a_b")
    assert len(caught.value.problems) == 4
    for channels in ({"a-b": "s3://b/c"}, {"a": "file:///data"}, {"a": 1}, {"code": "s3://b/c"}):
        with pytest.raises(SiftRequestError):
            trainer.train(channels, wait=False, logs=False)
    with pytest.raises(SiftRequestError), trainer.prepared():
        pass
    assert aws.calls == []
    assert list((tmp_path / "temporary").iterdir()) == []


def test_an_error_of_aws_is_one_sentence(
    aws: MockedAws, job_arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket that is not there is said in words, with what was not done."""
    monkeypatch.setattr(aws.silent_session, "_default_bucket", "no-such-bucket-of-ours")
    trainer = sift_model_trainer(CONFIG, **job_arguments)
    with pytest.raises(SiftJobError) as caught:
        trainer.train(wait=False, logs=False)
    assert "\n" not in str(caught.value)
    assert "No job was started" in str(caught.value)


def test_an_upload_that_breaks_off(
    aws: MockedAws, job_arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where SDK v3's own files fail after the code, the code's address is told."""
    upload = aws.silent_session.upload_data

    def upload_code_only(path: str, *_: object, **words: Any) -> str:
        if not path.endswith("sourcedir.tar.gz"):
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")
        return str(upload(path, **words))

    monkeypatch.setattr(aws.silent_session, "upload_data", upload_code_only)
    trainer = sift_model_trainer(CONFIG, **job_arguments)
    with pytest.raises(SiftJobError) as caught:
        trainer.train(wait=False, logs=False)
    assert "No job was started; its code was uploaded to s3://sift-tests/" in str(caught.value)
    assert str(caught.value).endswith("sourcedir.tar.gz, where it stays")


def test_a_role_that_sdk_v3_refuses(
    aws: MockedAws, job_arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its page of remedies becomes one sentence, which says how to go on with a small role."""
    monkeypatch.delenv("SAGEMAKER_VALIDATE_ROLE")
    denied = {"EvalActionName": "ec2:DescribeVpcs", "EvalDecision": "implicitDeny"}
    answer = AWSResponse("https://iam", 200, {}, None), {"EvaluationResults": [denied]}
    simulated = "before-call.iam.SimulatePrincipalPolicy"
    aws.boto_session.events.register(simulated, answered := lambda **_: answer)
    trainer = sift_model_trainer(CONFIG, **job_arguments)
    with pytest.raises(SiftJobError) as caught:
        trainer.train(wait=False, logs=False)
    said = str(caught.value)
    assert said.startswith("SDK v3 refuses the role before it asks SageMaker: IAM role 'arn:aws:")
    assert "Missing permissions: ec2:DescribeVpcs; give the role these, or" in said
    assert "\n" not in said
    assert {operation for operation, _ in aws.calls} == {"SimulatePrincipalPolicy"}
    monkeypatch.setenv("SAGEMAKER_VALIDATE_ROLE", "false")
    trainer.train(wait=False, logs=False)
    assert len(aws.requests()) == 1
    aws.boto_session.events.unregister(simulated, answered)


def test_pipelines_take_it(aws: MockedAws, job_arguments: dict[str, Any]) -> None:
    """A pipeline's step has the same request, its code uploaded."""
    from sagemaker.core.workflow.parameters import ParameterInteger
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    session = PipelineSession(
        boto_session=aws.boto_session,
        default_bucket=aws.bucket,
        sagemaker_config=aws.silent_session.sagemaker_config,
    )
    later = ParameterInteger(name="Later", default_value=3)
    arguments = {**job_arguments, "sagemaker_session": session}
    trainer = sift_model_trainer(
        CONFIG, **arguments, hyperparameters={"epochs": later, "x": "it's"}
    )
    with pytest.warns(UserWarning, match="PipelineSession"):
        step = trainer.train(DATA)
    step.func(*step.func_args, **step.func_kwargs)
    request = session.context.args
    assert request["HyperParameters"]["epochs"] is later
    assert request["HyperParameters"]["sagemaker_sift_quoted"] == '["x"]'
    assert "TrainingJobName" not in request
