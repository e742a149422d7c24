"""A report page in a real browser, on a phone and on a desk, by day and by night.

What is measured, a page around the report measures: the report itself may run no script.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit import SiftConfig, report_page
from sift_toolkit.report import ClassTotals, Observation, SiftReport
from sift_toolkit.testing import FakeJob

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDTHS = (360, 1280)
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
LEAST_TEXT = 10.0
CONFIG = SiftConfig(keep=0.4, law="proportional", class_floor=0.25)

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs the program chromium on the PATH, to open the page in"
)

MEASURE = """
<script>
const luminance = (color) => {
  const [r, g, b] = color.match(/[\\d.]+/g).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const scrolls = (element) => element && (
  getComputedStyle(element).overflowX === "auto" || scrolls(element.parentElement));
function measure(frame) {
  const page = frame.contentDocument, window = frame.contentWindow;
  page.querySelectorAll("details").forEach((each) => { each.open = true; });
  const width = page.documentElement.clientWidth;
  const body = window.getComputedStyle(page.body);
  const [ink, paper] = [luminance(body.color), luminance(body.backgroundColor)];
  const charts = [...page.querySelectorAll("svg")];
  const summary = page.querySelector("summary");
  summary.focus();
  return {
    width,
    scrollWidth: page.documentElement.scrollWidth,
    outside: [...page.querySelectorAll("body *:not(.skip)")]
      .filter((each) => each.getBoundingClientRect().right > width + 1)
      .filter((each) => !scrolls(each)).map((each) => each.outerHTML.slice(0, 100)),
    textOutside: charts.flatMap((chart) => [...chart.querySelectorAll("text")]
      .filter((each) => each.getBoundingClientRect().right
          > chart.getBoundingClientRect().right + 1
        || each.getBoundingClientRect().left < chart.getBoundingClientRect().left - 1)
      .map((each) => each.textContent)),
    smallestText: Math.min(...charts.map((chart) =>
      parseFloat(chart.getAttribute("font-size"))
        * chart.getBoundingClientRect().width / chart.viewBox.baseVal.width)),
    contrast: (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05),
    isDark: paper < ink,
    loaded: window.performance.getEntriesByType("resource").map((each) => each.name),
    reachable: [...page.querySelectorAll("a, summary, [tabindex='0']")]
      .filter((each) => { each.focus(); return page.activeElement === each; }).length,
    interactive: page.querySelectorAll("a, summary, [tabindex='0']").length,
    outline: (summary.focus({focusVisible: true}),
      window.getComputedStyle(summary).outlineStyle),
    skip: (() => { const link = page.querySelector(".skip"); link.focus();
      return link.getBoundingClientRect().left >= 0; })(),
  };
}
const found = [];
const done = () => { document.getElementById("found").textContent = JSON.stringify(found); };
document.querySelectorAll("iframe").forEach((frame) => {
  frame.addEventListener("load", () => { found.push(measure(frame)); done(); });
});
</script>
"""


def full_report(labels: tuple[int, ...]) -> SiftReport:
    """Return a report that fills a page: many ids, classes with long names, losses far apart."""
    report = FakeJob(CONFIG, epochs=8).report()
    report.notes.append("a note of one very long word: " + "x" * 200)
    report.observations.append(
        Observation(
            values={"progress": 1.0},
            kept_losses=(0.001, 0.2, 0.5, 1.0, 200.0),
            dropped_losses=(0.0001, 0.02, 0.05, 0.1, 0.2),
            stuck_ids=tuple(range(10**9, 10**9 + 100)),
            classes=ClassTotals(
                labels=labels, seen=[1000] * len(labels), chosen=[*range(1, len(labels) + 1)]
            ),
        )
    )
    return report


@pytest.fixture(scope="module", params=[False, True], ids=["light", "dark"])
def dark(request: pytest.FixtureRequest) -> bool:
    """Whether the browser prefers dark pages."""
    return bool(request.param)


@pytest.fixture(scope="module")
def measured(dark: bool, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Any]:
    """What a browser found in the page, by the width of its window."""
    folder = tmp_path_factory.mktemp("browser")
    jobs = {
        "plain": FakeJob(CONFIG.plain_twin(), epochs=8).report(),
        "sift-letters-keep-0-4-" + "y" * 60 + "-2026-11-30": full_report(tuple(range(26))),
        "many classes": full_report(tuple(range(10**6, 10**6 + 500))),
    }
    page = html.escape(report_page(jobs).html)
    frames = "".join(
        f'<iframe style="width:{width}px;height:800px;border:0" srcdoc="{page}"></iframe>'
        for width in WIDTHS
    )
    wrapper = folder / "wrapper.html"
    wrapper.write_text(
        f'<!DOCTYPE html><meta charset="utf-8"><body style="width:3000px">{frames}'
        f'<pre id="found"></pre>{MEASURE}',
        encoding="utf-8",
    )
    return {each["width"]: each for each in _found(wrapper, folder, dark=dark)}


def _found(wrapper: Path, folder: Path, *, dark: bool) -> list[Any]:
    assert CHROMIUM is not None
    command = [
        CHROMIUM,
        *(
            "--headless",
            "--hide-scrollbars",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ),
        *("--no-first-run", "--disable-background-networking", f"--user-data-dir={folder}/profile"),
        # Nothing outside this machine is there.
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        *("--virtual-time-budget=20000", "--dump-dom", wrapper.as_uri()),
    ]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout
    found = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    assert found is not None
    measured: list[Any] = json.loads(html.unescape(found[1]))
    return measured


@pytest.mark.parametrize("width", WIDTHS)
class TestPage:
    """What holds on a phone and on a desk, light and dark."""

    def test_it_needs_no_scrolling_sideways(self, measured: dict[int, Any], width: int) -> None:
        """With all numbers shown it is as wide as its window; wide tables scroll by themselves."""
        assert measured[width]["scrollWidth"] == width
        assert measured[width]["outside"] == []

    def test_charts_can_be_read(self, measured: dict[int, Any], width: int) -> None:
        """Text of charts is inside of them, and large enough."""
        assert measured[width]["textOutside"] == []
        assert measured[width]["smallestText"] >= LEAST_TEXT

    def test_colours(self, measured: dict[int, Any], width: int, dark: bool) -> None:
        """It is dark where that is preferred, and its text has enough contrast."""
        assert measured[width]["isDark"] == dark
        assert measured[width]["contrast"] >= LEAST_CONTRAST

    def test_it_loads_nothing(self, measured: dict[int, Any], width: int) -> None:
        """The browser asks nobody for anything."""
        assert measured[width]["loaded"] == []

    def test_the_keyboard_reaches_all_of_it(self, measured: dict[int, Any], width: int) -> None:
        """Links, charts' numbers and wide tables take the focus, and it can be seen."""
        assert measured[width]["reachable"] == measured[width]["interactive"] > 10
        assert measured[width]["outline"] == "solid"
        assert measured[width]["skip"]
