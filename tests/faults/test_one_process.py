"""A job of one process that cannot go on ends at once, with one sentence that says why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sift_toolkit import SiftConfig
from sift_toolkit.config import SCRIPT_KEY, VERSION_KEY, key_of
from sift_toolkit.contract import JobDescription, launch
from tests.faults.jobs import ROOT, TRAIN, assert_all_gone, lay_out, run

LETTERS = ROOT / "demo" / "letters" / "letters.py"


def test_nothing_goes_wrong(tmp_path: Path) -> None:
    """Without a fault the same job trains to its end: what follows is the faults' doing."""
    tree = lay_out(tmp_path, epochs=2)
    ended = run(tree)

    assert (ended.code, ended.failure) == (0, ""), ended.output
    assert (tree.model_dir / "model.pt").is_file()


def test_a_missing_channel(tmp_path: Path) -> None:
    """The channel that the hooks ask for is named, and those that there are."""
    tree = lay_out(tmp_path, **{SCRIPT_KEY: str(LETTERS)})
    (tree.data_dir / "training").mkdir()
    ended = run(tree)

    assert ended.code == 1
    said = "SiftJobError: the job has no channel 'letters'; it has 'training': pass fit({'letters'"
    assert ended.failure.startswith(said)


@pytest.mark.parametrize("content", ["cut", "garbage", "empty"])
def test_a_corrupt_data_file(tmp_path: Path, content: str) -> None:
    """The file is named, not only what its reader makes of it."""
    tree = lay_out(tmp_path, **{SCRIPT_KEY: str(LETTERS)})
    whole = (LETTERS.parent / "data" / "letters.npz").read_bytes()
    file = tree.data_dir / "letters" / "letters.npz"
    file.parent.mkdir()
    contents = {"cut": whole[: len(whole) // 2], "garbage": b"\x93not an array" * 99, "empty": b""}
    file.write_bytes(contents[content])
    ended = run(tree)

    assert ended.code == 1
    assert ended.failure.startswith(f"ValueError: {file} is not the file that pack_data.py writes")
    assert len(ended.failure.splitlines()) == 1


def test_a_worker_that_dies(tmp_path: Path) -> None:
    """The loader's worker is missed, and the signal that killed it is told."""
    ended = run(lay_out(tmp_path, fault="worker"))

    assert ended.code == 1
    assert "DataLoader worker (pid" in ended.failure
    assert "killed by signal: Killed" in ended.failure or "exited unexpectedly" in ended.failure


@pytest.mark.parametrize("enabled", [True, False])
def test_a_loss_that_turns_nan_for_good(tmp_path: Path, *, enabled: bool) -> None:
    """The job ends long before its epochs do, sifted or not, and leaves no model."""
    config = SiftConfig(keep=0.5, enabled=enabled)
    tree = lay_out(tmp_path, fault="nan", epochs=10_000, **config.to_hyperparameters())
    ended = run(tree)

    assert ended.code == 1
    assert ended.failure.startswith(
        "SiftLossError: the losses of the last 100 training steps were all NaN or infinite"
    )
    assert list(tree.model_dir.iterdir()) == []


def test_a_loss_that_turns_nan_near_the_end(tmp_path: Path) -> None:
    """Too few steps are left to wait for: a model of NaN is no success all the same."""
    tree = lay_out(tmp_path, fault="nan", epochs=2)
    ended = run(tree)

    assert ended.code == 1
    assert ended.failure.startswith(
        "SiftLossError: the training is over, and the model's weights are NaN or infinite"
    )
    assert list(tree.model_dir.iterdir()) == []


def test_hyperparameters_of_a_newer_client(tmp_path: Path) -> None:
    """What this package cannot follow is refused before anything is trained."""
    sent = {**SiftConfig(keep=0.5).to_hyperparameters(), VERSION_KEY: 99, key_of("keep"): 0.5}
    ended = run(lay_out(tmp_path, **sent))

    assert ended.code == 1
    assert ended.failure.startswith("SiftConfigError: invalid SiftConfig: ")
    assert "99" in ended.failure


def test_the_reason_reaches_whoever_launched_it(tmp_path: Path) -> None:
    """Through the real `train` of sagemaker-training, which has its own idea of a failure."""
    source = tmp_path / "source"
    source.mkdir()
    for file in (TRAIN, LETTERS):
        shutil.copy(file, source)
    job = JobDescription(
        name="a-job",
        hyperparameters={
            "sagemaker_program": json.dumps("train.py"),
            "sagemaker_submit_directory": json.dumps(str(source)),
            SCRIPT_KEY: json.dumps("letters.py"),
        },
    )
    result = launch(job, tmp_path / "job")

    assert result.exit_code == 1
    assert (result.failure or "").startswith("SiftJobError: the job has no channel 'letters'; it")
    assert_all_gone(result.tree)
