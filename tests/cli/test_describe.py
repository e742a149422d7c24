"""`describe`: all that is known of a job, or what an estimator would send."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from sift_toolkit import SiftConfig
from sift_toolkit.testing import FakeJob, MockedAws, record_job

Call = Callable[..., Result]

JOB = FakeJob(SiftConfig(keep=0.5, scores="fresh"), accuracy=0.88)
LAUNCH = """
    print("building")
    from shares_of_request import KEEP
    from sift_toolkit import SiftConfig, sift_estimator

    def make():
        return sift_estimator(
            SiftConfig(keep=KEEP),
            entry_point="train.py",
            source_dir={source!r},
            role="arn:aws:iam::123456789012:role/sift",
            instance_type="ml.m5.xlarge",
            instance_count=1,
            framework_version="2.8.0",
            py_version="py312",
        )

    estimator = make()
    if __name__ == "__main__":
        raise RuntimeError("launched")
"""

REFUSED = """
    class Job:
        def describe_request(self, inputs, job_name):
            return {"TrainingJobName": "a_b"}

    job = Job()
"""


@pytest.fixture
def launch(script: Path, tmp_path: Path, sift_aws: MockedAws) -> Path:
    """A user's file that makes an estimator."""
    (tmp_path / "shares_of_request.py").write_text("KEEP = 0.5\n")
    path = tmp_path / "launch.py"
    path.write_text(textwrap.dedent(LAUNCH).format(source=str(script.parent)))
    return path


def test_a_job_in_aws(sift_aws: MockedAws, call: Call) -> None:
    """Status, time, machines, config and figures, each on a line."""
    record_job(sift_aws.boto_session, "spot", JOB, spot=True, billable_seconds=61)
    answer = call("describe", "spot")
    assert answer.exit_code == 0, answer.output
    lines = answer.stdout.splitlines()
    assert lines[0] == "spot"
    assert "  status        Completed" in lines[1]
    for text in (
        "on its instances, 1:01 billed for each",
        "  instances     1 x ml.g5.xlarge, spot",
        "  config        SiftConfig(keep=0.5, scores='fresh')",
        "  kept          50.0% of the samples seen",
        "  accuracy      88.00% on held-out data",
    ):
        assert text in answer.stdout


def test_json(sift_aws: MockedAws, call_json: Callable[..., Any]) -> None:
    """The keys are stable, what is not known is null."""
    record_job(sift_aws.boto_session, "now", FakeJob(JOB.config, until=0.4), status="InProgress")
    content = call_json("describe", "now")
    assert set(content) == {
        *("job", "status", "stage", "failure_reason", "elapsed_seconds", "billable_seconds"),
        *("instance_type", "instance_count", "spot", "config", "figures", "source", "notes"),
    }
    assert content["status"] == "InProgress"
    assert content["billable_seconds"] is None
    assert content["config"]["keep"] == 0.5
    assert content["figures"]["kept_share"] == pytest.approx(0.5)


def test_a_failed_job(sift_aws: MockedAws, call: Call) -> None:
    """Why it failed stands on one line; that it did is no error of the command."""
    reason = "AlgorithmError: out\nof memory"
    record_job(sift_aws.boto_session, "bad", JOB, status="Failed", failure_reason=reason)
    answer = call("describe", "bad")
    assert answer.exit_code == 0
    assert "  failed        AlgorithmError: out of memory" in answer.stdout


def test_no_such_job(sift_aws: MockedAws, call: Call) -> None:
    """A job that AWS does not know is said in words."""
    answer = call("describe", "nobody")
    assert answer.exit_code == 1
    assert "'nobody'" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("name", ["estimator", "make"])
def test_a_request(launch: Path, call: Call, sift_aws: MockedAws, name: str) -> None:
    """What an estimator, or a function that makes one, would send; and nothing is sent."""
    sift_aws.calls.clear()
    answer = call(
        *("describe", "--request", f"{launch}:{name}"),
        *("--channel", "training=s3://bucket/data", "--job-name", "a-job"),
    )
    assert answer.exit_code == 0, answer.output
    request = json.loads(answer.stdout)
    assert request["TrainingJobName"] == "a-job"
    assert request["HyperParameters"]["sagemaker_sift_keep"] == "0.5"
    assert request["InputDataConfig"][0]["ChannelName"] == "training"
    assert "building" in answer.stderr
    assert sift_aws.calls == []


def test_a_request_as_json(launch: Path, call_json: Callable[..., Any]) -> None:
    """With --json the violations stand beside the request."""
    content = call_json("describe", "--request", f"{launch}:estimator")
    assert content["violations"] == []
    assert content["request"]["ResourceConfig"]["InstanceType"] == "ml.m5.xlarge"


def test_a_request_that_aws_would_refuse(call: Call, tmp_path: Path) -> None:
    """What only the API's model knows to be wrong is told, with exit code 1."""
    file = tmp_path / "launch.py"
    file.write_text(textwrap.dedent(REFUSED))
    answer = call("describe", "--request", f"{file}:job")
    assert answer.exit_code == 1, answer.output
    assert json.loads(answer.stdout)["TrainingJobName"] == "a_b"
    assert "AWS would refuse it: request.TrainingJobName does not match" in answer.stderr
    assert "AWS would refuse it: request.RoleArn is missing" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "give a JOB, or --request"),
        (["job", "--request", "a.py:b"], "give a JOB, or --request"),
        (["job", "--channel", "a=b"], "belong to --request"),
        (["--request", "a.py:b", "--region", "eu-west-1"], "goes by AWS_DEFAULT_REGION"),
        (["--request", "a.py:b", "--channel", "a=b", "--channel", "a=c"], "given more than once"),
        (["--request", "launch.py"], "must be FILE:NAME, got 'launch.py'"),
        (["--request", "nowhere.py:x"], "there is no file 'nowhere.py'"),
    ],
)
def test_what_is_refused(call: Call, arguments: list[str], problem: str) -> None:
    """What cannot be described is said, with exit code 2."""
    answer = call("describe", *arguments)
    assert answer.exit_code == 2
    assert problem in answer.stderr
