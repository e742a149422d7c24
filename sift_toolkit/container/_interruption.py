"""SIGTERM, noticed between two steps, so that a checkpoint can be written before the end."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

EXIT_CODE: Final = 128 + signal.SIGTERM
"""What a process ends with that was asked to end: as a shell has it, and `docker stop`."""


class Interruption:
    """Whether this process was asked to end.

    As long as nobody has asked `received`, SIGTERM ends the process as it does without us. From
    then on the first one is only noted, for whoever asks is going to end in time; a second one
    ends the process at once.
    """

    def __init__(self) -> None:
        self._process = 0
        self._is_awaited = False
        self._received = False
        self._before: Any = signal.SIG_DFL

    @property
    def received(self) -> bool:
        """Whether SIGTERM has come."""
        self._is_awaited = True
        return self._received

    @contextlib.contextmanager
    def noticed(self) -> Iterator[None]:
        """Notice SIGTERM in here; only the main thread can, in others nothing is done."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._is_awaited = self._received = False
        self._process = os.getpid()
        self._before = signal.signal(signal.SIGTERM, self._take) or signal.SIG_DFL
        try:
            yield
        finally:
            # A script may have put one of its own there, which stays.
            if signal.getsignal(signal.SIGTERM) == self._take:
                signal.signal(signal.SIGTERM, self._before)

    def _take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as Python calls
        signal.signal(number, self._before)
        # A process that was forked inherits all this, but nobody in it asks.
        if self._is_awaited and os.getpid() == self._process:
            self._received = True
        else:
            os.kill(os.getpid(), number)


interruption: Final = Interruption()
"""Of this process; entry points let it take notice."""
