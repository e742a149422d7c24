"""Files that a command writes beside what it prints."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click


@contextlib.contextmanager
def written(path: Path) -> Iterator[None]:
    """Make the folder that *path* is in, and say in words why it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise click.FileError(str(path), error.strerror or str(error)) from error
