"""A job's hyperparameters may be anybody's who may start one: refused in words, never at length."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from sift_toolkit import SiftConfig, SiftConfigError, SiftError, SiftUsageError
from sift_toolkit.config import HYPERPARAMETER_PREFIX, QUOTED_KEY, VERSION_KEY, key_of
from sift_toolkit.container._command_line import tell_hyperparameters
from sift_toolkit.contract import JobTree, decode_hyperparameters, hosts_of

DEEP = "[" * 100_000
KEEP = key_of("keep")
MOST = 5000
"""Characters of a message that anybody would read."""


def refused(hyperparameters: dict[str, object]) -> str:
    """Return in which words they are refused."""
    with pytest.raises(SiftConfigError) as caught:
        SiftConfig.from_hyperparameters(hyperparameters)
    return str(caught.value)


@pytest.fixture
def tree(tmp_path: Path) -> JobTree:
    """The tree of a job, its hyperparameters file still to come."""
    tree = JobTree(tmp_path)
    tree.config_dir.mkdir(parents=True)
    return tree


@pytest.mark.parametrize(
    "value",
    [DEEP, '{"a":' * 100_000, "1" * 100_000, "x" * 1_000_000, "1e999", "NaN", [[[[]]]], {"a": 1}],
    ids=["deep list", "deep dict", "digits", "long", "1e999", "NaN", "list", "dict"],
)
@pytest.mark.parametrize(
    "key", [KEEP, key_of("seed"), key_of("law"), key_of("enabled"), VERSION_KEY]
)
def test_a_value_of_any_kind_is_refused_briefly(key: str, value: object) -> None:
    """Nested without end, with digits without end, or of another type: one short sentence."""
    words = refused({KEEP: 0.5, key: value})
    assert key.removeprefix(HYPERPARAMETER_PREFIX) in words
    assert len(words) < MOST
    assert words.isprintable()


def test_a_number_that_python_does_not_print_is_refused() -> None:
    """Python refuses to show whole numbers of thousands of digits: the message does without."""
    huge = 10 ** (sys.get_int_max_str_digits() + 1)
    assert "seed must be" in refused({KEEP: 0.5, key_of("seed"): huge})


def test_unknown_keys_are_named_but_not_all() -> None:
    """A hundred thousand unknown keys are refused in a moment, in one screen of words."""
    keys = {f"{HYPERPARAMETER_PREFIX}{number}\n{'x' * 500}": 1 for number in range(100_000)}
    words = refused({KEEP: 0.5, **keys})
    assert "99980 more unknown hyperparameters" in words
    assert len(words) < 2 * MOST


@pytest.mark.parametrize(
    "content", [DEEP.encode(), b"\xff\xfe{}", b"[]", b"1" * 9999, b"", b'"x"'], ids=lambda c: c[:4]
)
def test_a_file_that_is_no_object_is_refused(tree: JobTree, content: bytes) -> None:
    """The hyperparameters file may hold anything: it is refused, and its content is not shown."""
    tree.hyperparameters_file.write_bytes(content)
    with pytest.raises(SiftError, match="must hold a JSON object") as caught:
        tree.user_hyperparameters()
    assert len(str(caught.value)) < MOST


def test_values_nested_without_end_stay_text(tree: JobTree) -> None:
    """The user's own are decoded where they can be, and handed on as they are where not."""
    tree.hyperparameters_file.write_text(json.dumps({"mine": DEEP}))
    assert tree.user_hyperparameters() == {"mine": DEEP}


@pytest.mark.parametrize("names", [["gone", "mine"], [["mine"]], "mine", 5, None, [None]])
def test_a_list_of_quoted_names_may_be_wrong(names: object) -> None:
    """Names that are none, or of values that nobody quoted, change nothing."""
    raw = {"mine": "no JSON", QUOTED_KEY: json.dumps(names)}
    assert decode_hyperparameters(raw)["mine"] == "no JSON"


@pytest.mark.parametrize("key", ["a=b", "nul\0", "half\ud800"])
def test_a_name_that_no_variable_may_have_is_refused(key: str) -> None:
    """It is named; its value, which may be secret, is not."""
    before = dict(os.environ)
    with pytest.raises(SiftUsageError, match="cannot be told in an environment") as caught:
        tell_hyperparameters({key: "hunter2"}, os.environ)
    assert "hunter2" not in str(caught.value)
    assert os.environ == before


def test_names_of_hosts_may_be_anything(tmp_path: Path) -> None:
    """A description of hosts that is none has no hosts."""
    file = tmp_path / "resourceconfig.json"
    for content in (DEEP, "[]", '{"hosts": 5}', '{"hosts": [1, null]}'):
        file.write_text(content)
        assert hosts_of(file) == []
