"""A checkpoint's file is whole or not there, and runs nobody's code when loaded."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import torch

from sift_toolkit import SiftStateError
from sift_toolkit.container._checkpoint import (
    FORMAT,
    is_whole,
    read_checkpoint,
    write_checkpoint,
)


class Trap:
    """An object that leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a checkpoint goes."""
    return tmp_path / "checkpoint.pt"


def files_beside(path: Path) -> list[str]:
    """Return the names of all files where a checkpoint goes."""
    return sorted(each.name for each in path.parent.iterdir())


def test_what_is_written_is_read(path: Path) -> None:
    """Tensors, numbers, words and their containers come back as they were."""
    content = {"step": 3, "weights": torch.rand(3), "nested": {"a": [1, (2.5, None)]}}
    write_checkpoint(path, content)
    loaded = read_checkpoint(path)

    assert is_whole(path)
    assert torch.equal(content.pop("weights"), loaded.pop("weights"))
    assert loaded == {"sift_checkpoint_format": FORMAT, **content}
    assert files_beside(path) == [path.name]


def test_what_cannot_be_written_leaves_the_one_before(path: Path) -> None:
    """A state that cannot be saved is raised, and nothing of it stays."""
    write_checkpoint(path, {"step": 1})
    with pytest.raises(AttributeError, match="local object"):
        write_checkpoint(path, {"step": 2, "lambda": lambda: None})

    assert read_checkpoint(path)["step"] == 1
    assert files_beside(path) == [path.name]


@pytest.mark.parametrize("numbers", [100_000, 900], ids=["in the middle", "at the end"])
def test_a_full_disk_is_said_as_what_it_is(
    path: Path, no_room: Callable[[], AbstractContextManager[None]], numbers: int
) -> None:
    """Whichever byte does not fit, the disk's error is raised, not what torch makes of it."""
    write_checkpoint(path, {"step": 1})
    with no_room(), pytest.raises(OSError, match="File too large"):
        write_checkpoint(path, {"step": 2, "weights": torch.rand(numbers)})

    assert read_checkpoint(path)["step"] == 1
    assert files_beside(path) == [path.name]


def test_an_error_of_torchs_own_stays_one(path: Path) -> None:
    """What has nothing to do with the disk is not taken for it."""

    class Broken:
        def __reduce__(self) -> Any:
            msg = "device-side assert"
            raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="device-side assert"):
        write_checkpoint(path, {"model": Broken()})

    assert files_beside(path) == []


def test_what_could_not_be_loaded_is_not_saved(path: Path, tmp_path: Path) -> None:
    """A state that loading would refuse is found out when it is saved, not at the resume."""
    with pytest.raises(SiftStateError, match=r"loading would refuse, posix\.mkdir: keep tensors"):
        write_checkpoint(path, {"model": Trap(tmp_path / "sprung")})

    assert files_beside(path) == []


def test_a_name_left_by_a_killed_process_is_written_over(path: Path) -> None:
    """What a process had begun to write does not hinder the next one."""
    path.with_name(path.name + ".partial").write_bytes(b"begun")
    write_checkpoint(path, {"step": 1})

    assert read_checkpoint(path)["step"] == 1
    assert files_beside(path) == [path.name]


def test_checksums_are_written_even_where_they_are_off(path: Path) -> None:
    """A script that turned torch's checksums off has checkpoints that count as whole, too."""
    torch.serialization.set_crc32_options(False)
    try:
        write_checkpoint(path, {"weights": torch.rand(100)})
        assert not torch.serialization.get_crc32_options()
    finally:
        torch.serialization.set_crc32_options(True)

    assert is_whole(path)


class TestTorn:
    """A file that is not as it was written is known as such."""

    def test_wherever_it_was_cut_off(self, path: Path) -> None:
        """A file that ends early is not whole, at whichever byte it ends."""
        write_checkpoint(path, {"weights": torch.rand(50)})
        whole = path.read_bytes()
        cuts = [0, 1, len(whole) - 1, *random.Random(0).sample(range(len(whole)), 60)]
        for cut in cuts:
            path.write_bytes(whole[:cut])
            assert not is_whole(path), cut

    def test_wherever_its_directory_was_changed(self, path: Path) -> None:
        """The end of the file says where all else is: it may then point to before the file."""
        write_checkpoint(path, {"weights": torch.rand(100)})
        whole = path.read_bytes()
        torn = 0
        for place in range(len(whole) - 100, len(whole)):
            for bit in range(8):
                changed = bytearray(whole)
                changed[place] ^= 1 << bit
                path.write_bytes(changed)
                torn += not is_whole(path)
        assert torn > 100

    def test_wherever_weights_were_changed(self, path: Path) -> None:
        """One bit of a tensor is enough, which torch would load without a word."""
        weights = torch.rand(5000)
        write_checkpoint(path, {"weights": weights})
        content = bytearray(path.read_bytes())
        place = content.index(weights.numpy().tobytes())
        for byte in random.Random(0).sample(range(place, place + 20_000), 20):
            content[byte] ^= 1
            path.write_bytes(content)
            assert not is_whole(path), byte
            content[byte] ^= 1

    def test_wherever_zeros_took_its_place(self, path: Path) -> None:
        """A file whose last blocks never reached the disk reads as zeros there."""
        write_checkpoint(path, {"weights": torch.rand(5000)})
        whole = path.read_bytes()
        for kept in (0, 512, 4096, len(whole) - 512):
            path.write_bytes(whole[:kept] + bytes(len(whole) - kept))
            assert not is_whole(path), kept

    @pytest.mark.parametrize("seed", range(20))
    def test_noise(self, path: Path, seed: int) -> None:
        """Bytes from elsewhere are no checkpoint, and no other error either."""
        write_checkpoint(path, {"weights": torch.rand(50)})
        content, draw = bytearray(path.read_bytes()), random.Random(seed)
        for place in draw.sample(range(len(content)), 200):
            content[place] = draw.randrange(256)
        path.write_bytes(content)

        assert not is_whole(path)

    def test_a_file_that_cannot_be_read_is_not_torn(self, tmp_path: Path) -> None:
        """What the disk refuses is its error: the file may be the best there is."""
        (tmp_path / "folder").mkdir()
        with pytest.raises(IsADirectoryError):
            is_whole(tmp_path / "folder")


class TestRefused:
    """What is whole, but no checkpoint to go on from."""

    def test_loading_runs_no_code(self, path: Path, tmp_path: Path) -> None:
        """A file that someone else put there is refused before anything in it runs."""
        torch.save({"sift_checkpoint_format": FORMAT, "trap": Trap(tmp_path / "sprung")}, path)
        with pytest.raises(SiftStateError, match="is no checkpoint that can be loaded safely"):
            read_checkpoint(path)

        assert not (tmp_path / "sprung").exists()

    def test_a_newer_format(self, path: Path) -> None:
        """A checkpoint of a newer toolkit is refused in words, never half understood."""
        torch.save({"sift_checkpoint_format": FORMAT + 1}, path)
        with pytest.raises(SiftStateError, match=rf"newer sift_toolkit, in format {FORMAT + 1}"):
            read_checkpoint(path)

    @pytest.mark.parametrize("content", [{"sift_checkpoint_format": "x"}, {}, [1]])
    def test_another_file(self, path: Path, content: Any) -> None:
        """A file of torch's that is something else is no checkpoint."""
        torch.save(content, path)
        with pytest.raises(SiftStateError, match=rf"no checkpoint .* in format {FORMAT}"):
            read_checkpoint(path)
