"""Which hyperparameters arrive as they were given."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.client._hyperparameters import (
    hyperparameter_problems,
    reserved_key_problems,
    without_dial,
)
from sift_toolkit.config import SiftConfig

JSON_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
JSON_VALUES = st.recursive(
    JSON_SCALARS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ANY_VALUES = st.recursive(
    JSON_SCALARS
    | st.text()
    | st.floats()
    | st.binary()
    | st.sets(st.integers())
    | st.complex_numbers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


def only(problems: list[str]) -> str:
    """Return the one problem there is."""
    assert len(problems) == 1, problems
    return problems[0]


@given(st.lists(JSON_VALUES, max_size=2))
def test_json_is_accepted(value: list[Any]) -> None:
    """Every JSON value that fits is accepted."""
    if len(json.dumps(value)) <= 2500:
        assert hyperparameter_problems({"x": value}) == []


@given(ANY_VALUES)
def test_what_is_accepted_comes_back(value: Any) -> None:
    """Whatever is accepted survives JSON, but for tuples, which become lists."""
    if hyperparameter_problems({"x": value}) == []:
        back = json.loads(json.dumps(value, allow_nan=False))
        assert back == json.loads(json.dumps(back))
        assert as_lists(value) == back


def as_lists(value: Any) -> Any:
    """Replace tuples by lists, at every depth."""
    if isinstance(value, list | tuple):
        return [as_lists(item) for item in value]
    if isinstance(value, dict):
        return {key: as_lists(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize(
    ("value", "mend"),
    [
        (Path("data"), "str(path)"),
        (np.float32(0.1), ".item()"),
        (np.int64(3), ".item()"),
        (np.arange(3), ".tolist()"),
        ({1, 2}, "sorted list"),
        (b"bytes", "give a str"),
        (math.nan, "finite"),
        (-math.inf, "finite"),
    ],
)
def test_what_is_not_json(value: object, mend: str) -> None:
    """A value that is not JSON is refused with its place and the mend, nested ones too."""
    assert "hyperparameters['x'] is" in only(hyperparameter_problems({"x": value}))
    nested = only(hyperparameter_problems({"x": {"a": [0, value]}}))
    assert "hyperparameters['x']['a'][1] is" in nested
    assert mend in nested


def test_keys_inside_a_value() -> None:
    """A nested dict with a key that JSON would turn into a string is refused."""
    problem = only(hyperparameter_problems({"layers": {1: 64}}))
    assert "hyperparameters['layers'] has a key 1" in problem


def test_value_inside_itself() -> None:
    """A list that holds itself is refused, one that is held twice is not."""
    twice = [1]
    assert hyperparameter_problems({"x": [twice, twice]}) == []
    endless: list[object] = []
    endless.append(endless)
    assert "contains itself" in only(hyperparameter_problems({"x": endless}))


def test_length_is_counted_as_json() -> None:
    """A value may have 2,500 characters once written as JSON, escapes and quotes counted."""
    assert hyperparameter_problems({"x": "a" * 2498}) == []
    assert "takes 2501 characters" in only(hyperparameter_problems({"x": "a" * 2499}))
    assert "takes 2504 characters" in only(hyperparameter_problems({"x": "ü" * 417}))


@pytest.mark.parametrize("sign", ["\n", "\r", "\x85", "\u2028", "\u2029"])
def test_line_breaks(sign: str) -> None:
    """A line break of any kind is refused in a value and in a name."""
    assert "must be one line" in only(hyperparameter_problems({"x": f"a{sign}b"}))
    assert "must be one line" in only(hyperparameter_problems({f"a{sign}b": 1}))


@pytest.mark.parametrize("name", ["", "n" * 257, 3, None])
def test_names(name: object) -> None:
    """A name is a string of 1 to 256 characters."""
    assert "the name of a hyperparameter" in only(hyperparameter_problems({name: 1}))
    assert hyperparameter_problems({"n" * 256: 1}) == []


def test_the_sdk_has_its_share_of_a_hundred() -> None:
    """The hyperparameters that the SDK adds count, those of a distribution too."""
    fits = {f"x{index}": index for index in range(95)}
    torchrun = {"torch_distributed": {"enabled": True}}
    assert hyperparameter_problems(fits) == []
    assert "102 hyperparameters, 7 of them" in only(hyperparameter_problems(fits, torchrun))
    assert "101 hyperparameters" in only(hyperparameter_problems({**fits, "one_more": 1}))


def test_hyperparameters_that_the_sdk_wrote_before_count_once() -> None:
    """After a first fit() the SDK's own stand among the others and are not counted twice."""
    after = {f"x{index}": index for index in range(95)} | {"sagemaker_program": "train.py"}
    assert hyperparameter_problems(after) == []


