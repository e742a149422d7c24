"""The failure file: why a job failed, in one short sentence."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final

from sift_toolkit.contract import JobTree

_LOOK_SECONDS: Final = 0.05
_LOOKS: Final = 10


class FailureWritten(contextlib.AbstractContextManager[None]):
    """Write a short reason to the job's failure file when something is raised in here.

    Exit codes go by: of those sagemaker-training has more to tell, from what was printed.

    No generator: torch raises wherever a worker's end finds this process, and one that it finds
    outside of a generator's own code ends it without a word.
    """

    def __init__(self, tree: JobTree) -> None:
        self._tree = tree

    def __exit__(
        self, kind: object, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell *error*, or what torch says of a worker in the middle of that."""
        if error is None or not self._tree.exists or _is_exit_code(error):
            return
        try:
            self._tell(cause_of(error))
        except RuntimeError as told:
            self._tell(told)

    def _tell(self, cause: BaseException) -> None:
        # A disk that is full must not hide what went wrong.
        with _no_news_of_children(), contextlib.suppress(OSError):
            self._tree.write_failure(reason_of(cause))


def reason_of(error: BaseException) -> str:
    """Return ``ExceptionName: message``; the message need not be printable."""
    text = "".join(traceback.format_exception_only(error)).strip()
    return text.removeprefix(f"{type(error).__module__}.")


def cause_of(error: BaseException) -> BaseException:
    """Return what torch says of a loader's worker that was killed, where that is behind *error*.

    The one that waits for the worker may see a connection break off before torch sees it dead.
    """
    try:
        is_suspect = isinstance(error, ConnectionError | EOFError)
        is_suspect = is_suspect or "DataLoader worker" in reason_of(error)
        check = _check_of_workers()
        for _ in range(_LOOKS if is_suspect else 0):
            check()
            time.sleep(_LOOK_SECONDS)
    except RuntimeError as told:
        # By what was called here, or out of turn: torch does so wherever a child's end finds it.
        return told
    return error


def _check_of_workers() -> Callable[[], None]:
    # Not imported: a script that does without torch has no such workers. Torch's own name for what
    # it calls at each end of a child; without it, the words are less clear.
    torch = sys.modules.get("torch")
    check: Callable[[], None] = getattr(
        getattr(torch, "_C", None), "_error_if_any_worker_fails", lambda: None
    )
    return check


@contextlib.contextmanager
def _no_news_of_children() -> Iterator[None]:
    """Keep torch from raising in here: it does so wherever a worker's end finds this process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    try:
        before = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    except RuntimeError:
        # It has done so just now, and the second time there is nothing left to tell.
        before = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before or signal.SIG_DFL)


def _is_exit_code(error: BaseException) -> bool:
    return isinstance(error, SystemExit) and not isinstance(error.code, str)
