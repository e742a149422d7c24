"""One checkpoint's file: whole or not there, known to be whole, loaded without running code."""

from __future__ import annotations

import contextlib
import errno
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import torch

from sift_toolkit.errors import SiftStateError
from sift_toolkit.outside import shown

PARTIAL_SUFFIX: Final = ".partial"
"""Ends the name of a file that is being written."""

FORMAT: Final = 2
"""Version of what a file holds; raised when an older package could not read it any more."""

_FORMAT_KEY: Final = "sift_checkpoint_format"

_CUT_OFF: Final = (
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading the archive may raise where bytes are missing or were changed."""


_UNLOADABLE: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    struct.error,
)
"""What torch may raise where a file that is whole was made by somebody else."""


def write_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint: until it is whole and on the disk, *path* is what it was before.

    Raises:
        OSError: it cannot be written, as on a full disk; nothing of it is left.
        SiftStateError: it holds objects that would be refused when it is loaded.
    """
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    try:
        _write({_FORMAT_KEY: FORMAT, **content}, partial)
        _refuse_what_cannot_be_loaded(partial)
        os.replace(partial, path)  # noqa: PTH105 - the atomic one
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    _keep_name(path.parent)


def is_whole(path: Path) -> bool:
    """Whether every byte of a file is there, as it was written; torch itself looks at few of them.

    Torch packs nothing tighter. What is packed is none of its files, and may unpack to any size.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if any(each.compress_type != zipfile.ZIP_STORED for each in archive.infolist()):
                return False
            return archive.testzip() is None
    except _CUT_OFF:
        return False
    except OSError as error:
        if _is_of_the_disk(error):
            raise
        return False


def _is_of_the_disk(error: BaseException) -> bool:
    # The archive's own directory may point to before the file: nothing is wrong with the disk.
    return isinstance(error, OSError) and error.errno != errno.EINVAL


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint that is whole into the CPU's memory.

    Raises:
        SiftStateError: it is of a newer format, no checkpoint of ours, or holds what would run
            code.
    """
    content = load_safely(path)
    found = content.get(_FORMAT_KEY)
    if not isinstance(found, int):
        found = 0
    if found == FORMAT:
        return content
    if found > FORMAT:
        msg = (
            f"{str(path)!r} was written by a newer sift_toolkit, in format {shown(found)}; this "
            f"one reads format {FORMAT}: go on with the newer one, or give this job a checkpoint "
            "folder of its own"
        )
        raise SiftStateError(msg)
    msg = f"{str(path)!r} is no checkpoint of sift_toolkit in format {FORMAT}: remove it"
    raise SiftStateError(msg)


def load_safely(path: Path) -> dict[str, Any]:
    """Return the dict of tensors and plain values in a file of torch's; nobody's code is run.

    Raises:
        OSError: the file cannot be read.
        SiftStateError: it holds something else, or is not whole.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (*_UNLOADABLE, OSError) as error:
        if _is_of_the_disk(error):
            raise
        # What torch says here recommends to load it unsafely.
        msg = (
            f"{str(path)!r} is no checkpoint that can be loaded safely: it is not whole, or "
            "holds objects other than tensors and plain values; remove it, or declare them with "
            "torch.serialization.add_safe_globals"
        )
        raise SiftStateError(msg) from error
    if isinstance(content, dict):
        return content
    msg = f"{str(path)!r} is no checkpoint of sift_toolkit in format {FORMAT}: remove it"
    raise SiftStateError(msg)


def _write(content: dict[str, Any], partial: Path) -> None:
    try:
        # Not through a link that somebody put there: a file that is there already goes first.
        partial.unlink(missing_ok=True)
        with partial.open("xb") as file, _checksums():
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
    except RuntimeError as error:
        # Torch's own complaint about its archive hides why it could not be written.
        if (cause := _disk_error(error)) is not None:
            raise cause from None
        raise


def _disk_error(error: BaseException) -> OSError | None:
    before = error.__cause__ or error.__context__
    if before is None or isinstance(before, OSError):
        return before
    return _disk_error(before)


@contextlib.contextmanager
def _checksums() -> Iterator[None]:
    """Let torch write the checksums that `is_whole` goes by, should they be switched off."""
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(True)
    try:
        yield
    finally:
        torch.serialization.set_crc32_options(before)


def _refuse_what_cannot_be_loaded(partial: Path) -> None:
    if refused := torch.serialization.get_unsafe_globals_in_checkpoint(partial):
        msg = (
            f"the state to save holds objects that loading would refuse, {', '.join(refused)}: "
            "keep tensors and plain values in it, or declare them with "
            "torch.serialization.add_safe_globals"
        )
        raise SiftStateError(msg)


def _keep_name(folder: Path) -> None:
    """Bring the new name to the disk too, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
