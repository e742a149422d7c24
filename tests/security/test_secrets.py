"""Values that may be secret stand in no message; whole jobs: client/test_privacy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sift_toolkit import SiftRequestError, SiftStateError
from sift_toolkit.client._hyperparameters import hyperparameter_problems
from sift_toolkit.client._labels import environment_problems, environment_warnings
from sift_toolkit.client._trial_folder import TrialFolder
from sift_toolkit.client._trial_host import HostRunner, HostSubject
from sift_toolkit.container import Checkpoints
from sift_toolkit.contract import JobDescription, JobTree
from sift_toolkit.errors import SiftJobError
from tests.client.trials import plan_of

SECRET = "hunter2-wJalrXUtnFEMI"


def test_a_hyperparameter_that_is_no_text_is_not_shown(tmp_path: Path) -> None:
    """A launcher says which one is wrong and of what type, not what it is."""
    sent = {"token": [SECRET], "sagemaker_program": '"x.py"', "sagemaker_submit_directory": '"."'}
    with pytest.raises(
        SiftRequestError, match="'token' must be JSON text in a str, got a list"
    ) as e:
        JobDescription(name="job", hyperparameters=sent)  # type: ignore[arg-type] # the wrong one
    assert SECRET not in str(e.value)


def test_a_file_of_hyperparameters_is_not_shown(tmp_path: Path) -> None:
    """A file that holds no object is told by its type: its content may be somebody's token."""
    tree = JobTree(tmp_path)
    tree.config_dir.mkdir(parents=True)
    for content in (json.dumps([SECRET]), f"{SECRET}}}"):
        tree.hyperparameters_file.write_text(content)
        with pytest.raises(SiftJobError, match="must hold a JSON object") as caught:
            tree.read_hyperparameters()
        assert SECRET not in str(caught.value)


def test_a_checkpoint_of_another_run_shows_no_hyperparameter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the checkpoint nor the error that refuses it holds a value."""
    tree = JobTree(tmp_path)
    tree.config_dir.mkdir(parents=True)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    tree.hyperparameters_file.write_text(json.dumps({"token": SECRET}))
    checkpoints = Checkpoints()
    checkpoints.due()
    assert checkpoints.save({})
    (file,) = tree.checkpoints_dir.iterdir()
    assert SECRET.encode() not in file.read_bytes()
    tree.hyperparameters_file.write_text(json.dumps({"token": "another"}))
    with pytest.raises(SiftStateError, match="hyperparameter 'token' is another one") as caught:
        Checkpoints().load()
    assert SECRET not in str(caught.value)


def test_an_access_key_is_refused_unshown() -> None:
    """The message says which hyperparameter reads like a key, and does not repeat it."""
    (problem,) = hyperparameter_problems({"name": "AKIAIOSFODNN7EXAMPLE"})
    assert "access key" in problem
    assert "AKIA" not in problem


@pytest.mark.parametrize("value", [SECRET * 100, [SECRET], 5])
def test_a_variable_that_is_refused_is_not_shown(value: object) -> None:
    """Environment variables are named, and counted; their values are nobody's to read."""
    told = [*environment_problems({"TOKEN": value}), *environment_warnings({"TOKEN": value})]
    assert len(told) == 1
    assert SECRET not in told[0]


def test_a_trial_writes_no_value_of_the_environment_down(tmp_path: Path) -> None:
    """Its folder names the variables of its jobs, and is no place for what they hold."""
    script = tmp_path / "train.py"
    script.touch()
    plan = plan_of()
    folder = TrialFolder(tmp_path / "trial")
    subject = HostSubject(script=script, environment={"TOKEN": SECRET})
    runner = HostRunner(subject, folder, plan.metric, "python", print)
    folder.begin(plan, runner.subject())
    (file,) = folder.path.iterdir()
    assert "TOKEN" in file.read_text()
    assert SECRET not in file.read_text()
