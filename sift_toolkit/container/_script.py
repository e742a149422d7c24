"""The user's file: which one the job names, and the import path it is started with."""

from __future__ import annotations

import sys
from pathlib import Path

from sift_toolkit.config import SCRIPT_KEY
from sift_toolkit.contract import JobTree, decode_hyperparameters
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.outside import shown


def script_of(tree: JobTree) -> Path:
    """Return the file that the job names, relative to the folder a job starts in.

    Raises:
        SiftUsageError: it names none.
    """
    script = decode_hyperparameters(tree.read_hyperparameters()).get(SCRIPT_KEY)
    if isinstance(script, str):
        return Path(script)
    where = (
        f"hyperparameter {SCRIPT_KEY} is {shown(script)}" if tree.exists else "there is no job here"
    )
    msg = (
        f'no script is named: {where}; launch with sift_estimator(..., launcher="train") or '
        'launcher="run"'
    )
    raise SiftUsageError(msg)


def existing_script(script: Path) -> Path:
    """Return *script* as an absolute path.

    Raises:
        SiftUsageError: there is no such file.
    """
    if not script.is_file():
        msg = f"there is no file {str(script)!r}, seen from {str(Path.cwd())!r}"
        raise SiftUsageError(msg)
    return script.absolute()


def import_beside(script: Path) -> None:
    """Put the folder of *script* first on `sys.path`, as ``python SCRIPT`` would.

    What python put there for our own entry point goes: its neighbours are none of the user's.
    """
    own_folder = Path(sys.argv[0]).resolve().parent
    if sys.path and sys.path[0] and Path(sys.path[0]).resolve() == own_folder:
        del sys.path[0]
    sys.path.insert(0, str(script.resolve().parent))
