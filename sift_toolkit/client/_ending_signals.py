"""Signals that would end this process at once, and leave the job that it runs behind."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

__all__ = ["EndedBySignal", "ended_by_signals"]

_ENDING: Final = tuple(
    number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)
_SIGNAL_BASE: Final = 128
"""What a shell adds to the number of the signal that ended a process."""


class EndedBySignal(SystemExit):
    """A signal came that ends this process."""

    def __init__(self, number: int) -> None:
        super().__init__(_SIGNAL_BASE + number)
        self.number = number


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `EndedBySignal`, so that what runs in here is ended first.

    A signal that this process ignores, as under nohup, or has a handler of its own for, stays as it
    is. Only the main thread may set handlers; in another, signals do what they always did.
    """

    def end(number: int, _: FrameType | None) -> None:
        raise EndedBySignal(number)

    is_main = threading.current_thread() is threading.main_thread()
    taken = [each for each in _ENDING if is_main and signal.getsignal(each) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)
