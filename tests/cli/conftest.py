"""Commands called in this process, in a folder of their own, and the mocked account for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sift_toolkit.cli._app import app
from sift_toolkit.testing.plugin import sift_aws, sift_aws_account

__all__ = ["sift_aws", "sift_aws_account"]

Call = Callable[..., Result]

SCRIPT = """
import os, sys
print("argv", sys.argv[1:])
print("env", os.environ.get("LEVEL"), sorted(os.listdir(os.environ["SM_CHANNEL_TRAINING"])))
print("[sift] kept_share=0.5;")
print("[sift] validation_accuracy=0.75;")
"""


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call the command line in an empty folder; what it raises unawares is raised here."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("NO_COLOR", raising=False)

    def invoke(*arguments: str, **options: Any) -> Result:
        result = CliRunner().invoke(app, list(arguments), **options)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def call_json(call: Call) -> Callable[..., Any]:
    """Call the command line with --json and return the one object on standard output."""
    return lambda *arguments: json.loads(call(*arguments, "--json").stdout)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A script that trains nothing, but reports metrics, with a module beside it."""
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "beside.py").write_text("NAME = 'beside'\n")
    path = folder / "train.py"
    path.write_text(SCRIPT)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of data."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "rows.csv").write_text("1,2\n")
    return folder
