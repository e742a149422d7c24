"""A training image, and an engine to run it in: `make docker-test` sees to both.

Without it these tests are left out. What a test proves of the container's ways it says by the mark
`point`, and gets a line of its own at the end.
"""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit.client._sdks import installed
from tests.docker.one_container import Container

IMAGE_VARIABLE = "SIFT_DOCKER_IMAGE"
NETWORK = "sagemaker-local"
"""What both SDKs call the network of their containers, which they leave behind."""

OF_SDK_V3 = "test_model_trainer.py"
_known = {path.name for path in Path(__file__).parent.glob("test_*.py")}
collect_ignore = sorted(
    _known
    if IMAGE_VARIABLE not in os.environ
    else _known - {OF_SDK_V3}
    if installed(3)
    else {OF_SDK_V3}
)


def pytest_configure(config: pytest.Config) -> None:
    """Know the mark, and let SDK v3 have its warnings."""
    config.addinivalue_line("markers", "point(number): what of Docker's points a test proves")
    for rule in (
        "ignore:sagemaker.train.configs has been moved:DeprecationWarning",
        "ignore:invalid escape sequence:DeprecationWarning",
        "ignore:invalid escape sequence:SyntaxWarning",
        # The SDKs do not close the pipes that they read Docker's output from.
        "ignore:unclosed file:ResourceWarning",
    ):
        config.addinivalue_line("filterwarnings", rule)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note which point each test is about, and what it states."""
    for item in items:
        for mark in item.iter_markers("point"):
            fact = getattr(item, "function", None).__doc__ or ""
            which = "".join(item.name.partition("[")[1:])
            text = f"{mark.args[0]}: {fact.strip().rstrip('.')} {which}".rstrip()
            item.user_properties.append(("point", text))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a line for each point."""
    lines = [
        f"point {text}: {outcome}"
        for outcome in ("passed", "failed", "error")
        for report in terminalreporter.stats.get(outcome, [])
        for name, text in report.user_properties
        if name == "point" and (report.when == "call" or outcome == "error")
    ]
    if not lines:
        return
    terminalreporter.section("points")
    for line in sorted(lines):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    """The image's tag; what the SDKs leave in the engine goes afterwards."""
    tag = os.environ[IMAGE_VARIABLE]
    known = _lines("network", "ls", "--format", "{{.Name}}")
    yield tag
    ended = ("--filter", "status=exited", "--filter", "status=created")
    of_the_sdk = ("--filter", f"ancestor={tag}", "--filter", "label=com.docker.compose.project")
    if containers := _lines("ps", "--all", "--quiet", *ended, *of_the_sdk):
        _lines("rm", "--volumes", *containers)
    if NETWORK not in known:
        # Others may be using it, or the SDK never made it.
        with contextlib.suppress(subprocess.CalledProcessError):
            _lines("network", "rm", NETWORK)


@pytest.fixture
def start(image: str) -> Iterator[Callable[..., Container]]:
    """Start containers as `Container.start` does; they go with the test."""
    with contextlib.ExitStack() as started:

        def one(tree: Path, **options: Any) -> Container:
            return started.enter_context(Container.start(image, tree, **options))

        yield one


@pytest.fixture(autouse=True)
def _pipes_closed() -> Iterator[None]:
    """What a test's SDK left open is closed while that is no error."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a region, which the SDKs insist on, and keys of nobody."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def _lines(*words: str) -> list[str]:
    return subprocess.check_output(["docker", *words], text=True, stderr=subprocess.PIPE).split()
