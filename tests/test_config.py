"""SiftConfig: what it accepts, what it refuses, and the way to the job and back."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit import SiftConfig, SiftConfigError
from sift_toolkit.config import (
    HYPERPARAMETER_PREFIX,
    SCRIPT_KEY,
    VERSION_KEY,
    help_of,
    key_of,
    rule_of,
)
from sift_toolkit.config._fields import Choice, Count, Flag, Number, Rule, decode
from sift_toolkit.config._wire import WIRE_VERSION
from sift_toolkit.outside import shown
from tests.html_page import Page

FIELDS = {field.name: field for field in dataclasses.fields(SiftConfig)}

NO_DIAL = (
    "keep or beta_value is required: keep is the share of samples kept, beta_value the same dial "
    "as keep = 1 / (1 + beta_value)"
)

FRACTIONS_ABOVE_0 = ("keep", "keep_end", "high_loss_cap")
FRACTIONS = ("staleness", "min_probability", "correction", "anneal", "class_floor")
COUNTS_FROM_0 = ("sift_delay", "seed")
COUNTS_FROM_1 = ("score_every", "rescore_every", "loss_history_length", "log_every")
FLAGS = ("repeat_delay_per_epoch", "enabled")
CHOICES = ("law", "value", "scores", "selection", "gate", "nonfinite", "leftover")


def config_with(**fields: Any) -> SiftConfig:
    """Return a config that is right but for what is given."""
    return SiftConfig(**{"keep": 0.5, **fields})


def problems_of(**fields: Any) -> tuple[str, ...]:
    """Return what a config of these fields is refused for."""
    with pytest.raises(SiftConfigError) as caught:
        SiftConfig(**fields)
    return caught.value.problems


def values_of(name: str) -> st.SearchStrategy[Any]:
    """Return a strategy of the values that a field's rule accepts."""
    rule = rule_of(FIELDS[name])
    if isinstance(rule, Number):
        floats = st.floats(
            rule.low,
            None if math.isinf(rule.high) else rule.high,
            exclude_min=rule.above,
            allow_nan=False,
            allow_infinity=False,
        )
        return st.none() | floats if rule.optional else floats
    if isinstance(rule, Count):
        return st.integers(rule.low, rule.high)
    if isinstance(rule, Choice):
        return st.sampled_from(rule.options)
    return st.booleans()


@st.composite
def configs(draw: st.DrawFn) -> SiftConfig:
    """Draw any config there can be."""
    fields = {name: draw(values_of(name)) for name in FIELDS}
    dial = draw(st.sampled_from(["keep", "beta_value", "both"]))
    beta = draw(st.floats(0, 1e9))
    fields |= {"keep": None, "beta_value": None}
    fields |= {"keep": 1 / (1 + beta)} if dial != "beta_value" else {}
    fields |= {"beta_value": beta} if dial != "keep" else {}
    if fields["keep_end"] is not None:
        fields["keep_end"] = min(fields["keep_end"], 1 / (1 + beta))
    return SiftConfig(**fields)


def through_sdk(value: object) -> str:
    """Encode a value as the SDK does every hyperparameter."""
    return json.dumps(value)


def through_tuner(value: object) -> str:
    """Make a string of a value, as a tuner sends what it tuned."""
    return str(value)


def through_tuner_and_sdk(value: object) -> str:
    """Make a string of a value twice, as a tuner sends what the SDK encoded for it."""
    return json.dumps(str(value))


def left_alone(value: object) -> object:
    """Leave a value as it is."""
    return value


