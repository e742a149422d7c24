"""How far each rank is, for those that wait: told through the store by a thread of each rank.

A rank that hangs in somebody else's collective cannot tell anything any more, but its thread can.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

_logger = logging.getLogger(__name__)

_BEAT: Final = 1.0
"""Seconds between two signs of life."""
_SILENCE: Final = 60.0
"""Seconds without one after which a rank on another machine counts as ended; a long call that
holds Python's lock must not be taken for that."""

_FAILED_KEY: Final = "failed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Status:
    """How far a rank is."""

    epochs: int = 0
    """Epochs begun."""
    steps: int = 0
    """Batches handed out in the epoch under way."""
    meetings: int = 0
    """Starts of epochs it has come to."""
    place: str = ""
    """Machine and process namespace."""
    process: int = 0
    beats: int = 0

    def at(self, epochs: int, steps: int) -> Status:
        """Return the status at another place of the run."""
        return dataclasses.replace(self, epochs=epochs, steps=steps)

    def after_meeting(self, meetings: int) -> Status:
        """Return the status once the rank has come to its next meeting."""
        return dataclasses.replace(self, meetings=meetings)


class StatusBoard:
    """Shows this rank's status, and reads those of others.

    Args:
        store: shared by the ranks.
        rank: this one.
        note: is told of a failure elsewhere, once.
    """

    def __init__(self, store: Store, rank: int, note: Callable[[str], None]) -> None:
        self._store = store
        self._rank = rank
        self._note = note
        self._over = threading.Event()
        self._has_noted = False
        self._last_beats: dict[int, tuple[int, float]] = {}
        self._beats = 0
        self.status = Status(place=_place(), process=os.getpid())
        self._show()
        thread = threading.Thread(target=self._go_on_showing, name="sift ranks", daemon=True)
        thread.start()
        self._thread = thread

    def stop(self) -> None:
        """Show no more. At the end of a process too: a thread in the store then would crash it."""
        self._over.set()
        if self._thread is not threading.current_thread():
            self._thread.join(2 * _BEAT)

    def _go_on_showing(self) -> None:
        while not self._over.wait(_BEAT):
            try:
                self._show()
                reason = self.failure()
            except RuntimeError:
                # The store is gone, with the process that held it or with the process group.
                return
            if reason is not None and not self._has_noted:
                self._has_noted = True
                self._note(f"a rank has failed: {reason}")

    def _show(self) -> None:
        # The status has one writer, the training; the beats have another, this thread.
        self._beats += 1
        shown = dataclasses.replace(self.status, beats=self._beats)
        self._store.set(self._key(self._rank), json.dumps(dataclasses.asdict(shown)))

    def _key(self, rank: int) -> str:
        return f"status {rank}"

    def publish_failure(self, reason: str) -> None:
        """Tell all ranks that this one stops; the first reason stays."""
        self._has_noted = True
        try:
            self._store.compare_set(_FAILED_KEY, "", f"rank {self._rank}: {reason}")
        except RuntimeError:
            # Nobody is left to be told.
            return

    def failure(self) -> str | None:
        """Return what the first rank that failed said, None if none has."""
        if not self._store.check([_FAILED_KEY]):
            return None
        reason: str = self._store.get(_FAILED_KEY).decode()
        return reason

    def of_all(self, size: int) -> list[Status | None]:
        """Return the status of each rank by rank; None: it has ended."""
        return [self._of(rank) for rank in range(size)]

    def _of(self, rank: int) -> Status | None:
        status = Status()
        if self._store.check([self._key(rank)]):
            status = Status(**json.loads(self._store.get(self._key(rank))))
        now = time.monotonic()
        beats, since = self._last_beats.get(rank, (status.beats, now))
        if beats != status.beats:
            since = now
        self._last_beats[rank] = (status.beats, since)
        return status if _lives(status) and now - since < _SILENCE else None


def why_missing(statuses: Sequence[Status | None], meeting: int, left: Status) -> str | None:
    """Return why the ranks that have not come to a meeting never will; None: they may be slow.

    Args:
        statuses: by rank; None: it has ended.
        meeting: number of the meeting that is waited for.
        left: epochs and steps of the rank that waits, when it left its last epoch.
    """
    for rank, status in enumerate(statuses):
        if status is None:
            return f"rank {rank} has ended"
        is_missing = status.meetings < meeting
        if is_missing and status.epochs == left.epochs and status.steps > left.steps:
            return (
                f"rank {rank} took batch {status.steps} of epoch {left.epochs}, another rank left "
                f"that epoch after {left.steps}: all ranks must leave an epoch at the same batch"
            )
    return None


def whom_for(statuses: Sequence[Status | None], meeting: int, left: Status) -> str:
    """Return in words which ranks have not come to a meeting, and where they are.

    Args:
        statuses: by rank.
        meeting: number of the meeting that is waited for.
        left: epochs and steps of the rank that waits, when it left its last epoch.
    """
    missing = ", ".join(
        f"rank {rank} is at batch {status.steps} of epoch {status.epochs}"
        for rank, status in enumerate(statuses)
        if status is not None and status.meetings < meeting
    )
    return f"waiting for ranks to begin epoch {left.epochs + 1}: {missing}"


def aloud(note: Callable[[str], None]) -> Callable[[str], None]:
    """Return what tells *note*, and the log: notes of most ranks are shown to nobody."""

    def say(words: str) -> None:
        _logger.warning("%s", words)
        try:
            note(words)
        except Exception:
            # The thread that tells this rank's status must go on.
            _logger.exception("a note could not be taken")

    return say


def _place() -> str:
    """Return what tells process numbers here from those elsewhere; empty where they cannot be."""
    try:
        return f"{socket.gethostname()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _lives(status: Status) -> bool:
    if not status.place or status.place != _place():
        return True
    try:
        stat = Path(f"/proc/{status.process}/stat").read_text()
    except OSError:
        return False
    # After the name, which may hold anything: the state, Z for one that nobody has buried yet.
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}
