"""What the container's package promises, and that looking at it is cheap."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from sift_toolkit import container

PROMISED = [
    "Checkpoints",
    "Hooks",
    "Job",
    "alias_smart_sifting",
    "run_entry",
    "sift",
    "train_entry",
]
SDK = {"sagemaker", "boto3", "botocore"}


def test_the_face_is_what_was_decided() -> None:
    """Adding or taking away a public name is a decision, made here too."""
    assert container.__all__ == PROMISED


@pytest.mark.parametrize("name", PROMISED)
def test_each_name_resolves(name: str) -> None:
    """Every promised name is there, and stands in `dir()`."""
    assert getattr(container, name).__module__.startswith("sift_toolkit.container.")
    assert name in dir(container)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as it does in any module."""
    with pytest.raises(AttributeError, match=r"'sift_toolkit\.container' has no attribute 'sifft'"):
        container.sifft  # noqa: B018 - reading it is the test


@pytest.mark.parametrize(
    ("statement", "never"),
    [
        ("import sift_toolkit.container", SDK | {"torch", "numpy"}),
        ("from sift_toolkit.container import run_entry", SDK | {"torch", "numpy"}),
        ("from sift_toolkit.container import Checkpoints, Hooks, Job, sift, train_entry", SDK),
    ],
)
def test_what_is_never_imported(statement: str, never: set[str]) -> None:
    """A job never needs the SDK; a script that is run is the first to import torch."""
    code = f"import json, sys\n{statement}\nprint(json.dumps(list(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )

    assert never.isdisjoint(json.loads(result.stdout))
