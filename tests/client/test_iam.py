"""docs/iam.md allows the calls that are made, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

import boto3
import pytest
from sagemaker import Session

from sift_toolkit import SiftConfig, compare, report_page, sift_estimator, watch
from sift_toolkit.client import sift_tuner
from sift_toolkit.testing import FakeJob, MockedAws, record_job
from tests.client.aws_calls import (
    ACCOUNT,
    REGION,
    Need,
    Policy,
    denied,
    needs_of,
    policies,
    recorded,
    spare,
)

ROLE, BUCKET = "sift-tests", "sift-tests"
# What no call here shows: moto cannot stop jobs.
NOT_RECORDED = {"sagemaker:StopTrainingJob"}
CONFIG = SiftConfig(keep=0.5)


@pytest.fixture
def boto_session(aws: MockedAws) -> Any:
    """A session of its own in the mocked account."""
    return boto3.Session(region_name=REGION)


@pytest.fixture
def estimator(
    aws: MockedAws, job_arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """A function that builds an estimator in a session, as the page says."""
    monkeypatch.setattr("sagemaker.session.time.sleep", lambda _: None)

    def build(boto_session: Any, **changes: Any) -> Any:
        session = Session(boto_session=boto_session, default_bucket=changes.pop("bucket", None))
        session.sagemaker_config = {}
        arguments = {**job_arguments, "sagemaker_session": session, "tags": {"team": "a"}}
        arguments["output_path"] = f"s3://{BUCKET}/models"
        return sift_estimator(CONFIG, **{**arguments, **changes})

    return build


def check(name: str, needs: set[Need], unseen: Collection[str] = ()) -> None:
    """Hold a policy against all that was needed: nothing is missing, nothing is spare."""
    policy = Policy.of(name, BUCKET=BUCKET, ROLE=ROLE)
    assert denied(policy, needs) == []
    assert [pair for pair in spare(policy, needs) if pair.action not in unseen] == []


@pytest.fixture
def job_in_the_logs(aws: MockedAws) -> Iterator[str]:
    """A finished job that has metrics in CloudWatch, and one that has them in its log only."""
    fake = FakeJob(config=CONFIG)
    record_job(aws.boto_session, "charted-job", fake)
    record_job(aws.boto_session, "logged-job", fake, charted=False)
    yield "charted-job"
    aws.reset()


def test_caller(boto_session: Any, estimator: Callable[..., Any], job_in_the_logs: str) -> None:
    """Build, describe, fit, wait with and without logs, describe, compare and watch."""
    with recorded(boto_session) as calls:
        job = estimator(boto_session)
        job.describe_request({"training": "s3://data/rows"})
        assert calls == []
        for logs in ("All", "None"):
            job.fit({"training": "s3://data/rows"}, logs=logs)
        job.latest_training_job.describe()
        jobs = [job_in_the_logs, "logged-job", job.latest_training_job.name]
        compare(jobs, session=boto_session)
        watch(job_in_the_logs, session=boto_session)
    check("caller", needs_of(calls), NOT_RECORDED)


def test_default_bucket(boto_session: Any, estimator: Callable[..., Any]) -> None:
    """Without an output path the SDK looks for its bucket, and makes it."""
    with recorded(boto_session) as calls:
        job = estimator(boto_session, output_path=None)
        job.fit(wait=False)
        second = estimator(boto_session, output_path=None)
        second.fit(wait=False)
    bucket = f"sagemaker-{REGION}-{ACCOUNT}"
    check("default bucket", {need for need in needs_of(calls) if need.action.startswith("s3:")})
    assert any(bucket in need.resource for need in needs_of(calls))


def test_role_by_name(aws: MockedAws, boto_session: Any, estimator: Callable[..., Any]) -> None:
    """A role's bare name is looked up."""
    aws.boto_session.client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}")
    with recorded(boto_session) as calls:
        estimator(boto_session, role=ROLE).fit(wait=False)
    check("role by name", {need for need in needs_of(calls) if need.action == "iam:GetRole"})


def test_reports(boto_session: Any, job_in_the_logs: str) -> None:
    """A page also asks for the archive of the job's output data."""
    with recorded(boto_session) as calls:
        report_page(job_in_the_logs, session=boto_session)
    caller = Policy.of("caller", BUCKET=BUCKET, ROLE=ROLE)
    check("reports", set(denied(caller, needs_of(calls))))


def test_tuner(boto_session: Any, estimator: Callable[..., Any]) -> None:
    """A tuning job is created, and described until it has ended."""
    with recorded(boto_session) as calls:
        job = estimator(boto_session)
        tuner = sift_tuner(job, {"keep": (0.2, 0.6)}, max_jobs=2, tags=[{"Key": "a", "Value": "b"}])
        tuner.fit({"training": "s3://data/rows"})
    caller = Policy.of("caller", BUCKET=BUCKET, ROLE=ROLE)
    check("tuner", set(denied(caller, needs_of(calls))))


@pytest.mark.parametrize("name", policies())
def test_policies(name: str) -> None:
    """Every policy is one, names each of its actions, and resources wherever there are any."""
    document = json.loads(policies()[name])
    assert document["Version"] == "2012-10-17"
    without_resources = {
        "cloudwatch:GetMetricData",
        "cloudwatch:PutMetricData",
        "ecr:GetAuthorizationToken",
        "s3:ListAllMyBuckets",
        "sts:AssumeRole",
    }
    for action, resource in Policy(document).pairs():
        assert "*" not in action
        assert (resource == "*") == (action in without_resources), (action, resource)


def test_a_policy_can_fail() -> None:
    """What is missing, misnamed or elsewhere is not allowed."""
    policy = Policy.of("caller", BUCKET=BUCKET, ROLE=ROLE)
    code = f"arn:aws:s3:::{BUCKET}/a-job/source/sourcedir.tar.gz"
    assert policy.allows(Need("s3:PutObject", code))
    assert not policy.allows(Need("s3:GetObject", code))
    assert not policy.allows(Need("s3:PutObject", code.replace(BUCKET, "other")))
    assert not policy.allows(Need("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/other"))
