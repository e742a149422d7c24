"""The names this package promises: all there, nothing else, and nothing heavy behind them."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
from types import ModuleType

import pytest

import sift_toolkit

PROMISED = [
    "METRICS",
    "HostSession",
    "Metric",
    "SiftBatchError",
    "SiftConfig",
    "SiftConfigError",
    "SiftError",
    "SiftJobError",
    "SiftLossError",
    "SiftRankError",
    "SiftRequestError",
    "SiftStateError",
    "SiftSweepError",
    "SiftUsageError",
    "SiftingDataloader",
    "compare",
    "describe_request",
    "keep_sweep",
    "report_page",
    "sift",
    "sift_estimator",
    "sift_model_trainer",
    "sift_tuner",
    "trial",
    "watch",
]
HEAVY = ("torch", "sagemaker", "boto3", "botocore", "pandas", "matplotlib", "numpy", "rich")
WITHOUT_HEAVY = [
    "import sift_toolkit",
    "import sift_toolkit; dir(sift_toolkit)",
    "import sift_toolkit.client",
    "import sift_toolkit.contract",
    "from sift_toolkit import METRICS, Metric, SiftConfig, SiftError",
]
WITHOUT_TORCH = ["from sift_toolkit import sift_estimator", "from sift_toolkit import HostSession"]
WITHOUT_SDK = ["from sift_toolkit import sift", "from sift_toolkit import SiftingDataloader"]


def imported_by(statement: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter has imported after a statement."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    return {name.partition(".")[0] for name in json.loads(result.stdout.splitlines()[-1])}


def test_the_face_is_what_was_decided() -> None:
    """Adding or taking away a public name is a decision, made here too."""
    assert sift_toolkit.__all__ == PROMISED


def test_all_is_what_is_really_there() -> None:
    """Everything public in the package's namespace is promised, and nothing else is."""
    there = {
        name
        for name, value in vars(sift_toolkit).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and (inspect.getmodule(value) or sift_toolkit).__name__.startswith("sift_toolkit")
    }
    of_python = {"annotations", "TYPE_CHECKING"}
    assert there - of_python | set(sift_toolkit._HOME) == set(sift_toolkit.__all__)


@pytest.mark.parametrize("name", PROMISED)
def test_each_name_resolves(name: str) -> None:
    """Every promised name is there, and stands in `dir()`."""
    assert getattr(sift_toolkit, name) is not None
    assert name in dir(sift_toolkit)


@pytest.mark.parametrize("name", sorted(sift_toolkit._HOME))
def test_a_lazy_name_is_what_its_home_exports(name: str) -> None:
    """A name resolved on first use is the object that its own package promises."""
    home = importlib.import_module(sift_toolkit._HOME[name])
    assert name in home.__all__
    assert getattr(sift_toolkit, name) is getattr(home, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as it does in any module."""
    with pytest.raises(AttributeError, match="'sift_toolkit' has no attribute 'sifft'"):
        sift_toolkit.sifft  # noqa: B018 - reading it is the test


@pytest.mark.parametrize("statement", WITHOUT_HEAVY)
def test_looking_at_the_package_is_cheap(statement: str) -> None:
    """Nothing heavy is imported until a name that needs it is used."""
    assert imported_by(statement).isdisjoint(HEAVY)


@pytest.mark.parametrize("statement", WITHOUT_TORCH)
def test_the_client_never_needs_torch(statement: str) -> None:
    """The launching side works on a machine without torch."""
    assert "torch" not in imported_by(statement)


@pytest.mark.parametrize("statement", WITHOUT_SDK)
def test_a_job_never_needs_the_sdk(statement: str) -> None:
    """What runs inside a job imports neither the SageMaker SDK nor boto3."""
    assert imported_by(statement).isdisjoint({"sagemaker", "boto3", "botocore"})
