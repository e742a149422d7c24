"""A script is told its hyperparameters in one way, whoever starts it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sagemaker_training import mapping

from sift_toolkit.container._command_line import command_line, tell_hyperparameters

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
HYPERPARAMETERS = st.dictionaries(st.text(min_size=1), VALUES)


@given(HYPERPARAMETERS)
def test_command_line_is_sagemaker_trainings(hyperparameters: dict[str, Any]) -> None:
    """The words are those that sagemaker-training starts a script with."""
    assert command_line(hyperparameters) == mapping.to_cmd_args(hyperparameters)


@given(HYPERPARAMETERS)
def test_variables_are_sagemaker_trainings(hyperparameters: dict[str, Any]) -> None:
    """So are the variables: all hyperparameters, each of them, and the command line."""
    environment: dict[str, str] = {}
    tell_hyperparameters(hyperparameters, environment)
    expected = mapping.to_env_vars(
        {
            "hps": hyperparameters,
            "user_args": mapping.to_cmd_args(hyperparameters),
            **{f"hp_{key}": value for key, value in hyperparameters.items()},
        }
    )
    assert expected.items() <= environment.items()


def test_what_sdk_v3_says_of_others_goes() -> None:
    """Variables and summaries that SDK v3 fills with service keys hold the user's own alone."""
    environment = {
        "SM_HP_SAGEMAKER_SIFT_KEEP": "0.5",
        "SM_HP_NOTE": r'"it\u0027s"',
        "SM_HPS": '{"note": "...", "sagemaker_sift_keep": 0.5}',
        "SM_TRAINING_ENV": '{"job_name": "j", "hyperparameters": {"sagemaker_sift_keep": 0.5}}',
        "SM_MODEL_DIR": "/opt/ml/model",
    }
    tell_hyperparameters({"note": "it's", "batch-size": 8}, environment)
    assert json.loads(environment.pop("SM_TRAINING_ENV")) == {
        "job_name": "j",
        "hyperparameters": {"note": "it's", "batch-size": 8},
    }
    assert environment == {
        "SM_HP_NOTE": "it's",
        "SM_HP_BATCH-SIZE": "8",
        "SM_HP_BATCH_SIZE": "8",
        "SM_HPS": '{"batch-size":8,"note":"it\'s"}',
        "SM_USER_ARGS": '["--batch-size","8","--note","it\'s"]',
        "SM_MODEL_DIR": "/opt/ml/model",
    }
