"""What stands for a job on the command line: a name, a file, or a folder that `run` made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from sift_toolkit import SiftConfig, SiftJobError
from sift_toolkit.cli._jobs import OUTCOME_FILE, job_of, session_of
from sift_toolkit.client._job_facts import JobFacts
from sift_toolkit.config import key_of
from sift_toolkit.testing import FakeJob, MockedAws

Call = Callable[..., Result]


def test_a_folder(call: Call, script: Path, data: Path) -> None:
    """The folder of a job tells how it ended, how long it took, its config and its figures."""
    call(
        *("run", str(script), "--channel", f"training={data}", "--output", "out", "-q"),
        *("-c", "keep=0.5"),
    )
    facts = job_of("out")
    assert isinstance(facts, JobFacts)
    assert facts.name == "out"
    assert facts.status == "Completed"
    assert facts.elapsed_seconds == json.loads(Path("out", OUTCOME_FILE).read_text())["seconds"]
    assert facts.config == SiftConfig(keep=0.5)
    assert facts.figures.validation_accuracy == 0.75


def test_a_folder_of_an_interrupted_job(call: Call, script: Path, data: Path) -> None:
    """Where nobody wrote how a job ended, nothing is said about it."""
    call("run", str(script), "--channel", f"training={data}", "--output", "out", "-q")
    Path("out", OUTCOME_FILE).unlink()
    facts = job_of("out")
    assert isinstance(facts, JobFacts)
    assert facts.status is facts.elapsed_seconds is None
    assert facts.figures.kept_share == 0.5


def test_a_folder_with_a_config_of_another_version(call: Call, script: Path, data: Path) -> None:
    """A config that cannot be read is a note, not an error."""
    call("run", str(script), "--channel", f"training={data}", "--output", "out", "-q")
    file = Path("out/input/config/hyperparameters.json")
    file.write_text(json.dumps({key_of("version"): "99"}))
    facts = job_of("out")
    assert isinstance(facts, JobFacts)
    assert facts.config is None
    assert "99" in facts.notes[0]


@pytest.mark.parametrize("text", ["a-job", "nowhere/at-all"])
def test_anything_else_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    """Names and files are what `compare` takes itself."""
    assert job_of(text) == text
    assert job_of(str(tmp_path)) == str(tmp_path)


def test_session(sift_aws: MockedAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A region or a profile makes a session; without either boto3's own will do."""
    assert session_of(None, None) is None
    assert session_of("eu-west-1", None).region_name == "eu-west-1"
    config = tmp_path / "config"
    config.write_text("[profile other]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert session_of(None, "other").region_name == "eu-north-1"
    with pytest.raises(SiftJobError, match="nobody"):
        session_of(None, "nobody")


def test_fake_log_file(tmp_path: Path, call: Call) -> None:
    """A log is a job wherever it came from."""
    log = tmp_path / "job.log"
    log.write_text("\n".join(FakeJob(SiftConfig(keep=0.5)).lines()))
    answer = call("describe", str(log))
    assert answer.exit_code == 0
    assert "kept          66.7% of the samples seen" in answer.stdout
