"""PID 1 of a training container: starts `train`, and tells the training script of a SIGTERM.

When SageMaker takes a machine away it sends SIGTERM to the container's first process, and SIGKILL
two minutes later. sagemaker-training's `train` neither handles SIGTERM nor passes it on, so that a
script never learns of it. This program passes it to the script's own processes and waits for them;
`train` then sees its script end, and ends as it always does.

Before that it looks up the job's hosts, for which `train` would take a quarter of an hour if one is
not known.

Standard library only: it runs in any image that has Python.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# Beside this file in the image: sift_toolkit/contract/_hosts.py.
from job_hosts import PATIENCE_SECONDS, hosts_of, why_unknown

_PASSED_ON: Final = (signal.SIGTERM, signal.SIGINT)
_NOT_FOUND: Final = 127
_PROCESSES: Final = Path("/proc")
_SECONDS_VARIABLE: Final = "SIFT_HOST_SECONDS"
"""For which a host of the job may be unknown, if it is to be another time than usual."""

_LAUNCHERS: Final = frozenset({"train", "sh", "bash", "dash", "torchrun", "accelerate"})
"""Programs that run a script in a process of its own. The signal would end them, and the script
with them, or orphaned, or some seconds later."""


def main(command: list[str]) -> int:
    """Run *command* to its end, passing signals on to its scripts; return its exit status."""
    watched = {*_PASSED_ON, signal.SIGCHLD}
    # Blocked, they wait their turn: nothing interrupts anything, and none is lost, as one would be
    # while hosts are looked up: the kernel drops what process 1 neither blocks nor handles.
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    if (reason := _why_no_company()) is not None:
        _say(reason)
        return 1
    try:
        # A session of its own: what a terminal sends to all of its processes passes it by.
        train = os.posix_spawnp(command[0], command, os.environ, setsigmask=(), setsid=True)
    except OSError as error:
        _say(f"{command[0]!r} cannot be started: {error.strerror}")
        return _NOT_FOUND
    told: int | None = None
    while True:
        number = signal.sigwait(watched)
        if number in _PASSED_ON:
            _pass_on(number, train)
            told = number
        else:
            for process, status in _ended():
                if process == train:
                    return _honest(_exit_status(status), told)


def _why_no_company() -> str | None:
    """Return which hosts of the job cannot be found, and leave it where SageMaker shows reasons."""
    base = _base()
    seconds = float(os.environ.get(_SECONDS_VARIABLE, PATIENCE_SECONDS))
    hosts = hosts_of(base / "input" / "config" / "resourceconfig.json")
    reason = why_unknown(hosts, seconds=seconds)
    if reason is not None:
        with contextlib.suppress(OSError):
            (base / "output").mkdir(parents=True, exist_ok=True)
            (base / "output" / "failure").write_text(f"SiftJobError: {reason}", encoding="utf-8")
    return reason


def _honest(code: int, told: int | None) -> int:
    """Return the exit status of a job, *told* to end or not, by which nothing cut off is a success.

    `train` ends with 0 where something other than an Exception ends it, but then writes no success
    file; a script that a signal ends while it starts has been seen to do that.
    """
    is_job = (_base() / "input" / "config").is_dir()
    if code == 0 and told is not None and is_job and not (_base() / "output" / "success").exists():
        _say("the job ended before its training did")
        return 128 + told
    return code


def _base() -> Path:
    return Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))


def _pass_on(number: int, process: int) -> None:
    """Send a signal to those processes at or below *process* that run a script."""
    scripts = _scripts(process)
    _say(f"{signal.Signals(number).name} is passed on to {', '.join(map(str, scripts))}")
    for script in scripts:
        # It may have ended meanwhile.
        with contextlib.suppress(ProcessLookupError):
            os.kill(script, number)


def _scripts(process: int) -> list[int]:
    """Return *process*, or, of a launcher, all that it started; itself, if that is nothing yet.

    Nobody else's children count: DataLoader workers are a script's own, and their end its error.
    """
    if not _is_launcher(process):
        return [process]
    below = [script for child in _children(process) for script in _scripts(child)]
    return below or [process]


def _children(process: int) -> list[int]:
    """Return the children of a process, of whichever of its threads."""
    return [
        int(folder.name)
        for folder in _PROCESSES.iterdir()
        if folder.name.isdecimal() and _parent(folder) == process
    ]


def _parent(folder: Path) -> int | None:
    """Return the parent of a process that runs; None of one that has ended."""
    try:
        # The name before them may hold blanks and parentheses itself.
        state, parent, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == "Z" else int(parent)


def _is_launcher(process: int) -> bool:
    """Whether a process is one of those programs, be it by way of the interpreter."""
    try:
        words = (_PROCESSES / str(process) / "cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    program, *arguments = words.rstrip("\0").split("\0")
    names = {Path(program).name, *(Path(argument).name for argument in arguments[:1])}
    return not names.isdisjoint(_LAUNCHERS) or arguments[:2] == ["-m", "torch.distributed.run"]


def _ended() -> Iterator[tuple[int, int]]:
    """Yield each child that has ended and its status, orphans of the container among them."""
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if process == 0:
            return
        yield process, status


def _exit_status(status: int) -> int:
    """Return an exit status as a shell does: 128 and the number for who died of a signal."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _say(text: str) -> None:
    sys.stdout.write(f"entry point: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["train"]))
