"""The picture of twins: that it is one, the same each time, and drawn without side effects."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.client._twin_plot import plot_twins
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.metrics import (
    COUNTED_COST,
    LOAD_SECONDS,
    SAMPLES_SEEN,
    SCORE_SECONDS,
    TRAIN_SECONDS,
    VALIDATION_ACCURACY,
)

BLUE, VERMILION = (0, 114, 178), (213, 94, 0)


def job(pace: float, *, epochs: int = 5) -> JobFigures:
    """Return a job that trains at *pace* seconds and passes an epoch."""
    lines = []
    for epoch in range(1, epochs + 1):
        lines += [
            SAMPLES_SEEN.line(epoch * 100),
            LOAD_SECONDS.line(0.1 * epoch),
            SCORE_SECONDS.line(0.0),
            TRAIN_SECONDS.line(epoch * pace),
            COUNTED_COST.line(pace),
            VALIDATION_ACCURACY.line(1 - 0.5 / epoch),
        ]
    return JobFigures.from_lines(lines, name="job")


def colors(path: Path, panel: str) -> set[tuple[int, int, int]]:
    """Return the colours of the left or the right half, above the legend."""
    with Image.open(path) as picture:
        width, height = picture.size
        left, right = (0, width // 2) if panel == "left" else (width // 2, width)
        found = picture.convert("RGB").crop((left, 0, right, int(height * 0.85))).getcolors(10**6)
    assert found is not None
    return {color for _, color in found}


def test_both_panels_show_both_twins(tmp_path: Path) -> None:
    """The file is a PNG in a folder made for it, with both curves in both panels."""
    path = tmp_path / "new" / "folder" / "twins.png"
    assert plot_twins([job(1.0)] * 2, [job(0.5)] * 2, path) == path
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.width >= 1200
    for panel in ("left", "right"):
        assert {BLUE, VERMILION} <= colors(path, panel)


def test_same_figures_same_bytes(tmp_path: Path) -> None:
    """Drawing the same runs again gives the same file."""
    first = plot_twins([job(1.0)], [job(0.5)], tmp_path / "first.png")
    second = plot_twins([job(1.0)], [job(0.5)], tmp_path / "second.png")
    assert first.read_bytes() == second.read_bytes()


def test_a_cost_that_was_not_reported_leaves_its_panel_empty(tmp_path: Path) -> None:
    """Without counted costs the left panel is drawn and the right one says what is missing."""
    runs = [
        dataclasses.replace(
            run,
            passes=None,
            curve=tuple(dataclasses.replace(point, passes=None) for point in run.curve),
        )
        for run in (job(1.0), job(0.5))
    ]
    path = plot_twins(runs[:1], runs[1:], tmp_path / "twins.png")
    assert {BLUE, VERMILION} <= colors(path, "left")
    assert not {BLUE, VERMILION} & colors(path, "right")


@pytest.mark.parametrize("sifted_epochs", [1, 2, 60])
def test_twins_of_different_length_are_drawn(sifted_epochs: int, tmp_path: Path) -> None:
    """A sifted job that stopped early, or went on for long, is drawn as far as it came."""
    path = plot_twins([job(1.0)], [job(0.5, epochs=sifted_epochs)], tmp_path / "twins.png")
    assert {BLUE, VERMILION} <= colors(path, "left")


def test_one_silent_twin_is_left_out(tmp_path: Path) -> None:
    """A twin that reported no accuracy does not keep the other from being drawn."""
    path = plot_twins([job(1.0)], [JobFigures(name="silent")], tmp_path / "twins.png")
    assert BLUE in colors(path, "left")
    assert VERMILION not in colors(path, "left")


def test_nothing_to_draw_is_refused(tmp_path: Path) -> None:
    """Where no run reported an accuracy there is no picture, and the message names its path."""
    silent = [JobFigures(name="silent")]
    with pytest.raises(SiftUsageError, match=r"no run reported .*twins\.png"):
        plot_twins(silent, silent, tmp_path / "twins.png")
    with pytest.raises(SiftUsageError, match="compared in pairs"):
        plot_twins([job(1.0)], [], tmp_path / "twins.png")
    assert list(tmp_path.iterdir()) == []


def test_drawing_leaves_pyplot_alone(tmp_path: Path) -> None:
    """Importing the module imports no matplotlib, drawing does not import pyplot."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from sift_toolkit.client._job_figures import CurvePoint, JobFigures\n"
        "from sift_toolkit.client._twin_plot import plot_twins\n"
        "assert 'matplotlib' not in sys.modules\n"
        "point = CurvePoint(training_seconds=1.0, passes=1.0, accuracy=0.5)\n"
        "run = JobFigures(name='job', passes=1.0, curve=(point,))\n"
        f"plot_twins([run], [run], Path({str(tmp_path / 'twins.png')!r}))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