def decoded_once(value: object) -> object:
    """Decode a value as sagemaker-training does: what is no JSON stays a string."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


class TestFields:
    """What each field may hold."""

    def test_only_a_dial_is_required(self) -> None:
        """`SiftConfig(keep=0.5)` is a whole config, with the documented defaults."""
        assert dataclasses.asdict(SiftConfig(keep=0.5)) == {
            "keep": 0.5,
            "beta_value": None,
            "keep_end": None,
            "law": "proportional",
            "value": "learnability",
            "scores": "auto",
            "staleness": 1.0,
            "score_every": 1,
            "rescore_every": 8,
            "selection": "quota",
            "loss_history_length": 1000,
            "sift_delay": 0,
            "repeat_delay_per_epoch": False,
            "min_probability": 0.0,
            "correction": 0.0,
            "anneal": 0.0,
            "high_loss_cap": None,
            "class_floor": 0.5,
            "gate": "warn",
            "nonfinite": "keep",
            "leftover": "auto",
            "seed": 0,
            "log_every": 50,
            "enabled": True,
        }

    @pytest.mark.parametrize("name", FIELDS)
    def test_every_field_documents_itself(self, name: str) -> None:
        """A field carries the line that explains it and the words for what it allows."""
        assert help_of(FIELDS[name])
        assert rule_of(FIELDS[name]).allowed

    @pytest.mark.parametrize("name", FIELDS)
    def test_defaults_obey_the_rules(self, name: str) -> None:
        """A default is a value its own field accepts."""
        assert rule_of(FIELDS[name]).accepts(FIELDS[name].default)

    @pytest.mark.parametrize("name", [*FRACTIONS_ABOVE_0, *FRACTIONS])
    @pytest.mark.parametrize(
        "value", [-0.1, 1.0001, math.nan, math.inf, -math.inf, 10**400, True, "0.5", "half", [0.5]]
    )
    def test_a_share_is_a_number_up_to_1(self, name: str, value: object) -> None:
        """Numbers out of bounds, NaN, infinities, strings and True are refused for a share."""
        (problem,) = problems_of(**{"keep": 0.5, name: value})
        assert problem.startswith(f"{name} must be a number")
        assert problem.endswith(f"got {shown(value)}")

    @pytest.mark.parametrize("name", FRACTIONS_ABOVE_0)
    def test_some_shares_are_above_0(self, name: str) -> None:
        """Keeping nothing and trusting no loss at all are refused."""
        (problem,) = problems_of(**{"keep": 0.5, name: 0.0})
        assert problem == f"{name} must be a number above 0 to 1 or None, got 0.0"

    @pytest.mark.parametrize("name", FRACTIONS)
    @pytest.mark.parametrize("value", [0, 0.0, 0.25, 1, 1.0])
    def test_other_shares_reach_from_0_to_1(self, name: str, value: float) -> None:
        """Both ends of a share are legal, as whole numbers too."""
        assert getattr(config_with(**{name: value}), name) == value

    @pytest.mark.parametrize("name", FRACTIONS)
    def test_a_share_that_is_not_optional_refuses_none(self, name: str) -> None:
        """None is refused where a field has no such meaning."""
        (problem,) = problems_of(**{"keep": 0.5, name: None})
        assert problem == f"{name} must be a number from 0 to 1, got None"

    @pytest.mark.parametrize("value", [-1e-9, math.nan, math.inf, 10**400, False, "1"])
    def test_beta_is_a_number_from_0(self, value: object) -> None:
        """AWS's dial is refused below 0, unbounded, or as anything but a number."""
        assert problems_of(beta_value=value) == (
            f"beta_value must be a number from 0 or None, got {shown(value)}",
        )

    def test_the_largest_number_is_a_beta(self) -> None:
        """Every finite float from 0 on is a beta, and keeps some share above 0."""
        assert SiftConfig(beta_value=sys.float_info.max).kept_share > 0

    @pytest.mark.parametrize("name", [*COUNTS_FROM_0, *COUNTS_FROM_1])
    @pytest.mark.parametrize("value", [-1, 0.5, 1.0, True, "1", None, math.nan, 2**63])
    def test_a_count_is_a_whole_number(self, name: str, value: object) -> None:
        """Negative numbers, floats (even whole ones), strings, None and True are no counts."""
        (problem,) = problems_of(**{"keep": 0.5, name: value})
        assert problem.startswith(f"{name} must be a whole number from ")

    @pytest.mark.parametrize("name", COUNTS_FROM_1)
    def test_some_counts_start_at_1(self, name: str) -> None:
        """Nothing can be done every 0 steps."""
        assert problems_of(**{"keep": 0.5, name: 0}) == (
            f"{name} must be a whole number from 1, got 0",
        )

    @pytest.mark.parametrize("name", COUNTS_FROM_0)
    def test_other_counts_start_at_0(self, name: str) -> None:
        """A delay of no steps and seed 0 are legal."""
        assert getattr(config_with(**{name: 0}), name) == 0

    @pytest.mark.parametrize("name", FLAGS)
    @pytest.mark.parametrize("value", [0, 1, "true", "True", None])
    def test_a_flag_is_true_or_false(self, name: str, value: object) -> None:
        """Numbers and words that look like a truth value are refused."""
        assert problems_of(**{"keep": 0.5, name: value}) == (
            f"{name} must be True or False, got {value!r}",
        )

    @pytest.mark.parametrize("name", CHOICES)
    @pytest.mark.parametrize("value", ["", "Fresh", 1, None, ["fresh"], True])
    def test_a_choice_is_one_of_its_words(self, name: str, value: object) -> None:
        """What is none of a choice's words is refused, and the message lists them."""
        (problem,) = problems_of(**{"keep": 0.5, name: value})
        assert problem.startswith(f"{name} must be one of '")
        assert problem.endswith(f"got {shown(value)}")

    def test_every_field_is_held_to_a_rule_here(self) -> None:
        """No field is left out of the tests above."""
        tested = {*FRACTIONS_ABOVE_0, *FRACTIONS, *COUNTS_FROM_0, *COUNTS_FROM_1, *FLAGS, *CHOICES}
        assert tested | {"beta_value"} == set(FIELDS)

    def test_unknown_fields_are_refused(self) -> None:
        """A misspelt field is an error of the call."""
        with pytest.raises(TypeError, match="kep"):
            SiftConfig(kep=0.5)  # type: ignore[call-arg] # the mistake under test

    def test_values_are_keywords(self) -> None:
        """A config takes no positional values: nobody remembers their order."""
        with pytest.raises(TypeError, match="positional"):
            SiftConfig(0.5)  # type: ignore[misc] # the mistake under test


