"""sift_tuner: real tuners of the SDK, the requests they send, the jobs that follow from them."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sagemaker.parameter import CategoricalParameter, ContinuousParameter
from sagemaker.tuner import HyperparameterTuner, WarmStartConfig, WarmStartTypes

from sift_toolkit import METRICS, HostSession, SiftConfig, sift_estimator
from sift_toolkit.client import sift_tuner
from sift_toolkit.client._limits import TUNING_JOB_NAME
from sift_toolkit.client._sift_pytorch import SiftPyTorch
from sift_toolkit.client._sift_tuner import SiftTuner
from sift_toolkit.contract import JobDescription, launch
from sift_toolkit.errors import SiftJobError, SiftRequestError

OBJECTIVE = "sift:validation_accuracy"


@pytest.fixture
def make(job_arguments: dict[str, Any]) -> Callable[..., Any]:
    """Build an estimator in the mocked account."""

    def make_one(config: SiftConfig, **changes: Any) -> SiftPyTorch:
        return sift_estimator(config, **{**job_arguments, **changes})

    return make_one


def test_the_request(aws: Any, make: Callable[..., Any], api_violations: Any) -> None:
    """The request keeps to the API's model, and says all it should of ranges and objective."""
    estimator = make(SiftConfig(beta_value=1, seed=7), hyperparameters={"lr": 0.1, "epochs": 2})
    tuner = sift_tuner(
        estimator,
        {"keep": (0.2, 0.6), "law": ["percentile", "proportional"], "sift_delay": (0, 50)},
        hyperparameter_ranges={"lr": ContinuousParameter(1e-4, 1e-1, "Logarithmic")},
        max_jobs=20,
        max_parallel_jobs=4,
        early_stopping_type="Auto",
        base_tuning_job_name="sift",
    )
    assert isinstance(tuner, HyperparameterTuner)
    assert aws.calls == []
    tuner.fit({"training": "s3://sift-tests/data"}, wait=False)
    request = aws.request("CreateHyperParameterTuningJob")
    assert api_violations(request, "CreateHyperParameterTuningJob") == []
    config = request["HyperParameterTuningJobConfig"]
    assert config["HyperParameterTuningJobObjective"] == {
        "Type": "Maximize",
        "MetricName": OBJECTIVE,
    }
    assert config["ResourceLimits"] == {
        "MaxNumberOfTrainingJobs": 20,
        "MaxParallelTrainingJobs": 4,
    }
    assert config["ParameterRanges"] == {
        "ContinuousParameterRanges": [
            {"Name": "lr", "MinValue": "0.0001", "MaxValue": "0.1", "ScalingType": "Logarithmic"},
            {
                "Name": "sagemaker_sift_keep",
                "MinValue": "0.2",
                "MaxValue": "0.6",
                "ScalingType": "Auto",
            },
        ],
        "IntegerParameterRanges": [
            {
                "Name": "sagemaker_sift_sift_delay",
                "MinValue": "0",
                "MaxValue": "50",
                "ScalingType": "Auto",
            }
        ],
        "CategoricalParameterRanges": [
            {"Name": "sagemaker_sift_law", "Values": ['"percentile"', '"proportional"']}
        ],
    }
    definition = request["TrainingJobDefinition"]
    assert definition["AlgorithmSpecification"]["MetricDefinitions"] == [
        metric.definition for metric in METRICS
    ]
    # Neither the tuned dial nor its other name is sent beside the range.
    static = definition["StaticHyperParameters"]
    ours = {key: value for key, value in static.items() if key.startswith("sagemaker_sift_")}
    assert ours == {"sagemaker_sift_version": "1", "sagemaker_sift_seed": "7"}
    assert "lr" not in static
    # The estimator itself is as it was.
    assert estimator.sift_config == SiftConfig(beta_value=1, seed=7)
    assert estimator.hyperparameters()["lr"] == "0.1"


SCRIPT = """
    import argparse, json
    from sift_toolkit.config import SiftConfig
    from sift_toolkit.contract import JobTree

    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float)
    parser.add_argument("--optimizer")
    arguments = parser.parse_args()
    config = SiftConfig.from_hyperparameters(JobTree.current().read_hyperparameters())
    print("lr", arguments.lr, "optimizer", arguments.optimizer)
    print("config", config)
"""


