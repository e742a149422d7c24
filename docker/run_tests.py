"""Runs the tests that need Docker: engine, image, both SDKs' local modes, and away with it all.

python docker/run_tests.py [--base IMAGE] [--v3 PYTHON] [PYTEST ARGUMENTS]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from engine import engine
from image import ROOT, build

TESTS = "tests/docker"


def main() -> int:
    """Run the tests of this environment's SDK, then those of v3; return the worst exit status."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--base", help="image to build on; default: one of our own")
    parser.add_argument("--v3", help="the python that has SDK v3")
    options, pytest_arguments = parser.parse_known_args()
    pythons = [sys.executable, *filter(None, [options.v3])]
    with engine() as found:
        environment = {
            **os.environ,
            **found.environment,
            "SIFT_DOCKER_IMAGE": build(found, options.base or None),
        }
        return max(
            subprocess.run(
                [python, "-m", "pytest", TESTS, *pytest_arguments],
                cwd=ROOT,
                env=environment,
                check=False,
            ).returncode
            for python in pythons
        )


if __name__ == "__main__":
    sys.exit(main())