class TestDials:
    """`keep` and `beta_value`, two names of one thing."""

    @pytest.mark.parametrize(
        ("beta", "share"),
        [(0, 1), (0.1, 0.909), (0.25, 0.8), (0.5, 0.667), (1, 0.5), (2, 0.333), (3, 0.25)],
    )
    def test_beta_gives_the_documented_share(self, beta: float, share: float) -> None:
        """AWS's dial keeps 1 / (1 + beta) of the samples."""
        assert SiftConfig(beta_value=beta).kept_share == pytest.approx(share, abs=5e-4)

    def test_keep_is_the_share(self) -> None:
        """`keep` is taken as it is given."""
        assert SiftConfig(keep=0.3).kept_share == 0.3

    def test_one_dial_is_required(self) -> None:
        """Neither dial is refused, and both are explained."""
        assert problems_of() == (NO_DIAL,)

    def test_dials_that_agree_may_both_be_given(self) -> None:
        """Both dials together are legal if they say the same to a millionth."""
        assert SiftConfig(keep=0.3333333, beta_value=2).kept_share == 0.3333333

    @pytest.mark.parametrize(("keep", "beta"), [(0.5, 2), (1, 0.1), (1e-7, 1e9)])
    def test_dials_that_disagree_are_refused(self, keep: float, beta: float) -> None:
        """Two different shares at once are refused, however small both are."""
        (problem,) = problems_of(keep=keep, beta_value=beta)
        assert problem == (
            f"keep={keep!r} and beta_value={beta!r} disagree: that beta_value keeps "
            f"{1 / (1 + beta):g}; give one of them"
        )

    def test_keep_may_fall(self) -> None:
        """A share may end below where it starts, or at it."""
        assert config_with(keep_end=0.1).keep_end == 0.1
        assert config_with(keep_end=0.5).keep_end == 0.5

    @pytest.mark.parametrize("dial", [{"keep": 0.5}, {"beta_value": 1}])
    def test_keep_may_not_rise(self, dial: dict[str, float]) -> None:
        """A share that would rise is refused, whichever dial set its start."""
        assert problems_of(**dial, keep_end=0.6) == (
            "keep_end=0.6 must not be above the share kept at the start, 0.5",
        )

    @pytest.mark.parametrize(
        ("fields", "sifts"),
        [
            ({"keep": 0.5}, True),
            ({"keep": 1}, False),
            ({"beta_value": 0}, False),
            ({"keep": 1, "keep_end": 0.5}, True),
            ({"keep": 0.5, "enabled": False}, False),
        ],
    )
    def test_a_config_knows_whether_it_sifts(self, fields: dict[str, Any], sifts: bool) -> None:
        """Nothing is ever dropped where all is kept to the end, or sifting is off."""
        assert SiftConfig(**fields).sifts is sifts

    @pytest.mark.parametrize(
        ("fields", "needed"),
        [
            ({}, False),
            ({"law": "percentile", "value": "own"}, False),
            ({"law": "proportional"}, False),
            ({"value": "own"}, True),
        ],
    )
    def test_own_values_are_needed_by_one_law(self, fields: dict[str, str], needed: bool) -> None:
        """The user's own values are asked for only where a chance follows them."""
        assert config_with(**fields).needs_own_values is needed


