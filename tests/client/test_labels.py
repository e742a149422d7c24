"""Environment variables and tags: what the API allows in them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.client._labels import environment_problems, environment_warnings, tag_problems


def only(problems: list[str]) -> str:
    """Return the one problem there is."""
    assert len(problems) == 1, problems
    return problems[0]


def test_good_environment() -> None:
    """Names as a shell has them with values of any signs are accepted."""
    assert environment_problems({"A_1": "x\ny", "_b": "", "c" * 512: "v" * 512}) == []
    assert environment_problems(None) == []


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"1A": "x"}, "has a name '1A'"),
        ({"A-B": "x"}, "has a name 'A-B'"),
        ({"": "x"}, "has a name ''"),
        ({"c" * 513: "x"}, "at most 512 characters"),
        ({3: "x"}, "has a name 3"),
        ({"A": 1}, "environment['A'] must be a str, got a int"),
        ({"A": "v" * 513}, "environment['A'] has 513 characters"),
        ({f"A{index}": "" for index in range(101)}, "has 101 variables"),
        (["A=1"], "must be a dict"),
    ],
)
def test_wrong_environment(environment: object, problem: str) -> None:
    """What the API refuses in an environment is named."""
    assert problem in only(environment_problems(environment))


def test_environment_is_never_shown() -> None:
    """No value of a variable is put into a message, since it may be a secret."""
    secret = "hunter2" * 100
    problems = environment_problems({"A": secret, "B": secret.encode()})
    assert len(problems) == 2
    assert "hunter2" not in "".join(problems)


@pytest.mark.parametrize(
    "tags",
    [
        None,
        [],
        [{"Key": "team", "Value": ""}],
        {"team": "Zürich 1", "a:b/c=d+e-f@g_h.i": "x"},
        [{"Key": "k" * 128, "Value": "v" * 256}],
    ],
)
def test_good_tags(tags: object) -> None:
    """Tags as a dict, or as the API has them, are accepted."""
    assert tag_problems(tags) == []


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        ({"": "x"}, "1 to 128 characters"),
        ({"k" * 129: "x"}, "1 to 128 characters"),
        ({"k": "v" * 257}, "0 to 256 characters"),
        ({"a*b": "x"}, "holds '*'"),
        ({"k": "a;b\n"}, "holds '\\n', ';'"),
        ({"aws:team": "x"}, "reserved"),
        ({f"k{index}": "" for index in range(51)}, "has 51 entries"),
        ([{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}], "'k' more than once"),
        ([{"Key": "k"}], "must be a dict, or a list"),
        ([{"Key": "k", "Value": 1}], "with str in both"),
        ("team=a", "must be a dict, or a list"),
    ],
)
def test_wrong_tags(tags: object, problem: str) -> None:
    """What the API refuses in tags is named."""
    assert problem in only(tag_problems(tags))


@given(st.characters(codec="utf-8"))
def test_signs_in_tags(sign: str) -> None:
    """A sign stands in a tag where it is a letter, a space, a digit or one of a few more."""
    import unicodedata

    allowed = unicodedata.category(sign)[0] in "LZN" or re.fullmatch(r"[_.:/=+\-@]", sign)
    assert (tag_problems({f"k{sign}": ""}) == []) == bool(allowed)


def test_value_of_a_pipeline(pipeline_variable: Any) -> None:
    """A value that a pipeline will fill in is left alone."""
    assert environment_problems({"A": pipeline_variable}) == []
    assert tag_problems([{"Key": "k", "Value": pipeline_variable}]) == []


def test_credentials_in_the_environment() -> None:
    """Variables that would replace the job's role are warned of, their values never shown."""
    environment = {"AWS_SECRET_ACCESS_KEY": "hush-hush", "AWS_REGION": "us-west-2"}
    (warning,) = environment_warnings(environment)
    assert warning.startswith("environment['AWS_SECRET_ACCESS_KEY'] takes the place of")
    assert "hush-hush" not in warning
    assert environment_warnings(None) == []
