"""Checkpoints are whole or not there, and run nobody's code when loaded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from sift_toolkit import SiftStateError
from sift_toolkit.container._checkpoint import CHECKPOINT_FILE, load_checkpoint, save_checkpoint


class Trap:
    """An object that leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """Tensors, numbers, words and their containers come back as they were."""
    content = {"epochs_done": 3, "weights": torch.rand(3), "nested": {"a": [1, (2.5, None)]}}
    save_checkpoint(tmp_path / "new", content)
    loaded = load_checkpoint(tmp_path / "new")

    assert loaded is not None
    assert torch.equal(content.pop("weights"), loaded.pop("weights"))
    assert loaded == {"version": 1, **content}


def test_there_may_be_none(tmp_path: Path) -> None:
    """A folder without a checkpoint, or none at all, is a fresh start."""
    assert load_checkpoint(tmp_path) is None
    assert load_checkpoint(tmp_path / "none") is None


def test_a_save_that_fails_leaves_the_one_before(tmp_path: Path) -> None:
    """A process that is killed while it saves loses one epoch, not all."""
    save_checkpoint(tmp_path, {"epochs_done": 1})
    with pytest.raises(AttributeError, match="local object"):
        save_checkpoint(tmp_path, {"epochs_done": 2, "lambda": lambda: None})

    assert (load_checkpoint(tmp_path) or {})["epochs_done"] == 1


def test_what_could_not_be_loaded_is_not_saved(tmp_path: Path) -> None:
    """A state that loading would refuse is found out with the first epoch, not at the resume."""
    save_checkpoint(tmp_path, {"epochs_done": 1})
    with pytest.raises(SiftStateError, match=r"loading would refuse, posix\.mkdir: keep tensors"):
        save_checkpoint(tmp_path, {"epochs_done": 2, "model": Trap(tmp_path / "sprung")})

    assert (load_checkpoint(tmp_path) or {})["epochs_done"] == 1


def test_one_file_is_left(tmp_path: Path) -> None:
    """Only the newest is kept, and nothing half written."""
    for epochs in (1, 2):
        save_checkpoint(tmp_path, {"epochs_done": epochs})

    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT_FILE]
    assert (load_checkpoint(tmp_path) or {})["epochs_done"] == 2


def test_loading_runs_no_code(tmp_path: Path) -> None:
    """A file that someone else put there is refused before anything in it runs."""
    torch.save({"version": 1, "trap": Trap(tmp_path / "sprung")}, tmp_path / CHECKPOINT_FILE)
    with pytest.raises(SiftStateError, match="is no checkpoint"):
        load_checkpoint(tmp_path)

    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut"])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    """What cannot be read is said with its path, and how to go on without it."""
    (tmp_path / CHECKPOINT_FILE).write_bytes(content)
    with pytest.raises(
        SiftStateError, match=rf"{CHECKPOINT_FILE}' is no checkpoint, or was cut off: remove it"
    ):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("content", [{"version": 2}, {}, [1]])
def test_another_version_is_refused(tmp_path: Path, content: Any) -> None:
    """A checkpoint of another version of the package is not misread."""
    torch.save(content, tmp_path / CHECKPOINT_FILE)
    with pytest.raises(SiftStateError, match=r"of version (2|None), this package reads 1"):
        load_checkpoint(tmp_path)