class TestProblems:
    """How a config is refused."""

    def test_all_problems_are_reported_at_once(self) -> None:
        """Values, contradictions and missing parts come in one error, in the order of fields."""
        assert problems_of(law="none", score_every=0, correction=math.nan, enabled="yes") == (
            "law must be one of 'percentile', 'proportional', 'random', got 'none'",
            "score_every must be a whole number from 1, got 0",
            "correction must be a number from 0 to 1, got nan",
            "enabled must be True or False, got 'yes'",
            NO_DIAL,
        )

    def test_a_broken_dial_is_reported_once(self) -> None:
        """A dial that is no number is not also called a contradiction."""
        assert len(problems_of(keep="0.5", keep_end=0.7)) == 1

    def test_the_message_lists_the_problems(self) -> None:
        """The text of the error has one line a problem."""
        with pytest.raises(SiftConfigError) as caught:
            config_with(seed=-1, log_every=0)
        assert str(caught.value) == (
            "invalid SiftConfig, 2 problems:\n"
            "  - seed must be a whole number from 0, got -1\n"
            "  - log_every must be a whole number from 1, got 0"
        )


class TestValue:
    """A config as a value."""

    def test_it_cannot_be_changed(self) -> None:
        """A config is frozen: it is shared by what it configures."""
        with pytest.raises(dataclasses.FrozenInstanceError):
            config_with().keep = 0.1  # type: ignore[misc] # the mistake under test

    def test_equal_configs_are_one_key(self) -> None:
        """Configs of the same fields are equal and hash alike."""
        assert {config_with(seed=1): "first"}[config_with(seed=1)] == "first"

    @pytest.mark.parametrize(
        "clone", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))]
    )
    def test_it_crosses_process_boundaries(self, clone: Callable[[SiftConfig], SiftConfig]) -> None:
        """Copies and pickles of a config equal it."""
        config = config_with(keep_end=0.2, law="proportional")
        assert clone(config) == config

    def test_the_plain_twin_differs_only_in_sifting(self) -> None:
        """The twin is the same config, switched off."""
        config = config_with(keep_end=0.2, seed=7, sift_delay=3)
        twin = config.plain_twin()
        assert not twin.enabled
        assert dataclasses.replace(twin, enabled=True) == config


