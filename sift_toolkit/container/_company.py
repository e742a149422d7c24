"""The other processes of a job: one that fails tells them why, one that ends is missed."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import torch.distributed as dist

from sift_toolkit.container._failure import cause_of, reason_of
from sift_toolkit.contract import JobTree
from sift_toolkit.errors import SiftRankError
from sift_toolkit.sifting import StatusBoard

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

_GRACE_SECONDS: Final = 20.0
"""For which a process may go on once another has failed. Of use where it hangs in a collective
that nobody will finish, and less than the 30 s after which torchrun kills without a word."""

_REASON_SECONDS: Final = 3.0
"""For which the reason of a lost connection is looked for: what is broken is seen before why."""

_LOOK_SECONDS: Final = 0.1


class Company:
    """The other processes, and what is known of how they fare.

    Args:
        group: all of them; its collectives are on the CPU.
        store: shared by them.
        rank: of this process.
        tree: of the job, for the reason where this process must be ended from inside.
    """

    def __init__(self, group: dist.ProcessGroup, store: Store, rank: int, tree: JobTree) -> None:
        # Absent where PyTorch is built without torch.distributed; then nobody comes here.
        from torch.distributed.distributed_c10d import PrefixStore

        self.group = group
        self._size = group.size()
        self._tree = tree
        self._has_left = threading.Event()
        self._board = StatusBoard(
            PrefixStore("sift_toolkit/processes", store), rank, self._mind_failure
        )

    def leave(self) -> None:
        """Tell nothing any more, and mind nobody."""
        self._has_left.set()
        self._board.stop()

    @contextlib.contextmanager
    def failing_together(self) -> Iterator[None]:
        """Tell the others of what fails in here; say why, where it fails because of another."""
        try:
            yield
        except SystemExit as error:
            self._board.publish_failure(f"it ended by itself, with exit code {error.code!r}")
            raise
        except SiftRankError:
            raise
        except Exception as error:
            if (reason := self._reason_elsewhere(error)) is not None:
                raise SiftRankError(reason) from error
            self._board.publish_failure(reason_of(cause_of(error)))
            raise

    def _reason_elsewhere(self, error: Exception) -> str | None:
        """Return why another process makes this one fail; None: the error is its own."""
        if not _is_lost_connection(error):
            return None
        deadline = time.monotonic() + _REASON_SECONDS
        while time.monotonic() < deadline:
            try:
                if (reason := self._board.failure() or self._ended()) is not None:
                    return reason
            except RuntimeError:
                return "lost contact with the first process of the job, which has ended"
            time.sleep(_LOOK_SECONDS)
        return f"lost contact with another process of the job: {error}"

    def _ended(self) -> str | None:
        for rank, status in enumerate(self._board.of_all(self._size)):
            if status is None:
                return f"rank {rank} has ended without a word: killed, or out of memory"
        return None

    def _mind_failure(self, words: str) -> None:
        """End this process, should it not end by itself now that another has failed."""
        threading.Thread(target=self._end_it, args=(words,), name="sift end", daemon=True).start()

    def _end_it(self, words: str) -> None:
        if self._has_left.wait(_GRACE_SECONDS):
            return
        with contextlib.suppress(OSError):
            self._tree.write_failure(f"SiftRankError: {words}")
        sys.stderr.write(f"{words}; this process was waiting for it, and ends\n")
        sys.stderr.flush()
        # Nothing gentler ends a process whose main thread hangs in a collective.
        os._exit(1)


def _is_lost_connection(error: Exception) -> bool:
    # Gloo's errors are plain RuntimeErrors that name its source file.
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and "gloo/" in str(error)
    )
