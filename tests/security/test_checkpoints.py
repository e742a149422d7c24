"""What lies in a checkpoint folder may be anybody's: it runs nothing, and leads nowhere else."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from sift_toolkit import SiftStateError
from sift_toolkit.container import Checkpoints
from sift_toolkit.container._checkpoint import FORMAT, is_whole, read_checkpoint, write_checkpoint
from sift_toolkit.container._checkpoint_folder import CheckpointFolder, own_folder
from sift_toolkit.contract import JobTree

NAME = f"sift_checkpoint_{1:012d}.pt"


def repack(path: Path, method: int, **changed: bytes) -> None:
    """Write a file of torch's anew, with checksums that are right."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, changed.get(Path(name).stem, content))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A checkpoint's file in a folder of its own."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    write_checkpoint(folder / NAME, {"step": 1, "weights": torch.zeros(1000)})
    return folder / NAME


def test_a_packed_file_is_none_of_ours(file: Path) -> None:
    """A file of some kilobytes may unpack to gigabytes: what is packed at all is not read."""
    repack(file, zipfile.ZIP_STORED)
    assert is_whole(file)
    repack(file, zipfile.ZIP_DEFLATED, data=bytes(50_000_000))
    assert file.stat().st_size < 100_000
    assert not is_whole(file)
    with pytest.raises(SiftStateError, match="is whole, each was cut off or changed"):
        CheckpointFolder(file.parent).read(lambda _: None)


@pytest.mark.parametrize(
    "pickled",
    [
        b"",
        b"\x80\x02.",
        b"\x80\x02}q\x00.",
        b"\x80\x02]q\x00.",
        b"\x80\x02cos\nsystem\nq\x00(X\x05\x00\x00\x00truthtRq\x01.",
        b"\x80\x02cbuiltins\nbytearray\n(J\xff\xff\xff\x7ftR.",
        b"\x80\x02X\xff\xff\xff\x7f.",
        b"\x80\x02h\x05.",
        b"\x80\x09.",
    ],
    ids=["nothing", "no value", "dict", "list", "code", "bytes", "cut", "memo", "protocol"],
)
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_objects_of_somebody_elses_are_refused(file: Path, pickled: bytes) -> None:
    """Whole by its checksums, and no checkpoint: our error, whatever torch makes of it."""
    repack(file, zipfile.ZIP_STORED, data=pickled)
    assert is_whole(file)
    with pytest.raises(SiftStateError, match="no checkpoint"):
        read_checkpoint(file)


@pytest.mark.parametrize("found", [True, None, "2", [2], torch.zeros(0), torch.tensor([2, 2]), {}])
def test_a_format_of_any_kind_is_refused(file: Path, found: Any) -> None:
    """What stands for the format need not be a number."""
    torch.save({"sift_checkpoint_format": found}, file)
    with pytest.raises(SiftStateError, match="no checkpoint"):
        read_checkpoint(file)


@pytest.mark.parametrize(
    "part",
    [
        {"step": -1},
        {"step": "1"},
        {"step": 10**30},
        {"run": None},
        {"run": {"facts": ["epochs"], "hyperparameters": {}}},
        {"others": 5},
        {"content": [1]},
        {"own": None},
        {"own": {"random": {}, "content": {}}},
        {"reports": {"sift_report.json": 5}},
    ],
    ids=str,
)
def test_a_content_of_another_form_is_refused(tmp_path: Path, part: dict[str, Any]) -> None:
    """Plain values in another form than ours: refused in words, with the folder named."""
    checkpoints = Checkpoints(tmp_path)
    checkpoints.due()
    assert checkpoints.save({"model": {}})
    whole = read_checkpoint(tmp_path / NAME)
    torch.save({**whole, **part}, tmp_path / NAME)
    recorders = "reports" in part
    if recorders:
        # Of reports that nobody keeps here nothing is taken.
        assert Checkpoints(tmp_path).load() == {"model": {}}
        return
    with pytest.raises(SiftStateError, match=r"the checkpoint in|no checkpoint"):
        Checkpoints(tmp_path).load()


def test_links_are_not_written_through(tmp_path: Path) -> None:
    """Where a file is to be made and a link lies, the link goes, and what it leads to stays."""
    target = tmp_path / "precious"
    target.write_text("precious")
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for name in (f"{NAME}.partial", "sift_checkpoint_probe.partial", NAME):
        (folder / name).symlink_to(target)
    checkpoints = CheckpointFolder(folder)
    checkpoints.check()
    (folder / f"{NAME}.partial").unlink(missing_ok=True)
    (folder / f"{NAME}.partial").symlink_to(target)
    write_checkpoint(folder / NAME, {"step": 1})
    checkpoints.write(2, {"step": 2})
    assert target.read_text() == "precious"
    assert not (folder / NAME).is_symlink()
    assert sorted(path.name for path in folder.iterdir()) == [NAME, NAME.replace("1.pt", "2.pt")]


def test_a_link_that_is_removed_takes_nothing_with_it(tmp_path: Path) -> None:
    """A torn checkpoint that is a link is removed as a link."""
    target = tmp_path / "precious"
    target.write_text("precious")
    folder = tmp_path / "checkpoints"
    CheckpointFolder(folder).write(1, {"step": 1})
    (folder / NAME.replace("1.pt", "2.pt")).symlink_to(target)
    assert (CheckpointFolder(folder).read(lambda _: None) or {})["step"] == 1
    assert target.read_text() == "precious"


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_is_passed_over(tmp_path: Path, kind: str) -> None:
    """A pipe would be waited for without end: only files are looked at."""
    CheckpointFolder(tmp_path).write(1, {"step": 1})
    other = tmp_path / NAME.replace("1.pt", "2.pt")
    os.mkfifo(other) if kind == "pipe" else other.mkdir()
    assert (CheckpointFolder(tmp_path).read(lambda _: None) or {})["step"] == 1


@pytest.mark.parametrize("name", ["../../elsewhere", "/elsewhere", "..", "a/b", "x" * 200])
def test_a_tuned_job_stays_below_its_folder(tmp_path: Path, name: str) -> None:
    """A name that is no job's makes no folder."""
    tree = JobTree(tmp_path)
    tree.config_dir.mkdir(parents=True)
    tree.hyperparameters_file.write_text('{"_tuning_objective_metric": "x"}')
    assert own_folder(tree, {"TRAINING_JOB_NAME": name}) == tree.checkpoints_dir
    assert own_folder(tree, {"TRAINING_JOB_NAME": "job-1"}) == tree.checkpoints_dir / "job-1"


def test_a_state_beside_a_trainers_own_is_read_alike(tmp_path: Path) -> None:
    """What Hugging Face's Trainer keeps in its folders is held to the same rules."""
    from sift_toolkit.integrations._trainer_checkpoint import load_state, save_state, state_file

    save_state(tmp_path, 0, {"step": 1})
    assert load_state(tmp_path, 0) == {"step": 1}
    whole = state_file(tmp_path, 0).read_bytes()
    for content in (b"", whole[:100], io.BytesIO(b"noise" * 99).getvalue()):
        state_file(tmp_path, 0).write_bytes(content)
        with pytest.raises(SiftStateError, match="no checkpoint"):
            load_state(tmp_path, 0)
    assert FORMAT == 2
