"""The training image: what is in it, and what its first process does with a SIGTERM."""

from __future__ import annotations

import json
import signal
import subprocess
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit import SiftConfig, sift_estimator
from tests.docker.demo_job import DATA, LETTERS, job_arguments
from tests.docker.one_container import Container, as_user, lay_out

GRACE_SECONDS = 120
"""What SageMaker gives a job between SIGTERM and SIGKILL."""

# Its workers live until the training has ended: their death would be an error in it.
SCRIPT = """
    import os, signal, sys, time
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    stop = []
    signal.signal(signal.SIGTERM, lambda number, frame: stop.append(number))
    rank = os.environ.get("RANK", "0")
    print("training, rank", rank, flush=True)
    data = TensorDataset(torch.arange(1_000_000.0))
    batches = iter(DataLoader(data, batch_size=1, num_workers=1))
    while not stop:
        next(batches)
        time.sleep(0.01)
    torch.save(list(next(batches)), f"/opt/ml/checkpoints/rank-{rank}.pt")
    print("checkpoint written, rank", rank, flush=True)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A user's training, which knows what to do when it is told to stop."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "train.py").write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    return folder


def wait_for(container: Container, text: str, count: int = 1) -> None:
    """Wait until the container has printed a text so many times."""
    while sum(text in line for line in container.logs()) < count:
        assert container.running, "\n".join(container.logs())
        time.sleep(0.2)


@pytest.mark.point("1")
def test_contents(image: str) -> None:
    """The image: pinned toolkits, labels, exec-form entry point, no compiler, about a gigabyte."""
    (about,) = json.loads(subprocess.check_output(["docker", "image", "inspect", image]))
    config = about["Config"]
    assert config["Entrypoint"] == ["/opt/venv/bin/python", "/opt/sift/entry_point.py"]
    assert config["Cmd"] == ["train"]
    assert {name.rpartition(".")[2] for name in config["Labels"]} >= {"title", "version"}
    assert about["Size"] < 1.2e9
    command = "pip list --format json; ls /usr/bin/*cc* /usr/bin/c++ /usr/bin/ld 2>/dev/null; true"
    run = ["docker", "run", "--rm", "--network=none", image, "sh", "-c", command]
    installed, *compilers = subprocess.check_output(run, text=True).splitlines()
    versions = {
        package["name"].replace("_", "-"): package["version"] for package in json.loads(installed)
    }
    assert compilers == []
    assert versions["sagemaker-training"] == "5.1.4"
    assert versions["sagemaker-pytorch-training"] == "3.0.0"
    assert versions["torch"].partition("+")[0] == "2.13.0"


@pytest.mark.point("1")
@pytest.mark.parametrize("processes", [1, 2], ids=["one process", "torchrun, two processes"])
def test_sigterm(
    image: str, start: Callable[..., Container], script: Path, tmp_path: Path, processes: int
) -> None:
    """SIGTERM to the container: every rank writes its checkpoint, and the job ends with a 0."""
    options: dict[str, Any] = {}
    if processes > 1:
        options["distribution"] = {"torch_distributed": {"enabled": True}}
    arguments = {**job_arguments(image), "instance_type": "ml.m5.xlarge", **options}
    estimator = sift_estimator(
        SiftConfig(keep=0.5), entry_point="train.py", source_dir=script, **arguments
    )
    tree = lay_out(estimator, tmp_path / "job")
    if processes > 1:
        found = json.loads(tree.hyperparameters_file.read_text())
        found["sagemaker_mpi_num_of_processes_per_host"] = str(processes)
        tree.hyperparameters_file.write_text(json.dumps(found))
    kept = tmp_path / "checkpoints"
    container = start(tree, checkpoints=kept)
    wait_for(container, "training, rank", processes)
    container.kill(signal.SIGTERM)
    assert container.wait(GRACE_SECONDS) == 0, "\n".join(container.logs())
    assert {path.name for path in kept.iterdir()} == {f"rank-{r}.pt" for r in range(processes)}
    assert (tree.output_dir / "success").exists()


@pytest.mark.point("1")
def test_any_user(image: str, start: Callable[..., Container], tmp_path: Path) -> None:
    """Nothing in the image needs root: where /opt/ml is their own, any user can train."""
    arguments = {**job_arguments(image), "instance_type": "ml.m5.xlarge"}
    estimator = sift_estimator(
        SiftConfig(keep=0.5),
        entry_point="letters.py",
        launcher="train",
        source_dir=LETTERS,
        **{**arguments, "hyperparameters": {"epochs": 1}},
    )
    user = 12345
    tree = lay_out(estimator, tmp_path / "job", ["letters"])
    subprocess.run(["chown", "-R", str(user), tree.base], check=True)
    container = start(tree, channels={"letters": DATA}, options=as_user(user))
    assert container.wait() == 0, "\n".join(container.logs())
    assert (tree.model_dir / "model.pt").stat().st_uid == user
