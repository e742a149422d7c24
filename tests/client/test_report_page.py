"""A report page: whole, escaped, of all that its jobs tell, and of nothing else."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from sift_toolkit import SiftConfig, SiftUsageError, compare, report_page
from sift_toolkit.client import JobFacts, JobFigures
from sift_toolkit.report import ClassTotals, Observation, SiftReport
from sift_toolkit.testing import FakeJob, MockedAws, record_job
from tests.html_page import Page, named_pictures, outside_references

HOSTILE = "<script>alert('&')</script>"
CONFIG = SiftConfig(keep=0.4)
SIFTED = FakeJob(CONFIG, accuracy=0.88)
PLAIN = FakeJob(CONFIG.plain_twin(), accuracy=0.9)
TITLES = [
    "Data kept over time",
    "Where the time went",
    "Accuracy, and the time it took",
    "Losses of what was kept and dropped",
    "Data kept of each class",
]


def full_report() -> SiftReport:
    """Return the report of a job that told all there is to tell."""
    report = SIFTED.report()
    report.notes.append(HOSTILE)
    report.observations.append(
        Observation(
            values={"progress": 1.0},
            kept_losses=(0.1, 0.2, 0.5, 1.0, 2.0),
            dropped_losses=(0.01, 0.02, 0.05, 0.1, 0.2),
            stuck_ids=(77123, 5),
            classes=ClassTotals(labels=(3, 9), seen=(100, 200), chosen=(50, 60)),
        )
    )
    return report


def headings(page: Page) -> list[int]:
    """Return the levels of all headings, in order."""
    return [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]


@pytest.fixture(
    params=[
        pytest.param(lambda: full_report(), id="one"),
        pytest.param(lambda: {"plain": PLAIN.report(), HOSTILE: full_report()}, id="two"),
    ]
)
def html(request: pytest.FixtureRequest) -> str:
    """A page of one job, and one of two."""
    return report_page(request.param(), title=HOSTILE).html


class TestAnyPage:
    """What holds for the page of one job and for that of several."""

    def test_it_loads_nothing(self, html: str) -> None:
        """No address, no script and no handler is in it, and its policy would refuse them."""
        assert outside_references(html) == []
        assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html

    def test_it_is_sound_and_escaped(self, html: str) -> None:
        """Every tag is closed, and what a job or a user says stays text."""
        page = Page(html)
        assert page.open == []
        assert page.words.count(HOSTILE) >= 2
        assert any(words == f"The job noted: {HOSTILE}" for words in page.words)

    def test_its_structure_is_told(self, html: str) -> None:
        """Language, landmarks, a way past the links, headings without gaps, named sections."""
        page = Page(html)
        elements = dict(page.elements)
        assert elements["html"]["lang"] == "en"
        assert {"header", "main", "footer", "title"} <= set(page.tags)
        first_link = next(found for tag, found in page.elements if tag == "a")
        assert first_link["href"] == f"#{elements['main']['id']}"
        levels = headings(page)
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
        ids = set(page.attributes("id"))
        named = [found["aria-labelledby"] for tag, found in page.elements if tag == "section"]
        assert named
        assert set(named) <= ids
        links = [link.removeprefix("#") for link in page.attributes("href")]
        assert set(links) <= ids

    def test_its_pictures_and_tables_are_named(self, html: str) -> None:
        """Each chart has a title, a description and its numbers behind it; each table a caption."""
        page = Page(html)
        assert len(named_pictures(page)) == page.tags.count("figure") >= len(TITLES)
        assert page.tags.count("details") >= page.tags.count("figure")
        assert page.tags.count("caption") == page.tags.count("table")
        assert all("scope" in found for tag, found in page.elements if tag == "th")

    def test_it_reads_on_light_and_on_dark(self, html: str) -> None:
        """Both are styled, and no text has a colour of its own."""
        assert "prefers-color-scheme: dark" in html
        texts = re.findall(r"<text[^>]*>", html)
        assert texts
        assert all('fill="currentColor"' in text for text in texts)


def test_all_that_a_job_told() -> None:
    """Saving, accuracy, what was kept, losses, time, classes and the ids stuck are all there."""
    words = Page(report_page(full_report()).html).words
    assert set(TITLES) <= set(words)
    text = " ".join(words)
    for told in ("88.00%", "77123, 5", "2 named", "keep", "50.0", "30.0", "own estimate"):
        assert told in text


def test_several_jobs_are_compared_first() -> None:
    """The comparison comes first, and each job beside its twin has what was saved, measured."""
    page = report_page({"plain": PLAIN.report(), "sifted": SIFTED.report()})
    assert page.title == "2 jobs, compared to plain"
    words = Page(page.html).words
    sections = [word for word in words if word in {"Comparison", "plain", "sifted"}]
    assert sections[:3] == ["Comparison", "plain", "sifted"]
    text = " ".join(words)
    assert "of the twin's, measured" in text
    assert "-2.00 points beside the twin" in text
    assert "the twin that the others are compared to" in text


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        (
            "Failed",
            "OSError: disk full",
            "Status Failed at 33% of the training: OSError: disk full",
        ),
        ("Stopped", None, "Status Stopped at 33% of the training"),
        (None, None, "Status Unfinished at 33% of the training"),
    ],
)
def test_a_job_that_did_not_finish_says_so_first(
    status: str | None, reason: str | None, told: str
) -> None:
    """Before any figure that would be taken for that of a whole job."""
    figures = JobFigures(name="x", progress=0.33, kept_share=0.5)
    facts = JobFacts(name="x", status=status, failure_reason=reason, figures=figures)
    text = " ".join(Page(report_page(facts).html).words)
    assert told in text
    assert text.index(told) < text.index("Data kept")
    whole = JobFigures(name="x", progress=1.0, kept_share=0.5)
    page = report_page(JobFacts(name="x", status=status and "Completed", figures=whole))
    assert "Status" not in Page(page.html).words


def test_what_a_job_did_not_tell_is_left_out() -> None:
    """A page of figures alone has the charts they make, and one of nothing has none."""
    figures = JobFigures(name="x", load_seconds=1.0, score_seconds=1.0, train_seconds=2.0)
    assert Page(report_page(figures).html).tags.count("figure") == 1
    silent = Page(report_page(JobFacts(name="x", figures=JobFigures(name="x"))).html)
    assert silent.tags.count("figure") == 0
    assert silent.open == []


def test_no_content_of_a_report_file_is_copied() -> None:
    """Keys that a report should not have stay out of the page, values under them too."""
    report = full_report()
    text = report.to_json().replace('"notes"', '"rows": ["secret row"], "notes"')
    assert "secret row" not in report_page(SiftReport.from_json(text, "x")).html


def test_what_may_be_given(tmp_path: Path) -> None:
    """One job or several, as files, as facts, as a comparison: the same page each time."""
    file, log = tmp_path / "a.json", tmp_path / "a.log"
    SIFTED.report().write(file)
    log.write_text("\n".join(SIFTED.lines()))
    one = report_page(file, title="t")
    assert report_page([str(file)], title="t") == one
    assert report_page(iter([file]), title="t") == one
    by_log = Page(report_page({"a": log}).html).words
    assert {"Data kept over time", "Accuracy, and the time it took"} <= set(by_log)
    both = {"plain": PLAIN.report(), "sifted": file}
    assert report_page(compare(both)) == report_page(both)


def test_saving_it(tmp_path: Path) -> None:
    """It is written whole, folders are made, and the path is given back."""
    page = report_page(SIFTED.report())
    path = page.save(tmp_path / "new" / "page.html")
    assert path == tmp_path / "new" / "page.html"
    assert path.read_text(encoding="utf-8") == page.html
    assert [file.name for file in path.parent.iterdir()] == ["page.html"]


def test_in_a_notebook_it_has_a_frame_of_its_own() -> None:
    """Its styles reach nothing around it, and nothing in it may run."""
    page = report_page(SIFTED.report(), title=HOSTILE)
    frame = Page(page._repr_html_())
    ((tag, attributes),) = frame.elements
    assert tag == "iframe"
    assert attributes["sandbox"] == ""
    assert attributes["srcdoc"] == page.html
    assert attributes["title"] == HOSTILE
    assert len(repr(page)) < 150


def test_prices(sift_aws: MockedAws) -> None:
    """A price makes money of the bill, and of a job without one it is said that there is none."""
    record_job(sift_aws.boto_session, "job", SIFTED)
    priced = " ".join(
        Page(report_page("job", price_per_hour=3.6, session=sift_aws.boto_session).html).words
    )
    assert "money, at the price given" in priced
    unbilled = " ".join(Page(report_page(SIFTED.report(), price_per_hour=3.6).html).words)
    assert "no cost in money" in unbilled


def test_what_is_no_job_is_refused() -> None:
    """As `compare` refuses it."""
    with pytest.raises(SiftUsageError, match="no training job"):
        report_page(3)
    with pytest.raises(SiftUsageError, match="at least one job"):
        report_page([])
