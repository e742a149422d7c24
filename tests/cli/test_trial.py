"""`trial`: a verdict on the command line, from a script and from an estimator."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.test_docs_page import documented_keys

Call = Callable[..., Result]

FAST = Path(__file__).parents[1] / "client" / "trial_script.py"
ESTIMATOR = """
from sift_toolkit import HostSession, SiftConfig, sift_estimator
print("a file may print")
estimator = sift_estimator(
    SiftConfig(keep=0.5), entry_point="fast.py", source_dir="src", launcher="run", role="any",
    sagemaker_session=HostSession("jobs"), hyperparameters={"epochs": 4},
)
"""


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """A folder of data, in which jobs leave their marks."""
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


@pytest.fixture
def fast(tmp_path: Path) -> Path:
    """A script that reports as if it trained."""
    path = tmp_path / "work" / "src" / "fast.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(FAST, path)
    return path


def test_a_script(call: Call, fast: Path, marks: Path) -> None:
    """The verdict and the table on standard output, progress elsewhere, a page where asked for."""
    options = ["--keep", "0.5", "-c", "law=percentile", "--seeds", "2", "--budget", "20"]
    channel = ["--channel", f"marks={marks}"]
    arguments = ["trial", str(fast), *options, *channel, "--html", "a/trial.html"]
    answer = call(*arguments, "--", "--epochs", "4")
    assert answer.exit_code == 0, answer.output
    verdict, *rest = answer.stdout.splitlines()
    assert verdict == "Sift: keep=0.5 percentile."
    assert any(line.startswith("C keep=0.5 percentile") for line in rest)
    assert "4 arms, 2 seeds, 4 epochs in full" in answer.stderr
    assert "[1 of at most" in answer.stderr
    page = Path("a/trial.html").read_text()
    assert verdict in page
    assert "<svg" in page
    assert Path("trial-output/sift_trial.json").is_file()
    # Once more: all is known, and is told as JSON.
    again = call(*arguments, "--json", "--", "--epochs", "4")
    content = json.loads(again.stdout)
    assert set(content) == documented_keys("trial")
    assert content["verdict"]["kind"] == "sift"
    assert content["verdict"]["text"][0] == verdict
    assert "are not run again" in again.stderr


def test_an_estimator(call: Call, fast: Path, marks: Path, tmp_path: Path) -> None:
    """An estimator of a file's, whose prints stay off standard output; epochs are its own."""
    Path("launch.py").write_text(ESTIMATOR)
    answer = call(
        *("trial", "launch.py:estimator", "--channel", f"marks={marks.as_uri()}", "--json"),
        *("--keep", "0.5", "--seeds", "2", "--budget", "1", "--every", "0.01", "--output", "out"),
    )
    assert answer.exit_code == 0, answer.output
    content = json.loads(answer.stdout)
    assert content["verdict"]["kind"] == "unknown"
    assert content["plan"]["epochs"] == 4
    assert len(content["jobs"]) == 1
    assert "a file may print" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nowhere.py"], "'nowhere.py' does not exist; give a script, or FILE:NAME"),
        (["nowhere.py:estimator"], "does not exist; give a script, or FILE:NAME"),
        (["launch.py:nothing"], "has nothing called 'nothing'"),
        (["launch.py:estimator", "--hooks", "--env", "A=1"], "--hooks, --env: these are for a"),
        (["src/fast.py"], "epochs must be a whole number from 2"),
        (["src/fast.py", "--epochs", "4", "--keep", "much"], "must be a share, as 0.5, or 0.7:0.2"),
        (["src/fast.py", "--epochs", "4", "--keep", "0.2:0.7"], "keep_end=0.7 must not be above"),
        (["src/fast.py", "--epochs", "4", "-c", "keep=0.5"], "-c keep: each arm has its own"),
        (["src/fast.py", "--epochs", "4", "--metric", "loss=x"], "a Regex of one group"),
        (["src/fast.py", "--epochs", "4", "--seeds", "1"], "seeds must be 2 or more"),
    ],
)
def test_what_is_refused(call: Call, fast: Path, arguments: list[str], problem: str) -> None:
    """Nothing runs, the exit code is 2, and the problem is named."""
    Path("launch.py").write_text(ESTIMATOR)
    answer = call("trial", *arguments)
    assert answer.exit_code == 2, answer.output
    assert problem in " ".join(answer.stderr.split())
    assert not Path("trial-output").exists()


def test_a_metric_of_ones_own(call: Call, fast: Path, marks: Path) -> None:
    """By its regex, with the way it is better; a script may have no seed."""
    answer = call(
        *("trial", str(fast), "--epochs", "2", "--seed-hyperparameter", "", "--budget", "1"),
        *("--metric", r"my:kept=kept_share=([0-9.]+)", "--better", "lower", "--tolerance", "0.1"),
        *("--channel", f"marks={marks}"),
    )
    # That script needs its seed, so the trial fails: with the job's own words, and exit code 1.
    assert answer.exit_code == 1
    assert "counts for nothing" in answer.stderr
    log = Path("trial-output/jobs/plain-s0/sift_job.log").read_text()
    assert 'run.py --epochs 2"' in log
    assert "AssertionError" in log


def test_ctrl_c_and_again(fast: Path, marks: Path) -> None:
    """Interrupted it ends with 130 and no traceback; called again it goes on from there."""
    wait = marks / "wait-plain-2-0"
    wait.touch()
    command = [sys.executable, "-m", "sift_toolkit.cli", "trial", str(fast), "--epochs", "4"]
    command += ["--keep", "0.5", "--seeds", "2", "--budget", "1.6", "--channel", f"marks={marks}"]
    work = fast.parents[1]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=work,
        env=environment,
    )
    log = work / "trial-output" / "jobs" / "plain-2-epochs-s0" / "sift_job.log"
    while process.poll() is None and not (log.is_file() and "waiting" in log.read_text()):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    wait.unlink()
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=work, env=environment, check=True
    )
    assert done.stdout.startswith("Not enough seeds to tell.")
    assert (marks / "started").read_text().split() == ["plain-4-0", "plain-2-0", "plain-2-0"]
