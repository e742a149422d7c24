"""The notebook in the docs, under SDK v3: the same lines but one import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sift_toolkit.testing import MockedAws
from tests.notebook import IMPORT, IMPORT_V3, NOTEBOOK, check_notebook, run_notebook


def test_notebook(
    aws: MockedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Built, described, launched, watched, swept, compared and tuned."""
    text = NOTEBOOK.read_text(encoding="utf-8").replace(IMPORT, IMPORT_V3)
    names = run_notebook(aws, text, tmp_path, monkeypatch)
    check_notebook(aws, names, capsys.readouterr().out)
