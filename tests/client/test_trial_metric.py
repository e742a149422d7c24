"""What arms are compared by."""

from __future__ import annotations

import pytest

from sift_toolkit.client._trial_metric import read_trial_metric
from sift_toolkit.metrics import VALIDATION_ACCURACY

OWN = {"Name": "val:loss", "Regex": r"val_loss=([0-9.]+)"}


@pytest.mark.parametrize(
    "name", ["validation_accuracy", "sift:validation_accuracy", VALIDATION_ACCURACY]
)
def test_the_toolkits_own(name: object) -> None:
    """It says itself which way it is better; a tenth of a point is as good."""
    metric, problems = read_trial_metric(name, None, None)
    assert problems == []
    assert metric is not None
    assert (metric.name, metric.better, metric.tolerance) == (
        "sift:validation_accuracy",
        "higher",
        0.001,
    )
    assert metric.last_in(["[sift] validation_accuracy=0.5;", "x", "[sift] kept_share=1.0;"]) == 0.5
    assert metric.last_in([]) is None


def test_one_of_ones_own() -> None:
    """A definition as SageMaker has them, with a direction and a tolerance."""
    metric, problems = read_trial_metric(OWN, "lower", 0.02)
    assert problems == []
    assert metric is not None
    assert (metric.sign, metric.scale, metric.unit) == (-1, 1, "")
    assert metric.last_in(["val_loss=0.7", "val_loss=0.6"]) == 0.6


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("accuracy", None, None), "metric must be a metric's name, as 'validation_accuracy'"),
        (({"Name": "a", "Regex": "no group"}, "lower", 1), "a Regex of one group"),
        (({"Name": "a", "Regex": "("}, "lower", 1), "a Regex of one group"),
        ((OWN, None, 0.1), "better must be 'higher' or 'lower'"),
        ((OWN, "lower", None), "tolerance must be a number from 0"),
        (("train_loss", None, 0.1), "which of two values of 'sift:train_loss'"),
        (("validation_accuracy", None, -1), "got -1"),
    ],
)
def test_what_is_refused(arguments: tuple[object, object, object], problem: str) -> None:
    """What cannot be told is said in words."""
    metric, problems = read_trial_metric(*arguments)
    assert metric is None
    assert problem in problems[0]
