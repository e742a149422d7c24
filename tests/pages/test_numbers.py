"""What README and docs claim in numbers was measured: it stands in benchmarks/results."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.pages.blocks import FENCE, PAGES, ROOT

RESULTS: Final = "\n".join(
    page.read_text(encoding="utf-8") for page in sorted((ROOT / "benchmarks/results").glob("*.md"))
)
GENERATED: Final = re.compile(
    r"<!-- (?P<name>[^>]*): begin -->.*?<!-- (?:(?P=name)|quoted): end -->", re.DOTALL
)
"""Tables that are written from the code or from the results, and are tested to be so."""
CLAIM: Final = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?\s(?:%|points?\b|times\b|ms\b)")
NO_CLAIMS: Final[dict[str, tuple[str, ...]]] = {
    "decisions.md": (
        "Above noise means 2 % (of the unsifted time)",
        "A job that was stopped at 40 % cost less",
        "no number of repeats settled a bound of 2 %",
    ),
    "trial.md": ("(`confidence`, 90 %)",),
}
"""By page: phrases with a number in them that tell no result of ours."""


def claims_of(page: Path) -> list[str]:
    """Return the numbers with a unit of a page's own words, code and generated tables left out."""
    text = page.read_text(encoding="utf-8")
    text = FENCE.sub("", GENERATED.sub("", text))
    for phrase in NO_CLAIMS.get(page.name, ()):
        assert phrase in text, f"{page.name} no longer says {phrase!r}"
        text = text.replace(phrase, "")
    text = re.sub(r"`[^`]*`", "", text)
    return [" ".join(found.split()) for found in CLAIM.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_number_was_measured(page: Path) -> None:
    """Each number with a unit stands, with that unit, in a page of results."""
    missing = [claim for claim in claims_of(page) if not stands_in_results(claim)]
    assert missing == []


def stands_in_results(claim: str) -> bool:
    """Whether the results say so, in these words."""
    return re.search(rf"(?<![\d.,]){re.escape(claim)}", RESULTS) is not None


def test_a_number_out_of_the_air_is_found() -> None:
    """What no result says is no quote, nor is the end of a longer number."""
    assert not stands_in_results("1234.5 %")
    assert stands_in_results("0.19 ms")
    assert not stands_in_results(".19 ms")
    assert not stands_in_results("019 ms")
