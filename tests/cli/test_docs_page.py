"""docs/cli.md says what the command line does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sift_toolkit import SiftConfig
from sift_toolkit.cli._app import app
from sift_toolkit.testing import FakeJob, MockedAws, record_job

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


def documented_keys(command: str) -> set[str]:
    """The keys that the page's table names for a command."""
    rows = re.findall(r"^\| (`.*?`) \| (`\w+` .*) \|$", PAGE, re.MULTILINE)
    (keys,) = [keys for commands, keys in rows if f"`{command}`" in commands.split(", ")]
    return set(re.findall(r"`(\w+)`", keys))


def test_every_command_stands_in_the_table() -> None:
    """The page lists all commands and no other."""
    rows = re.findall(r"^\| `(\w+)[^|]*` \| \w+ .* \|.*\|$", PAGE, re.MULTILINE)
    assert set(rows[: len(app.commands)]) == set(app.commands)


def test_keys_of_json(
    sift_aws: MockedAws, call_json: Callable[..., Any], script: Path, data: Path
) -> None:
    """The keys in the page's table are those that are printed."""
    record_job(sift_aws.boto_session, "job", FakeJob(SiftConfig(keep=0.5)))
    calls = {
        "run": ("run", str(script), "--channel", f"training={data}"),
        "compare": ("compare", "job"),
        "report": ("report", "job"),
        "describe": ("describe", "job"),
        "watch": ("watch", "job", "--every", "0.05"),
        "doctor": ("doctor",),
    }
    printed = {name: set(call_json(*arguments)) for name, arguments in calls.items()}
    assert printed == {name: documented_keys(name) for name in calls}
