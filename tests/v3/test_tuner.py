"""sift_tuner under SDK v3: the same arguments, the same checks, and jobs that really start."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter
from sagemaker.core.training.configs import InputData
from sagemaker.train.tuner import HyperparameterTuner

from sift_toolkit import METRICS, SiftConfig, SiftRequestError, sift_model_trainer, sift_tuner
from sift_toolkit.contract import JobDescription, launch
from sift_toolkit.testing import MockedAws, request_violations
from tests.v3.played import IMAGE_PYTHON

CREATE = "CreateHyperParameterTuningJob"


@pytest.fixture
def make(job_arguments: dict[str, Any]) -> Callable[..., Any]:
    """Build a trainer in the mocked account."""
    return lambda config, **changes: sift_model_trainer(config, **{**job_arguments, **changes})


def test_the_request(aws: MockedAws, make: Callable[..., Any]) -> None:
    """The request keeps to the API's model, and says all it should of ranges and objective."""
    trainer = make(
        SiftConfig(beta_value=1, seed=7),
        hyperparameters={"lr": 0.1, "note": "it's fine"},
        instance_type="ml.p3.8xlarge",
        distribution={"torch_distributed": {"enabled": True}},
        enable_network_isolation=True,
        encrypt_inter_container_traffic=True,
        volume_kms_key="alias/key",
        environment={"LEVEL": "1"},
    )
    tuner = sift_tuner(
        trainer,
        {"keep": (0.2, 0.6), "law": ["percentile", "proportional"]},
        hyperparameter_ranges={"lr": ContinuousParameter(1e-4, 1e-1, "Logarithmic")},
        max_jobs=20,
        max_parallel_jobs=4,
    )
    assert isinstance(tuner, HyperparameterTuner)
    assert aws.calls == []
    tuner.fit({"training": "s3://sift-tests/data"}, wait=False)
    request = aws.request(CREATE)
    assert request_violations(request, CREATE) == []
    config = request["HyperParameterTuningJobConfig"]
    assert config["HyperParameterTuningJobObjective"] == {
        "Type": "Maximize",
        "MetricName": "sift:validation_accuracy",
    }
    ranges = config["ParameterRanges"]
    assert [one["Name"] for one in ranges["ContinuousParameterRanges"]] == [
        "lr",
        "sagemaker_sift_keep",
    ]
    assert ranges["CategoricalParameterRanges"] == [
        {"Name": "sagemaker_sift_law", "Values": ["percentile", "proportional"]}
    ]
    definition = request["TrainingJobDefinition"]
    names = [one["Name"] for one in definition["AlgorithmSpecification"]["MetricDefinitions"]]
    assert names == [metric.definition["Name"] for metric in METRICS]
    static = definition["StaticHyperParameters"]
    assert "sagemaker_sift_keep" not in static
    assert "sagemaker_sift_beta_value" not in static
    assert static["sagemaker_torch_distributed_enabled"] == "true"
    # What the SDK itself leaves out.
    assert definition["EnableNetworkIsolation"] is True
    assert definition["EnableInterContainerTrafficEncryption"] is True
    assert definition["ResourceConfig"]["VolumeKmsKeyId"] == "alias/key"
    assert definition["Environment"] == {"LEVEL": "1"}
    # The trainer itself is as it was.
    assert trainer.sift_config == SiftConfig(beta_value=1, seed=7)
    assert trainer.hyperparameters["note"] == "it's fine"


SCRIPT = """
    import argparse
    from sift_toolkit.config import SiftConfig
    from sift_toolkit.contract import JobTree

    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float)
    parser.add_argument("--note")
    parser.add_argument("--optimizer")
    print(vars(parser.parse_args()))
    print("config", SiftConfig.from_hyperparameters(JobTree.current().read_hyperparameters()))
"""


