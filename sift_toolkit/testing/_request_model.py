"""Requests held against the API's own model: what AWS would refuse, and mocks of it let pass.

The model is the one botocore comes with: https://github.com/boto/botocore/tree/develop/botocore/data
"""

from __future__ import annotations

import functools
import re
import reprlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from botocore.model import Shape

# Java's character classes, as Python's regular expressions have them.
_JAVA_CLASSES: Final = {r"\p{L}\p{Z}\p{N}_": r"\w\s", r"\p{Alnum}": "a-zA-Z0-9"}
_ANYTHING: Final = r"[\S\s]*"
_HIDDEN: Final = "EnvironmentValue"


def request_violations(
    request: Mapping[str, Any], operation: str = "CreateTrainingJob"
) -> list[str]:
    """Name everything in a request that the API's model forbids.

    Looks at lengths, patterns, bounds, allowed words, types, unknown and missing parts; what needs
    an account to know (whether a role or bucket exists, quotas) it cannot tell.

    Args:
        request: The parameters, as boto3 takes them.
        operation: Of the SageMaker API, such as ``"CreateHyperParameterTuningJob"``.

    Returns:
        One sentence for each, empty where there is none.
    """
    return list(_violations(request_shape(operation), request, "request"))


@functools.cache
def request_shape(operation: str = "CreateTrainingJob") -> Shape:
    """Return the request of an operation of SageMaker's API as botocore describes it."""
    import botocore.session

    service = botocore.session.get_session().get_service_model("sagemaker")
    shape = service.operation_model(operation).input_shape
    assert shape is not None
    return shape


def _violations(shape: Shape, value: Any, place: str) -> Iterator[str]:
    """Walk *value* beside its shape; times and the like have nothing to violate."""
    look = {
        "structure": _structure_violations,
        "list": _list_violations,
        "map": _map_violations,
        "string": _text_violations,
        "integer": _number_violations,
        "long": _number_violations,
        "boolean": _flag_violations,
    }.get(shape.type_name)
    return look(shape, value, place) if look else iter(())


def _structure_violations(shape: Any, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{place} is no dict: {reprlib.repr(value)}"
        return
    yield from (
        f"{place}.{name} is missing" for name in shape.required_members if name not in value
    )
    for name, item in value.items():
        if name in shape.members:
            yield from _violations(shape.members[name], item, f"{place}.{name}")
        else:
            yield f"{place}.{name} is unknown"


def _list_violations(shape: Any, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, list | tuple):
        yield f"{place} is no list: {reprlib.repr(value)}"
        return
    yield from _size_violations(shape, len(value), place)
    for index, item in enumerate(value):
        yield from _violations(shape.member, item, f"{place}[{index}]")


def _map_violations(shape: Any, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{place} is no dict: {reprlib.repr(value)}"
        return
    yield from _size_violations(shape, len(value), place)
    for key, item in value.items():
        yield from _violations(shape.key, key, f"{place} key {key!r}")
        yield from _violations(shape.value, item, f"{place}[{key!r}]")


def _number_violations(shape: Shape, value: Any, place: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield f"{place} is no whole number: {reprlib.repr(value)}"
    else:
        yield from _size_violations(shape, value, place)


def _flag_violations(shape: Shape, value: Any, place: str) -> Iterator[str]:  # noqa: ARG001 - as all
    if not isinstance(value, bool):
        yield f"{place} is no bool: {reprlib.repr(value)}"


def _text_violations(shape: Shape, value: Any, place: str) -> Iterator[str]:
    # Environment variables are where people put their secrets.
    shown = "(not shown)" if _HIDDEN in shape.name else reprlib.repr(value)
    if not isinstance(value, str):
        yield f"{place} is no string: {shown}"
        return
    yield from _size_violations(shape, len(value), place)
    if (allowed := shape.metadata.get("enum")) and value not in allowed:
        yield f"{place} is none of the allowed words: {shown}"
    pattern = shape.metadata.get("pattern", _ANYTHING)
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    if re.fullmatch(pattern, value) is None:
        yield f"{place} does not match {pattern}: {shown}"


def _size_violations(shape: Shape, size: int, place: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield f"{place}: {size} is below {least}"
    if most is not None and size > most:
        yield f"{place}: {size} is above {most}"
