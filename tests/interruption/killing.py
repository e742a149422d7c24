"""Killing a job again and again at random moments, whatever it runs in, until it is done."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal, Protocol

from sift_toolkit.container._checkpoint import is_whole
from sift_toolkit.contract import JobTree
from sift_toolkit.report import REPORT_FILE, SiftReport

PATIENCE = 120.0
"""Seconds that nothing may take longer than: SageMaker's own grace."""

WHOLE = 400.0
"""Seconds for all of a job, or what is left of it, on a machine with much else to do."""

LATE = 15.0
"""Seconds that a life with steps of milliseconds does not need to end."""

RESUMED = re.compile(r"going on from the checkpoint of step (\d+)")
ENDED = re.compile(r"asked to end: it ends after step (\d+)")
OF_TIME = {"load_seconds", "score_seconds", "train_seconds", "estimated_saving", "train_loss"}
"""Measured by the clock, or since the process began: not the same in any two runs."""

When = Literal["at any time", "after a checkpoint", "while one is written"]
MOMENTS: tuple[tuple[When, signal.Signals], ...] = (
    ("at any time", signal.SIGTERM),
    ("at any time", signal.SIGKILL),
    ("after a checkpoint", signal.SIGTERM),
    ("after a checkpoint", signal.SIGKILL),
    ("while one is written", signal.SIGTERM),
    ("while one is written", signal.SIGKILL),
    ("while one is written", signal.SIGKILL),
)


class Life(Protocol):
    """A job that runs, from one start to its end: a process, or a container."""

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        ...

    def kill(self, number: signal.Signals) -> None:
        """Send a signal."""
        ...

    def wait(self, seconds: float) -> int:
        """Wait for its end, return its exit status."""
        ...

    def logs(self) -> list[str]:
        """Return what it has printed."""
        ...


Start = Callable[[], AbstractContextManager[Life]]


@dataclass(frozen=True)
class Death:
    """How one life ended."""

    when: When
    signal: signal.Signals
    exit_status: int
    seconds: float
    """From the signal to the end."""
    saved: int
    """Step of the newest whole checkpoint there was then, 0 for none."""
    was_writing: bool
    """Whether half a checkpoint was left."""
    was_late: bool
    """Whether SIGTERM did not end it: a container's first process gets none before it asks."""

    def __str__(self) -> str:
        torn = ", half a checkpoint left" if self.was_writing else ""
        torn += ", not by that" if self.was_late else ""
        return (
            f"{self.signal.name} {self.when}: status {self.exit_status} after "
            f"{self.seconds:.2f} s, step {self.saved} is saved{torn}"
        )


def killed_again_and_again(
    start: Start, folder: Path, *, kills: int, seed: int, startup: float
) -> list[Death]:
    """Start a job, kill it, start it again, and so on; the last time let it come to its end.

    Each life must begin where the one before was last saved, whole: nothing is lost.

    Args:
        start: starts a life, with the same checkpoint folder each time.
        folder: that folder.
        kills: how many.
        seed: of the moments, which is printed.
        startup: seconds within which "at any time" lies.
    """
    print(f"kill times are drawn from seed {seed}")
    draw = Random(seed)
    moments = [MOMENTS[number % len(MOMENTS)] for number in range(kills)]
    draw.shuffle(moments)
    deaths: list[Death] = []
    for when, number in moments:
        saved = newest_whole(folder)
        with start() as life:
            _await(when, life, folder, draw, startup)
            asked = time.monotonic()
            life.kill(number)
            late = _is_late(life)
            assert not (late and when != "at any time"), "\n".join(life.logs())
            if late:
                # As the service does it: who does not end, is ended.
                life.kill(signal.SIGKILL)
            status = life.wait(PATIENCE)
            seconds = time.monotonic() - asked
            log = life.logs()
        assert status, f"the job was done after {len(deaths)} kills of {kills}: make it longer"
        _check_life(log, saved, newest_whole(folder))
        half = any(folder.glob("*.partial"))
        deaths.append(Death(when, number, status, seconds, newest_whole(folder), half, late))
        print(f"{len(deaths)}. {deaths[-1]}")
    saved = newest_whole(folder)
    with start() as life:
        assert life.wait(WHOLE) == 0, "\n".join(life.logs())
        _check_life(life.logs(), saved, newest_whole(folder))
    return deaths


def _is_late(life: Life) -> bool:
    """Whether a life that was sent a signal goes on for longer than it should."""
    deadline = time.monotonic() + LATE
    while life.running:
        if time.monotonic() > deadline:
            return True
        time.sleep(0.005)
    return False


def _check_life(log: list[str], before: int, after: int) -> None:
    """A life began with what was saved before; asked to end, it saved its last step."""
    printed = "\n".join(log)
    assert "Traceback" not in printed, printed
    resumed = RESUMED.search(printed)
    assert resumed is None or int(resumed[1]) == before, printed
    assert resumed is not None or not before or "training_steps=" not in printed, printed
    ended = ENDED.search(printed)
    assert ended is None or int(ended[1]) == after, printed


def _await(when: When, life: Life, folder: Path, draw: Random, startup: float) -> None:
    """Wait for the moment to kill a life."""
    if when == "at any time":
        time.sleep(draw.uniform(0, startup))
        return
    for _ in range(draw.randint(1, 2)):
        before = newest_name(folder)
        _poll(life, lambda before=before: newest_name(folder) != before)
    if when == "while one is written":
        _poll(life, lambda: any(folder.glob("*.partial")))
    else:
        time.sleep(draw.uniform(0, 0.03))


def _poll(life: Life, is_so: Callable[[], bool]) -> None:
    began = asked = time.monotonic()
    while not is_so():
        now = time.monotonic()
        assert now - began < PATIENCE, "\n".join(life.logs())
        if now - asked > 1.0:
            asked = now
            assert life.running, "\n".join(life.logs())
        time.sleep(0.0005)


def newest_name(folder: Path) -> str:
    """Return the name of the newest checkpoint, whole or not, empty for none."""
    return max((path.name for path in _checkpoints(folder)), default="")


def newest_whole(folder: Path) -> int:
    """Return the step of the newest checkpoint that is whole, 0 for none."""
    return max((_step(path) for path in _checkpoints(folder) if is_whole(path)), default=0)


def _checkpoints(folder: Path) -> Iterator[Path]:
    return folder.glob("sift_checkpoint_*.pt")


def _step(path: Path) -> int:
    return int(path.stem.rpartition("_")[2])


@dataclass(frozen=True)
class Outcome:
    """What a job left that must be the same however often it was interrupted."""

    model: bytes
    observations: list[dict[str, float]]
    """All counters, accuracies and shares of the report, times left out."""


def outcome_of(tree: JobTree) -> Outcome:
    """Read what a job left."""
    report = SiftReport.read(tree.output_data_dir / REPORT_FILE)
    return Outcome(
        (tree.model_dir / "model.pt").read_bytes(),
        [
            {name: value for name, value in each.values.items() if name not in OF_TIME}
            for each in report.observations
        ],
    )
