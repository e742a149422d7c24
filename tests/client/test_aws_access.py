"""Clients out of whatever session there is, and fresh credentials."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from sift_toolkit.client._aws_access import AwsAccess
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.testing import MockedAws


def key_of(access: AwsAccess) -> str:
    """Return the access key that calls are signed with."""
    return str(access.logs._request_signer._credentials.access_key)


@pytest.fixture
def credentials_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of keys as `aws login` leaves it, and none in the environment."""
    path = tmp_path / "credentials"
    path.write_text(
        "[default]\naws_access_key_id = old\naws_secret_access_key = x\n"
        "[mine]\naws_access_key_id = my-old\naws_secret_access_key = x\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    return path


def renewed(path: Path) -> None:
    """Let a user sign in again."""
    path.write_text(path.read_text().replace("old", "new"))


def test_the_sdks_own_client_describes_jobs(aws: MockedAws) -> None:
    """An SDK session is asked through its own client, which may be of another endpoint."""
    access = AwsAccess(aws.session)
    assert access.sagemaker is aws.session.sagemaker_client
    assert access.logs.meta.region_name == "us-west-2"
    assert access.place == "region us-west-2"
    assert not access.is_local


def test_a_boto_session_is_enough(aws: MockedAws) -> None:
    """Without an SDK each client is made once, and tries again by itself."""
    access = AwsAccess(aws.boto_session)
    assert access.sagemaker is access.sagemaker
    assert access.cloudwatch.meta.config.retries["mode"] == "standard"


def test_a_local_session_is_told_apart() -> None:
    """A session of local mode knows no log and no metrics in AWS."""
    boto_session = boto3.Session(region_name="us-west-2")
    assert AwsAccess(SimpleNamespace(boto_session=boto_session, local_mode=True)).is_local


@pytest.mark.parametrize("session", ["us-west-2", 3, lambda: "us-west-2"])
def test_what_is_no_session_is_refused(session: Any) -> None:
    """A region's name is not a session, from a function neither."""
    with pytest.raises(SiftUsageError, match="session must be a session of"):
        AwsAccess(session)


def test_new_keys_in_the_file_are_found(credentials_file: Path) -> None:
    """After signing in again the same profile's new keys are used."""
    access = AwsAccess()
    assert key_of(access) == "old"
    renewed(credentials_file)
    assert key_of(access) == "old"
    assert access.renew()
    assert key_of(access) == "new"


def test_a_named_profile_and_the_region_are_kept(credentials_file: Path) -> None:
    """New credentials are those of the profile that was asked for, never somebody else's."""
    access = AwsAccess(boto3.Session(profile_name="mine", region_name="eu-west-1"))
    assert key_of(access) == "my-old"
    renewed(credentials_file)
    assert access.renew()
    assert key_of(access) == "my-new"
    assert access.place == "region eu-west-1"


def test_given_keys_cannot_be_renewed(credentials_file: Path) -> None:
    """Keys given to the session stand nowhere else: a file may have those of another account."""
    given = boto3.Session(aws_access_key_id="given", aws_secret_access_key="x")
    access = AwsAccess(given)
    assert not access.renew()
    assert key_of(access) == "given"


def test_keys_of_the_environment_cannot_be_renewed(aws: MockedAws) -> None:
    """This process's environment will not change."""
    assert not AwsAccess(aws.boto_session).renew()


def test_a_function_is_asked_again() -> None:
    """Whoever can make a new session is asked to, whatever its credentials."""
    keys = iter(["first", "second"])
    access = AwsAccess(
        lambda: boto3.Session(
            aws_access_key_id=next(keys), aws_secret_access_key="x", region_name="us-west-2"
        )
    )
    assert key_of(access) == "first"
    assert access.renew()
    assert key_of(access) == "second"
