"""An estimator's arguments under the names of SDK v3."""

from __future__ import annotations

from typing import Any

import pytest

from sift_toolkit.client._checks import accepted_arguments
from sift_toolkit.client._limits import SDK_DEFAULT_MAX_RUN
from sift_toolkit.client._model_trainer_arguments import (
    KNOWN,
    SECTIONS,
    TRAINER,
    TRANSLATED,
    UNTRANSLATED,
    sections,
    tag_pairs,
    wants_torchrun,
    wire_hyperparameters,
)


def test_every_argument_of_sdk_v2_is_known() -> None:
    """Each argument that SDK v2's estimator takes is translated, or refused with a mend."""
    from sagemaker.pytorch import PyTorch

    recipes = {"training_recipe", "recipe_overrides"}
    assert accepted_arguments(PyTorch) - recipes == KNOWN


def test_no_argument_has_two_fates() -> None:
    """The tables share no argument."""
    tables = [*SECTIONS.values(), TRANSLATED, UNTRANSLATED]
    assert sum(map(len, tables)) == len(KNOWN)


def test_sections() -> None:
    """Each argument goes to the config that takes it, under its name there."""
    found = sections(
        {
            "role": "me",
            "instance_type": "ml.m5.xlarge",
            "use_spot_instances": True,
            "max_run": 60,
            "max_wait": 120,
            "checkpoint_s3_uri": "s3://bucket/checkpoints",
            "output_kms_key": "alias/key",
            "disable_output_compression": True,
            "subnets": None,
            "entry_point": "train.py",
        }
    )
    assert found == {
        TRAINER: {"role": "me"},
        "compute": {"instance_type": "ml.m5.xlarge", "enable_managed_spot_training": True},
        "stopping_condition": {"max_runtime_in_seconds": 60, "max_wait_time_in_seconds": 120},
        "output_data_config": {"kms_key_id": "alias/key", "compression_type": "NONE"},
        "checkpoint_config": {"s3_uri": "s3://bucket/checkpoints"},
    }


def test_a_job_may_run_as_long_as_with_sdk_v2() -> None:
    """Without max_run a job has a day, as SDK v2 gives it, not SDK v3's hour."""
    expected = {"stopping_condition": {"max_runtime_in_seconds": SDK_DEFAULT_MAX_RUN}}
    assert sections({"max_run": None}) == sections({}) == expected


def test_wire_is_json_and_deferred_values_stay(pipeline_variable: Any) -> None:
    """Values are JSON text as SDK v2 sends them; what a pipeline fills in is left to it."""
    wire = wire_hyperparameters({"version": "1.10", "flag": True, "later": pipeline_variable})
    assert wire == {"version": '"1.10"', "flag": "true", "later": pipeline_variable}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"team": "a"}, [("team", "a")]),
        ([{"Key": "team", "Value": "a"}], [("team", "a")]),
        ([], []),
    ],
)
def test_tags(tags: Any, expected: Any) -> None:
    """Both of SDK v2's ways to write tags are read."""
    assert tag_pairs(tags) == expected


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        ({"torch_distributed": {"enabled": True}}, True),
        ({"torch_distributed": {"enabled": False}}, False),
        ({}, False),
        (None, False),
    ],
)
def test_torchrun(distribution: Any, expected: bool) -> None:
    """Torchrun is used where SDK v2 would use it."""
    assert wants_torchrun(distribution) is expected
