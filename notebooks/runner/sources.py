"""The notebooks as they are stored: which there are, their titles, what marks a page as theirs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parents[1]
PAGES: Final = FOLDER / "rendered"
"""Where the pages are that a reader can look at without running anything."""
NAMES: Final = ("quickstart", "sagemaker", "docker", "trial", "migrating")
"""The notebooks, in the order to read them."""


def sources() -> list[Path]:
    """Return the notebooks."""
    return [FOLDER / f"{name}.ipynb" for name in NAMES]


def title_of(source: Path) -> str:
    """Return a notebook's heading."""
    first = json.loads(source.read_text(encoding="utf-8"))["cells"][0]["source"]
    return "".join(first).splitlines()[0].removeprefix("# ")


def digest_of(source: Path) -> str:
    """Return what stands in the page of a notebook, and of no other state of it."""
    return hashlib.sha256(source.read_bytes()).hexdigest()
