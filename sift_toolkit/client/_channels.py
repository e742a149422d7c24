"""The channels given to fit(): their names, and where they say that their data is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sift_toolkit.client import _limits
from sift_toolkit.client._deferred import is_deferred

if TYPE_CHECKING:
    from sift_toolkit.client._checks import Place

DEFAULT_CHANNEL: Final = "training"
"""SDK v2: the one channel that was given without a name."""

_FILE: Final = "file://"


def channel_problems(
    inputs: object, place: Place, *, isolated: bool = False, uploads: bool = False
) -> list[str]:
    """Name what is wrong with the channels given to fit(), one or a dict of them.

    Args:
        inputs: As `fit` takes them.
        place: Where the job runs.
        isolated: Whether it runs under network isolation.
        uploads: Whether the SDK sends along what a path on this machine leads to, as SDK v3 does.
    """
    channels = inputs if isinstance(inputs, Mapping) else {DEFAULT_CHANNEL: inputs}
    problems = []
    if len(channels) > _limits.CHANNELS_MAX:
        problems.append(f"inputs has {len(channels)} channels, of {_limits.CHANNELS_MAX} allowed")
    for name, source in channels.items():
        if (
            not isinstance(name, str)
            or len(name) > _limits.CHANNEL_NAME_MAX
            or not _limits.CHANNEL_NAME.fullmatch(name)
        ):
            problems.append(
                f"inputs has a channel {name!r}; a name is 1 to {_limits.CHANNEL_NAME_MAX} "
                "letters, digits, dots, hyphens and underscores"
            )
        if isolated and name == _limits.CODE_CHANNEL:
            problems.append(
                f"inputs has a channel {name!r}, which the SDK uses for the job's code under "
                "enable_network_isolation=True: give it another name"
            )
        if isinstance(source, str) and not is_deferred(source):
            problems += _address_problems(f"inputs[{name!r}]", source, place, uploads=uploads)
    return problems


def _address_problems(where: str, address: str, place: Place, *, uploads: bool) -> list[str]:
    if address.startswith(_FILE):
        if place != "sagemaker":
            return []
        problem = (
            f"{where} is {address!r}, which only a local session can read: upload it, for instance "
            "with sagemaker_session.upload_data(...)"
        )
        return [problem]
    if _limits.S3_ADDRESS.fullmatch(address):
        if len(address) <= _limits.S3_ADDRESS_MAX:
            return []
        return [f"{where} has {len(address)} characters, of {_limits.S3_ADDRESS_MAX} allowed"]
    if uploads and address and "://" not in address:
        if Path(address).exists():
            return []
        problem = (
            f"{where} is {address!r}: an address in S3 is 's3://...', and there is nothing there "
            f"on this machine, seen from {str(Path.cwd())!r}"
        )
        return [problem]
    mend = (
        "upload it, for instance with sagemaker_session.upload_data(...), and give the address "
        "that this returns"
        if place == "sagemaker"
        else f"give {_FILE}, and after it the path"
    )
    return [f"{where} is {address!r}, which is no address such as 's3://bucket/folder': {mend}"]
