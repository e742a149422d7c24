"""Errors of AWS, injected call by call: each is one sentence, and leaves nothing half done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from boto3.exceptions import S3UploadFailedError
from botocore import exceptions as botocore_exceptions
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from botocore.retries.standard import ThrottledRetryableChecker
from moto.backends import get_backend

from sift_toolkit import SiftConfig, sift_estimator
from sift_toolkit.client import _aws_faults as faults
from sift_toolkit.client._aws_errors import aws_errors_in_words, aws_trouble
from sift_toolkit.client._staging import STAGED_PREFIX
from sift_toolkit.errors import SiftJobError

CONFIG = SiftConfig(keep=0.5)
REGION = "us-west-2"
BUCKET = "sift-tests"


class Answer(NamedTuple):
    """What AWS answers instead of doing what it was asked."""

    code: str
    message: str
    status: int = 400


class Aws(NamedTuple):
    """A session whose calls fail as a test wants them to."""

    session: Any
    faults: dict[str, Answer | Exception]
    """By the operation that shall fail."""
    calls: list[str]


@pytest.fixture(scope="module")
def failing_aws(mocked_aws: Any) -> Aws:
    """A session of its own in the mocked account."""
    from sagemaker import Session

    planned: dict[str, Answer | Exception] = {}
    calls: list[str] = []

    def answer(model: Any, **_: Any) -> Any:
        calls.append(model.name)
        planned_one = planned.get(model.name)
        if planned_one is None:
            return None
        if isinstance(planned_one, Exception):
            raise planned_one
        code, message, status = planned_one
        response = AWSResponse("https://aws", status, {}, None)
        return response, {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {}}

    boto_session = boto3.Session(region_name=REGION)
    boto_session.events.register("before-call", answer)
    session = Session(boto_session=boto_session, default_bucket=BUCKET)
    # As in MockedAws.session: defaults of the SDK's take seconds to look up.
    session.sagemaker_config = {}
    return Aws(session, planned, calls)


@pytest.fixture
def failing(failing_aws: Aws) -> Iterator[Aws]:
    """The session, with nothing planned."""
    failing_aws.calls.clear()
    yield failing_aws
    failing_aws.faults.clear()


@pytest.fixture
def make(
    failing: Aws, job_arguments: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Build an estimator on the failing session; temporary files go to a folder of the test's."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("sagemaker.session.time.sleep", lambda _: None)

    def make_one(**changes: Any) -> Any:
        arguments = {**job_arguments, "sagemaker_session": failing.session, **changes}
        return sift_estimator(CONFIG, **arguments)

    return make_one


def message_of(estimator: Any, **fit: Any) -> str:
    """Return what fit() says when it fails, which one error of AWS has caused."""
    with pytest.raises(SiftJobError) as caught:
        estimator.fit(**{"wait": False, **fit})
    assert caught.value.__cause__ is not None
    text = str(caught.value)
    assert "\n" not in text
    return text


def jobs_of(aws: Aws) -> list[str]:
    """The names of all jobs in the account."""
    summaries = aws.session.sagemaker_client.list_training_jobs()["TrainingJobSummaries"]
    return [summary["TrainingJobName"] for summary in summaries]


CREATE = [
    (
        Answer("ThrottlingException", "Rate exceeded"),
        ["throttled", "Rate exceeded (ThrottlingException from CreateTrainingJob)", "wait a min"],
    ),
    (
        Answer("AccessDeniedException", "User: me is not authorized to perform: iam:PassRole", 403),
        ["may not do this", "iam:PassRole", "docs/iam.md"],
    ),
    (
        Answer(
            "ResourceLimitExceeded",
            "The account-level service limit 'ml.p3.2xlarge for training job usage' is 0 Instances",
        ),
        ["quota has no room", "'ml.p3.2xlarge for training job usage'", "Service Quotas"],
    ),
    (
        Answer("ResourceInUse", "Training job names must be unique within an AWS account"),
        ["a job of this name exists", "give another job_name"],
    ),
    (
        Answer("ExpiredTokenException", "The security token included in the request is expired"),
        ["credentials have expired", "sign in again"],
    ),
    (
        Answer("UnrecognizedClientException", "The security token is invalid"),
        ["does not know these credentials", "get-caller-identity"],
    ),
    (
        Answer("InvalidSignatureException", "Signature expired: 20261122T1 is now earlier"),
        ["clock"],
    ),
    (
        Answer("ValidationException", "Could not assume role arn:aws:iam::1:role/a."),
        ["cannot take on the role", "trust policy"],
    ),
    (
        Answer("ValidationException", 'No S3 objects found under S3 URL "s3://b/c" given'),
        ["no data where a channel points", "s3://b/c"],
    ),
    (
        Answer("ValidationException", "1 validation error detected: Value at 'tags' failed"),
        ["does not accept the request", "Value at 'tags'"],
    ),
    (
        Answer("InsufficientInstanceCapacity", "We currently do not have sufficient capacity"),
        ["no such instance free", "another instance_type"],
    ),
    (Answer("InternalFailure", "", 500), ["a fault of its own", "InternalFailure from Create"]),
    (Answer("BrandNewError", "Something new"), ["Something new (BrandNewError from"]),
]


@pytest.mark.parametrize(("answer", "parts"), CREATE, ids=lambda value: getattr(value, "code", ""))
def test_the_job_is_refused(
    failing: Aws, make: Callable[..., Any], answer: Answer, parts: list[str], tmp_path: Path
) -> None:
    """A refused CreateTrainingJob says why, what to do, and where the uploaded code lies."""
    failing.faults["CreateTrainingJob"] = answer
    before = jobs_of(failing)
    estimator = make()
    text = message_of(estimator, job_name="clash")
    assert text.startswith("the training job could not be started: ")
    assert [part for part in parts if part not in text] == []
    address = "s3://sift-tests/clash/source/sourcedir.tar.gz"
    assert text.endswith(f"No job was started; its code was uploaded to {address}, where it stays")
    failing.session.s3_client.head_object(Bucket=BUCKET, Key=address.split("/", 3)[3])
    # Nothing half done: no job here or there, no staged folder, and a second try is a clean one.
    assert estimator.latest_training_job is None
    assert jobs_of(failing) == before
    assert list(tmp_path.glob(f"{STAGED_PREFIX}*")) == []
    assert failing.calls.count("CreateTrainingJob") == 1
    failing.faults.clear()
    estimator.fit(wait=False, job_name=f"then-{answer.code}")
    assert f"then-{answer.code}" in jobs_of(failing)


UPLOAD = [
    (Answer("NoSuchBucket", "The specified bucket does not exist", 404), ["no such bucket"]),
    (Answer("AccessDenied", "Access Denied", 403), ["may not do this", "AccessDenied from Put"]),
    (Answer("PermanentRedirect", "Use this endpoint", 301), ["in another region"]),
    (Answer("SlowDown", "Please reduce your request rate", 503), ["throttled"]),
    (Answer("ExpiredToken", "The provided token has expired"), ["credentials have expired"]),
    (Answer("InvalidAccessKeyId", "does not exist in our records"), ["does not know these"]),
    (Answer("RequestTimeTooSkewed", "too large", 403), ["clock"]),
]


@pytest.mark.parametrize(("answer", "parts"), UPLOAD, ids=lambda value: getattr(value, "code", ""))
def test_the_upload_is_refused(
    failing: Aws, make: Callable[..., Any], answer: Answer, parts: list[str], tmp_path: Path
) -> None:
    """A refused upload says why, and that neither code nor job is anywhere."""
    failing.faults["PutObject"] = answer
    estimator = make()
    text = message_of(estimator)
    assert [part for part in parts if part not in text] == []
    assert text.endswith("No job was started, and no code was uploaded")
    assert "CreateTrainingJob" not in failing.calls
    assert (estimator.latest_training_job, estimator.uploaded_code) == (None, None)
    assert list(tmp_path.glob(f"{STAGED_PREFIX}*")) == []


def test_a_bucket_that_is_not_there(failing: Aws, make: Callable[..., Any]) -> None:
    """A bucket missing for real is named, with what to do."""
    text = message_of(make(output_path="s3://sift-tests-of-nobody/models"))
    assert "there is no such bucket" in text
    assert "sift-tests-of-nobody" in text


def test_a_role_that_is_not_there(failing: Aws, make: Callable[..., Any]) -> None:
    """A role given by name is looked up before the upload, and named when it is missing."""
    text = message_of(make(role="NoSuchRole"))
    assert "cannot take on the role" in text
    assert "NoSuchRole" in text


@pytest.mark.parametrize(
    ("operation", "answer", "part"),
    [
        ("GetCallerIdentity", Answer("ExpiredToken", "expired", 403), "sign in again"),
        ("HeadBucket", Answer("403", "Forbidden", 403), "may not do this"),
        ("HeadBucket", Answer("301", "Moved Permanently", 301), "in another region"),
        ("CreateBucket", Answer("BucketAlreadyExists", "not available", 409), "under this name"),
        ("CreateBucket", Answer("AccessDenied", "Access Denied", 403), "may not do this"),
    ],
)
def test_the_default_bucket(
    failing: Aws,
    make: Callable[..., Any],
    operation: str,
    answer: Answer,
    part: str,
) -> None:
    """A default bucket that cannot be found out, looked at or made is said to be the reason."""
    from sagemaker import Session

    failing.faults[operation] = answer
    # One that has named no bucket yet.
    session = Session(boto_session=failing.session.boto_session)
    session.sagemaker_config = {}
    text = message_of(make(sagemaker_session=session))
    assert part in text
    assert operation in text
    assert text.endswith("No job was started, and no code was uploaded")


LOCAL = [
    (botocore_exceptions.NoCredentialsError(), "no AWS credentials on this machine"),
    (
        botocore_exceptions.PartialCredentialsError(provider="env", cred_var="SECRET"),
        "missing: SECRET",
    ),
    (botocore_exceptions.NoRegionError(), "no AWS region is set"),
    (botocore_exceptions.UnauthorizedSSOTokenError(), "sign in again"),
    (
        botocore_exceptions.TokenRetrievalError(provider="sso", error_msg="Token has expired"),
        "sign in again",
    ),
    (
        botocore_exceptions.EndpointConnectionError(endpoint_url="https://sagemaker.us-wets-2"),
        "https://sagemaker.us-wets-2",
    ),
    (botocore_exceptions.ParamValidationError(report="Unknown parameter: Typo"), "Typo"),
]


@pytest.mark.parametrize(
    ("error", "part"), LOCAL, ids=lambda value: type(value).__name__ if value else ""
)
def test_no_call_is_possible(
    failing: Aws, make: Callable[..., Any], error: Exception, part: str
) -> None:
    """What stops a call on this side of AWS is said as clearly as what AWS refuses."""
    failing.faults["PutObject"] = error
    text = message_of(make())
    assert part in text
    assert text.endswith("No job was started, and no code was uploaded")


def test_no_answer(failing: Aws, make: Callable[..., Any]) -> None:
    """Where the answer to CreateTrainingJob is lost, nobody claims that no job was started."""
    failing.faults["CreateTrainingJob"] = botocore_exceptions.ReadTimeoutError(endpoint_url="x")
    text = message_of(make())
    assert "whether the job was started is not known" in text
    assert "No job was started" not in text


def test_the_wait_fails(failing: Aws, make: Callable[..., Any]) -> None:
    """When the session can no longer look, the job is said to go on, and is at hand."""
    failing.faults["DescribeTrainingJob"] = Answer("ExpiredTokenException", "expired")
    estimator = make()
    text = message_of(estimator, wait=True, job_name="unwatched")
    assert text.startswith("training job 'unwatched' was started, but is not watched any more: ")
    assert "sign in again" in text
    assert text.endswith("goes on, and is charged for, until it ends or is stopped")
    assert estimator.latest_training_job.name == "unwatched"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "CapacityError: Unable to provision requested ML compute capacity. Please retry.",
            "AWS has no such instance free right now",
        ),
        ('AlgorithmError: ExecuteUserScriptError: ExitCode 1 ErrorMessage "boom"', '"boom"'),
    ],
)
def test_the_job_fails(
    failing: Aws, make: Callable[..., Any], reason: str, said: str, request: Any
) -> None:
    """A job that was waited for and failed is named with its reason, without the SDK's frame."""
    name = f"failed-{abs(hash(reason))}"
    jobs: Any = get_backend("sagemaker")["123456789012"][REGION].training_jobs

    def fail(**_: Any) -> None:
        jobs[name].training_job_status, jobs[name].failure_reason = "Failed", reason

    events = failing.session.sagemaker_client.meta.events
    events.register("after-call.sagemaker.CreateTrainingJob", fail)
    request.addfinalizer(lambda: events.unregister("after-call.sagemaker.CreateTrainingJob", fail))
    text = message_of(make(), wait=True, job_name=name)
    assert text.startswith(f"training job '{name}' failed: ")
    assert said in text
    assert "troubleshooting" not in text


