"""Variables of a pipeline are told from values."""

from __future__ import annotations

from typing import Any

import pytest

from sift_toolkit.client._deferred import is_deferred
from sift_toolkit.client._definitions import metric_definition_problems
from sift_toolkit.client._hyperparameters import hyperparameter_problems


def test_variables_of_the_sdk(pipeline_variable: Any) -> None:
    """Parameters and expressions of a SageMaker pipeline are only known when it runs."""
    from sagemaker.workflow.functions import Join

    assert is_deferred(pipeline_variable)
    assert is_deferred(Join(on="/", values=["a", pipeline_variable]))


class Expression:
    """A class that happens to be called as the SDK's."""


@pytest.mark.parametrize("value", [None, 1, "a", [], Expression()])
def test_values(value: object) -> None:
    """Everything else is a value."""
    assert not is_deferred(value)


def test_no_check_looks_into_them(pipeline_variable: Any) -> None:
    """A hyperparameter or a regex that a pipeline fills in is left alone."""
    assert hyperparameter_problems({"x": pipeline_variable}) == []
    definition = {"Name": "a", "Regex": pipeline_variable}
    assert metric_definition_problems([definition]) == []
