"""Packages that only some calls need."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

from sift_toolkit.errors import SiftJobError

__all__ = ["needed"]


@contextmanager
def needed(what: str, package: str) -> Iterator[None]:
    """Say in words that *package*, which *what* imports inside, is not there.

    Raises:
        SiftJobError: it is not.
    """
    try:
        importlib.import_module(package)
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise
        msg = f"{what} needs {package}, which is not installed: pip install {package}"
        raise SiftJobError(msg) from error
