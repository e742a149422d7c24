"""Where `file://` addresses point to."""

from __future__ import annotations

from pathlib import Path

import pytest

from sift_toolkit.contract import local_path


@pytest.mark.parametrize("name", ["plain", "with space", "a#b", "50%25", "ü"])
def test_both_ways_to_write_an_address(tmp_path: Path, name: str) -> None:
    """A path behind file:// as it is, and one escaped by as_uri, lead to the same folder."""
    folder = tmp_path / name
    folder.mkdir()

    assert folder == local_path(f"file://{folder}")
    assert folder == local_path(folder.as_uri())
    assert folder == local_path(str(folder))


def test_relative_addresses_start_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK puts file:// before relative paths too; they start in the current folder."""
    monkeypatch.chdir(tmp_path)

    assert tmp_path / "data" / "train" == local_path("file://data/train")
    assert tmp_path == local_path("file://")


def test_a_path_that_is_not_there_is_taken_literally(tmp_path: Path) -> None:
    """Where neither reading exists, the address is not changed."""
    assert tmp_path / "a%20b" == local_path(f"file://{tmp_path}/a%20b")
