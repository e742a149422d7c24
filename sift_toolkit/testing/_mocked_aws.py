"""A mocked AWS account: sessions in it, every call made, each job's request held against limits."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from unittest.mock import patch

from sift_toolkit.errors import SiftRequestError, SiftUsageError
from sift_toolkit.testing._request_model import request_violations

_CHECKED: Final = frozenset({"CreateTrainingJob", "CreateHyperParameterTuningJob"})
"""Operations whose requests moto would take whatever stands in them."""

_ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    # The user's own profiles may name accounts, roles and regions that are none of a test's.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    # SDK v3 has IAM simulate what a role may do, which moto does not know.
    "SAGEMAKER_VALIDATE_ROLE": "false",
    # SDK v2 announces its end of support at every import.
    "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
}
_FORGOTTEN: Final = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL")
_NO_TELEMETRY: Final = {
    "SchemaVersion": "1.0",
    "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
}
_SESSIONS: Final = {2: "sagemaker.session", 3: "sagemaker.core.helper.session_helper"}
"""Where each SDK has its Session."""


@dataclass
class MockedAws:
    """An account that exists in this process only, and what was asked of it."""

    boto_session: Any
    """A boto3 session in the account; what its clients call is in `calls`."""
    bucket: str = "sift-tests"
    """A bucket that is there."""
    role: str = "arn:aws:iam::123456789012:role/sift-tests"
    """A role to give to estimators."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Operation and parameters of each call, in order."""
    _sessions: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def region(self) -> str:
        """The region that everything is in."""
        return str(self.boto_session.region_name)

    @property
    def session(self) -> Any:
        """The SageMaker SDK's session in the account, to give to estimators.

        Under SDK v2 it has no defaults of the SDK's, which take seconds an estimator to look up;
        what the SDK reports of each fit() to its makers is answered by the mock as well. SDK v3
        reports from a thread that may outlive the mock, so that there it is `silent_session`.
        """
        if _session_class().__module__ == _SESSIONS[3]:
            return self.silent_session
        if "quick" not in self._sessions:
            session = self._new_session()
            session.sagemaker_config = {}
            self._sessions["quick"] = session
        return self._sessions["quick"]

    @property
    def silent_session(self) -> Any:
        """The same with the SDK's telemetry off, for tests that count every call; slower."""
        if "silent" not in self._sessions:
            self._sessions["silent"] = self._new_session()
        return self._sessions["silent"]

    def request(self, operation: str = "CreateTrainingJob") -> dict[str, Any]:
        """Return the parameters of the last call of an operation.

        Raises:
            SiftUsageError: there was none; the message names those there were.
        """
        if not (found := self.requests(operation)):
            names = ", ".join(dict.fromkeys(name for name, _ in self.calls)) or "none at all"
            msg = f"no {operation} was asked for; the calls were {names}"
            raise SiftUsageError(msg)
        return found[-1]

    def requests(self, operation: str = "CreateTrainingJob") -> list[dict[str, Any]]:
        """Return the parameters of all calls of an operation, in order."""
        return [parameters for name, parameters in self.calls if name == operation]

    def code_at(self, address: str) -> dict[str, bytes]:
        """Return the files of the archive at an s3:// address, by name."""
        bucket, key = address.removeprefix("s3://").split("/", 1)
        body = self.boto_session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            files = {member.name: archive.extractfile(member) for member in archive.getmembers()}
            return {name: content.read() for name, content in files.items() if content is not None}

    def reset(self) -> None:
        """Empty the account, but for its bucket, and forget the calls."""
        from moto.core.base_backend import BackendDict

        # As moto's own reset does, which would also let whatever `requests` sends out again.
        BackendDict.reset()
        # In this region alone a constraint is an error.
        place = {"LocationConstraint": self.region}
        configuration = {} if self.region == "us-east-1" else {"CreateBucketConfiguration": place}
        self.boto_session.client("s3").create_bucket(Bucket=self.bucket, **configuration)
        self.calls.clear()

    def note_call(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        """Note a call, and refuse what AWS would refuse; an event handler of botocore."""
        self.calls.append((model.name, dict(params)))
        if model.name in _CHECKED and (found := request_violations(params, model.name)):
            raise SiftRequestError(found)

    def _new_session(self) -> Any:
        session_class = _session_class()
        return session_class(
            boto_session=self.boto_session,
            default_bucket=self.bucket,
            sagemaker_config=_NO_TELEMETRY,
        )


@contextlib.contextmanager
def mocked_aws(region: str = "us-west-2") -> Iterator[MockedAws]:
    """Make an AWS account that exists in this process only; nothing reaches the network.

    Training and tuning job requests that AWS would refuse by its API's model are refused here
    too, after they were noted in `MockedAws.calls`. Needs ``sift_toolkit[testing]``.

    Raises:
        SiftRequestError: out of the call, if a request breaks the API's limits.
        SiftUsageError: boto3 or moto is not installed.
    """
    with _environment(region):
        try:
            import boto3
            from moto import mock_aws
        except ModuleNotFoundError as error:
            msg = f"a mocked account needs {error.name}: pip install 'sift_toolkit[testing]'"
            raise SiftUsageError(msg) from error
        with mock_aws():
            account = MockedAws(boto3.Session(region_name=region))
            account.boto_session.events.register("provide-client-params", account.note_call)
            account.reset()
            yield account


@contextlib.contextmanager
def _environment(region: str) -> Iterator[None]:
    with patch.dict(os.environ, {**_ENVIRONMENT, "AWS_DEFAULT_REGION": region}):
        for name in _FORGOTTEN:
            os.environ.pop(name, None)
        yield


def _session_class() -> Any:
    """Return the Session of whichever SDK is installed: v2 and v3 cannot be side by side."""
    for module in _SESSIONS.values():
        with contextlib.suppress(ModuleNotFoundError):
            return importlib.import_module(module).Session
    msg = "a SageMaker session needs a SageMaker SDK: pip install 'sift_toolkit[client]'"
    raise SiftUsageError(msg)
