"""The picture of a comparison: both panels, whatever is missing, and no side effects."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from sift_toolkit.client._compare import compare
from sift_toolkit.client._job_facts import JobFacts
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftUsageError

BLUE, SKY, ORANGE, VERMILION = (0, 114, 178), (86, 180, 233), (230, 159, 0), (213, 94, 0)


def job(share: float | None, *, seconds: bool = True, accuracy: float | None = 0.9) -> JobFacts:
    """Return a finished job that kept *share* and reported seconds, an accuracy, or both."""
    kept = 1.0 if share is None else share
    return JobFacts(
        name="job",
        status="Completed",
        config=SiftConfig(keep=share or 0.5, enabled=share is not None),
        figures=JobFigures(
            name="job",
            kept_share=kept,
            load_seconds=30.0 if seconds else None,
            score_seconds=(0.0 if share is None else 100.0) if seconds else None,
            train_seconds=400.0 * kept if seconds else None,
            validation_accuracy=accuracy,
        ),
    )


def colors(path: Path, panel: str) -> set[tuple[int, int, int]]:
    """Return the colours of the left or the right half, above the legend."""
    with Image.open(path) as picture:
        width, height = picture.size
        left, right = (0, width // 2) if panel == "left" else (width // 2, width)
        found = picture.convert("RGB").crop((left, 0, right, int(height * 0.85))).getcolors(10**6)
    assert found is not None
    return {color for _, color in found}


def test_both_panels_are_drawn(tmp_path: Path) -> None:
    """Left stand the three parts of the time, right the twin and the jobs beside it."""
    path = tmp_path / "new" / "folder" / "jobs.png"
    jobs = {"plain": job(None), "0.7": job(0.7), "0.5 $x_1$": job(0.5, accuracy=0.88)}
    figure = compare(jobs).plot(path)
    assert {BLUE, SKY, ORANGE} <= colors(path, "left")
    assert {(0, 0, 0), VERMILION} <= colors(path, "right")
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "loading, scoring and training [s]",
        "training time saved [% of the twin's]",
    ]
    assert all(axes.get_ylabel() or axes.get_yticklabels() for axes in figure.axes)


@pytest.mark.parametrize(
    ("jobs", "left", "right"),
    [
        ({"a": job(0.5)}, {BLUE}, {VERMILION}),
        ({"a": job(None), "b": job(0.5, seconds=False)}, {BLUE}, set()),
        ({"a": job(None, accuracy=None), "b": job(0.5)}, {BLUE}, set()),
        ({"a": job(None, seconds=False), "b": job(0.5, seconds=False)}, set(), set()),
    ],
)
def test_what_is_missing_is_left_out(
    jobs: dict[str, JobFacts],
    left: set[tuple[int, int, int]],
    right: set[tuple[int, int, int]],
    tmp_path: Path,
) -> None:
    """Without a twin, without seconds, without accuracies the rest is drawn."""
    path = tmp_path / "jobs.png"
    figure = compare(jobs).plot(path)
    assert colors(path, "left") & {BLUE} == left
    assert colors(path, "right") & {VERMILION} == right
    words = {text.get_text().strip() for axes in figure.axes for text in axes.texts}
    assert ("not reported" in words) == (not left or not right)


@pytest.mark.parametrize(("seconds", "unit"), [(3600.0, "s"), (9000.0, "min"), (4e5, "h")])
def test_the_unit_fits_the_longest_job(seconds: float, unit: str) -> None:
    """Long jobs are drawn in minutes or hours, and the axis says so."""
    long = JobFigures(name="job", train_seconds=seconds)
    figure = compare([long]).plot()
    assert figure.axes[0].get_xlabel().endswith(f"[{unit}]")


def test_a_running_job_is_marked() -> None:
    """The bar of a job that did not finish says how far it came."""
    figures = JobFigures(name="job", train_seconds=10.0, progress=0.4)
    figure = compare([JobFacts(name="job", status="InProgress", figures=figures)]).plot()
    assert figure.axes[0].texts[0].get_text() == " 10 s, InProgress 40%"


def test_a_notebook_shows_it() -> None:
    """The figure brings its own PNG, as pyplot is not there to make one."""
    figure = compare({"plain": job(None), "0.5": job(0.5)}).plot()
    png = figure._repr_png_()  # type: ignore[attr-defined]  # what a notebook calls
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.width >= 1200


def test_nothing_to_draw_is_refused() -> None:
    """Jobs that reported neither seconds nor an accuracy have no picture."""
    with pytest.raises(SiftUsageError, match="nothing to draw: none of silent reported"):
        compare([JobFigures(name="silent", kept_share=0.5)]).plot()


def test_drawing_leaves_pyplot_alone() -> None:
    """No backend is picked for the whole process."""
    program = (
        "import sys\n"
        "from sift_toolkit.client import JobFigures, compare\n"
        "compare([JobFigures(name='job', train_seconds=1.0)]).plot()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
