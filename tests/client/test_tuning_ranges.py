"""Ranges for a tuner: whatever is accepted, each value in it makes a config that a job can read."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sagemaker.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter
from sagemaker.utils import to_string

from sift_toolkit import SiftConfig
from sift_toolkit.client._tuning_ranges import (
    TunedRange,
    config_problems,
    kind_of,
    read_ranges,
    with_dials,
    without_twins,
)
from sift_toolkit.config import key_of
from sift_toolkit.errors import SiftConfigError

CONFIG = SiftConfig(keep=0.5)
CHOICES = {
    "law": ["percentile", "proportional"],
    "scores": ["auto", "fresh", "memory"],
    "enabled": [True, False],
    "high_loss_cap": [None, 0.9],
}


def problems_of(ranges: Any, config: SiftConfig = CONFIG) -> list[str]:
    """Return all that is wrong with ranges."""
    read, problems = read_ranges(ranges)
    return problems or config_problems(config, read)


@pytest.mark.parametrize(
    ("given_range", "kind", "values"),
    [
        ({"keep": (0.2, 0.8)}, "Continuous", (0.2, 0.8)),
        ({"keep": ContinuousParameter(0.2, 0.8)}, "Continuous", (0.2, 0.8)),
        ({"keep": [0.2, 0.5]}, "Categorical", (0.2, 0.5)),
        # The SDK makes strings of them.
        ({"keep": CategoricalParameter([0.2, 0.5])}, "Categorical", (0.2, 0.5)),
        ({"keep_end": CategoricalParameter([None, 0.4])}, "Categorical", (None, 0.4)),
        ({"enabled": CategoricalParameter([True, False])}, "Categorical", (True, False)),
        ({"law": ["percentile", "proportional"]}, "Categorical", ("percentile", "proportional")),
        ({"sift_delay": (0, 100)}, "Integer", (0, 100)),
        ({"sift_delay": IntegerParameter(0, 100)}, "Integer", (0, 100)),
        ({"beta_value": IntegerParameter(1, 3)}, "Integer", (1, 3)),
        ({"beta_value": (0, 3)}, "Continuous", (0, 3)),
    ],
)
def test_what_is_allowed(given_range: dict[str, Any], kind: str, values: tuple[Any, ...]) -> None:
    """A tuple, a list and the SDK's parameters say the same, each as its field can take it."""
    read, problems = read_ranges(given_range)
    assert problems == []
    (one,) = read.values()
    assert (one.kind, one.values) == (kind, values)
    assert config_problems(CONFIG, read) == []


@pytest.mark.parametrize(
    ("given_range", "problem"),
    [
        ({}, "ranges must say what to try"),
        ("keep", "ranges must say what to try"),
        ({"kep": (0.2, 0.8)}, "did you mean 'keep'?"),
        ({"lr": (0.2, 0.8)}, "hyperparameter_ranges"),
        ({"keep": 0.5}, "must be (low, high), a list of values, or a parameter"),
        ({"keep": (0.2, 0.5, 0.8)}, "must be (low, high)"),
        ({"keep": (0, 0.8)}, "holds 0; keep must be a number above 0 to 1"),
        ({"keep": (0.2, 1.1)}, "holds 1.1; keep must be a number above 0 to 1"),
        ({"keep": (0.8, 0.2)}, "from the lower number to the higher, got 0.8 and 0.2"),
        ({"keep": (0.5, 0.5)}, "from the lower number to the higher"),
        ({"keep": ("a", "b")}, "from a number to another, got 'a' and 'b'"),
        ({"keep": (0.5, float("nan"))}, "from the lower number to the higher"),
        ({"keep": []}, "has 0 values"),
        ({"keep": [share / 50 for share in range(1, 40)]}, "has 39 values, SageMaker allows 1 to"),
        ({"keep": [0.5, 0.5]}, "has a value twice"),
        ({"keep": [0.5, "half"]}, "holds 'half'; keep must be"),
        ({"sift_delay": ContinuousParameter(0, 9)}, "give an IntegerParameter, or (low, high)"),
        ({"sift_delay": (0, 9.5)}, "from a whole number to another"),
        ({"sift_delay": (-1, 9)}, "holds -1; sift_delay must be a whole number from 0"),
        (
            {"law": ("percentile", "proportional")},
            "law is one of 'percentile', 'proportional', 'random': g",
        ),
        ({"law": ["percentil"]}, "holds 'percentil'; law must be one of"),
        ({"enabled": IntegerParameter(0, 1)}, "enabled is True or False: give a list"),
        ({"enabled": [0, 1]}, "holds 0; enabled must be True or False"),
        (
            {"beta_value": ContinuousParameter(0, 3, "Logarithmic")},
            "is Logarithmic, which SageMaker allows above 0 only",
        ),
        (
            {"keep": ContinuousParameter(0.5, 1, "ReverseLogarithmic")},
            "allows for a ContinuousParameter from 0 to less than 1 only",
        ),
        (
            {"beta_value": (0.5, 1), "keep": (0.2, 0.5)},
            "ranges has keep and beta_value, which are one dial",
        ),
    ],
)
def test_what_is_refused(given_range: Any, problem: str) -> None:
    """Each mistake is named with what is allowed."""
    assert problem in " ".join(problems_of(given_range))


