"""Python in the documentation runs, page by page, as a reader would run it."""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import pytest
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler

import sift_toolkit
from tests.pages.blocks import BLOCKS, EVERY_PAGE, ROOT, Block, blocks_of, run_blocks

PYTHON: Final = [block for block in BLOCKS if block.language == "python"]
ELSEWHERE: Final = {
    "docs/integrations_huggingface.md": "tests/integrations/test_docs_pages.py",
    "docs/integrations_lightning.md": "tests/integrations/test_docs_pages.py",
    "docs/testing.md": "tests/testing/test_docs_page.py",
}
"""Pages whose code is run by another test: with frameworks, or by pytest itself."""
NOT_RUN: Final = {
    "docs/trial.md": "dozens of trainings, which the trial's own tests run smaller",
}
"""Pages whose code is held against the functions it calls, but takes too long to be run."""
EVERYWHERE: Final = [
    block for page in EVERY_PAGE for block in blocks_of(page) if block.language == "python"
]
QUICKSTART: Final = "docs/quickstart.md"
HERE: Final = sorted({block.page for block in PYTHON} - {QUICKSTART, *ELSEWHERE, *NOT_RUN})


@contextlib.contextmanager
def one_process_group(_: dict[str, Any]) -> Iterator[dict[str, object]]:
    """What docs/scaling.md runs in, with one process of it."""
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    try:
        yield {
            "DataLoader": DataLoader,
            "DistributedDataParallel": DistributedDataParallel,
            "DistributedSampler": DistributedSampler,
            "SiftConfig": sift_toolkit.SiftConfig,
            "SiftingDataloader": sift_toolkit.SiftingDataloader,
        }
    finally:
        distributed.destroy_process_group()


@contextlib.contextmanager
def launched(names: dict[str, Any]) -> Iterator[dict[str, object]]:
    """Jobs that have run."""
    for job in (names["twin"], names["estimator"]):
        job.fit({"training": names["data"]}, wait=False)
    yield {}


World = Callable[[dict[str, Any]], AbstractContextManager[dict[str, object]]]
WORLDS: Final[dict[str, World]] = {
    "docs/report.md": launched,
    "docs/scaling.md": one_process_group,
}
"""What a page takes for granted beside the names that all have."""


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("page", HERE)
def test_a_page_runs(page: str, names: dict[str, object], folder: Path, capsys: Any) -> None:
    """All blocks of a page, one after the other, in a folder and an account of their own."""
    with WORLDS[page](names) if page in WORLDS else contextlib.nullcontext({}) as more:
        run_blocks(page, {**names, **more})


def test_what_the_quickstart_promises(
    names: dict[str, Any], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its jobs really run, on half of the data but in the first epoch, to within a point."""
    run_blocks(QUICKSTART, names)
    records = names["compared"].records()
    assert [round(figures["kept_percent"], 1) for figures in records] == [100.0, 51.7]
    assert abs(records[1]["accuracy_difference_points"]) <= 1.5
    assert str(names["compared"]) in capsys.readouterr().out


@pytest.mark.parametrize("page", sorted(ELSEWHERE))
def test_other_pages_are_run_elsewhere(page: str) -> None:
    """The test that is said to run a page names it."""
    assert Path(page).name in (ROOT / ELSEWHERE[page]).read_text(encoding="utf-8")


@pytest.mark.parametrize("block", EVERYWHERE, ids=str)
def test_a_block_asks_for_what_there_is(block: Block) -> None:
    """Python in a page is Python, imports what the faces promise, and calls it as it can be."""
    tree = ast.parse(block.text)
    imported = dict(promised(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called = imported.get(node.func.id)
            if callable(called) and not any(isinstance(each, ast.Starred) for each in node.args):
                named = {word.arg: ... for word in node.keywords if word.arg}
                inspect.signature(called).bind_partial(*node.args, **named)


def promised(tree: ast.Module) -> Iterator[tuple[str, object]]:
    """Yield each name of this package that a block imports, with what it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sift_toolkit"):
            module = str(node.module)
            assert not any(part.startswith("_") for part in module.split("."))
            if module.startswith("sift_toolkit.integrations"):
                continue  # their frameworks are not here: tests/integrations runs these
            face = importlib.import_module(module)
            for alias in node.names:
                assert alias.name in face.__all__
                yield alias.asname or alias.name, getattr(face, alias.name)


def test_a_call_that_cannot_be_is_found() -> None:
    """What is held against a signature is held in earnest."""
    text = "from sift_toolkit import watch\nwatch(job, every_seconds=3)\n"
    with pytest.raises(TypeError, match="every_seconds"):
        test_a_block_asks_for_what_there_is(Block("page.md", 1, "python", text))


@pytest.mark.parametrize("page", sorted(NOT_RUN))
def test_what_is_not_run_is_there(page: str) -> None:
    """The table of exceptions names pages that have code."""
    assert page in {block.page for block in PYTHON}