def test_all_problems_at_once() -> None:
    """Each wrong hyperparameter is named."""
    problems = hyperparameter_problems({"a": Path("x"), "b": math.nan, "c": 1, "d": "a\nb"})
    assert [problem.split("'")[1] for problem in problems] == ["a", "b", "d"]


@pytest.mark.parametrize("wrong", [[("a", 1)], "a=1", 3])
def test_no_dict(wrong: object) -> None:
    """Anything but a dict is refused."""
    assert "must be a dict" in only(hyperparameter_problems(wrong))


def test_nothing_given() -> None:
    """No hyperparameters are no problem."""
    assert hyperparameter_problems(None) == []
    assert reserved_key_problems(None) == []


@pytest.mark.parametrize("key", [*SiftConfig(keep=0.5).to_hyperparameters(), "sagemaker_sift_kep"])
def test_keys_of_sifting_are_reserved(key: str) -> None:
    """A key that begins as those of the config is the config's business."""
    assert "sift_config" in only(reserved_key_problems({key: 1, "lr": 0.1}))


@pytest.mark.parametrize(
    "key",
    [
        "sagemaker_program",
        "sagemaker_submit_directory",
        "sagemaker_region",
        "_tuning_objective_metric",
    ],
)
def test_keys_of_the_sdk_are_reserved(key: str) -> None:
    """A key that the SDK would overwrite is refused."""
    assert "the SageMaker SDK writes it" in only(reserved_key_problems({key: 1, "lr": 0.1}))


def test_keys_of_a_distribution_are_reserved_with_it() -> None:
    """The number of processes may be set by hand unless the distribution sets it."""
    chosen = {"sagemaker_mpi_num_of_processes_per_host": 2}
    assert reserved_key_problems(chosen, {"torch_distributed": {"enabled": True}}) == []
    assert len(reserved_key_problems(chosen, {"mpi": {"enabled": True}})) == 1


@pytest.mark.parametrize("value", ["AKIAIOSFODNN7EXAMPLE", {"keys": ["x ASIAIOSFODNN7EXAMPLE"]}])
def test_access_keys(value: Any) -> None:
    """What reads like the id of an AWS access key is refused, and not repeated."""
    problem = only(hyperparameter_problems({"x": value}))
    assert "a job has its role" in problem
    assert "EXAMPLE" not in problem


KEEP, BETA, LAW = (f"sagemaker_sift_{name}" for name in ("keep", "beta_value", "law"))


@pytest.mark.parametrize(
    ("tuned", "left"),
    [
        ([], {KEEP, BETA, LAW, "lr"}),
        ([LAW], {KEEP, BETA, "lr"}),
        ([KEEP], {LAW, "lr"}),
        ([BETA, "lr"], {LAW}),
    ],
)
def test_tuned_dials(tuned: list[str], left: set[str]) -> None:
    """A tuned hyperparameter takes the place of its static twin, keep that of beta_value too."""
    hyperparameters = {KEEP: "0.5", BETA: "1.0", LAW: '"percentile"', "lr": "0.1"}
    before = dict(hyperparameters)
    assert left == set(without_dial(hyperparameters, tuned))
    assert before == hyperparameters