def test_all_problems_at_once() -> None:
    """Every field's problems are named, the sound ones left out."""
    read, problems = read_ranges({"keep": (0, 2), "law": ["x"], "kep": 1, "anneal": (0.0, 0.5)})
    assert list(read) == ["anneal"]
    assert len(problems) == 4


@pytest.mark.parametrize(
    ("config", "ranges", "problem"),
    [
        (SiftConfig(keep=0.5, keep_end=0.4), {"keep": (0.3, 0.8)}, "tries keep=0.3: keep_end=0.4"),
        (SiftConfig(keep=0.5, keep_end=0.4), {"beta_value": (0, 2)}, "tries beta_value=2: keep_e"),
        (SiftConfig(keep=0.5, keep_end=0.4), {"keep": [0.5, 0.1]}, "tries keep=0.1: keep_end=0.4"),
        (SiftConfig(keep=0.5), {"keep_end": (0.3, 0.6)}, "tries keep_end=0.6: keep_end=0.6"),
        (
            SiftConfig(keep=0.5),
            {"keep": (0.2, 0.5), "keep_end": (0.1, 0.3)},
            "tries keep=0.2, keep_end=0.3: keep_end=0.3 must not be above",
        ),
        (SiftConfig(keep=0.5), {"keep": [None, 0.5]}, "tries keep=None: keep or beta_value is re"),
        (SiftConfig(keep=0.5).plain_twin(), {"keep": (0.2, 0.5)}, "has enabled=False"),
    ],
)
def test_contradictions(config: SiftConfig, ranges: dict[str, Any], problem: str) -> None:
    """A range that leads to a config no job would take is refused, with the first such value."""
    (only,) = problems_of(ranges, config)
    assert problem in only


@pytest.mark.parametrize(
    ("config", "ranges"),
    [
        (SiftConfig(keep=0.5, keep_end=0.4), {"keep": (0.4, 0.8)}),
        (SiftConfig(beta_value=1), {"keep": (0.1, 0.8)}),
        (SiftConfig(keep=0.5, beta_value=1), {"beta_value": (0, 9)}),
        (SiftConfig(keep=0.5), {"keep": (0.3, 0.5), "keep_end": (0.1, 0.3)}),
        (SiftConfig(keep=0.5).plain_twin(), {"enabled": [True, False]}),
    ],
)
def test_no_contradictions(config: SiftConfig, ranges: dict[str, Any]) -> None:
    """A tuned dial takes the place of the config's own, by either name."""
    assert problems_of(ranges, config) == []


def configs() -> st.SearchStrategy[SiftConfig]:
    """Configs with dials set in all ways."""
    share = st.floats(0.01, 1)
    return st.builds(
        lambda keep, end, beta: (
            SiftConfig(keep=keep, keep_end=None if end is None else end * keep)
            if beta is None
            else SiftConfig(beta_value=beta, keep_end=None if end is None else end / (1 + beta))
        ),
        share,
        st.none() | st.floats(0.01, 0.99),
        st.none() | st.floats(0, 50),
    )


