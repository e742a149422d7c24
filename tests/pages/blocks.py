"""The fenced blocks of the documentation: README.md and every page below docs/."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
"""Pages whose blocks are run or checked."""
FOLDERS: Final = ("docs", "demo", "docker", "notebooks", "benchmarks")
EVERY_PAGE: Final = sorted(ROOT.glob("*.md")) + sorted(
    page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md")
)
FENCE: Final = re.compile(r"^( *)```([^\n`]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
FILE: Final = re.compile(r"# (\w+\.py)\n")


class Block(NamedTuple):
    """A fenced block, and where it begins."""

    page: str
    line: int
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that the block is to be saved as: its first line may say so."""
        named = FILE.match(self.text)
        return named[1] if named else None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        name = str(page.relative_to(ROOT))
        yield Block(name, line, found[2].strip(), textwrap.dedent(found[3]))


BLOCKS: Final = [block for page in PAGES for block in blocks_of(page)]


def run_blocks(page: str, names: dict[str, object]) -> None:
    """Run the Python of a page as one program; what has a file name is saved and run by itself."""
    for block in BLOCKS:
        if (block.page, block.language) == (page, "python"):
            if block.file:
                Path(block.file).write_text(block.text, encoding="utf-8")
            space = {"__name__": "__main__"} if block.file else names
            # As many empty lines as the page has before, so that a traceback names the page's.
            code = "\n" * block.line + block.text
            exec(compile(code, str(ROOT / page), "exec"), space)
