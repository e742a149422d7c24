"""What there is of an AWS account: a region, and where credentials would come from.

Credentials are looked for, never read out: not to print them, and offline not even to load them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_CONTAINER: Final = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
_OFFLINE_END: Final = (
    "none configured; on EC2 or in SageMaker Studio the machine has some: ask with --online"
)

# What a profile holds where it names a way to credentials, in the order botocore tries them.
_WAYS: Final = (
    ("web_identity_token_file", "a web identity"),
    ("role_arn", "a role to assume"),
    ("sso_session", "IAM Identity Center (sso)"),
    ("sso_start_url", "IAM Identity Center (sso)"),
    ("aws_access_key_id", "keys"),
    ("login_session", "aws login"),
    ("credential_process", "a credential process"),
)


def account(*, online: bool) -> dict[str, Any]:
    """Return region and provider of credentials, and in words what is wrong.

    Args:
        online: Whether AWS may be asked who the caller is, and the machine for its role.
    """
    found: dict[str, Any] = dict.fromkeys(("region", "credentials", "problem", "identity"))
    try:
        import botocore.session
        from botocore.exceptions import BotoCoreError, ClientError
    except ModuleNotFoundError:
        return {**found, "problem": "boto3 is not installed, so nothing is known of AWS"}
    try:
        session = botocore.session.Session()
        found["region"] = session.get_config_variable("region")
        if online:
            return {**found, **_ask_aws(session, found["region"])}
        name = session.get_config_variable("profile") or "default"
        profile = session.full_config.get("profiles", {}).get(name, {})
        found["credentials"] = provider_of(os.environ, name, profile)
    except (BotoCoreError, ClientError) as error:
        return {**found, "problem": str(error)}
    if found["credentials"] is None:
        found["problem"] = _OFFLINE_END
    return found


def provider_of(
    environment: Mapping[str, str], name: str, profile: Mapping[str, object]
) -> str | None:
    """Return in words where credentials would come from, None if nothing is configured.

    Args:
        environment: Environment variables.
        name: The profile's name.
        profile: What AWS's configuration files say in it.
    """
    if all(environment.get(key) for key in _KEYS):
        return "environment variables"
    if environment.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        return "a web identity (environment variables)"
    for key, way in _WAYS:
        if profile.get(key):
            return f"{way} (profile {name!r})"
    if any(environment.get(key) for key in _CONTAINER):
        return "the container's role (environment variables)"
    return None


def _ask_aws(session: Any, region: str | None) -> dict[str, Any]:
    credentials = session.get_credentials()
    if credentials is None:
        return {"problem": "there are none, neither configured nor the machine's own"}
    # The call goes to one region's endpoint; which one does not matter for who the caller is.
    client = session.create_client("sts", region_name=region or "us-east-1")
    identity = client.get_caller_identity()
    return {"credentials": credentials.method, "identity": identity["Arn"]}
