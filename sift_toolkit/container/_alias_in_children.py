"""AWS's name for our modules in Python processes that a script starts, as Lightning does for DDP.

They begin with the script itself, not with the entry point that made the alias. They inherit a
folder on PYTHONPATH whose one module makes it again.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

_PATH: Final = "PYTHONPATH"

_MODULE: Final = '''\
"""Written by sift_toolkit: gives its place to sift_toolkit.smart_sifting."""
import sys

sys.path[:] = [each for each in sys.path if each != {folder!r}]
sys.path.append({package_folder!r})
from sift_toolkit.container import alias_smart_sifting

del sys.modules["smart_sifting"]
alias_smart_sifting(ours_first=True)
import smart_sifting
'''


def alias_in_children() -> None:
    """Let Python processes that this one starts find our modules by AWS's name too."""
    folder = tempfile.mkdtemp(prefix="sift_toolkit-")
    atexit.register(_remove, folder, os.getpid())
    package_folder = str(Path(__file__).parents[2])
    module = _MODULE.format(folder=folder, package_folder=package_folder)
    (Path(folder) / "smart_sifting.py").write_text(module, encoding="utf-8")
    others = os.environ.get(_PATH)
    os.environ[_PATH] = folder if not others else os.pathsep.join((folder, others))


def _remove(folder: str, owner: int) -> None:
    # A forked child ends too, and is not the last one to need it.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
