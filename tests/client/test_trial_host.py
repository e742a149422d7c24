"""Trials on this machine: real jobs, interrupted and gone on with, failed, out of budget."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit import SiftConfig, SiftJobError, SiftRequestError, trial
from sift_toolkit.client import TrialResult
from sift_toolkit.errors import SiftUsageError

HALF = {"half": SiftConfig(keep=0.5)}

HOOKS = """
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    def epochs(job): return int(job.hyperparameters["epochs"])
    def model(job):
        torch.set_num_threads(1)
        return nn.Linear(2, 2)
    def rows():
        drawn = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
        return TensorDataset(drawn, (drawn[:, 0] > 0).long())
    def train_data(job): return DataLoader(rows(), batch_size=8, shuffle=True)
    def test_data(job): return DataLoader(rows(), batch_size=8)
    def loss(model, batch):
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")
    def correct(model, batch): return model(batch[0]).argmax(dim=1) == batch[1]
    def optimizer(model, job): return torch.optim.SGD(model.parameters(), lr=0.1)
"""
SCRIPT = """
    import argparse
    from pathlib import Path
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset
    from sift_toolkit import sift

    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    beside = {path.name for path in Path(__file__).parent.iterdir()}
    print(f"folder with {len(beside - {'sift_toolkit', '__pycache__'})} files")
    rows = torch.randn(64, 2)
    data = TensorDataset(rows, (rows[:, 0] > 0).long())
    model = nn.Linear(2, 2)
    def losses(model, batch):
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = sift(DataLoader(data, batch_size=8, shuffle=True), model=model, loss=losses,
                  epochs=given.epochs)
    for epoch in range(given.epochs):
        for batch in loader:
            loss = loader.reduce(losses(model, batch))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        right = (model(data.tensors[0]).argmax(dim=1) == data.tensors[1]).float().mean()
        loader.record(validation_accuracy=float(right))
"""


def silent(line: str) -> None:
    """Say nothing."""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The script that reports, in a folder of its own."""
    path = tmp_path / "src" / "train.py"
    path.parent.mkdir()
    shutil.copy(Path(__file__).with_name("trial_script.py"), path)
    return path


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """The folder in which jobs leave their marks."""
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


@pytest.fixture
def run(script: Path, marks: Path, tmp_path: Path) -> Callable[..., TrialResult]:
    """Run a trial of that script."""

    def call(**changes: Any) -> TrialResult:
        arguments: dict[str, Any] = {
            "epochs": 4,
            "seeds": 2,
            "arms": HALF,
            "inputs": {"marks": marks},
            "output": tmp_path / "trial",
            "say": silent,
            **changes,
        }
        return trial(script, **arguments)

    return call


def started(marks: Path) -> Counter[str]:
    """Return how often each job was started."""
    return Counter((marks / "started").read_text().split())


def figures(result: TrialResult) -> dict[str, Any]:
    """Return a result without what differs from run to run: seconds of jobs."""
    content = result.to_dict()
    for job in content["jobs"]:
        del job["job_seconds"]
    content["jobs"].sort(key=lambda job: (job["arm"], job["seed"]))
    del content["spent"]["hours"]
    content["notes"] = [note for note in content["notes"] if not note.startswith("Spent")]
    return content


def test_hooks_really_train(tmp_path: Path) -> None:
    """A module of hooks: every arm trains as it should, and models and code are not kept."""
    path = tmp_path / "tiny_hooks.py"
    path.write_text(textwrap.dedent(HOOKS))
    result = trial(
        path,
        launcher="train",
        epochs=2,
        seeds=2,
        arms=HALF,
        # One seed of each arm: three jobs that import torch take their time.
        budget=2.3,
        output=tmp_path / "trial",
        say=silent,
    )
    assert [row.arm.label for row in result.rows] == ["plain", "plain, 1 epoch", "half"]
    assert all(row.seeds == (0,) for row in result.rows)
    costs = [row.cost.mean for row in result.rows if row.cost]
    # With a memory the first of two epochs is seen in full.
    assert costs == pytest.approx([1, 0.5, 0.75])
    kept = {path.name for path in (tmp_path / "trial" / "jobs" / "half-s0").iterdir()}
    assert "sift_job.log" in kept
    assert kept.isdisjoint({"model", "code", "checkpoints"})
    assert not list((tmp_path / "trial" / "checkpoints").iterdir())


def test_a_script_that_sifts(tmp_path: Path) -> None:
    """A script of the user's own; its seed and its epochs reach it as arguments."""
    lines: list[str] = []
    path = tmp_path / "own" / "train.py"
    path.parent.mkdir()
    path.write_text(textwrap.dedent(SCRIPT))
    result = trial(
        path,
        epochs=2,
        seeds=[3, 4],
        arms=HALF,
        budget=2.3,
        # Beside the script: it goes along with no job.
        output=path.parent / "trial-output",
        say=silent,
        on_line=lambda line: lines.append(line),
    )
    assert [*result.outcomes] == [("plain", 3), ("plain, 1 epoch", 3), ("half", 3)]
    assert all(outcome.counts for outcome in result.outcomes.values())
    assert "folder with 1 files" in lines


