"""Why a job in the SDK's local mode failed: the SDK itself says that Docker ended with a 1."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sift_toolkit.client._local_mode import COMPOSE_FILE, without_leftovers
from sift_toolkit.contract import FAILURE_REASON_LIMIT, UNREADABLE, JobTree, local_path
from sift_toolkit.errors import SiftJobError

_FAILURE: Final = "failure"
_FILE: Final = "file://"
_OUTPUT: Final = "output.tar.gz"


@contextmanager
def local_job(session: Any, output: str | None, name: Callable[[], object]) -> Iterator[None]:
    """Run a job of SDK v2 so that it leaves no keys here, and its reason is told if it fails.

    Args:
        session: The SDK's LocalSession.
        output: The address its output goes to; None: it stays where it is.
        name: Returns the job's name.

    Raises:
        SiftJobError: the job failed and gave a reason. What it raises without one passes as it is;
            so does all where the output is in S3.
    """
    with (
        without_leftovers(session) as root,
        _failure_in_words(name, lambda: _packed_reason(root, output)),
    ):
        yield


@contextmanager
def local_trainer_job(trainer: Any, *, local: bool) -> Iterator[None]:
    """Run a job of SDK v3 so that it leaves no keys here, and its reason is told if it fails.

    Args:
        trainer: The SDK's ModelTrainer; the folder of its containers may come to be meanwhile.
        local: Whether its jobs run on this machine; of others nothing is said or removed.

    Raises:
        SiftJobError: the job failed and gave a reason. What it raises without one passes as it is.
    """
    if not local:
        yield
        return
    _forget_reason(trainer.local_container_root)
    try:
        with _failure_in_words(
            lambda: trainer.base_job_name, lambda: _reason_left(trainer.local_container_root)
        ):
            yield
    finally:
        if trainer.local_container_root is not None:
            Path(trainer.local_container_root, COMPOSE_FILE).unlink(missing_ok=True)


@contextmanager
def _failure_in_words(
    name: Callable[[], object], reason: Callable[[], str | None]
) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        given = None if isinstance(error, SiftJobError) else reason()
        if given is None:
            raise
        msg = f"training job {name()!r} failed: {given}"
        raise SiftJobError(msg) from error


def _reason_left(root: str | None) -> str | None:
    """Look into the folder of each host, which SDK v3 keeps when a job fails."""
    return next(filter(None, (host.read_failure() for host in _hosts(root))), None)


def _forget_reason(root: str | None) -> None:
    """Remove why a job before failed: SDK v3 gives the next one the same folders."""
    for host in _hosts(root):
        # What belongs to the container's user may have to stay.
        with suppress(OSError):
            host.failure_file.unlink(missing_ok=True)


def _hosts(root: str | None) -> list[JobTree]:
    return [] if root is None else [JobTree(host) for host in sorted(Path(root).glob("algo-*"))]


def _packed_reason(root: Path, output: str | None) -> str | None:
    folders = list(root.glob("*/compressed_artifacts"))
    if output is not None and output.startswith(_FILE):
        folders = [local_path(output)]
    for archive in (folder / _OUTPUT for folder in folders):
        if archive.is_file():
            return _failure_in(archive)
    return None


def _failure_in(archive: Path) -> str | None:
    """Return the reason in an archive; one that cannot be read must not hide what went wrong."""
    with suppress(*UNREADABLE, KeyError, OSError), tarfile.open(archive) as tar:
        if file := tar.extractfile(_FAILURE):
            return file.read(FAILURE_REASON_LIMIT).decode(errors="replace").strip() or None
    return None
