"""Runs the tests that need Docker: engine, image, both SDKs' local modes, and away with it all.

python docker/run_tests.py [--base IMAGE] [--v3 PYTHON] [PYTEST ARGUMENTS]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from engine import engine
from image import ROOT, build

TESTS = "tests/docker"
_NONE_CHOSEN: Final = 5
"""Pytest's exit status where options such as `-k` leave no test."""


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
        return worst(
            [
                subprocess.run(
                    [python, "-m", "pytest", TESTS, *pytest_arguments],
                    cwd=ROOT,
                    env=environment,
                    check=False,
                ).returncode
                for python in pythons
            ]
        )


def worst(codes: Sequence[int]) -> int:
    """Return the worst exit status of several runs of pytest.

    That no test was chosen counts only where it was so in all of them.

    Args:
        codes: as `subprocess` has them: below 0 for a run that a signal ended.
    """
    statuses = [128 - code if code < 0 else code for code in codes]
    return max((status for status in statuses if status != _NONE_CHOSEN), default=_NONE_CHOSEN)


if __name__ == "__main__":
    sys.exit(main())