class TestWire:
    """From the client to the job and back."""

    def test_only_what_was_given_is_sent(self) -> None:
        """Fields at their defaults stay home; the version always travels."""
        assert config_with(seed=3, enabled=True).to_hyperparameters() == {
            "sagemaker_sift_version": WIRE_VERSION,
            "sagemaker_sift_keep": 0.5,
            "sagemaker_sift_seed": 3,
        }

    @pytest.mark.parametrize("name", FIELDS)
    def test_keys_stay_off_the_command_line(self, name: str) -> None:
        """Every key begins with `sagemaker_`, which SDK v2 keeps from the user's script."""
        assert key_of(name) == f"sagemaker_sift_{name}"
        assert HYPERPARAMETER_PREFIX == "sagemaker_sift_"

    @given(config=configs())
    def test_values_are_json(self, config: SiftConfig) -> None:
        """What is sent is JSON without a converter's help."""
        sent = config.to_hyperparameters()
        assert json.loads(json.dumps(sent, allow_nan=False)) == sent

    @given(config=configs(), container=st.sampled_from([left_alone, decoded_once]))
    @pytest.mark.parametrize(
        "sender", [left_alone, through_sdk, through_tuner, through_tuner_and_sdk]
    )
    def test_a_round_trip_is_exact(
        self,
        sender: Callable[[object], object],
        container: Callable[[object], object],
        config: SiftConfig,
    ) -> None:
        """Any config survives the SDK or a tuner, and a container that decodes or does not."""
        arrived = {
            key: container(sender(value)) for key, value in config.to_hyperparameters().items()
        }
        assert SiftConfig.from_hyperparameters(arrived) == config

    def test_types_are_kept(self) -> None:
        """Counts come back as whole numbers, shares as floats, flags as truth values."""
        sent = config_with(seed=3, enabled=False).to_hyperparameters()
        back = SiftConfig.from_hyperparameters({key: str(value) for key, value in sent.items()})
        assert back is not None
        assert [type(value) for value in (back.keep, back.seed, back.enabled)] == [float, int, bool]

    @pytest.mark.parametrize("tuned", ["0.5", '"0.5"', 0.5])
    def test_a_tuned_number_arrives_as_a_string(self, tuned: object) -> None:
        """A tuner's strings are read, encoded or not."""
        sent = {key_of("keep"): tuned}
        assert SiftConfig.from_hyperparameters(sent) == SiftConfig(keep=0.5)

    @pytest.mark.parametrize("tuned", ["None", "null", '"None"', None])
    def test_a_tuner_may_choose_none(self, tuned: object) -> None:
        """None among a tuner's categories is read where None is allowed."""
        sent = {key_of("keep"): 0.5, key_of("high_loss_cap"): tuned}
        assert SiftConfig.from_hyperparameters(sent) == SiftConfig(keep=0.5)

    def test_other_hyperparameters_are_left_alone(self) -> None:
        """The user's own and the SDK's hyperparameters are none of the config's business."""
        others = {"lr": "0.1", "sagemaker_program": '"train.py"', "sift": "1", "beta_value": "x"}
        sent = {**others, **SiftConfig(keep=0.25).to_hyperparameters()}
        assert SiftConfig.from_hyperparameters(sent) == SiftConfig(keep=0.25)

    @pytest.mark.parametrize("others", [{}, {"lr": 1}, {SCRIPT_KEY: "train.py"}])
    def test_nothing_on_the_wire_is_no_config(self, others: dict[str, object]) -> None:
        """A job that was not asked to sift has no config, even if our entry point starts it."""
        assert SiftConfig.from_hyperparameters(others) is None

    def test_the_script_rides_beside_the_config(self) -> None:
        """The name of the user's script is no field of the config."""
        sent = {**SiftConfig(keep=0.25).to_hyperparameters(), SCRIPT_KEY: '"train.py"'}
        assert SiftConfig.from_hyperparameters(sent) == SiftConfig(keep=0.25)

    @pytest.mark.parametrize(
        ("wrong", "right"),
        [
            ("kep", "keep"),
            ("beta", "beta_value"),
            ("loss_history", "loss_history_length"),
            ("versoin", "version"),
            ("scirpt", "script"),
        ],
    )
    def test_unknown_keys_are_refused_with_the_nearest(self, wrong: str, right: str) -> None:
        """A misspelt key is named together with the key that was probably meant."""
        with pytest.raises(SiftConfigError) as caught:
            SiftConfig.from_hyperparameters({key_of("keep"): 0.5, key_of(wrong): 1})
        (problem,) = caught.value.problems
        assert problem == (
            f"unknown hyperparameter 'sagemaker_sift_{wrong}', "
            f"did you mean 'sagemaker_sift_{right}'?"
        )

    def test_problems_of_keys_and_values_come_together(self) -> None:
        """Unknown keys and wrong values are reported in one error."""
        sent = {key_of("keep"): "2", key_of("sed"): 1, key_of("enabled"): "maybe"}
        with pytest.raises(SiftConfigError) as caught:
            SiftConfig.from_hyperparameters(sent)
        assert caught.value.problems == (
            "unknown hyperparameter 'sagemaker_sift_sed', did you mean 'sagemaker_sift_seed'?",
            "keep must be a number above 0 to 1 or None, got 2",
            "enabled must be True or False, got 'maybe'",
        )

    @pytest.mark.parametrize("version", [2, "2", '"2"', 1000])
    def test_a_newer_client_is_refused_in_words(self, version: object) -> None:
        """An old image says that the client is newer, and what to do."""
        with pytest.raises(SiftConfigError, match=r"newer sift_toolkit.*update the image"):
            SiftConfig.from_hyperparameters({VERSION_KEY: version, key_of("brand_new"): 1})

    @pytest.mark.parametrize("version", ["one", "1.5", 0, "null", "Infinity", True, "[1]"])
    def test_a_version_is_a_whole_number(self, version: object) -> None:
        """A version that cannot be one is refused, not guessed."""
        with pytest.raises(SiftConfigError, match="sagemaker_sift_version must be a whole number"):
            SiftConfig.from_hyperparameters({VERSION_KEY: version, key_of("keep"): 0.5})

    def test_a_missing_version_is_the_first(self) -> None:
        """Hyperparameters written by hand need no version."""
        assert SiftConfig.from_hyperparameters({key_of("keep"): 0.5}) == SiftConfig(keep=0.5)


