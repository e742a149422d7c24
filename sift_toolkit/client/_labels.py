"""Environment variables and tags of a job: what the API allows in them."""

from __future__ import annotations

import reprlib
import unicodedata
from collections import Counter
from collections.abc import Mapping

from sift_toolkit.client import _limits
from sift_toolkit.client._deferred import is_deferred


def environment_problems(environment: object) -> list[str]:
    """Name what is wrong with a job's environment variables; their values are never shown."""
    if environment is None:
        return []
    if not isinstance(environment, Mapping):
        return [f"environment must be a dict, got a {type(environment).__name__}"]
    problems = []
    if len(environment) > _limits.ENVIRONMENT_MAX:
        problems.append(
            f"environment has {len(environment)} variables, SageMaker allows "
            f"{_limits.ENVIRONMENT_MAX}"
        )
    for name, value in environment.items():
        problems += _variable_problems(name, value)
    return problems


def environment_warnings(environment: object) -> list[str]:
    """Name AWS credentials among a job's environment variables; their values are never shown."""
    if not isinstance(environment, Mapping):
        return []
    return [
        f"environment[{name!r}] takes the place of the job's role, and whoever may describe the "
        "job can read it: leave it out, and give the role what the job needs"
        for name in environment
        if name in _limits.CREDENTIAL_VARIABLES
    ]


def _variable_problems(name: object, value: object) -> list[str]:
    if (
        not isinstance(name, str)
        or len(name) > _limits.ENVIRONMENT_KEY_MAX
        or not _limits.ENVIRONMENT_KEY.fullmatch(name)
    ):
        problem = (
            f"environment has a name {reprlib.repr(name)}; a name is letters, digits and _, "
            f"begins with no digit and has at most {_limits.ENVIRONMENT_KEY_MAX} characters"
        )
        return [problem]
    place = f"environment[{name!r}]"
    if is_deferred(value):
        return []
    if not isinstance(value, str):
        return [f"{place} must be a str, got a {type(value).__name__}: give str(...)"]
    if len(value) > _limits.ENVIRONMENT_VALUE_MAX:
        most = _limits.ENVIRONMENT_VALUE_MAX
        return [f"{place} has {len(value)} characters, SageMaker allows {most}"]
    return []


def tag_problems(tags: object) -> list[str]:
    """Name what is wrong with a job's tags, given as a dict or as a list of Key and Value."""
    if tags is None or is_deferred(tags):
        return []
    if isinstance(tags, Mapping):
        pairs = [(str(key), str(value)) for key, value in tags.items()]
    elif isinstance(tags, list | tuple) and all(_is_tag(tag) for tag in tags):
        pairs = [(tag["Key"], tag["Value"]) for tag in tags]
    else:
        problem = (
            "tags must be a dict, or a list of {'Key': ..., 'Value': ...} with str in both, got "
            f"{reprlib.repr(tags)}"
        )
        return [problem]
    problems = []
    if len(pairs) > _limits.TAGS_MAX:
        problems.append(f"tags has {len(pairs)} entries, SageMaker allows {_limits.TAGS_MAX}")
    for key, value in pairs:
        problems += _tag_text_problems("tag key", key, 1, _limits.TAG_KEY_MAX)
        problems += _tag_text_problems(f"value of tag {key!r}", value, 0, _limits.TAG_VALUE_MAX)
        if key.lower().startswith(_limits.TAG_RESERVED_PREFIX):
            problems.append(f"the tag key {key!r} is reserved: AWS keeps 'aws:' to itself")
    doubled = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    problems += [f"tags has the key {key!r} more than once" for key in doubled]
    return problems


def _is_tag(tag: object) -> bool:
    return (
        isinstance(tag, Mapping)
        and set(tag) == {"Key", "Value"}
        and isinstance(tag["Key"], str)
        and (isinstance(tag["Value"], str) or is_deferred(tag["Value"]))
    )


def _tag_text_problems(what: str, text: str, least: int, most: int) -> list[str]:
    if is_deferred(text):
        return []
    if not least <= len(text) <= most:
        return [f"a {what} has {least} to {most} characters, got {reprlib.repr(text)}"]
    if bad := sorted({sign for sign in text if not _may_stand_in_tag(sign)}):
        problem = (
            f"the {what} {text!r} holds {', '.join(map(repr, bad))}; letters, digits, spaces and "
            f"{_limits.TAG_SIGNS} are allowed"
        )
        return [problem]
    return []


def _may_stand_in_tag(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LZN" or sign in _limits.TAG_SIGNS
