"""What a person sees of a running job, read back from what was drawn."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from sift_toolkit.client._progress import JobProgress
from sift_toolkit.errors import SiftJobError
from sift_toolkit.metrics import EPOCH, KEPT_SHARE, PROGRESS, TRAIN_LOSS, VALIDATION_ACCURACY

ESCAPE = "\x1b"


class Seconds:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time it was turned to."""
        return self.now


class Screen:
    """A console of a given kind whose output can be read."""

    def __init__(self, *, terminal: bool, width: int = 80) -> None:
        self.file = io.StringIO()
        self.console = Console(
            file=self.file,
            width=width,
            color_system=None,
            force_terminal=terminal,
            force_interactive=terminal,
            force_jupyter=False,
        )

    @property
    def lines(self) -> list[str]:
        """What was printed, line by line."""
        return self.file.getvalue().splitlines()

    @property
    def last_frame(self) -> str:
        """What a bar looked like when it was drawn last."""
        return re.split(r"\x1b\[[0-9]*[A-Z]", self.file.getvalue())[-1]


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def plain() -> Screen:
    return Screen(terminal=False)


@pytest.fixture
def terminal() -> Screen:
    return Screen(terminal=True)


def run_job(progress: JobProgress, seconds: Seconds, *, steps: int, until: int) -> None:
    """Report the first *until* of *steps* groups of metrics, one second apart."""
    for step in range(1, until + 1):
        seconds.now += 1
        progress(f"algo-1  | {PROGRESS.line(step / steps)}\n")
        progress(KEPT_SHARE.line(0.5 + step / 1000))
        progress(TRAIN_LOSS.line(1 / step))
        progress(VALIDATION_ACCURACY.line(0.9 + step / 1000))


def run_and_fail(
    progress: JobProgress, seconds: Seconds, *, until: int, error: BaseException
) -> None:
    """Report the first *until* of ten groups of metrics, then raise *error*."""
    with progress:
        run_job(progress, seconds, steps=10, until=until)
        raise error


def test_plain_lines_start_tenths_and_end(plain: Screen, seconds: Seconds) -> None:
    """Without a terminal a job of many steps prints eleven lines: start, nine tenths, end."""
    with JobProgress("job", console=plain.console, clock=seconds) as progress:
        run_job(progress, seconds, steps=80, until=80)
    assert len(plain.lines) == 11
    assert plain.lines[0] == "job: started"
    assert [line.split(",")[0] for line in plain.lines[1:10]] == [
        f"job: {tenth}0%" for tenth in range(1, 10)
    ]
    assert plain.lines[10] == "job: done in 1:20, kept 58.0%, loss 0.0125, accuracy 98.00%"


def test_plain_line_holds_one_group(plain: Screen, seconds: Seconds) -> None:
    """A line is printed once its group is complete, so its figures belong together."""
    with JobProgress("job", console=plain.console, clock=seconds) as progress:
        run_job(progress, seconds, steps=10, until=5)
        assert plain.lines[-1] == (
            "job: 40%, kept 50.4%, loss 0.25, accuracy 90.40%, 0:05 gone, 0:05 left"
        )


def test_plain_output_has_no_escape_codes(plain: Screen, seconds: Seconds) -> None:
    """Nothing but text reaches a pipe, whatever colours the job used."""
    with JobProgress("[red]job", console=plain.console, clock=seconds, echo=True) as progress:
        progress("\x1b[31mred\x1b[0m [bold]kept as it is[/bold]")
        run_job(progress, seconds, steps=10, until=10)
    assert ESCAPE not in plain.file.getvalue()
    assert "red [bold]kept as it is[/bold]" in plain.lines
    assert plain.lines[0] == "[red]job: started"


def test_epochs_stand_in_for_progress(plain: Screen, seconds: Seconds) -> None:
    """A job that reports no progress gets a line for each epoch it has ended."""
    with JobProgress("job", console=plain.console, clock=seconds) as progress:
        for epoch in (1, 1, 2, 2, 3):
            seconds.now += 30
            progress(EPOCH.line(epoch))
            progress(KEPT_SHARE.line(epoch / 10))
    assert plain.lines == [
        "job: started",
        "job: epoch 1, kept 10.0%, 1:30 gone",
        "job: epoch 2, kept 20.0%, 2:30 gone",
        "job: done in 2:30, kept 30.0%",
    ]


