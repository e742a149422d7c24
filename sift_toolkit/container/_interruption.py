"""SIGTERM, noticed between two steps, so that a checkpoint can be written before the end."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final

EXIT_CODE: Final = 128 + signal.SIGTERM
"""What a process ends with that was asked to end: as a shell has it, and `docker stop`."""

_ECHO_SECONDS: Final = 2.0
"""For which a further SIGTERM is the first one's echo: torchrun passes on what all of its group
got already."""


class Interruption:
    """Whether this process was asked to end.

    As long as nobody has asked `received`, SIGTERM ends the process at once, with status 143. From
    then on the first one is only noted, for whoever asks is going to end in time; one that comes
    later ends the process at once.

    Processes that are forked meanwhile have the handler of before.

    Args:
        clock: replaced in tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._is_awaited = False
        self._received_at: float | None = None
        self._before: Any = signal.SIG_DFL
        self._minds_forks = False
        self._masks = threading.local()

    @property
    def received(self) -> bool:
        """Whether SIGTERM has come."""
        self._is_awaited = True
        return self._received_at is not None

    @contextlib.contextmanager
    def noticed(self) -> Iterator[None]:
        """Notice SIGTERM in here; only the main thread can, in others nothing is done."""
        before = signal.getsignal(signal.SIGTERM)
        # None where a library in C has its own, which Python can neither call nor put back.
        if before is None or threading.current_thread() is not threading.main_thread():
            yield
            return
        self._before = before
        self._is_awaited, self._received_at = False, None
        self._mind_forks()
        signal.signal(signal.SIGTERM, self._take)
        try:
            yield
        finally:
            self._put_back()
            self._received_at = None

    @property
    def _is_noticing(self) -> bool:
        return signal.getsignal(signal.SIGTERM) == self._take

    def _put_back(self) -> None:
        # A script may have put one of its own there, which stays.
        if self._is_noticing:
            signal.signal(signal.SIGTERM, self._before)

    def _take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as Python calls
        if self._is_awaited and self._received_at is None:
            self._received_at = self._clock()
            return
        if self._received_at is not None and self._clock() - self._received_at < _ECHO_SECONDS:
            return
        if self._before == signal.SIG_DFL:
            # Not of the signal: jobs of sagemaker-pytorch-training were seen to end with status 0
            # then, as if they were complete.
            os._exit(EXIT_CODE)
        signal.signal(number, self._before)
        os.kill(os.getpid(), number)

    def _mind_forks(self) -> None:
        if not self._minds_forks:
            self._minds_forks = True
            os.register_at_fork(
                before=self._hold, after_in_parent=self._release, after_in_child=self._leave
            )

    def _hold(self) -> None:
        """Let SIGTERM wait: one that came to a child before Python is ready there would be lost."""
        self._masks.before = (
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            if self._is_noticing
            else None
        )

    def _release(self) -> None:
        if self._masks.before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._masks.before)

    def _leave(self) -> None:
        """In a child nobody asks: it is to end when it is told to."""
        self._put_back()
        self._received_at = None
        self._release()


interruption: Final = Interruption()
"""Of this process; entry points let it take notice."""
