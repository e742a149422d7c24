"""Running one command and leaving nothing of it behind."""

from __future__ import annotations

import io
import os
import signal
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sift_toolkit.contract._process import run_streaming

HasGone = Callable[[int], bool]
PYTHON = (sys.executable, "-u", "-c")


class Run:
    """Runs a Python text, and remembers what it printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.log = io.StringIO()

    def __call__(
        self,
        script: str,
        on_line: Callable[[str], None] | None = None,
        grace_seconds: float = 5.0,
    ) -> int:
        """Return the exit code; the lines go to *on_line*, or are remembered."""
        return run_streaming(
            [*PYTHON, textwrap.dedent(script)],
            environment=os.environ,
            folder=self.folder,
            log=self.log,
            on_line=on_line or self.lines.append,
            grace_seconds=grace_seconds,
        )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A way to run a Python text in an empty folder."""
    return Run(tmp_path)


@pytest.mark.parametrize("code", [0, 3])
def test_exit_code_and_lines(run: Run, code: int) -> None:
    """Both streams come line by line, in order, and the exit code is kept."""
    script = f"""
        import sys
        print("one")
        print("two", file=sys.stderr)
        print("ünfinished", end="")
        sys.exit({code})
    """

    assert run(script) == code
    assert run.lines == ["one", "two", "ünfinished"]
    assert run.log.getvalue() == "one\ntwo\nünfinished\n"


def test_a_signal_is_told_as_a_shell_tells_it(run: Run) -> None:
    """A process that is killed has 128 plus the signal's number as its code."""
    assert run("import os; os.kill(os.getpid(), 9)") == 128 + signal.SIGKILL


def test_runs_in_the_folder_without_input(run: Run) -> None:
    """The command runs where it is told to, and never waits for a keyboard."""
    run("import os, sys; print(os.getcwd(), repr(sys.stdin.read()))")

    assert run.lines == [f"{run.folder} ''"]


def test_carriage_returns_end_lines(run: Run) -> None:
    """A progress bar that redraws its line gives a line each time; a Windows line end gives one."""
    run(r"import sys; sys.stdout.buffer.write(b'10%\r20%\r\ndone\n')")

    assert run.lines == ["10%", "20%", "done"]


def test_bytes_that_are_no_text(run: Run) -> None:
    """Bytes that are not UTF-8 are replaced, and end nothing."""
    run(r"import sys; sys.stdout.buffer.write(b'a\xffb\n')")

    assert run.lines == ["a\ufffdb"]


def test_a_character_cut_in_two_is_put_together(run: Run) -> None:
    """A character whose bytes arrive apart comes out whole."""
    run(
        r"""
        import os, time
        os.write(1, b'\xc3')
        time.sleep(0.2)
        os.write(1, b'\xbc\n')
        """
    )

    assert run.lines == ["ü"]


def test_many_lines_all_arrive(run: Run) -> None:
    """More than a pipe can hold arrives complete, though the reader is slower."""
    run("for number in range(50_000): print(number)")

    assert run.lines == [str(number) for number in range(50_000)]


def test_lines_come_while_it_runs(run: Run, tmp_path: Path) -> None:
    """A line is delivered before the command goes on: it waits here for the answer to its own."""
    answer = tmp_path / "answer"
    script = f"""
        import pathlib, time
        print("asking")
        deadline = time.monotonic() + 10
        while not pathlib.Path({str(answer)!r}).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        print(pathlib.Path({str(answer)!r}).exists())
    """

    def reply(line: str) -> None:
        run.lines.append(line)
        answer.touch()

    run(script, reply)

    assert run.lines == ["asking", "True"]


def test_what_it_leaves_running_is_killed(run: Run, has_gone: HasGone) -> None:
    """A child that outlives the command goes with it, and is not waited for."""
    script = f"""
        import subprocess
        child = subprocess.Popen({[*PYTHON, "import time; time.sleep(60)"]!r})
        print(child.pid)
    """
    begun = time.monotonic()

    assert run(script) == 0
    assert has_gone(int(run.lines[0]))
    assert time.monotonic() - begun < 10


def test_what_got_away_is_not_waited_for(run: Run) -> None:
    """A child in a session of its own, holding the pipe open and printing, does not block."""
    child = "import time\nfor _ in range(200): print('on', flush=True); time.sleep(0.02)"
    script = f"""
        import subprocess
        subprocess.Popen({[*PYTHON, child]!r}, start_new_session=True)
    """
    begun = time.monotonic()

    assert run(script) == 0
    assert time.monotonic() - begun < 3.5


def test_closing_its_output_ends_nothing(run: Run) -> None:
    """A command that closes its output is waited for all the same."""
    script = """
        import os, time
        os.close(1)
        os.close(2)
        time.sleep(0.3)
        os._exit(4)
    """

    assert run(script) == 4


FAMILY = f"""
    import os, subprocess, time
    child = subprocess.Popen({[*PYTHON, "import time; time.sleep(60)"]!r})
    print(os.getpid(), child.pid)
    time.sleep(60)
"""


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_an_exception_ends_the_whole_family(
    run: Run, has_gone: HasGone, error: type[BaseException]
) -> None:
    """Whatever is raised while a line is taken goes on, once all processes have ended."""
    family: list[int] = []

    def take(line: str) -> None:
        family.extend(map(int, line.split()))
        raise error

    with pytest.raises(error):
        run(FAMILY, take)

    assert len(family) == 2
    assert all(has_gone(process_id) for process_id in family)


def test_it_is_asked_before_it_is_killed(run: Run) -> None:
    """A command may save its work when it is stopped; what it says then is in the log."""
    script = """
        import signal, sys, time
        def save(*_):
            time.sleep(0.3)
            print("saved")
            sys.exit(0)
        signal.signal(signal.SIGTERM, save)
        print("ready")
        time.sleep(60)
    """

    with pytest.raises(KeyboardInterrupt):
        run(script, interrupt)

    assert run.log.getvalue() == "ready\nsaved\n"


def test_it_is_killed_if_it_will_not_end(run: Run, has_gone: HasGone) -> None:
    """A command that ignores the request is killed after the grace, not waited for."""
    script = """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(os.getpid())
        time.sleep(60)
    """
    begun = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        run(script, interrupt, grace_seconds=0.3)

    assert time.monotonic() - begun < 5
    assert has_gone(int(run.log.getvalue()))


def test_a_child_is_killed_if_it_will_not_end(run: Run, has_gone: HasGone) -> None:
    """A child that ignores the request is killed though its parent, the command, obeyed."""
    child = "import signal, time; signal.signal(15, signal.SIG_IGN); print('on'); time.sleep(60)"
    script = f"""
        import subprocess, time
        child = subprocess.Popen({[*PYTHON, child]!r}, stdout=subprocess.PIPE)
        child.stdout.readline()
        print(child.pid)
        time.sleep(60)
    """

    with pytest.raises(KeyboardInterrupt):
        run(script, interrupt, grace_seconds=0.3)

    assert has_gone(int(run.log.getvalue()))


def interrupt(line: str) -> None:
    raise KeyboardInterrupt
