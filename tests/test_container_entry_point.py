"""The first process of a training container: what it passes on, waits for and returns."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# As the Dockerfile lays them out.
IN_IMAGE = {
    "entry_point.py": ROOT / "docker" / "entry_point.py",
    "job_hosts.py": ROOT / "sift_toolkit" / "contract" / "_hosts.py",
}

Start = Callable[..., "subprocess.Popen[str]"]

# A script that ends when it is told to, and says that it was told.
SCRIPT = """
    import os, select, signal, sys

    def told(number, frame):
        print("told", signal.Signals(number).name, flush=True)
        sys.exit(7)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
    print("ready", os.getpid(), flush=True)
    # Again and again: a signal that comes just before a wait does not end it.
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        pass
"""
# As sagemaker-training does: it runs a script, knows nothing of signals, and makes every error a 1.
TRAIN = """
    import subprocess, sys

    sys.exit(bool(subprocess.run(sys.argv[1:]).returncode))
"""


@pytest.fixture
def start_python(tmp_path: Path) -> Iterator[Start]:
    """Start a script of the folder, and end it with the test."""
    for name, text in (("script.py", SCRIPT), ("train", TRAIN), ("torchrun", TRAIN)):
        (tmp_path / name).write_text(textwrap.dedent(text), encoding="utf-8")
    processes = []

    def one(*command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=tmp_path,
            # What waits for it ends with the test.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.append(process)
        return process

    yield one
    for process in processes:
        with process:
            process.kill()


@pytest.fixture
def entry_point(tmp_path: Path) -> Path:
    """The entry point, with what stands beside it in the image."""
    folder = tmp_path / "opt" / "sift"
    folder.mkdir(parents=True)
    for name, source in IN_IMAGE.items():
        shutil.copy(source, folder / name)
    return folder / "entry_point.py"


@pytest.fixture
def start(start_python: Start, entry_point: Path) -> Start:
    """Start the entry point with a command."""
    return lambda *command: start_python(str(entry_point), *command)


def line(process: subprocess.Popen[str]) -> str:
    """The next line it prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def rest(process: subprocess.Popen[str]) -> list[str]:
    """All lines that are still to come, once it has ended."""
    assert process.stdout is not None
    lines = process.stdout.read().splitlines()
    process.wait()
    return lines


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "script.py"],
        [sys.executable, "train", sys.executable, "script.py"],
        [sys.executable, "train", "sh", "-c", f"{sys.executable} script.py; exit $?"],
        [sys.executable, "train", sys.executable, "torchrun", sys.executable, "script.py"],
    ],
    ids=["by itself", "train", "by way of a shell", "by way of torchrun"],
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_script_is_told(start: Start, command: list[str], number: signal.Signals) -> None:
    """The signal reaches the script itself, and whoever started it sees it end in peace."""
    process = start(*command)
    script = line(process).removeprefix("ready ")
    process.send_signal(number)
    assert rest(process) == [
        f"entry point: {number.name} is passed on to {script}",
        f"told {number.name}",
    ]
    assert process.returncode == (7 if "train" not in command else 1)


def test_one_that_comes_while_hosts_are_looked_up(start: Start, entry_point: Path) -> None:
    """It is not lost: the job ends before it trains."""
    entry_point.with_name("job_hosts.py").write_text(
        textwrap.dedent(
            """
            import time

            PATIENCE_SECONDS = 60.0
            hosts_of = lambda file: []

            def why_unknown(hosts, *, seconds):
                print("looking", flush=True)
                time.sleep(0.5)
            """
        ),
        encoding="utf-8",
    )
    process = start(sys.executable, "train", sys.executable, "script.py")
    assert line(process) == "looking"
    process.send_signal(signal.SIGTERM)
    (said,) = rest(process)
    assert said.startswith("entry point: SIGTERM is passed on to ")
    assert process.returncode == 128 + signal.SIGTERM


def test_workers_are_not_told(start: Start, tmp_path: Path) -> None:
    """Processes that a script has started, such as its DataLoader's, are its own affair."""
    (tmp_path / "parent.py").write_text(
        textwrap.dedent(
            """
            import select, signal, subprocess, sys

            def told(number, frame):
                print("worker still there", worker.poll() is None, flush=True)
                worker.kill()
                worker.wait()
                sys.exit()

            worker = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"])
            signal.signal(signal.SIGTERM, told)
            print("ready", flush=True)
            while not select.select([sys.stdin], [], [], 0.1)[0]:
                pass
            """
        )
    )
    process = start(sys.executable, "train", sys.executable, "parent.py")
    assert line(process) == "ready"
    process.send_signal(signal.SIGTERM)
    assert rest(process)[-1] == "worker still there True"
    assert process.returncode == 0