def test_resumed_job_counts_its_own_pace(plain: Screen, seconds: Seconds) -> None:
    """The time left of a job that resumes half way follows what it did since."""
    with JobProgress("job", console=plain.console, clock=seconds) as progress:
        for share in (0.5, 0.6, 0.7):
            seconds.now += 3600
            progress(PROGRESS.line(share))
    assert plain.lines[1:3] == ["job: 50%, 2:00:00 gone", "job: 60%, 3:00:00 gone, 3:00:00 left"]


def test_failure_in_plain_lines(plain: Screen, seconds: Seconds) -> None:
    """An exception goes through, and the last line says how far the job came."""
    progress = JobProgress("job", console=plain.console, clock=seconds)
    with pytest.raises(SiftJobError, match="out of memory"):
        run_and_fail(progress, seconds, until=3, error=SiftJobError("out of memory"))
    assert plain.lines[-1] == (
        "job: stopped by SiftJobError after 0:03 at 30%, kept 50.3%, loss 0.333, accuracy 90.30%"
    )


def test_failure_before_any_report(plain: Screen, seconds: Seconds) -> None:
    """A job that reported nothing ends with a line that claims nothing."""
    progress = JobProgress("job", console=plain.console, clock=seconds)
    with pytest.raises(SiftJobError):
        run_and_fail(progress, seconds, until=0, error=SiftJobError("no such image"))
    assert plain.lines == ["job: started", "job: stopped by SiftJobError after 0:00"]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_bar_fits(width: int, seconds: Seconds) -> None:
    """On a terminal the last frame has bar, share, time and all figures, on two lines."""
    screen = Screen(terminal=True, width=width)
    with JobProgress("sifted job", console=screen.console, clock=seconds) as progress:
        run_job(progress, seconds, steps=10, until=10)
    bar, figures = screen.last_frame.splitlines()[:2]
    assert re.fullmatch(r"sifted job ━+ 100% done in 0:10 *", bar)
    assert figures == "  kept 51.0%, loss 0.1, accuracy 91.00%"


def test_bar_while_running(terminal: Screen, seconds: Seconds) -> None:
    """A bar drawn half way tells the time gone and the time left."""
    with JobProgress("job", console=terminal.console, clock=seconds) as progress:
        run_job(progress, seconds, steps=10, until=5)
        progress("a line of the job's own")
        assert "own" not in terminal.file.getvalue()
        progress._display._progress.refresh()  # type: ignore[union-attr]  # what rich does in time
        assert re.search(r"━ +50% 0:05 gone, 0:05 left", terminal.last_frame)


def test_bar_is_left_clean_by_an_exception(terminal: Screen, seconds: Seconds) -> None:
    """After an exception the cursor is back, the bar stands where it was, the reason below it."""
    progress = JobProgress("job", console=terminal.console, clock=seconds)
    with pytest.raises(KeyboardInterrupt):
        run_and_fail(progress, seconds, until=3, error=KeyboardInterrupt())
    assert terminal.file.getvalue().count(f"{ESCAPE}[?25l") == 1
    assert terminal.file.getvalue().endswith(f"\n{ESCAPE}[?25h")
    assert "30% stopped after 0:03" in terminal.last_frame
    assert "KeyboardInterrupt, kept 50.3%" in terminal.last_frame


def test_bar_without_progress_ends_full_or_empty(seconds: Seconds) -> None:
    """A job that never said how far it was has a full bar when it ends well, else none."""
    well, badly = Screen(terminal=True), Screen(terminal=True)
    with JobProgress("job", console=well.console, clock=seconds) as progress:
        progress(KEPT_SHARE.line(0.5))
    progress = JobProgress("job", console=badly.console, clock=seconds)
    with pytest.raises(SiftJobError):
        run_and_fail(progress, seconds, until=0, error=SiftJobError("no such image"))
    assert "━" * 30 in well.last_frame
    assert "━" not in badly.last_frame


