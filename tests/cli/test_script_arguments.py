"""A script's own arguments are those that hyperparameters can carry; others are refused."""

from __future__ import annotations

import pytest

from sift_toolkit import SiftUsageError
from sift_toolkit.cli._script_arguments import hyperparameters_of


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {}),
        (["--epochs", "3"], {"epochs": "3"}),
        (["--epochs=3", "--note", "a b"], {"epochs": "3", "note": "a b"}),
        (["-x", "1", "--lr", "-0.1", "--least", "-.5"], {"x": "1", "lr": "-0.1", "least": "-.5"}),
        (["--name="], {"name": ""}),
        (["--sign", "-"], {"sign": "-"}),
        (["--learning-rate", "1", "--a_b=c=d"], {"learning-rate": "1", "a_b": "c=d"}),
    ],
)
def test_what_hyperparameters_carry(arguments: list[str], expected: dict[str, str]) -> None:
    """Options with a value become hyperparameters, as text."""
    assert hyperparameters_of(arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["data"], "'data' is no option"),
        (["--epochs", "3", "data"], "'data' is no option"),
        (["--verbose"], "'--verbose' has no value"),
        (["--verbose", "--epochs", "3"], "'--verbose' has no value"),
        (["--epochs", "3", "--epochs", "4"], "'--epochs' is given more than once"),
        (["-lr", "1"], "'-lr' is no option"),
        (["--x", "1"], "'--x' is no option"),
        (["--", "1"], "'--' is no option"),
        (["-1"], "'-1' is no option"),
    ],
)
def test_what_they_cannot_carry(arguments: list[str], problem: str) -> None:
    """Flags, values without a name and repeated names are refused, and the way is said."""
    with pytest.raises(SiftUsageError) as caught:
        hyperparameters_of(arguments)
    assert str(caught.value).startswith(problem)
    assert "--hyperparameter name=value" in str(caught.value)
