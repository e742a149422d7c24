"""The failure file: why a job failed, in one short sentence."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator

from sift_toolkit.contract import JobTree


@contextlib.contextmanager
def failure_written(tree: JobTree) -> Iterator[None]:
    """Write a short reason to the job's failure file when something is raised in here.

    Exit codes go by: of those sagemaker-training has more to tell, from what was printed.
    """
    try:
        yield
    except BaseException as error:
        if tree.exists and not _is_exit_code(error):
            # A disk that is full must not hide what went wrong.
            with contextlib.suppress(OSError):
                tree.write_failure(reason_of(error))
        raise


def reason_of(error: BaseException) -> str:
    """Return ``ExceptionName: message``; the message need not be printable."""
    text = "".join(traceback.format_exception_only(error)).strip()
    return text.removeprefix(f"{type(error).__module__}.")


def _is_exit_code(error: BaseException) -> bool:
    return isinstance(error, SystemExit) and not isinstance(error.code, str)
