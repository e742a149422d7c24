"""What watching a job outlives: throttling, faults of AWS, a lost network, expired credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from sift_toolkit.client._aws_errors import AwsTrouble, aws_trouble
from sift_toolkit.client._aws_faults import EXPIRED, INTERNAL, NETWORK, THROTTLED, Fault
from sift_toolkit.errors import SiftJobError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Patience", "pause_after"]

_Answer = TypeVar("_Answer")

_OUTLIVED: Final = (THROTTLED, INTERNAL, NETWORK, EXPIRED)
_LONGEST_PAUSE: Final = 300.0
_LONGEST_WAIT: Final = 3600.0
"""Seconds without an answer after which nobody is expected to mend it."""


def pause_after(failures: int, poll_seconds: float) -> float:
    """Return the seconds to wait after so many failures in a row: doubled each time, up to 300."""
    # Beyond 2**20 of anything the longest pause is reached, and powers become infinite.
    return min(poll_seconds * 2.0 ** min(failures - 1, 20), max(_LONGEST_PAUSE, poll_seconds))


class Patience:
    """Asks AWS again where that may help, with ever longer pauses, and says that it does.

    Args:
        name: The training job.
        renew: Finds fresh credentials; False: there can be none.
        say: Prints a line.
        sleep: Waits so many seconds.
        poll_seconds: The first pause.
    """

    def __init__(
        self,
        name: str,
        *,
        renew: Callable[[], bool],
        say: Callable[[str], None],
        sleep: Callable[[float], Any],
        poll_seconds: float,
    ) -> None:
        self._name = name
        self._renew = renew
        self._say = say
        self._sleep = sleep
        self._poll_seconds = poll_seconds
        self._failures = 0
        self._waited = 0.0
        self._said: Fault | None = None

    def ask(self, call: Callable[[], _Answer]) -> _Answer:
        """Return what *call* returns, once it does.

        Raises:
            SiftJobError: asking again does not help, or has not for an hour.
        """
        self._failures, self._waited = 0, 0.0
        while True:
            try:
                answer = call()
            except Exception as error:  # noqa: PERF203 - a pause follows anyway
                if not self._bears(error):
                    raise
            else:
                if self._said is not None:
                    self._say(f"{self._name}: AWS answers again")
                    self._said = None
                return answer

    def _bears(self, error: Exception) -> bool:
        """Wait until asking again makes sense; False: it is no error of AWS."""
        trouble = aws_trouble(error)
        if trouble is None:
            return False
        expired = trouble.fault is EXPIRED
        bearable = trouble.fault in _OUTLIVED and self._waited < _LONGEST_WAIT
        if not bearable or (expired and not self._renew()):
            raise SiftJobError(self._given_up(trouble)) from error
        self._failures += 1
        if expired and self._failures == 1:
            return True
        if self._said is not trouble.fault:
            self._said = trouble.fault
            self._say(f"{self._name}: {trouble.text}. Trying again; the job goes on")
        pause = pause_after(self._failures, self._poll_seconds)
        self._sleep(pause)
        self._waited += pause
        return True

    def _given_up(self, trouble: AwsTrouble) -> str:
        return (
            f"training job {self._name!r} could not be looked at: {trouble.text}. If it runs, it "
            "goes on, and is charged for, until it ends or is stopped"
        )