def test_echo_prints_above_the_bar(terminal: Screen, seconds: Seconds) -> None:
    """With echo the job's own lines appear as they are, metric lines still do not."""
    with JobProgress("job", console=terminal.console, clock=seconds, echo=True) as progress:
        progress("Epoch 1: [100/200] done :smile:\n")
        progress(KEPT_SHARE.line(0.5))
    assert "Epoch 1: [100/200] done :smile:\n" in terminal.file.getvalue()
    assert "[sift]" not in terminal.file.getvalue()


def test_dumb_terminal_gets_plain_lines(seconds: Seconds) -> None:
    """A terminal that cannot move its cursor is treated as a pipe."""
    file = io.StringIO()
    dumb = Console(file=file, force_terminal=True, force_jupyter=False, _environ={"TERM": "dumb"})
    with JobProgress("job", console=dumb, clock=seconds):
        pass
    assert file.getvalue() == "job: started\njob: done in 0:00\n"


def test_notebook_without_widgets_does_not_draw_a_bar(seconds: Seconds) -> None:
    """In a notebook that lacks ipywidgets rich, which cannot draw a bar then, is not asked to.

    Its warning about that would be an error here.
    """
    notebook = Console(file=io.StringIO(), force_jupyter=True)
    with JobProgress("job", console=notebook, clock=seconds) as progress:
        run_job(progress, seconds, steps=10, until=10)


@pytest.mark.parametrize(
    "around",
    ["{}", "{}\r\n", "  algo-1-x7  | {}", "\x1b[36malgo-1 |\x1b[0m {}\x1b[0m", "99%\r{}"],
)
def test_metric_lines_are_found_in_any_dress(around: str, plain: Screen, seconds: Seconds) -> None:
    """Prefixes, colours, line ends and a job's own bar before it do not hide a metric."""
    with JobProgress("job", console=plain.console, clock=seconds) as progress:
        progress(around.format(KEPT_SHARE.line(0.25)))
    assert plain.lines[-1] == "job: done in 0:00, kept 25.0%"
    assert progress.tail == ()


def test_colours_inside_a_metric_line(plain: Screen, seconds: Seconds) -> None:
    """A metric line that something coloured in parts is still read."""
    line = KEPT_SHARE.line(0.25).replace(";", "\x1b[0m;").replace("=", "\x1b[35m=\x1b[1;36m")
    with JobProgress("job", console=plain.console, clock=seconds) as progress:
        progress(line)
    assert "kept 25.0%" in plain.lines[-1]


def test_tail_holds_the_last_other_lines(plain: Screen) -> None:
    """The tail keeps the last lines that are no metrics, as a screen would have shown them."""
    with JobProgress("job", console=plain.console, tail_length=3) as progress:
        for line in (
            "first\n",
            "\x1b[31mTraceback\x1b[0m (most recent call last):\n",
            PROGRESS.line(0.5),
            "  \n",
            '  File "train.py", line 1\n',
            " 10%|#   |\r 90%|### |\r\n",
        ):
            progress(line)
    expected = ("Traceback (most recent call last):", '  File "train.py", line 1', " 90%|### |")
    assert progress.tail == expected
    assert [line.split(" ")[1] for line in plain.lines] == ["started", "done"]


def test_lines_outside_the_with_are_only_remembered(plain: Screen) -> None:
    """Before and after the with nothing is drawn; entering it again starts afresh."""
    progress = JobProgress("job", console=plain.console, echo=True)
    progress("before")
    progress(PROGRESS.line(0.5))
    assert progress.tail == ("before",)
    with progress:
        progress(PROGRESS.line(0.95))
    progress("after")
    assert progress.tail == ("after",)
    with progress:
        assert progress.tail == ()
        progress(PROGRESS.line(0.15))
        progress(PROGRESS.line(0.25))
    assert [line.split(",")[0] for line in plain.lines] == [
        "job: started",
        "job: done in 0:00",
        "job: started",
        "job: 15%",
        "job: done in 0:00",
    ]
