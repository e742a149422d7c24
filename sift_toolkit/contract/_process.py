"""Running one command in a process group of its own, and never leaving any of it behind."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from sift_toolkit.contract._log import MOST_LINE

_TICK_SECONDS: Final = 0.1
_DRAIN_SECONDS: Final = 1.0
_CHUNK_BYTES: Final = 65536


def run_streaming(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    log: IO[str],
    on_line: Callable[[str], None],
    grace_seconds: float,
) -> int:
    """Run *command* in *folder*, give each line it prints to *log* and *on_line*, return its code.

    The code is the command's exit status, or 128 plus the signal that ended it, as a shell has it.
    Whatever the command left running is killed when it ends. If anything is raised meanwhile, be it
    by *on_line* or by Ctrl-C, the whole group is asked to end (SIGTERM), killed after
    *grace_seconds*, and the exception goes on. What it prints while ending goes to *log* alone.
    """
    process = subprocess.Popen(
        command,
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    lines = _LineReader(process)
    try:
        _stream(process, lines, log, on_line)
        while not _has_exited(process):
            time.sleep(_TICK_SECONDS)
    except BaseException:
        if process.returncode is None:
            _signal_group(process, signal.SIGTERM)
            lines.drain(log, grace_seconds)
        raise
    finally:
        if process.returncode is None:
            _signal_group(process, signal.SIGKILL)
            process.wait()
        lines.close()
    code = process.returncode
    return 128 - code if code < 0 else code


class _LineReader:
    """The lines a process prints, read without ever blocking for long."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._pipe = process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._pipe, selectors.EVENT_READ)
        # A carriage return ends a line too: progress bars redraw theirs with it.
        self._decoder = io.IncrementalNewlineDecoder(
            codecs.getincrementaldecoder("utf-8")("replace"), translate=True
        )
        self._pending = ""
        self.ended = False
        """Whether every process that could print has gone."""
        self.quiet = False
        """Whether nothing came in the last tick."""

    def read(self) -> list[str]:
        """Return the lines completed since, waiting for some for at most a tick."""
        self.quiet = not self._selector.select(_TICK_SECONDS)
        if self.quiet:
            return []
        chunk = os.read(self._pipe.fileno(), _CHUNK_BYTES)
        self.ended = not chunk
        text = self._decoder.decode(chunk, final=self.ended)
        *lines, self._pending = (self._pending + text).split("\n")
        if len(self._pending) > MOST_LINE:
            # A line without an end would be copied, and kept, from its beginning each time.
            lines, self._pending = [*lines, self._pending], ""
        return [*lines, *self.rest()] if self.ended else lines

    def rest(self) -> list[str]:
        """Return the last line, if it was begun and never ended."""
        rest, self._pending = self._pending, ""
        return [rest] if rest else []

    def drain(self, log: IO[str], seconds: float) -> None:
        """Write what is still printed to *log*, until all has gone or *seconds* have passed."""
        deadline = time.monotonic() + seconds
        while not self.ended and time.monotonic() < deadline:
            log.writelines(line + "\n" for line in self.read())

    def close(self) -> None:
        """Let go of the pipe."""
        self._selector.close()
        self._pipe.close()


def _stream(
    process: subprocess.Popen[bytes],
    lines: _LineReader,
    log: IO[str],
    on_line: Callable[[str], None],
) -> None:
    deadline: float | None = None
    while not lines.ended:
        _deliver(lines.read(), log, on_line)
        if deadline is None and _has_exited(process):
            # Should something of it have got away, the pipe stays open: it is not waited for.
            deadline = time.monotonic() + _DRAIN_SECONDS
        elif deadline is not None and (lines.quiet or time.monotonic() > deadline):
            break
    _deliver(lines.rest(), log, on_line)


def _deliver(lines: Sequence[str], log: IO[str], on_line: Callable[[str], None]) -> None:
    for line in lines:
        log.write(line + "\n")
        on_line(line)


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    """Whether the command has ended; what it left running is killed that very moment."""
    if process.returncode is None and process.poll() is not None:
        _signal_group(process, signal.SIGKILL)
    return process.returncode is not None


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # Refused where all that is left of the group are processes that ended.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
