"""The channels of an SDK v2 job, held against what the SDK can make channels of.

The SDK is imported right here, which takes seconds: import this module on use only.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sagemaker.inputs import FileSystemInput, TrainingInput
from sagemaker.local import file_input

from sift_toolkit.client._channels import DEFAULT_CHANNEL, channel_problems
from sift_toolkit.client._checks import Place
from sift_toolkit.client._deferred import is_deferred

_SOURCES: Final = (str, TrainingInput, FileSystemInput, file_input)


def given_inputs(inputs: Any) -> Any:
    """Return *inputs* as they are, None for empty ones, of which the SDK would send an empty list.

    The API refuses such a list.
    """
    return None if isinstance(inputs, Mapping | list) and not inputs else inputs


def input_problems(inputs: Any, place: Place, *, isolated: bool = False) -> list[str]:
    """Name what is wrong with the channels given to fit(); the SDK looks only after the upload.

    Args:
        inputs: As `fit` takes them.
        place: Where the job runs.
        isolated: Whether it runs under network isolation.
    """
    by_name = inputs if isinstance(inputs, Mapping) else {DEFAULT_CHANNEL: inputs}
    addresses = {name: _address(source) for name, source in by_name.items()}
    return [*_strangers(inputs), *channel_problems(addresses, place, isolated=isolated)]


def _address(source: Any) -> Any:
    """Return where a source in S3 is, every other source as it is."""
    if not isinstance(source, TrainingInput):
        return source
    return source.config["DataSource"]["S3DataSource"]["S3Uri"]


def _strangers(inputs: Any) -> Iterator[str]:
    """Say of what the SDK can make no channel; it takes record sets of its own too."""
    if inputs is None or hasattr(inputs, "data_channel"):
        return
    if isinstance(inputs, list) and all(hasattr(one, "data_channel") for one in inputs):
        return
    by_name = inputs if isinstance(inputs, Mapping) else {DEFAULT_CHANNEL: inputs}
    for name, source in by_name.items():
        if not isinstance(source, _SOURCES) and not is_deferred(source):
            yield (
                f"inputs[{name!r}] is {reprlib.repr(source)}; give an address as text, such as "
                "'s3://bucket/folder', or the SDK's TrainingInput or FileSystemInput"
            )
