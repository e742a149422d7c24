"""A log file, line by line, whatever is in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

MOST_LINE: Final = 1 << 16
"""Characters of a line; a longer one comes in pieces, for a file may be one line of gigabytes."""


def read_log(path: Path) -> Iterator[str]:
    """Yield each line of a log, without its end; bytes that are no UTF-8 are replaced.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open(encoding="utf-8", errors="replace") as log:
        while line := log.readline(MOST_LINE):
            yield line.removesuffix("\n")
