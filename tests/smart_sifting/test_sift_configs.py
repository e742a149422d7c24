"""AWS's config classes: what they accept, refuse and mean."""

from __future__ import annotations

from typing import Any

import pytest

from sift_toolkit import SiftConfig, SiftConfigError
from sift_toolkit.smart_sifting.sift_config.sift_configs import (
    LossConfig,
    RelativeProbabilisticSiftConfig,
    SiftConfigValidationException,
    SiftingBaseConfig,
    sift_config_of,
)

NESTED: dict[str, Any] = {
    "beta_value": 3,
    "loss_history_length": 500,
    "loss_based_sift_config": {
        "sift_config": {"sift_delay": 10, "repeat_delay_per_epoch": True},
    },
}
EXPECTED = SiftConfig(
    beta_value=3.0,
    law="percentile",
    loss_history_length=500,
    sift_delay=10,
    repeat_delay_per_epoch=True,
    scores="fresh",
)


def test_classes_and_dicts_mean_the_same() -> None:
    """Nested to any depth, in any mixture."""
    base = SiftingBaseConfig(sift_delay=10, repeat_delay_per_epoch=True)
    forms = [
        NESTED,
        RelativeProbabilisticSiftConfig(3, 500, LossConfig(base)),
        RelativeProbabilisticSiftConfig(**NESTED),
        {**NESTED, "loss_based_sift_config": LossConfig(base)},
        {**NESTED, "loss_based_sift_config": {"sift_config": base}},
    ]
    assert [sift_config_of(form) for form in forms] == [EXPECTED] * len(forms)


def test_the_defaults_are_aws_own() -> None:
    """A delay of a thousand steps, once."""
    config = sift_config_of(
        RelativeProbabilisticSiftConfig(
            beta_value=1,
            loss_history_length=1,
            loss_based_sift_config=LossConfig(SiftingBaseConfig()),
        )
    )
    assert (config.sift_delay, config.repeat_delay_per_epoch) == (1000, False)
    assert (config.law, config.keep_end, config.anneal) == ("percentile", None, 0.0)


@pytest.mark.parametrize(
    ("beta", "share"),
    [(0.1, 90.91), (0.25, 80), (0.5, 66.67), (1, 50), (2, 33.33), (3, 25), (10, 9.09), (100, 0.99)],
)
def test_the_documented_shares_hold(beta: float, share: float) -> None:
    """AWS's own table of beta values."""
    assert 100 * sift_config_of({**NESTED, "beta_value": beta}).kept_share == pytest.approx(
        share, abs=0.005
    )


MISTAKES: dict[str, tuple[Any, str]] = {
    "missing": ({"beta_value": 1}, "loss_history_length is missing"),
    "missing inside": (
        {**NESTED, "loss_based_sift_config": {}},
        "LossConfig: sift_config is missing",
    ),
    "misspelt": ({**NESTED, "beta": 1}, "has no 'beta'; it has beta_value"),
    "beta 0": ({**NESTED, "beta_value": 0}, "beta_value must be a number above 0, got 0"),
    "beta in words": ({**NESTED, "beta_value": "3"}, "a number above 0, got '3'"),
    "beta infinite": ({**NESTED, "beta_value": float("inf")}, "a number above 0, got inf"),
    "a flag for a number": ({**NESTED, "beta_value": True}, "a number above 0, got True"),
    "history 0": ({**NESTED, "loss_history_length": 0}, "a whole number from 1, got 0"),
    "history broken": ({**NESTED, "loss_history_length": 1.5}, "a whole number from 1, got 1.5"),
    "not nested": ({**NESTED, "loss_based_sift_config": 5}, "a LossConfig or a dict, got 5"),
    "no config": (5, "must be a RelativeProbabilisticSiftConfig or a dict, got 5"),
}


@pytest.mark.parametrize("case", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_named(case: tuple[Any, str]) -> None:
    """By AWS's exception, which is also ours and a ValueError."""
    given, words = case
    with pytest.raises(SiftConfigValidationException) as caught:
        sift_config_of(given)
    assert words in str(caught.value)
    assert isinstance(caught.value, SiftConfigError)
    assert isinstance(caught.value, ValueError)


def test_classes_refuse_when_they_are_made() -> None:
    """Not in the middle of a training; all that is wrong with one at once."""
    with pytest.raises(SiftConfigValidationException) as caught:
        SiftingBaseConfig(sift_delay=-1, repeat_delay_per_epoch="yes")  # type: ignore[arg-type] # the mistake
    assert len(caught.value.problems) == 2
    with pytest.raises(SiftConfigValidationException, match="a SiftingBaseConfig or a dict"):
        LossConfig(7)  # type: ignore[arg-type] # the mistake