@pytest.mark.skipif(not IMAGE_PYTHON.exists(), reason="no environment stands for the image")
def test_a_job_of_the_tuner(
    aws: MockedAws, make: Callable[..., Any], source: Path, tmp_path: Path
) -> None:
    """Started by the image's own launcher, a job has its tuned values and its script its own."""
    (source / "train.py").write_text(textwrap.dedent(SCRIPT))
    tuner = sift_tuner(
        make(SiftConfig(keep=0.5), hyperparameters={"note": 'it\'s "fine"'}),
        {"beta_value": (1, 4), "law": ["percentile", "proportional"], "enabled": [True, False]},
        hyperparameter_ranges={
            "lr": ContinuousParameter(0.1, 0.2),
            "optimizer": CategoricalParameter(["sgd", "it's adam"]),
        },
    )
    tuner.fit(wait=False)
    request = aws.request(CREATE)
    ranges = request["HyperParameterTuningJobConfig"]["ParameterRanges"]
    sent = {
        **request["TrainingJobDefinition"]["StaticHyperParameters"],
        "_tuning_objective_metric": "sift:validation_accuracy",
        **{one["Name"]: one["MaxValue"] for one in ranges["ContinuousParameterRanges"]},
        **{one["Name"]: one["Values"][-1] for one in ranges["CategoricalParameterRanges"]},
    }
    bucket, key = sent["sagemaker_submit_directory"].removeprefix("s3://").split("/", 1)
    archive = tmp_path / "sourcedir.tar.gz"
    aws.boto_session.client("s3").download_file(bucket, key, str(archive))
    job = JobDescription(
        name="one-of-many",
        hyperparameters={**sent, "sagemaker_submit_directory": json.dumps(str(archive))},
    )
    result = launch(job, tmp_path / "job", python=IMAGE_PYTHON)
    log = list(result.tree.log_lines())
    assert result.failure is None, "\n".join(log)
    assert f"config {SiftConfig(beta_value=4, law='proportional', enabled=False)}" in log
    expected = {"lr": 0.2, "note": 'it\'s "fine"', "optimizer": "it's adam"}
    assert str(expected) in log


def test_all_problems_at_once(aws: MockedAws, make: Callable[..., Any]) -> None:
    """The checks are those of SDK v2, and come before any call to AWS."""
    with pytest.raises(SiftRequestError) as caught:
        sift_tuner(make(SiftConfig(keep=0.5)), {"keep": (0, 2)}, objective="f1", max_jobs=0)
    assert len(caught.value.problems) == 4
    with pytest.raises(SiftRequestError, match="keep_sweep"):
        sift_tuner(make(SiftConfig(keep=0.5), instance_type="local"), {"keep": (0.2, 0.5)})
    assert aws.calls == []


def test_channels(aws: MockedAws, make: Callable[..., Any], tmp_path: Path) -> None:
    """A folder of this machine, which train() would upload, is refused: the tuner would not."""
    tuner = sift_tuner(make(SiftConfig(keep=0.5)), {"keep": (0.2, 0.5)})
    with pytest.raises(SiftRequestError, match="a tuning job reads from 's3://"):
        tuner.tune([InputData(channel_name="training", data_source=str(tmp_path))], wait=False)
    assert aws.calls == []


def test_a_warm_start(aws: MockedAws, make: Callable[..., Any]) -> None:
    """A tuner that starts from another's results keeps its metrics, and its dials apart."""
    first = sift_tuner(make(SiftConfig(beta_value=1)), {"keep": (0.2, 0.5)})
    first.fit(wait=False, job_name="first")
    second = first.transfer_learning_tuner()
    assert type(second) is type(first)
    second.fit(wait=False, job_name="second")
    request = aws.request(CREATE)
    assert request["WarmStartConfig"] == {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "first"}],
        "WarmStartType": "TransferLearning",
    }
    definition = request["TrainingJobDefinition"]
    assert "sagemaker_sift_beta_value" not in definition["StaticHyperParameters"]
    assert len(definition["AlgorithmSpecification"]["MetricDefinitions"]) == len(METRICS)