def chosen_by_the_service(request: dict[str, Any]) -> dict[str, str]:
    """Return a job's hyperparameters as the service writes them: all text, as in the ranges."""
    ranges = request["HyperParameterTuningJobConfig"]["ParameterRanges"]
    objective = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    return {
        **request["TrainingJobDefinition"]["StaticHyperParameters"],
        "_tuning_objective_metric": objective["MetricName"],
        **{
            one["Name"]: repr(float(one["MinValue"]) / 3 + float(one["MaxValue"]) * 2 / 3)
            for one in ranges["ContinuousParameterRanges"]
        },
        **{one["Name"]: one["MaxValue"] for one in ranges["IntegerParameterRanges"]},
        **{one["Name"]: one["Values"][-1] for one in ranges["CategoricalParameterRanges"]},
    }


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        (
            {"keep": (0.2, 0.5), "sift_delay": (0, 9)},
            SiftConfig(keep=0.2 / 3 + 0.5 * 2 / 3, sift_delay=9),
        ),
        (
            {
                "beta_value": [1, 2.5],
                "law": ["percentile", "proportional"],
                "enabled": [True, False],
                "high_loss_cap": CategoricalParameter([0.9, None]),
            },
            SiftConfig(beta_value=2.5, law="proportional", enabled=False),
        ),
    ],
)
def test_a_job_of_the_tuner(
    aws: Any,
    make: Callable[..., Any],
    user_code: Path,
    tmp_path: Path,
    ranges: dict[str, Any],
    expected: SiftConfig,
) -> None:
    """A job gets the tuned values as text, reads its config from them, and its script its own."""
    (user_code / "train.py").write_text(textwrap.dedent(SCRIPT))
    tuner = sift_tuner(
        make(SiftConfig(keep=0.5)),
        ranges,
        hyperparameter_ranges={
            "lr": ContinuousParameter(0.1, 0.1 + 3e-9),
            "optimizer": CategoricalParameter(["sgd", "it's adam"]),
        },
    )
    tuner.fit(wait=False)
    sent = chosen_by_the_service(aws.request("CreateHyperParameterTuningJob"))
    address = json.loads(sent["sagemaker_submit_directory"])
    bucket, key = re.fullmatch("s3://([^/]+)/(.*)", address).groups()  # type: ignore[union-attr] # it matches
    archive = tmp_path / "sourcedir.tar.gz"
    aws.session.s3_client.download_file(bucket, key, str(archive))
    job = JobDescription(
        name="one-of-many",
        hyperparameters={**sent, "sagemaker_submit_directory": json.dumps(str(archive))},
    )
    result = launch(job, tmp_path / "job")
    log = list(result.tree.log_lines())
    assert result.failure is None, "\n".join(log)
    assert f"config {expected}" in log
    assert "lr 0.100000002 optimizer it's adam" in log


def test_defaults(make: Callable[..., Any]) -> None:
    """Ten jobs, unless it is a grid, of which all combinations are tried."""
    estimator = make(SiftConfig(keep=0.5))
    assert sift_tuner(estimator, {"keep": (0.2, 0.5)}).max_jobs == 10
    assert sift_tuner(estimator, {"keep": [0.2, 0.5]}, strategy="Grid").max_jobs == 2
    assert sift_tuner(estimator, {"keep": [0.2, 0.5]}, strategy="Grid", max_jobs=2).max_jobs == 2


def test_a_grid_says_how_many_jobs_it_has(aws: Any, make: Callable[..., Any]) -> None:
    """The request has the number of all combinations: without one boto3 would not send it."""
    tuner = sift_tuner(
        make(SiftConfig(keep=0.5), hyperparameters={"optimizer": "sgd"}),
        {"keep": [0.2, 0.5], "law": ["percentile", "proportional"]},
        strategy="Grid",
        hyperparameter_ranges={"optimizer": CategoricalParameter(["sgd", "adam", "lion"])},
    )
    tuner.fit(wait=False)
    request = aws.request("CreateHyperParameterTuningJob")
    limits = request["HyperParameterTuningJobConfig"]["ResourceLimits"]
    assert limits["MaxNumberOfTrainingJobs"] == 12


def test_names(aws: Any, make: Callable[..., Any]) -> None:
    """A name has the time to the thousandth of a second: the SDK's own clash within a minute."""
    tuner = sift_tuner(
        make(SiftConfig(keep=0.5)),
        {"keep": (0.2, 0.5)},
        base_tuning_job_name="a-base-of-many-words",
    )
    tuner._prepare_job_name_for_tuning()
    assert re.fullmatch(r"a-base-of-many-\d{6}-\d{6}-\d{3}", tuner._current_job_name)
    assert TUNING_JOB_NAME.fullmatch(tuner._current_job_name)
    tuner._prepare_job_name_for_tuning("mine")
    assert tuner._current_job_name == "mine"


def test_metrics_of_the_users_own(make: Callable[..., Any]) -> None:
    """Where there are too many metrics the user says which to keep; the objective is added."""
    own = [{"Name": f"m{number}", "Regex": "m=([0-9.]+);"} for number in range(4)]
    estimator = make(SiftConfig(keep=0.5), metric_definitions=own)
    with pytest.raises(SiftRequestError, match="would report 21 metrics, a tuning job allows 20"):
        sift_tuner(estimator, {"keep": (0.2, 0.5)})
    tuner = sift_tuner(estimator, {"keep": (0.2, 0.5)}, metric_definitions=own)
    assert [one["Name"] for one in tuner.metric_definitions] == ["m0", "m1", "m2", "m3", OBJECTIVE]