@st.composite
def sensible_ranges(draw: st.DrawFn, config: SiftConfig) -> dict[str, Any]:
    """Ranges of which most fit together and to *config*, and some do not."""

    def span(low: float, high: float) -> tuple[float, float]:
        ends = draw(st.lists(st.floats(low, high), min_size=2, max_size=2, unique=True))
        return min(ends), max(ends)

    least, slack = config.keep_end or 0.01, draw(st.sampled_from([1, 1, 2]))
    ranges: dict[str, Any] = {}
    dial = draw(st.sampled_from(["keep", "beta_value", None]))
    if dial == "keep":
        ranges[dial] = span(min(least / slack, 0.9), 1)
    elif dial == "beta_value":
        ranges[dial] = span(0, max(1 / least - 1, 1))
    if draw(st.booleans()):
        ranges["keep_end"] = span(1e-9, min(least * slack, 1))
    if draw(st.booleans()):
        ranges["anneal"] = span(0, 1)
    for name in draw(st.sets(st.sampled_from(sorted(CHOICES)), min_size=0 if ranges else 1)):
        ranges[name] = CHOICES[name]
    return ranges


@given(data=st.data(), config=configs())
def test_each_value_of_an_accepted_range_is_a_config(
    data: st.DataObject, config: SiftConfig
) -> None:
    """What passes the check never fails in a job: any value, by way of the wire, is a config."""
    read, problems = read_ranges(data.draw(sensible_ranges(config)))
    assert problems == []
    assume(not config_problems(config, read))
    static = without_twins(
        {key: json.dumps(value) for key, value in config.to_hyperparameters().items()},
        map(key_of, read),
    )
    chosen = {
        name: data.draw(
            st.sampled_from(one.values) if one.kind == "Categorical" else st.floats(*one.values)  # type: ignore[arg-type] # the ends are numbers here
        )
        for name, one in read.items()
    }
    sent = {
        # As the SDK writes them: JSON within JSON for a list, plain text for a span.
        key_of(name): json.dumps(to_string(value))
        if read[name].kind == "Categorical"
        else to_string(value)
        for name, value in chosen.items()
    }
    arrived = SiftConfig.from_hyperparameters({**static, **sent})
    assert arrived is not None
    assert {name: getattr(arrived, name) for name in chosen} == chosen


def test_with_dials() -> None:
    """One dial replaces the other; what is no dial is just set; contradictions raise."""
    config = SiftConfig(beta_value=1, seed=3)
    assert with_dials(config, {"keep": 0.3}) == SiftConfig(keep=0.3, seed=3)
    assert with_dials(config, {"law": "proportional"}) == dataclasses.replace(
        config, law="proportional"
    )
    with pytest.raises(SiftConfigError):
        with_dials(config, {"keep_end": 0.9})


def test_without_twins() -> None:
    """Only the other name of a tuned dial goes."""
    sent = {key_of("keep"): "0.5", key_of("beta_value"): "1", key_of("seed"): "1", "lr": "1"}
    assert without_twins(sent, [key_of("keep"), "lr"]).keys() == sent.keys() - {
        key_of("beta_value")
    }
    assert without_twins(sent, [key_of("seed")]) == sent
    assert without_twins(sent, None) == sent


def test_kinds() -> None:
    """The SDK's parameters are told by name, with those derived from them; nothing else is one."""

    class Mine(ContinuousParameter):  # type: ignore[misc] # the SDK ships no types
        """A user's own."""

    assert kind_of(Mine(0, 1)) == "Continuous"
    assert kind_of(CategoricalParameter([1])) == "Categorical"
    assert kind_of((0, 1)) is None


def test_deferred_bounds_are_not_looked_into(pipeline_variable: Any) -> None:
    """What only a pipeline knows is left to AWS."""
    read, problems = read_ranges({"sift_delay": IntegerParameter(pipeline_variable, 9)})
    assert problems == []
    assert read == {"sift_delay": TunedRange("Integer", (pipeline_variable, 9))}
    assert config_problems(CONFIG, read) == []
