"""A job in a container that is taken away, again and again, and its checkpoints that are not."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from sift_toolkit import SiftConfig, sift_estimator
from sift_toolkit.contract import JobTree
from tests.docker.one_container import Container, lay_out
from tests.interruption.killing import (
    PATIENCE,
    WHOLE,
    killed_again_and_again,
    newest_name,
    newest_whole,
    outcome_of,
)

HOOKS = Path(__file__).resolve().parents[1] / "interruption" / "job" / "interrupted_hooks.py"
KILLS = 20
SEED = int(os.environ.get("SIFT_KILL_SEED", 0)) or int.from_bytes(os.urandom(3), "big")
JOB = {"epochs": 50, "ballast": 3_000_000, "checkpoint_steps": 2, "seed": 7}
SLOWLY = {"STEP_SECONDS": "0.04"}
"""A signal takes Docker half a second, in which the job must not be over."""
DISK_BYTES = 27_000_000
"""Room for two checkpoints of this job, of about 12 MB each, and not for a third."""


def job(image: str, base: Path, scores: str, **hyperparameters: object) -> JobTree:
    """Lay out the tree of the job."""
    estimator = sift_estimator(
        SiftConfig(keep=0.5, scores=scores, log_every=5),
        launcher="train",
        entry_point=HOOKS.name,
        source_dir=str(HOOKS.parent),
        role="arn:aws:iam::123456789012:role/any",
        instance_type="ml.m5.xlarge",
        instance_count=1,
        image_uri=image,
        hyperparameters={**JOB, **hyperparameters},
    )
    return lay_out(estimator, base)


def on_a_new_machine(
    image: str, tree: JobTree, checkpoints: Path, environment: Mapping[str, str] | None = None
) -> Container:
    """Start the job: of what it did before there is nothing but the checkpoints."""
    for folder in (tree.model_dir, tree.output_dir):
        shutil.rmtree(folder, ignore_errors=True)
    return Container.start(image, tree, checkpoints=checkpoints, environment=environment)


@pytest.mark.point("4")
def test_twenty_kills_lose_nothing(image: str, tmp_path: Path) -> None:
    """20 random kills in a row (SIGTERM, and SIGKILL in the middle of a write): the same end."""
    # Fresh scores are killed as often without containers: tests/interruption.
    scores = "memory"
    whole = job(image, tmp_path / "whole", scores, checkpoint_steps=10_000)
    with on_a_new_machine(image, whole, tmp_path / "other") as container:
        assert container.wait(WHOLE) == 0, "\n".join(container.logs())
    tree, checkpoints = job(image, tmp_path / "killed", scores), tmp_path / "checkpoints"
    checkpoints.mkdir()

    deaths = killed_again_and_again(
        lambda: on_a_new_machine(image, tree, checkpoints, SLOWLY),
        checkpoints,
        kills=KILLS,
        seed=SEED,
        startup=6.0,
    )

    assert outcome_of(tree) == outcome_of(whole)
    assert len(deaths) == KILLS
    assert any(death.was_writing for death in deaths), "none was killed in the middle of a write"


@pytest.mark.point("4")
def test_docker_stop_saves_the_last_step(image: str, tmp_path: Path) -> None:
    """SIGTERM: the step is finished, a checkpoint written, and the job ends within its grace."""
    # No checkpoints but that one, until an epoch ends.
    tree = job(image, tmp_path / "job", "memory", checkpoint_steps=10_000, epochs=10_000)
    checkpoints = tmp_path / "checkpoints"
    with on_a_new_machine(image, tree, checkpoints) as container:
        deadline = time.monotonic() + PATIENCE
        while not newest_name(checkpoints) and time.monotonic() < deadline:
            time.sleep(0.01)
        asked = time.monotonic()
        container.kill(signal.SIGTERM)
        status = container.wait(PATIENCE)
        seconds = time.monotonic() - asked
        log = container.logs()

    print(f"ended {seconds:.1f} s after SIGTERM, with status {status}")
    ends = f"[sift] note: the job was asked to end: it ends after step {newest_whole(checkpoints)}"
    assert any(line.endswith(ends) for line in log), "\n".join(log)
    assert status
    assert seconds < PATIENCE


@pytest.mark.point("5")
def test_a_full_disk_ends_no_training(image: str, tmp_path: Path) -> None:
    """Disk full while checkpointing: the one before is kept, a note says so, training goes on."""
    tree = job(image, tmp_path / "job", "memory", epochs=3)
    room = f"--mount=type=tmpfs,target=/opt/ml/checkpoints,tmpfs-size={DISK_BYTES}"
    for folder in (tree.model_dir, tree.output_dir):
        shutil.rmtree(folder)
    with Container.start(image, tree, options=[room]) as container:
        status = container.wait(PATIENCE)
        log = container.logs()

    printed = "\n".join(log)
    assert status == 0, printed
    assert "cannot be written: No space left on device; the one before is kept" in printed
    report = json.loads((tree.output_data_dir / "sift_report.json").read_text(encoding="utf-8"))
    assert sum("No space left" in note for note in report["notes"]) == 1
