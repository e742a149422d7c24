"""Why a job in local mode failed: its own reason, wherever the SDK has put it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from sift_toolkit.client._local_failure import local_job, local_trainer_job
from sift_toolkit.contract import JobTree
from sift_toolkit.errors import SiftJobError

REASON = "ValueError: no column 'age'\n"
OF_THE_SDK = "Failed to run: ['docker-compose', 'up']. Process exited with code: 1"


def pack_output(folder: Path, **files: str) -> None:
    """Write the archive of a job's output."""
    folder.mkdir(parents=True)
    with tarfile.open(folder / "output.tar.gz", "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))


def fail(folder: Path | None = None, **files: str) -> None:
    """End as the SDK does when a container failed, with the job's output in a folder, if any."""
    if folder is not None:
        pack_output(folder, **files)
    raise RuntimeError(OF_THE_SDK)


def fail_on_a_host(folder: Path, reason: str) -> None:
    """End as the SDK does when a container failed, with its reason in the host's folder."""
    JobTree(folder).write_failure(reason)
    fail()


@pytest.fixture
def session(tmp_path: Path) -> SimpleNamespace:
    """What the SDK's LocalSession has of interest here."""
    return SimpleNamespace(config={"local": {"container_root": str(tmp_path)}})


def root_of(session: SimpleNamespace) -> Path:
    """The folder of the job's containers, while it runs."""
    return Path(session.config["local"]["container_root"])


def packed(session: SimpleNamespace) -> Path:
    """Where a job's archives are that go nowhere else."""
    return root_of(session) / "tmp" / "compressed_artifacts"


@pytest.mark.parametrize("moved", [False, True], ids=["where it was", "at an output path"])
def test_reason_of_sdk_v2(session: SimpleNamespace, tmp_path: Path, moved: bool) -> None:
    """It is in the archive of the job's output; the SDK's error is its cause."""
    output = f"file://{tmp_path / 'output'}" if moved else None
    match = r"training job 'a-job' failed: ValueError: no column 'age'$"
    with (
        pytest.raises(SiftJobError, match=match) as caught,
        local_job(session, output, lambda: "a-job"),
    ):
        fail(tmp_path / "output" if moved else packed(session), failure=REASON)
    assert str(caught.value.__cause__) == OF_THE_SDK


@pytest.mark.parametrize("files", [{}, {"success": ""}, {"failure": ""}])
def test_no_reason(session: SimpleNamespace, files: dict[str, str]) -> None:
    """A job that gave none leaves the SDK's own error."""
    with (
        pytest.raises(RuntimeError, match="exited with code: 1") as caught,
        local_job(session, None, lambda: "a-job"),
    ):
        fail(packed(session), **files)
    assert not isinstance(caught.value, SiftJobError)


def test_copies_go(session: SimpleNamespace, tmp_path: Path) -> None:
    """Of a job whose results were moved nothing stays, nor does the model its container wrote."""
    with local_job(session, f"file://{tmp_path / 'output'}", lambda: "a-job"):
        root = root_of(session)
        (root / "tmp" / "model").mkdir(parents=True)
        (root / "tmp" / "model" / "model.pt").touch()
    assert not root.exists()


def test_reason_of_sdk_v3(tmp_path: Path) -> None:
    """It is in a host's own folder; the file with the keys goes."""
    trainer = SimpleNamespace(base_job_name="a-job", local_container_root=str(tmp_path))
    compose = tmp_path / "docker-compose.yaml"
    compose.touch()
    with (
        pytest.raises(SiftJobError, match="'a-job' failed: ValueError: no column"),
        local_trainer_job(trainer, local=True),
    ):
        fail_on_a_host(tmp_path / "algo-1", REASON)
    assert not compose.exists()


def test_the_reason_is_that_of_the_last_job(tmp_path: Path) -> None:
    """SDK v3 mounts the same folders again, and a reason that is there is not written over."""
    trainer = SimpleNamespace(base_job_name="a-job", local_container_root=str(tmp_path))
    before = JobTree(tmp_path / "algo-1")
    before.write_failure(REASON)
    with pytest.raises(RuntimeError, match="exited"), local_trainer_job(trainer, local=True):
        fail()
    before.write_failure(REASON)
    with (
        pytest.raises(SiftJobError, match=r"failed: KeyError: 'age'$"),
        local_trainer_job(trainer, local=True),
    ):
        fail_on_a_host(before.base, "KeyError: 'age'")


def test_other_jobs_of_sdk_v3(tmp_path: Path) -> None:
    """A job on SageMaker leaves a folder of that name alone."""
    trainer = SimpleNamespace(base_job_name="a-job", local_container_root=str(tmp_path))
    compose = tmp_path / "docker-compose.yaml"
    compose.touch()
    with pytest.raises(RuntimeError, match="exited"), local_trainer_job(trainer, local=False):
        fail()
    assert compose.exists()
