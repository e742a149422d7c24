"""SIGTERM sent to the entry points themselves, as our image sends it to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sift_toolkit import SiftConfig
from sift_toolkit.contract import JobTree
from tests.interruption.killing import newest_whole
from tests.interruption.processes import lay_out

TRAIN = Path(__file__).parents[2] / "entry_points" / "train.py"
CONFIG = SiftConfig(keep=0.5, scores="fresh", log_every=1)
PATIENCE = 120

WITH_WORKERS = """
from interrupted_hooks import *
from interrupted_hooks import DataLoader, Noisy

def train_data(job):
    return DataLoader(Noisy(320), batch_size=16, shuffle=True, num_workers=2)
"""

Started = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Started]:
    """Start the trainer on a job; what still runs in the end is killed."""
    processes: list[subprocess.Popen[str]] = []

    def trainer(tree: JobTree, step_seconds: float) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(TRAIN)],
            cwd=tree.code_dir,
            env={
                **os.environ,
                "SAGEMAKER_BASE_DIR": str(tree.base),
                "STEP_SECONDS": str(step_seconds),
                "OMP_NUM_THREADS": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        processes.append(process)
        return process

    yield trainer
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """Read what a process prints up to a line with these words."""
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if words in line:
            return read
    raise AssertionError(read)


def test_one_is_enough(start: Started, tmp_path: Path) -> None:
    """The step is finished and saved, status 143; no failure, and the report is there."""
    tree = lay_out(tmp_path / "job", CONFIG, epochs=1000, ballast=1000)
    process = start(tree, 0.01)
    read_until(process, "training_steps=5.0")
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=PATIENCE)

    assert process.returncode == 143, printed
    step = newest_whole(tree.checkpoints_dir)
    assert f"asked to end: it ends after step {step}\n" in printed
    assert step >= 5
    assert tree.read_failure() is None
    assert (tree.output_data_dir / "sift_report.json").exists()


STEP_WITHOUT_END = """
    if model.training:
        STEPS.append(1)
        if len(STEPS) == 3:
            print("without end", flush=True)
            time.sleep(600)
"""


def test_a_second_one_ends_it_at_once(start: Started, tmp_path: Path) -> None:
    """Even in the middle of a step that never ends; the work before it is saved all the same."""
    tree = lay_out(tmp_path / "job", CONFIG, epochs=1, ballast=1000, checkpoint_steps=1)
    hooks = tree.code_dir / "interrupted_hooks.py"
    text = hooks.read_text(encoding="utf-8")
    text = text.replace("    time.sleep(STEP_SECONDS)\n", STEP_WITHOUT_END)
    hooks.write_text(text + "\n\nSTEPS: list[int] = []\n", encoding="utf-8")
    process = start(tree, 0)
    read_until(process, "without end")
    process.send_signal(signal.SIGTERM)
    # Within two seconds the next one would be taken for an echo of this one.
    time.sleep(2.5)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)

    assert process.returncode == 143
    assert newest_whole(tree.checkpoints_dir) == 2


def test_workers_of_a_loader_do_not_hinder_it(start: Started, tmp_path: Path) -> None:
    """They end with the job, and nothing of it is left running."""
    tree = lay_out(tmp_path / "job", CONFIG, epochs=1000, ballast=1000)
    hooks = tree.code_dir / "interrupted_hooks.py"
    (tree.code_dir / "with_workers.py").write_text(WITH_WORKERS, encoding="utf-8")
    text = tree.hyperparameters_file.read_text(encoding="utf-8")
    tree.hyperparameters_file.write_text(text.replace(hooks.name, "with_workers.py"))
    process = start(tree, 0.01)
    read_until(process, "training_steps=25.0")
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=PATIENCE)

    assert process.returncode == 143, printed
    assert newest_whole(tree.checkpoints_dir) >= 25
    assert "Traceback" not in printed
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_before_training_there_is_nothing_to_wait_for(start: Started, tmp_path: Path) -> None:
    """A job that is still reading its data ends at once."""
    tree = lay_out(tmp_path / "job", CONFIG, epochs=1, ballast=1000)
    hooks = tree.code_dir / "interrupted_hooks.py"
    text = hooks.read_text(encoding="utf-8")
    reading = (
        "def epochs(job: Job) -> int:\n    print('reading', flush=True)\n    time.sleep(600)\n"
    )
    hooks.write_text(text.replace("def epochs(job: Job) -> int:\n", reading), encoding="utf-8")
    process = start(tree, 0)
    read_until(process, "reading")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)

    assert process.returncode == 143
