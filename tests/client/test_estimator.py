"""sift_estimator: what it returns, and what it refuses before any call to AWS."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest

from sift_toolkit import METRICS, HostSession, SiftConfig, client, sift_estimator
from sift_toolkit.errors import SiftConfigError, SiftJobError, SiftRequestError

CONFIG = SiftConfig(keep=0.5, sift_delay=3)


def refused(**arguments: Any) -> tuple[str, ...]:
    """Return the problems that sift_estimator names."""
    with pytest.raises(SiftRequestError) as caught:
        sift_estimator(CONFIG, **arguments)
    return caught.value.problems


def test_real_estimator(aws: Any, job_arguments: dict[str, Any]) -> None:
    """What comes back is a PyTorch estimator of the SDK, made without any call to AWS."""
    from sagemaker.pytorch import PyTorch

    estimator = sift_estimator(CONFIG, **job_arguments)
    assert isinstance(estimator, PyTorch)
    assert aws.calls == []


def test_config_is_read_back(job_arguments: dict[str, Any]) -> None:
    """The estimator knows the config it was made with."""
    assert sift_estimator(CONFIG, **job_arguments).sift_config == CONFIG


def test_hyperparameters_are_merged(job_arguments: dict[str, Any]) -> None:
    """The user's hyperparameters stand beside those of sifting, and the user's dict stays his."""
    own = {"epochs": 3, "layers": [64, 64], "note": "it's fine"}
    estimator = sift_estimator(CONFIG, **job_arguments, hyperparameters=own)
    assert estimator.hyperparameters() == {
        "epochs": "3",
        "layers": "[64, 64]",
        "note": '"it\'s fine"',
        "sagemaker_sift_version": "1",
        "sagemaker_sift_keep": "0.5",
        "sagemaker_sift_sift_delay": "3",
    }
    assert set(own) == {"epochs", "layers", "note"}


def test_metric_definitions_are_merged(job_arguments: dict[str, Any]) -> None:
    """The user's metric definitions follow all of sifting's."""
    own = {"Name": "f1", "Regex": "f1=([0-9.]+);"}
    estimator = sift_estimator(CONFIG, **job_arguments, metric_definitions=[own])
    expected = [*(metric.definition for metric in METRICS), own]
    assert expected == estimator.metric_definitions


@pytest.mark.parametrize("launcher", ["train", "run"])
def test_script_travels_beside_the_config(job_arguments: dict[str, Any], launcher: Any) -> None:
    """The file that an entry point is to start is a hyperparameter, and no part of the config."""
    job_arguments["entry_point"] = job_arguments["source_dir"] / "model" / "net.py"
    estimator = sift_estimator(CONFIG, **job_arguments, launcher=launcher)
    assert estimator.hyperparameters()["sagemaker_sift_script"] == '"model/net.py"'
    assert estimator.sift_config == CONFIG


def test_user_sees_his_own_code(job_arguments: dict[str, Any]) -> None:
    """The estimator's code is what the user gave, whatever starts the job."""
    estimator = sift_estimator(CONFIG, **job_arguments, launcher="train")
    assert estimator.entry_point == "train.py"
    assert estimator.source_dir == str(job_arguments["source_dir"])


def test_all_other_arguments_reach_the_sdk(job_arguments: dict[str, Any]) -> None:
    """What sift_estimator has no say in arrives at the SDK's estimator."""
    estimator = sift_estimator(
        CONFIG,
        **job_arguments,
        use_spot_instances=True,
        max_run=60,
        max_wait=120,
        checkpoint_s3_uri="s3://bucket/checkpoints",
        environment={"A": "b"},
        tags={"team": "a"},
        volume_size=50,
    )
    assert (estimator.max_run, estimator.max_wait, estimator.volume_size) == (60, 120, 50)
    assert estimator.tags == [{"Key": "team", "Value": "a"}]


def test_all_problems_at_once(aws: Any, job_arguments: dict[str, Any]) -> None:
    """Problems of every kind are named together, and nothing is sent."""
    job_arguments |= {"entry_point": "no.py", "framework_version": None, "image_uri": "my_image"}
    problems = refused(
        **job_arguments,
        launcher="trian",
        hyperparameters={
            "path": Path("x"),
            "rate": np.float32(0.1),
            "loss": math.nan,
            "sagemaker_sift_keep": 0.3,
            "sagemaker_program": "x.py",
        },
        metric_definitons=[],
        metric_definitions=[{"Name": "f1", "Regex": "f1="}],
        distribution={"torch_distribted": {"enabled": True}},
        use_spot_instances=True,
    )
    expected = (
        "launcher must be one of",
        "no estimator takes an argument 'metric_definitons'",
        "hyperparameters['sagemaker_sift_keep'] is reserved",
        "hyperparameters['sagemaker_program'] is reserved",
        "hyperparameters['path'] is",
        "hyperparameters['rate'] is",
        "hyperparameters['loss'] is",
        "metric_definitions[0]['Regex']",
        "distribution has a key 'torch_distribted'",
        "use_spot_instances=True needs max_wait",
        "base_job_name is not given",
    )
    assert len(expected) == len(problems), problems
    for start, problem in zip(expected, problems, strict=True):
        assert problem.startswith(start)
    assert aws.calls == []


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"entry_point": "no.py"}, "holds no 'no.py'"),
        ({"entry_point": None}, "entry_point must be a path, got None"),
        ({"source_dir": 3}, "source_dir must be a path, got 3"),
        ({"source_dir": "s3://bucket/sourcedir.tar.gz"}, "ship_toolkit=False"),
        ({"git_config": {"repo": "https://example.org/repo.git"}}, "ship_toolkit=False"),
        ({"dependencies": "libs"}, "dependencies must be a list of paths, got 'libs'"),
        ({"dependencies": [3]}, "dependencies must be a list of paths, got [3]"),
        ({"hyperparameters": [("a", 1)]}, "hyperparameters must be a dict"),
        ({"metric_definitions": {"f1": "x"}}, "metric_definitions must be a list"),
        ({"training_recipe": "recipe.yaml"}, "training_recipe is not possible"),
        ({"metric_definitons": []}, "did you mean 'metric_definitions'?"),
        ({"instance_typ": "ml.m5.xlarge"}, "did you mean 'instance_type'?"),
    ],
)
def test_one_problem(
    aws: Any, job_arguments: dict[str, Any], wrong: dict[str, Any], problem: str
) -> None:
    """Each mistake is refused by itself, in words, before any call to AWS."""
    (only,) = refused(**{**job_arguments, **wrong})
    assert problem in only
    assert aws.calls == []


