"""The command line: jobs on this machine, jobs compared and watched, what works here.

Importing this package imports nothing; `main` imports click, and each command what it needs.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command that the process was started with, and exit."""
    try:
        from sift_toolkit.cli._app import app
        from sift_toolkit.cli._completion import register
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.exit("sift-toolkit needs click, which is not there: pip install 'sift_toolkit[cli]'")
    register()
    app(prog_name="sift-toolkit")