def test_before_the_script(start: Start) -> None:
    """While there is no script yet, the launcher is ended: there is nothing to lose."""
    process = start("sh", "-c", "echo ready; read line")
    assert line(process) == "ready"
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 128 + signal.SIGTERM


@pytest.mark.parametrize("status", [0, 1, 42])
def test_exit_status(start: Start, status: int) -> None:
    """It ends as its command does."""
    assert start("sh", "-c", f"exit {status}").wait() == status


def test_killed(start: Start) -> None:
    """A command that a signal ended gives 128 and its number, as a shell does."""
    assert start("sh", "-c", "kill -KILL $$").wait() == 128 + signal.SIGKILL


def test_no_such_command(start: Start) -> None:
    """What cannot be started is named."""
    process = start("no-such-program")
    assert rest(process) == [
        "entry point: 'no-such-program' cannot be started: No such file or directory"
    ]
    assert process.returncode == 127


def test_a_session_of_its_own(start: Start) -> None:
    """A terminal's signals pass the command by, and the command starts with none blocked."""
    code = "import os, signal; print(os.getsid(0), signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    (printed,) = rest(start(sys.executable, "-c", code))
    session, blocked = printed.split(" ", 1)
    assert (int(session) == os.getsid(0), blocked) == (False, "set()")


def test_orphans_are_reaped(start_python: Start, entry_point: Path, tmp_path: Path) -> None:
    """As the first process it inherits whatever a script leaves behind, and lets none pile up."""
    (tmp_path / "orphans.py").write_text(
        textwrap.dedent(
            f"""
            import ctypes, os, runpy, sys

            # Where it is not the first process, it can inherit all the same.
            PR_SET_CHILD_SUBREAPER = 36
            assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1) == 0
            sys.path.insert(0, {str(entry_point.parent)!r})
            runpy.run_path({str(entry_point)!r}, run_name="__main__")
            """
        )
    )
    command = """
        pid=$( (sh -c 'exit 3' >/dev/null & echo $!) )
        for i in $(seq 500); do
            [ -d /proc/$pid ] || { echo gone; exit; }
            sleep 0.02
        done
    """
    process = start_python("orphans.py", "sh", "-c", command)
    assert rest(process) == ["gone"]


@pytest.mark.parametrize(
    ("hosts", "known"), [(["localhost"], True), (["localhost", "algo-2.invalid"], False)]
)
def test_a_host_nobody_knows_is_said_before_training_begins(
    start: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hosts: list[str],
    known: bool,
) -> None:
    """In the failure file too, and without a quarter of an hour of look-ups."""
    config = tmp_path / "ml" / "input" / "config"
    config.mkdir(parents=True)
    (config / "resourceconfig.json").write_text(json.dumps({"hosts": hosts}), encoding="utf-8")
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    monkeypatch.setenv("SIFT_HOST_SECONDS", "1")
    process = start(sys.executable, "-c", "print('trained')")
    said = rest(process)
    failure = tmp_path / "ml" / "output" / "failure"
    assert (process.returncode == 0) is known
    assert ("trained" in said) is known
    assert failure.exists() is not known
    if not known:
        words = "SiftJobError: no address is known for 'algo-2.invalid', 1 of the job's 2 hosts"
        assert failure.read_text(encoding="utf-8").startswith(words)


@pytest.mark.parametrize(("succeeds", "code"), [(True, 0), (False, 143)])
def test_a_job_cut_off_is_no_success(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, succeeds: bool, code: int
) -> None:
    """Told to end, and ended with 0: it has trained to its end only if it says so."""
    (tmp_path / "ml" / "input" / "config").mkdir(parents=True)
    (tmp_path / "ml" / "output").mkdir()
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    said = "open('ml/output/success', 'w').close()" if succeeds else "pass"
    script = (
        "import signal, sys, time\n"
        "def told(*_):\n"
        f"    {said}\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, told)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)"
    )
    process = start(sys.executable, "-c", script)
    assert line(process) == "ready"
    process.terminate()
    rest(process)
    assert process.returncode == code