@pytest.mark.parametrize("wrong", [{"keep": 0.5}, None, 0.5])
def test_no_config(job_arguments: dict[str, Any], wrong: Any) -> None:
    """Anything but a SiftConfig is refused with what to write."""
    with pytest.raises(SiftConfigError, match=r"SiftConfig\(keep=0.5\)"):
        sift_estimator(wrong, **job_arguments)


def test_hyperparameters_set_later(job_arguments: dict[str, Any]) -> None:
    """set_hyperparameters() refuses what the constructor would, and changes nothing then."""
    estimator = sift_estimator(CONFIG, **job_arguments)
    before = estimator.hyperparameters()
    with pytest.raises(SiftRequestError) as caught:
        estimator.set_hyperparameters(sagemaker_sift_keep=0.3, path=Path("x"), good=1)
    assert len(caught.value.problems) == 2
    assert before == estimator.hyperparameters()
    estimator.set_hyperparameters(good=1)
    assert "good" in estimator.hyperparameters()


def test_host_needs_little() -> None:
    """With a HostSession neither an image nor an instance must be named."""
    session = HostSession()
    estimator = sift_estimator(CONFIG, entry_point=__file__, role="any", sagemaker_session=session)
    assert (estimator.instance_type, estimator.instance_count) == ("local", 1)
    assert estimator.training_image_uri() == "sift-toolkit-host"


def test_host_keeps_what_is_given() -> None:
    """A HostSession's defaults give way to what the user says."""
    estimator = sift_estimator(
        CONFIG,
        entry_point=__file__,
        role="any",
        sagemaker_session=HostSession(),
        image_uri="mine",
        instance_count=2,
        distribution={"torch_distributed": {"enabled": True}},
    )
    assert (estimator.image_uri, estimator.instance_count) == ("mine", 2)


def test_checkpoints_of_a_host() -> None:
    """Checkpoint arguments, which the SDK refuses in local mode, lead to HostSession's own."""
    (problem,) = refused(
        entry_point=__file__,
        role="any",
        sagemaker_session=HostSession(),
        checkpoint_s3_uri="s3://bucket/checkpoints",
    )
    assert "HostSession(checkpoints=DIR)" in problem


def test_public_face() -> None:
    """Every public name of the client resolves, and no other."""
    assert set(client.__all__) <= set(dir(client))
    assert client.sift_estimator is sift_estimator
    with pytest.raises(AttributeError, match="'sift_estimators'"):
        _ = client.sift_estimators


IMPORTS = """
import sys
import sift_toolkit
from sift_toolkit import client
names = [sift_toolkit.sift_estimator, client.sift_estimator]
heavy = {"sagemaker", "boto3", "torch", "pandas", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
estimator = sift_toolkit.sift_estimator(
    sift_toolkit.SiftConfig(keep=0.5), entry_point=sys.argv[1], role="any",
    sagemaker_session=sift_toolkit.HostSession(),
)
assert "sagemaker" in sys.modules
assert "torch" not in sys.modules
"""

WITHOUT_SDK = """
import sys
sys.modules["sagemaker"] = None
import sift_toolkit
sift_toolkit.sift_estimator(sift_toolkit.SiftConfig(keep=0.5), entry_point="x.py")
"""


def python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "SAGEMAKER_SUPPRESS_V2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_session_that_is_none(job_arguments: dict[str, Any]) -> None:
    """A session of boto3, or a region, is refused in words."""
    for session in (boto3.Session(region_name="us-west-2"), "us-west-2"):
        with pytest.raises(SiftRequestError, match=r"must be a sagemaker\.Session, got a"):
            sift_estimator(SiftConfig(keep=0.5), **{**job_arguments, "sagemaker_session": session})


def test_imports_of_the_client() -> None:
    """Naming sift_estimator imports no SDK and no torch; calling it imports no torch."""
    done = python(IMPORTS, __file__)
    assert done.returncode == 0, done.stderr


def test_without_the_sdk() -> None:
    """Where the SDK is missing, the error names what to install."""
    done = python(WITHOUT_SDK)
    assert done.stderr.splitlines()[-1].startswith(
        f"{SiftJobError.__module__}.{SiftJobError.__name__}: sift_estimator needs the SageMaker"
    )
    assert "pip install 'sift_toolkit[client]'" in done.stderr
