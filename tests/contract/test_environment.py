"""The environment variables of a job."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.contract import JobDescription, JobTree
from sift_toolkit.contract._environment import job_environment

Describe = Callable[..., JobDescription]
TREE = JobTree(Path("base").absolute())
PYTHON = Path("environment", "bin", "python").absolute()


@pytest.mark.parametrize(
    "name",
    [
        *("HOME", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "HTTPS_PROXY", "https_proxy"),
        *("SSL_CERT_FILE", "AWS_SESSION_TOKEN", "OMP_NUM_THREADS", "MKL_NUM_THREADS"),
        *("CUDA_VISIBLE_DEVICES", "PYTORCH_ALLOC_CONF", "NEURON_RT_NUM_CORES"),
    ],
)
def test_the_machine_is_passed_on(describe: Describe, name: str) -> None:
    """What a job must know of the machine, its proxies and its credentials reaches it."""
    assert job_environment(describe(), TREE, PYTHON, {name: "x"})[name] == "x"


@given(
    name=st.sampled_from(["SM_", "SAGEMAKER_", "PYTHON", "MY_", "PIP_"]).flatmap(
        lambda prefix: st.text("ABC_", min_size=1, max_size=8).map(lambda rest: prefix + rest)
    )
)
def test_the_launcher_stays_behind(name: str) -> None:
    """No variable of the launcher's own, of its Python or of another job reaches the job."""
    job = JobDescription(
        name="a",
        hyperparameters={"sagemaker_program": "a", "sagemaker_submit_directory": "s3://b/c"},
    )

    assert name not in job_environment(job, TREE, PYTHON, {name: "x", "PYTHONPATH": "y"})


def test_the_jobs_own_win(describe: Describe) -> None:
    """The job's own variables win over those it inherits."""
    job = describe(environment={"HOME": "mine", "PYTHONPATH": "lib", "NEW": "1"})
    variables = job_environment(job, TREE, PYTHON, {"HOME": "theirs"})

    assert {"HOME": "mine", "PYTHONPATH": "lib", "NEW": "1"}.items() <= variables.items()


def test_the_contracts_win_over_all(describe: Describe) -> None:
    """Where the tree is and how the job is called is not the user's to change."""
    job = describe(environment={"SAGEMAKER_BASE_DIR": "x", "TRAINING_JOB_NAME": "y"})
    variables = job_environment(job, TREE, PYTHON, {})

    assert str(TREE.base) == variables["SAGEMAKER_BASE_DIR"]
    assert variables["TRAINING_JOB_NAME"] == "a-job"


def test_python_is_the_jobs(describe: Describe) -> None:
    """The programs beside the job's interpreter come first on its path."""
    variables = job_environment(describe(), TREE, PYTHON, {"PATH": "there"})

    assert [str(PYTHON.parent), "there"] == variables["PATH"].split(os.pathsep)
