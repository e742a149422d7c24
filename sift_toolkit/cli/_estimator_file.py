"""An estimator that a file of the user's makes, found by its name."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any

from sift_toolkit.errors import SiftUsageError


def estimator_in(file: Path, name: str) -> Any:
    """Run *file* as a module and return what it calls *name*, called where it is a function.

    Files beside it can be imported, as for a script; what stands under
    ``if __name__ == "__main__":`` is not run, and the command line that it finds is empty.

    Raises:
        SiftUsageError: there is no such file, or nothing of that name in it.
    """
    if not file.is_file():
        msg = f"there is no file {str(file)!r}, seen from {str(Path.cwd())!r}"
        raise SiftUsageError(msg)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        msg = f"{str(file)!r} is no Python file: its name must end in .py"
        raise SiftUsageError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(file.resolve().parent))
    given, sys.argv = sys.argv, [str(file)]
    try:
        spec.loader.exec_module(module)
    finally:
        sys.argv = given
        sys.path.pop(0)
    if not hasattr(module, name):
        known = ", ".join(sorted(key for key in vars(module) if not key.startswith("_"))) or "none"
        msg = f"{str(file)!r} has nothing called {name!r}; its names are {known}"
        raise SiftUsageError(msg)
    found = getattr(module, name)
    return found() if inspect.isfunction(found) else found
