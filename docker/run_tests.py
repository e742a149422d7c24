"""Runs the tests that need Docker: engine, image, both SDKs' local modes, and away with it all.

python docker/run_tests.py [--base IMAGE] [--v3 PYTHON] [PYTEST ARGUMENTS]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from engine import Engine, engine
from image import ROOT, build

TESTS = "tests/docker"
NETWORK = "sagemaker-local"
"""What both SDKs call the network of their containers, and leave behind."""


def main() -> int:
    """Run the tests of this environment's SDK, then those of v3; return the worst exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", help="image to build on; default: one of our own")
    parser.add_argument("--v3", help="the python that has SDK v3")
    options, pytest_arguments = parser.parse_known_args()
    with engine() as found:
        known = _networks(found)
        tag = build(found, options.base or None)
        environment = {
            **os.environ,
            **found.environment,
            "SIFT_DOCKER_IMAGE": tag,
        }
        try:
            return max(
                subprocess.run(
                    [python, "-m", "pytest", TESTS, *pytest_arguments],
                    cwd=ROOT,
                    env=environment,
                    check=False,
                ).returncode
                for python in filter(None, [sys.executable, options.v3])
            )
        finally:
            _clean_up(found, tag, known)


def _clean_up(found: Engine, tag: str, known: set[str]) -> None:
    """Remove the containers of our image, and the network, if it was not there before."""
    containers = _lines(found, "ps", "--all", "--quiet", "--filter", f"ancestor={tag}")
    if containers:
        _lines(found, "rm", "--force", "--volumes", *containers)
    if NETWORK in _networks(found) - known:
        _lines(found, "network", "rm", NETWORK)


def _networks(found: Engine) -> set[str]:
    return set(_lines(found, "network", "ls", "--format", "{{.Name}}"))


def _lines(found: Engine, *words: str) -> list[str]:
    return subprocess.check_output(
        ["docker", *words], env={**os.environ, **found.environment}, text=True
    ).split()


if __name__ == "__main__":
    sys.exit(main())