def test_a_budget(run: Callable[..., TrialResult], marks: Path) -> None:
    """Beyond it nothing is run, again nothing is run again, with a larger one it goes on."""
    said: list[str] = []
    first = run(budget=1.5, say=said.append)
    assert first.spent.trainings <= 1.5
    assert first.verdict.kind == "unknown"
    assert any(line.startswith("The budget does not pay for half, seed 0") for line in said)
    assert "No job is started beyond 1.5 full plain trainings." in said[0]
    assert started(marks) == {"plain-4-0": 1, "plain-2-0": 1}
    again = run(budget=1.5, say=said.append)
    assert figures(again) == figures(first)
    assert "2 jobs have ended before, and are not run again" in said
    assert len(run(budget=2.3).outcomes) == 3
    assert started(marks) == {"plain-4-0": 1, "plain-2-0": 1, "proportional-4-0": 1}


def test_what_may_not_change(run: Callable[..., TrialResult], script: Path) -> None:
    """Another script or another config under the same label is refused, and nothing is run."""
    run(seeds=2, budget=1)
    with pytest.raises(SiftUsageError, match="hyperparameters was"):
        run(hyperparameters={"lr": 0.1})
    script.write_text(script.read_text() + "\n")
    with pytest.raises(SiftUsageError, match="script_sha256 was"):
        run()


INTERRUPTED = """
import sys
from sift_toolkit import SiftConfig, trial
script, marks, output = sys.argv[1:]
trial(script, epochs=4, seeds=2, arms={"half": SiftConfig(keep=0.5)}, inputs={"marks": marks},
      budget=2.3, output=output, on_line=lambda line: print(line, flush=True))
"""


@pytest.mark.parametrize(
    ("number", "waits"),
    [(signal.SIGINT, "proportional-4-0"), (signal.SIGTERM, "plain-2-0")],
)
def test_interrupted(
    run: Callable[..., TrialResult],
    script: Path,
    marks: Path,
    tmp_path: Path,
    number: signal.Signals,
    waits: str,
) -> None:
    """Ended in the middle of a job and started again: no job that had ended is run twice."""
    (marks / f"wait-{waits}").touch()
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(script), str(marks), str(tmp_path / "trial")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert process.stdout is not None
    assert any(line.startswith("waiting") for line in process.stdout)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode != 0
    (marks / f"wait-{waits}").unlink()
    # One seed of each arm: what comes after is played in test_trial_run.
    resumed = run(budget=2.3)
    assert started(marks) == {"plain-4-0": 1, "plain-2-0": 1, "proportional-4-0": 1, waits: 2}
    # What was put together from two processes is what one alone finds.
    scores = {key: outcome.score for key, outcome in resumed.outcomes.items()}
    assert scores == {
        (label, 0): pytest.approx(0.9 if "2 epochs" in label else 0.92)
        for label in ("plain", "plain, 2 epochs", "half")
    }


def test_a_job_that_fails(run: Callable[..., TrialResult], marks: Path) -> None:
    """Its arm goes no further, the others do; started again it is run again."""
    (marks / "fail-proportional-4-0").touch()
    result = run(budget=2.3)
    (row,) = (row for row in result.rows if row.failure)
    assert row.arm.label == "half"
    assert "proportional-4-0 is not to be" in str(row.failure)
    assert any(note.startswith("half: it failed: ") for note in result.notes)
    (marks / "fail-proportional-4-0").unlink()
    mended = run(budget=2.3)
    assert all(row.failure is None for row in mended.rows)
    assert started(marks) == {"plain-4-0": 1, "plain-2-0": 1, "proportional-4-0": 2}


def test_plain_training_that_fails(run: Callable[..., TrialResult], marks: Path) -> None:
    """There is nothing to compare to: the trial ends at once, with the reason."""
    (marks / "fail-plain-4-0").touch()
    with pytest.raises(SiftJobError, match="plain-4-0 is not to be"):
        run()
    assert sum(started(marks).values()) == 1


def test_a_script_that_reports_nothing(tmp_path: Path) -> None:
    """It is said what a script must report, after one job."""
    path = tmp_path / "src" / "train.py"
    path.parent.mkdir()
    path.write_text("print('trains')\n")
    with pytest.raises(SiftJobError, match="it reported no samples seen"):
        trial(path, epochs=2, arms=HALF, output=tmp_path / "trial", say=silent)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"epochs": None}, "epochs must be a whole number from 2"),
        ({"epochs": 1}, "got 1; it is what plain training in full has as hyperparameter 'epochs'"),
        ({"seeds": 1}, "seeds must be 2 or more"),
        ({"seeds": [3, 3]}, "seeds must be 2 or more"),
        ({"confidence": 1.0}, "confidence must be between 0 and 1"),
        ({"budget": 0}, "budget must be a number above 0"),
        ({"budget": 0.5}, "budget is in full plain trainings"),
        ({"keep": [0.5]}, "give keep or arms, not both"),
        ({"arms": {}}, "at least one arm that sifts"),
        ({"metric": "speed"}, "metric must be a metric's name"),
        ({"inputs": "data"}, "inputs of a script are folders by channel"),
        ({"launcher": "start"}, "launcher must be one of"),
        ({"max_parallel": 0}, "max_parallel must be a whole number from 1"),
        ({"poll_seconds": 0}, "poll_seconds must be above 0"),
        ({"hyperparameters": {"sagemaker_program": "x"}}, "reserved"),
    ],
)
def test_what_is_refused(
    run: Callable[..., TrialResult], tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    """What could be known before is said before anything is run."""
    with pytest.raises(SiftRequestError) as caught:
        run(**changes)
    assert problem in str(caught.value)
    assert not (tmp_path / "trial").exists()


def test_no_script(tmp_path: Path) -> None:
    """A script that is not there is said."""
    with pytest.raises(SiftRequestError, match="there is no script"):
        trial(tmp_path / "x.py", epochs=4, output=tmp_path / "trial", say=silent)