def test_all_problems_at_once(aws: Any, make: Callable[..., Any]) -> None:
    """Problems of every kind are named together, before any call to AWS."""
    with pytest.raises(SiftRequestError) as caught:
        sift_tuner(
            make(SiftConfig(keep=0.5)),
            {"keep": (0, 2), "kep": [1]},
            objective="f1",
            metric_definitions=[{"Name": "f2", "Regex": "("}],
            hyperparameter_ranges={"lr": (0, 1)},
            max_jobs=0,
            stategy="Random",
        )
    expected = (
        "ranges['keep'] holds 0",
        "ranges['keep'] holds 2",
        "ranges has 'kep'",
        "hyperparameter_ranges['lr'] must be",
        "objective must be the name of a metric, got 'f1'; there are 'f2'",
        "no estimator takes an argument 'stategy'",
        "metric_definitions[0]['Regex']",
        "max_jobs must be",
    )
    assert len(expected) == len(caught.value.problems), caught.value.problems
    for start, problem in zip(expected, caught.value.problems, strict=True):
        assert problem.startswith(start)
    assert aws.calls == []


@pytest.mark.parametrize(
    "estimator",
    [
        lambda: "an estimator",
        lambda: sift_estimator(
            SiftConfig(keep=0.5), entry_point=__file__, role="any", sagemaker_session=HostSession()
        ),
    ],
    ids=["none", "host"],
)
def test_estimators_that_cannot_be_tuned(estimator: Callable[[], Any]) -> None:
    """What is no estimator of ours, or runs on this machine, is refused with what to do instead."""
    with pytest.raises(SiftRequestError, match=r"sift_estimator or|keep_sweep"):
        sift_tuner(estimator(), {"keep": (0.2, 0.5)})


def test_fit_looks_again(aws: Any, make: Callable[..., Any]) -> None:
    """A name or a channel that a tuning job cannot have stops fit() before the upload."""
    tuner = sift_tuner(make(SiftConfig(keep=0.5)), {"keep": (0.2, 0.5)})
    with pytest.raises(SiftRequestError) as caught:
        tuner.fit({"a b": "s3://sift-tests/data"}, job_name="n" * 33)
    assert len(caught.value.problems) == 2
    assert aws.calls == []


def test_a_refusal_of_aws(aws: Any, make: Callable[..., Any]) -> None:
    """A name that is taken, as two tuners of one minute have it, is said with what was uploaded."""
    tuner = sift_tuner(make(SiftConfig(keep=0.5)), {"keep": (0.2, 0.5)})
    taken = {"Error": {"Code": "ResourceInUse", "Message": "already exists"}}

    def refuse(**_: Any) -> None:
        raise ClientError(taken, "CreateHyperParameterTuningJob")

    events = aws.session.sagemaker_client.meta.events
    events.register("before-call.sagemaker.CreateHyperParameterTuningJob", refuse)
    try:
        with pytest.raises(SiftJobError) as caught:
            tuner.fit(wait=False, job_name="taken")
    finally:
        events.unregister("before-call.sagemaker.CreateHyperParameterTuningJob", refuse)
    text = str(caught.value)
    assert text.startswith("the tuning job could not be started: a job of this name exists")
    assert text.endswith(
        "uploaded to s3://sift-tests/taken/source/sourcedir.tar.gz, where it stays"
    )
    assert tuner.latest_tuning_job is None


def test_a_warm_start(aws: Any, make: Callable[..., Any]) -> None:
    """A tuner that starts from another's results keeps its metrics and its dials apart as well."""
    first = sift_tuner(make(SiftConfig(beta_value=1)), {"keep": (0.2, 0.5)}, max_jobs=3)
    first.fit(wait=False, job_name="first")
    second = first.identical_dataset_and_algorithm_tuner()
    assert isinstance(second, SiftTuner)
    second.fit(wait=False, job_name="second")
    request = aws.request("CreateHyperParameterTuningJob")
    definition = request["TrainingJobDefinition"]
    assert "sagemaker_sift_beta_value" not in definition["StaticHyperParameters"]
    assert len(definition["AlgorithmSpecification"]["MetricDefinitions"]) == len(METRICS)
    assert (
        request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 3
    )
    parents = request["WarmStartConfig"]["ParentHyperParameterTuningJobs"]
    assert parents == [{"HyperParameterTuningJobName": "first"}]
    given = WarmStartConfig(WarmStartTypes.TRANSFER_LEARNING, {"first"})
    third = sift_tuner(make(SiftConfig(keep=1)), {"keep": (0.2, 0.5)}, warm_start_config=given)
    assert third.warm_start_config is given
