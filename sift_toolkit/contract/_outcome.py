"""How a job on this machine ended, in its folder: for whoever looks at that later."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeAlias

from sift_toolkit.contract._tree import JobTree
from sift_toolkit.outside import damage_in_words, read_json, shown

__all__ = ["JobOutcome", "interruption_written", "read_outcome", "write_outcome"]

Status: TypeAlias = Literal["InProgress", "Completed", "Failed", "Stopped"]

_SECONDS: Final = "seconds"
_READ: Final = ("status", "failure_reason", _SECONDS)
_MOST_SECONDS: Final = 1e12


@dataclass(frozen=True, kw_only=True)
class JobOutcome:
    """What the folder of a job remembers of its end."""

    status: Status
    """'InProgress' stays where what launched the job was killed."""
    failure_reason: str | None = None
    exit_code: int | None = None
    seconds: float | None = None


def write_outcome(tree: JobTree, outcome: JobOutcome) -> None:
    """Write how a job ended, or that it has begun, into its folder."""
    tree.outcome_file.write_text(json.dumps(asdict(outcome), indent=1), encoding="utf-8")


@contextmanager
def interruption_written(tree: JobTree) -> Iterator[None]:
    """Write that a job was stopped, where it is ended by an error out of this."""
    began = time.monotonic()
    try:
        yield
    except BaseException:
        # What ended it is to be told, and not that its folder is gone, say.
        with suppress(OSError):
            write_outcome(tree, JobOutcome(status="Stopped", seconds=time.monotonic() - began))
        raise


def read_outcome(tree: JobTree) -> dict[str, Any]:
    """Return status, failure_reason and seconds as a job's folder tells them; nothing if not.

    Raises:
        SiftStateError: the file has another form.
    """
    path = tree.outcome_file
    if not path.is_file():
        return {}
    with damage_in_words(f"{path} does not tell how a job ended"):
        outcome = read_json(path.read_bytes())
        if not isinstance(outcome, dict) or not all(map(_fits, _READ, map(outcome.get, _READ))):
            msg = f"status, failure_reason and seconds were looked for in {shown(outcome)}"
            raise TypeError(msg)
    return outcome


def _fits(name: str, value: object) -> bool:
    if value is None:
        return True
    if name != _SECONDS:
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value < _MOST_SECONDS
