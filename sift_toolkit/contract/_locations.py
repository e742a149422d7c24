"""Where a `file://` address points to on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import unquote

FILE_SCHEME: Final = "file://"


def local_path(address: str) -> Path:
    """Return the absolute path behind a `file://` address or a plain path.

    The SageMaker SDK puts `file://` before any path as it is, `Path.as_uri` escapes it first: the
    path is taken literally if there is something there, and unescaped otherwise.
    """
    text = address.removeprefix(FILE_SCHEME)
    literal = Path(text).absolute()
    unescaped = Path(unquote(text)).absolute()
    return unescaped if unescaped.exists() and not literal.exists() else literal


def is_remote(address: str) -> bool:
    """Whether an address names a scheme that is not `file://`."""
    return "://" in address and not address.startswith(FILE_SCHEME)