class TestDecoding:
    """Undoing what was done to a value on its way."""

    @pytest.mark.parametrize(
        ("rule", "value", "decoded"),
        [
            pytest.param(Count(0), "[1]", [1], id="no string any more"),
            pytest.param(Count(0), "one", "one", id="no JSON"),
            pytest.param(Flag(), '"True"', True, id="a word, encoded"),
            pytest.param(Number(0, 1), "None", None, id="a word where it is not allowed"),
            pytest.param(Choice(("1",)), "1", "1", id="a word that looks like JSON"),
            pytest.param(Choice(("1",)), '"1"', "1", id="the same, encoded"),
            pytest.param(Count(0), json.dumps(json.dumps(json.dumps(7))), 7, id="three times"),
            pytest.param(
                Count(0), json.dumps(json.dumps(json.dumps("7"))), "7", id="too often to be true"
            ),
        ],
    )
    def test_strings_are_read_until_the_rule_accepts(
        self, rule: Rule, value: object, decoded: object
    ) -> None:
        """Decoding stops at what the field accepts, or at what is no JSON string."""
        assert decode(rule, value) == decoded


def test_its_repr_shows_what_was_given() -> None:
    """What is at its default is left out, so that a notebook cell stays readable."""
    assert repr(SiftConfig(keep=0.5, seed=0, law="percentile")) == (
        "SiftConfig(keep=0.5, law='percentile')"
    )


def test_in_a_notebook() -> None:
    """A table of what differs from the defaults, with what it means; the rest in one line."""
    page = Page(SiftConfig(keep=0.5, gate="on")._repr_html_())
    assert page.open == []
    assert page.words.count("keep") == page.words.count("gate") == 1
    assert {"0.5", "'on'"} <= set(page.words)
    assert "share of the samples kept" in " ".join(page.words)
    assert page.tags.count("tr") == 1 + 2
    assert any("seed=0" in words and "keep=" not in words for words in page.words)
