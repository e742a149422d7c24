"""The notebook in the docs, under SDK v2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sift_toolkit.testing import mocked_aws
from tests.notebook import IMPORT, NOTEBOOK, check_notebook, run_notebook


def test_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Built, described, launched, watched, swept, compared and tuned."""
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert text.count(IMPORT) == 1
    with mocked_aws() as aws:
        names = run_notebook(aws, text, tmp_path, monkeypatch)
        check_notebook(aws, names, capsys.readouterr().out)
