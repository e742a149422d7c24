"""What is told from the channels given to fit() before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sift_toolkit.client._channels import channel_problems
from sift_toolkit.client._checks import Place


def only(problems: list[str]) -> str:
    """Return the one problem there is."""
    assert len(problems) == 1, problems
    return problems[0]


@pytest.mark.parametrize(
    "inputs", [None, "s3://bucket/data", {"train": "s3://bucket/a", "test.v-1_2": "s3://bucket/b"}]
)
def test_good_channels(inputs: object) -> None:
    """One source, several by name, or none are accepted."""
    assert channel_problems(inputs, "sagemaker") == []


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({"a b": "s3://bucket/a"}, "a channel 'a b'"),
        ({"": "s3://bucket/a"}, "a channel ''"),
        ({"c" * 65: "s3://bucket/a"}, "1 to 64 letters"),
        ({3: "s3://bucket/a"}, "a channel 3"),
        ({f"c{index}": "s3://bucket/a" for index in range(21)}, "21 channels, of 20"),
        ("file:///data", "only a local session can read"),
        ({"train": "file:///data"}, "inputs['train'] is 'file:///data'"),
    ],
)
def test_wrong_channels(inputs: object, problem: str) -> None:
    """Channels that the API or the SDK would refuse after the upload are named."""
    assert problem in only(channel_problems(inputs, "sagemaker"))


@pytest.mark.parametrize("address", ["", "data", "/data", "s3://", "S3://bucket/a", "https://a/b"])
@pytest.mark.parametrize("uploads", [False, True])
def test_no_addresses(address: str, uploads: bool) -> None:
    """An address that leads nowhere is named, with what to give instead."""
    problem = only(channel_problems(address, "sagemaker", uploads=uploads))
    assert problem.startswith(f"inputs['training'] is {address!r}")
    assert "upload" in problem or "nothing there on this machine" in problem


def test_addresses_that_are_too_long() -> None:
    """An address has as many characters as the API takes."""
    address = "s3://bucket/"
    assert channel_problems(address.ljust(1024, "a"), "sagemaker") == []
    assert "1025 characters" in only(channel_problems(address.ljust(1025, "a"), "sagemaker"))


def test_paths(tmp_path: Path) -> None:
    """A path is a source for SDK v3 alone, which uploads what is there."""
    path = str(tmp_path)
    assert channel_problems(path, "sagemaker", uploads=True) == []
    assert "upload it" in only(channel_problems(path, "sagemaker"))
    assert "give file://" in only(channel_problems(path, "host"))


def test_channel_of_isolated_code() -> None:
    """Under network isolation the channel that takes the code is not the user's."""
    inputs = {"code": "s3://bucket/a"}
    assert "give it another name" in only(channel_problems(inputs, "sagemaker", isolated=True))
    assert channel_problems(inputs, "sagemaker") == []


@pytest.mark.parametrize("place", ["local", "host"])
def test_local_channels(place: Place) -> None:
    """A local session reads files."""
    assert channel_problems({"train": "file:///data"}, place) == []


def test_deferred(pipeline_variable: Any) -> None:
    """What a pipeline fills in is left alone."""
    assert channel_problems({"train": pipeline_variable}, "sagemaker") == []
