"""The machines, network and keys of a job: what the API allows in them, and what excludes what."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Final

from sift_toolkit.client import _limits
from sift_toolkit.client._deferred import is_deferred

_NETWORK: Final = {
    "subnets": _limits.SUBNETS_MAX,
    "security_group_ids": _limits.SECURITY_GROUPS_MAX,
}
_KEYS: Final = ("output_kms_key", "volume_kms_key")
_ADDRESSES: Final = ("checkpoint_s3_uri", "code_location", "output_path")
_FILE: Final = "file://"


def resource_problems(arguments: Mapping[str, object], *, local: bool) -> list[str]:
    """Name what is wrong with a job's instances, VPC, keys and addresses in S3.

    Args:
        arguments: Those of an estimator, by name.
        local: Whether the job runs in a local session, which writes to `file://` too.
    """
    return [
        *_instance_problems(arguments),
        *_warm_pool_problems(arguments),
        *_network_problems(arguments),
        *_key_problems(arguments),
        *_address_problems(arguments, local=local),
    ]


def _instance_problems(arguments: Mapping[str, object]) -> list[str]:
    if arguments.get("instance_groups") is not None:
        return []
    return [
        f"{name} is required: the SDK would miss it only after the upload"
        for name in ("instance_type", "instance_count")
        if arguments.get(name) is None
    ]


def _warm_pool_problems(arguments: Mapping[str, object]) -> list[str]:
    seconds = arguments.get("keep_alive_period_in_seconds")
    if not seconds or is_deferred(seconds):
        return []
    return [
        f"keep_alive_period_in_seconds={seconds!r} keeps a warm pool, which is not possible with "
        f"{other}: give one of the two"
        for other in ("use_spot_instances", "instance_groups")
        if arguments.get(other)
    ]


def _network_problems(arguments: Mapping[str, object]) -> list[str]:
    given = {name: arguments.get(name) for name in _NETWORK}
    missing = [name for name, ids in given.items() if ids is None]
    if len(missing) == 1:
        (present,) = set(_NETWORK) - set(missing)
        return [f"{present} needs {missing[0]} too: a job joins a VPC with both, or none"]
    problems = []
    for name, ids in given.items():
        if ids is None or is_deferred(ids):
            continue
        most = _NETWORK[name]
        if not isinstance(ids, list | tuple) or not 0 < len(ids) <= most:
            problems.append(f"{name} must be a list of 1 to {most} ids, got {reprlib.repr(ids)}")
        else:
            problems += [
                f"{name} has {one!r}; an id is 1 to {_limits.NETWORK_ID_MAX} letters, digits and "
                "hyphens"
                for one in ids
                if not is_deferred(one) and not _is_network_id(one)
            ]
    return problems


def _is_network_id(one: object) -> bool:
    return (
        isinstance(one, str)
        and len(one) <= _limits.NETWORK_ID_MAX
        and _limits.NETWORK_ID.fullmatch(one) is not None
    )


def _key_problems(arguments: Mapping[str, object]) -> list[str]:
    problems = []
    for name in _KEYS:
        key = arguments.get(name)
        if key is None or is_deferred(key):
            continue
        if (
            not isinstance(key, str)
            or not 0 < len(key) <= _limits.KMS_KEY_MAX
            or not _limits.KMS_KEY.fullmatch(key)
        ):
            problems.append(
                f"{name} must be the id, the ARN or the alias of a KMS key, got {reprlib.repr(key)}"
            )
    kind = arguments.get("instance_type")
    if (
        arguments.get("volume_kms_key")
        and isinstance(kind, str)
        and _limits.LOCAL_STORAGE.fullmatch(kind)
    ):
        problems.append(
            f"volume_kms_key is refused for instance_type={kind!r}: its own disks are encrypted by "
            "the machine; leave the key out"
        )
    return problems


def _address_problems(arguments: Mapping[str, object], *, local: bool) -> list[str]:
    problems = []
    for name in _ADDRESSES:
        address = arguments.get(name)
        if address is None or is_deferred(address):
            continue
        # The SDK itself writes an empty one where local code stays in place.
        if local and name == "output_path" and (not address or str(address).startswith(_FILE)):
            continue
        if (
            not isinstance(address, str)
            or len(address) > _limits.S3_ADDRESS_MAX
            or not _limits.S3_ADDRESS.fullmatch(address)
        ):
            problems.append(
                f"{name} must be an address such as 's3://bucket/folder', of at most "
                f"{_limits.S3_ADDRESS_MAX} characters, got {reprlib.repr(address)}"
            )
    return problems
