"""Python in the documentation runs, page by page, as a reader would run it."""

from __future__ import annotations

import ast
import contextlib
import importlib
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
EVERYWHERE: Final = [
    block for page in EVERY_PAGE for block in blocks_of(page) if block.language == "python"
]
QUICKSTART: Final = "docs/quickstart.md"
HERE: Final = sorted({block.page for block in PYTHON} - {QUICKSTART, *ELSEWHERE})


@contextlib.contextmanager
def one_process_group() -> Iterator[dict[str, object]]:
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


WORLDS: Final[dict[str, Callable[[], AbstractContextManager[dict[str, object]]]]] = {
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
    with WORLDS[page]() if page in WORLDS else contextlib.nullcontext({}) as more:
        run_blocks(page, {**names, **more})


def test_what_the_quickstart_promises(
    names: dict[str, Any], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its jobs really run, and half of the data in all epochs but the first is 58.3 %."""
    run_blocks(QUICKSTART, names)
    twin, sifted = (figures["kept_percent"] for figures in names["compared"].records())
    assert (round(twin, 1), round(sifted, 1)) == (100.0, 58.3)
    assert str(names["compared"]) in capsys.readouterr().out


@pytest.mark.parametrize("page", sorted(ELSEWHERE))
def test_other_pages_are_run_elsewhere(page: str) -> None:
    """The test that is said to run a page names it."""
    assert Path(page).name in (ROOT / ELSEWHERE[page]).read_text(encoding="utf-8")


@pytest.mark.parametrize("block", EVERYWHERE, ids=str)
def test_a_block_asks_for_what_there_is(block: Block) -> None:
    """Python in a page is Python, and imports from this package only what its faces promise."""
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sift_toolkit"):
            assert not any(part.startswith("_") for part in str(node.module).split("."))
            if not str(node.module).startswith("sift_toolkit.integrations"):
                face = importlib.import_module(str(node.module))
                assert {alias.name for alias in node.names} <= set(face.__all__)
