"""The channels of an SDK v3 job, given as SDK v2's `fit` takes them or as ModelTrainer does.

The SDK is imported right here, which takes seconds: import this module on use only.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any

from sagemaker.core.shapes import Channel, FileSystemDataSource, S3DataSource
from sagemaker.core.training.configs import InputData

from sift_toolkit.client._channels import DEFAULT_CHANNEL, channel_problems
from sift_toolkit.client._checks import Place
from sift_toolkit.client._deferred import is_deferred
from sift_toolkit.client._model_trainer_checks import v3_channel_problems
from sift_toolkit.contract import local_path
from sift_toolkit.errors import SiftRequestError


def channels_of(inputs: Any, place: Place) -> list[Any]:
    """Return channels as ModelTrainer takes them.

    Args:
        inputs: None, an address, a dict of them by channel, or a list of InputData and Channel.
        place: Where the job runs.

    Raises:
        SiftRequestError: they are none of these, or SageMaker or SDK v3 would refuse them.
    """
    if inputs is None:
        return []
    if isinstance(inputs, list | tuple):
        strangers = [one for one in inputs if not isinstance(one, InputData | Channel)]
        channels = [one for one in inputs if isinstance(one, InputData | Channel)]
    else:
        by_name = inputs if isinstance(inputs, Mapping) else {DEFAULT_CHANNEL: inputs}
        strangers = [one for one in by_name.values() if not _is_source(one)]
        channels = [
            InputData(channel_name=str(name), data_source=_found(source, place))
            for name, source in by_name.items()
            if _is_source(source)
        ]
    problems = [
        f"inputs has {reprlib.repr(one)}; give addresses as text, S3DataSource, or a list of "
        "InputData and Channel of sagemaker.core.training.configs"
        for one in strangers
    ]
    named = {channel.channel_name: getattr(channel, "data_source", None) for channel in channels}
    problems += channel_problems(named, place, uploads=True)
    problems += v3_channel_problems([channel.channel_name for channel in channels])
    if problems:
        raise SiftRequestError(problems)
    return channels


def _is_source(source: object) -> bool:
    return isinstance(source, str | S3DataSource | FileSystemDataSource) or is_deferred(source)


def _found(source: Any, place: Place) -> Any:
    """Return a local job's `file://` address as the path that SDK v3 wants."""
    if place != "sagemaker" and isinstance(source, str) and source.startswith("file://"):
        return str(local_path(source))
    return source


def address_of(channel: Any) -> str | None:
    """Return where the data of a channel is in S3, None where it is elsewhere."""
    source = channel.data_source.s3_data_source
    return str(source.s3_uri) if isinstance(source, S3DataSource) else None
