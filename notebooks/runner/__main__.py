"""Runs the notebooks, and makes pages of them: `make notebooks`.

python -m notebooks.runner [--keep] [--seconds NUMBER] [NAME ...]
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import nbformat

from notebooks.runner.account import account
from notebooks.runner.executing import LIMIT_SECONDS, ROOT, NotebookError, execute, problems
from notebooks.runner.page import page_of
from notebooks.runner.sources import NAMES, PAGES, sources

_MADE: Final = (
    'What <a href="../{name}">{name}</a> shows when it is run: <code>make notebooks</code> did, on '
    "a machine with two cores and no GPU."
)
_OF_AWS: Final = (
    " AWS is a stand-in on the same machine: its jobs have really trained there, and times and "
    "prices are those of that."
)
_BUILT: Final = ROOT / "build" / "notebooks"


def main() -> int:
    """Run them; return 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"default: {', '.join(NAMES)}")
    parser.add_argument("--keep", action="store_true", help="write the pages to notebooks/rendered")
    parser.add_argument(
        "--seconds",
        type=float,
        default=LIMIT_SECONDS,
        help="most that one may take; default: %(default)s",
    )
    options = parser.parse_args()
    pages = PAGES if options.keep else _BUILT
    for each in (pages, _BUILT):
        each.mkdir(parents=True, exist_ok=True)
    chosen = [source for source in sources() if source.stem in (options.names or NAMES)]
    failed = [source.stem for source in chosen if not _run(source, pages, options.seconds)]
    print(f"pages: {pages.relative_to(ROOT)}" if not failed else f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _run(source: Path, pages: Path, limit: float) -> bool:
    """Run one notebook and write its page; whether it went well."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sift-notebook-") as name:
        folder = Path(name)
        with _account_of(source, folder) as environment:
            try:
                notebook = execute(source, folder / "run", environment, limit)
            except NotebookError as error:
                print(f"{source.name}: {error}", file=sys.stderr)
                return False
        found = list(problems(notebook, folder))
    # As a Jupyter opens it, outputs and all.
    nbformat.write(notebook, _BUILT / source.name)
    made = _MADE.format(name=source.name) + (_OF_AWS if source.stem == "sagemaker" else "")
    page = page_of(notebook, source, sources(), made)
    (pages / f"{source.stem}.html").write_text(page, encoding="utf-8")
    seconds = time.monotonic() - start
    print(f"{source.name}: {seconds:.0f} s, page of {len(page) / 1000:.0f} kB", flush=True)
    for problem in found:
        print(f"{source.name}: {problem}", file=sys.stderr)
    return not found


def _account_of(source: Path, folder: Path) -> contextlib.AbstractContextManager[dict[str, str]]:
    """Have an AWS account for the notebook that needs one."""
    return account(folder) if source.stem == "sagemaker" else contextlib.nullcontext({})


if __name__ == "__main__":
    sys.exit(main())