def test_other_errors_pass(failing: Aws, make: Callable[..., Any]) -> None:
    """An error that is none of AWS's comes through as it is."""
    failing.faults["PutObject"] = KeyError("a slip of ours")
    with pytest.raises(KeyError, match="a slip of ours"):
        make().fit(wait=False)


def test_no_region_for_a_session(
    job_arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch, mocked_aws: Any
) -> None:
    """Where the SDK cannot make a session, for want of a region, sift_estimator says so."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    del job_arguments["sagemaker_session"]
    with pytest.raises(SiftJobError, match="the estimator could not be made: no AWS region is set"):
        sift_estimator(CONFIG, **job_arguments)


def test_without_a_launch() -> None:
    """Any call can be wrapped; what is left behind is the caller's to say."""
    error = ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, "HeadObject")
    with (
        pytest.raises(SiftJobError) as caught,
        aws_errors_in_words("the log could not be read", lambda _: "It is there."),
    ):
        raise error
    assert str(caught.value) == (
        "the log could not be read: AWS finds nothing of this name: Not Found (404 from "
        "HeadObject); check the name, the region and the account. It is there."
    )


def test_an_upload_without_an_answer() -> None:
    """A failed upload that names no cause is still told in its own words."""
    trouble = aws_trouble(S3UploadFailedError("Failed to upload a to b"))
    assert trouble is not None
    assert "Failed to upload a to b" in trouble.text


def test_every_throttling_code_is_known() -> None:
    """What botocore retries as throttling is told as throttling when it gives up."""
    codes = ThrottledRetryableChecker._THROTTLED_ERROR_CODES
    assert {faults.fault_of(code, "") for code in codes} == {faults.THROTTLED}


def test_each_code_and_class_stands_once() -> None:
    """No code or class speaks of two faults, and each class is one of botocore's."""
    for attribute in ("codes", "classes"):
        every = [name for fault in faults.FAULTS for name in sorted(getattr(fault, attribute))]
        assert len(every) == len(set(every))
    classes = {name for fault in faults.FAULTS for name in fault.classes}
    assert [name for name in classes if not hasattr(botocore_exceptions, name)] == []


def test_the_words_are_sentences() -> None:
    """Cause and mend fit into one sentence: no capital, no full stop."""
    for fault in (*faults.FAULTS, faults.OTHER):
        for words in (fault.cause, fault.mend):
            assert not words.endswith(".")
            assert words.startswith(("AWS", "SageMaker")) or words[0].islower()
    assert json.dumps([fault.mend for fault in faults.FAULTS]).isascii()
