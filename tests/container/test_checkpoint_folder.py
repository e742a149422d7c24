"""The newest whole checkpoint counts; what is old, torn or half written goes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from sift_toolkit import SiftJobError, SiftStateError
from sift_toolkit.container._checkpoint import FORMAT
from sift_toolkit.container._checkpoint_folder import CheckpointFolder, own_folder
from sift_toolkit.contract import JobTree


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the checkpoints, which nobody has made yet."""
    return tmp_path / "checkpoints"


@pytest.fixture
def notes() -> list[str]:
    """What was told."""
    return []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 kB."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("making a file system takes root's rights")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def names_in(folder: Path) -> list[str]:
    """Return all there is in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


def name_of(step: int) -> str:
    """Return the name of a step's checkpoint."""
    return f"sift_checkpoint_{step:012d}.pt"


def write(folder: Path, *steps: int) -> None:
    """Write the checkpoints of some steps."""
    for step in steps:
        CheckpointFolder(folder).write(step, {"step": step})


def test_there_may_be_none(folder: Path, notes: list[str]) -> None:
    """A folder without a checkpoint, or none at all, is a fresh start without a word."""
    assert CheckpointFolder(folder).read(notes.append) is None
    folder.mkdir()
    assert CheckpointFolder(folder).read(notes.append) is None
    assert notes == []


def test_the_newest_counts(folder: Path, notes: list[str]) -> None:
    """By their steps as numbers, however many digits they have."""
    write(folder, 9, 1_000_000_000_000, 10)

    assert (CheckpointFolder(folder).read(notes.append) or {})["step"] == 1_000_000_000_000
    assert notes == []


def test_two_are_kept(folder: Path) -> None:
    """The newest, and the one before it; the user's own files are left alone."""
    folder.mkdir()
    for name in ("notes.txt", "sift_checkpoint_best.pt", "epoch_1.pt", "other.partial"):
        (folder / name).touch()
    write(folder, 1, 2, 3, 4)

    assert {name_of(3), name_of(4)} == {name for name in names_in(folder) if "0000" in name}
    assert len(names_in(folder)) == 6


def test_the_same_step_may_be_written_again(folder: Path) -> None:
    """At the end of an epoch, say, after its last step was saved."""
    write(folder, 1, 2, 2)

    assert names_in(folder) == [name_of(1), name_of(2)]


@pytest.mark.parametrize("begins", ["written", "read"])
def test_half_written_files_go(folder: Path, notes: list[str], begins: str) -> None:
    """What a killed process had begun is removed by the next one."""
    write(folder, 1)
    (folder / f"{name_of(2)}.partial").write_bytes(b"begun")
    if begins == "read":
        assert (CheckpointFolder(folder).read(notes.append) or {})["step"] == 1
    else:
        write(folder, 3)

    assert not [name for name in names_in(folder) if name.endswith(".partial")]


def test_a_torn_newest_leads_to_the_one_before(folder: Path, notes: list[str]) -> None:
    """It is said which is used, and the torn one goes: it must not count as one of the two."""
    write(folder, 1, 2)
    torn = folder / name_of(2)
    torn.write_bytes(torn.read_bytes()[:-100])

    assert (CheckpointFolder(folder).read(notes.append) or {})["step"] == 1
    assert notes == [
        f"checkpoint {name_of(2)} was cut off or changed: {name_of(1)} is used instead"
    ]
    assert names_in(folder) == [name_of(1)]


def test_all_torn_is_refused(folder: Path, notes: list[str]) -> None:
    """Days of training are not begun anew without a word; the files stay for whoever looks."""
    write(folder, 1, 2)
    for step in (1, 2):
        (folder / name_of(step)).write_bytes(b"")
    with pytest.raises(SiftStateError, match=r"each was cut off or changed: .*; remove them") as no:
        CheckpointFolder(folder).read(notes.append)

    assert str(folder) in str(no.value)
    assert names_in(folder) == [name_of(1), name_of(2)]


def test_a_newer_format_is_no_reason_to_go_back(folder: Path, notes: list[str]) -> None:
    """It is refused, not passed over: it is the better checkpoint, for a newer toolkit."""
    write(folder, 1)
    torch.save({"sift_checkpoint_format": FORMAT + 1}, folder / name_of(2))
    with pytest.raises(SiftStateError, match="newer sift_toolkit"):
        CheckpointFolder(folder).read(notes.append)

    assert names_in(folder) == [name_of(1), name_of(2)]


@pytest.mark.parametrize("there", ["a file", "a file above it"])
def test_a_folder_that_cannot_be_written_is_said(folder: Path, there: str) -> None:
    """The message names the folder and the reason."""
    place = folder if there == "a file" else folder / "below"
    folder.touch()
    with pytest.raises(SiftJobError, match=rf"cannot be kept in '{place}': .+; make it a folder"):
        CheckpointFolder(place).check()


def test_looking_leaves_nothing(folder: Path) -> None:
    """The folder is there afterwards, and empty."""
    CheckpointFolder(folder).check()

    assert names_in(folder) == []


def test_a_disk_that_is_full(small_disk: Path, notes: list[str]) -> None:
    """A real one: the checkpoints before stay, nothing half written does, and it goes on later."""
    folder = CheckpointFolder(small_disk)
    weights = torch.zeros(20_000)
    folder.write(1, {"step": 1, "weights": weights})
    folder.write(2, {"step": 2, "weights": weights})
    before = names_in(small_disk)
    with pytest.raises(OSError, match="No space left on device"):
        folder.write(3, {"step": 3, "weights": weights})

    assert names_in(small_disk) == before
    assert (folder.read(notes.append) or {})["step"] == 2
    folder.write(4, {"step": 4})
    assert (folder.read(notes.append) or {})["step"] == 4


def test_a_full_disk_may_still_be_begun_with(small_disk: Path) -> None:
    """Room may come; a folder that refuses every write would not."""
    (small_disk / "rest").write_bytes(bytes(180_000))
    CheckpointFolder(small_disk).check()


def test_a_disk_that_is_only_read(small_disk: Path) -> None:
    """Permissions of files do not tell, writing does."""
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(SiftJobError, match="Read-only file system"):
        CheckpointFolder(small_disk).check()


@pytest.mark.parametrize(
    ("hyperparameters", "environment", "own"),
    [
        ({}, {"TRAINING_JOB_NAME": "plain-1"}, "checkpoints"),
        (
            {"_tuning_objective_metric": "sift:validation_accuracy"},
            {"TRAINING_JOB_NAME": "tuned-1"},
            "checkpoints/tuned-1",
        ),
        ({"_tuning_objective_metric": "sift:validation_accuracy"}, {}, "checkpoints"),
    ],
)
def test_jobs_of_a_tuner_have_folders_of_their_own(
    make_job: Callable[..., JobTree],
    hyperparameters: dict[str, str],
    environment: dict[str, str],
    own: str,
) -> None:
    """They are all given the same place."""
    tree = make_job(**hyperparameters)
    assert own_folder(tree, environment) == tree.base / own
