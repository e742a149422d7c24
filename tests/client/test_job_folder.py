"""The folder of a job that ran on this machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sift_toolkit import SiftConfig, SiftUsageError
from sift_toolkit.client._job_source import JobSources
from sift_toolkit.config import key_of
from sift_toolkit.contract import JobOutcome, JobTree
from sift_toolkit.contract._outcome import write_outcome
from sift_toolkit.report import REPORT_FILE
from sift_toolkit.testing import FakeJob

CONFIG = SiftConfig(keep=0.5)
JOB = FakeJob(CONFIG, accuracy=0.75)


@pytest.fixture
def tree(tmp_path: Path) -> JobTree:
    """What a job left: its config, its log, its report, and how it ended."""
    tree = JobTree(tmp_path / "out")
    for folder in (tree.config_dir, tree.output_data_dir):
        folder.mkdir(parents=True)
    sent = {key: json.dumps(value) for key, value in CONFIG.to_hyperparameters().items()}
    tree.hyperparameters_file.write_text(json.dumps(sent))
    tree.log_file.write_text("\n".join(JOB.lines()))
    JOB.report().write(tree.output_data_dir / REPORT_FILE)
    write_outcome(tree, JobOutcome(status="Completed", seconds=12.5))
    return tree


def test_all_of_it(tree: JobTree) -> None:
    """It tells how it ended, how long it took, its config, its figures and its course."""
    facts = JobSources().facts(tree.base)
    assert facts.name == str(tree.base)
    assert facts.status == "Completed"
    assert facts.elapsed_seconds == 12.5
    assert facts.config == CONFIG
    assert facts.figures.validation_accuracy == 0.75
    assert facts.history == JOB.report()


def test_a_folder_that_tells_no_end(tree: JobTree) -> None:
    """Where nobody wrote how it ended nothing is said; the log stands for the report."""
    tree.outcome_file.unlink()
    (tree.output_data_dir / REPORT_FILE).unlink()
    facts = JobSources().facts(str(tree.base))
    assert facts.status is facts.elapsed_seconds is None
    assert facts.history is not None
    assert facts.history.last("kept_share") == facts.figures.kept_share


def test_a_job_that_still_runs(tree: JobTree) -> None:
    """Or whose launcher was killed: its folder cannot tell which."""
    write_outcome(tree, JobOutcome(status="InProgress"))
    facts = JobSources().facts(str(tree.base))
    assert not facts.ended
    assert facts.notes == ("it still runs, or what launched it was killed",)


def test_a_config_of_another_version(tree: JobTree) -> None:
    """A config that cannot be read is a note, not an error."""
    tree.hyperparameters_file.write_text(json.dumps({key_of("version"): "99"}))
    facts = JobSources().facts(str(tree.base))
    assert facts.config is None
    assert "99" in facts.notes[0]


def test_another_folder(tmp_path: Path) -> None:
    """A folder that no job was laid out in is no job."""
    with pytest.raises(SiftUsageError, match="the folder of a job"):
        JobSources().facts(str(tmp_path))
