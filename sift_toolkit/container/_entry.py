"""What the two entry points do: train from hooks, or run any script without the sift keys."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sift_toolkit.config import SCRIPT_KEY
from sift_toolkit.container._hooks import Job, load_hooks
from sift_toolkit.container._trainer import train
from sift_toolkit.contract import JobTree, decode_hyperparameters
from sift_toolkit.errors import SiftUsageError

_SERVICE_OPTION: Final = "--sagemaker_"
"""Options of the SDK's and the toolkit's own hyperparameters; SDK v3 puts them on the argv."""


def train_entry() -> None:
    """Train the hooks module that the job names; the program of entry_points/train.py."""
    tree = JobTree.current()
    with failure_written(tree):
        hooks = load_hooks(Path(_script(tree)))
        train(hooks, Job(tree, tree.user_hyperparameters()))


def run_entry(arguments: Sequence[str]) -> None:
    """Run the script that the job, or else the first argument, names; entry_points/run.py.

    Args:
        arguments: the command line, the program's own name left out.
    """
    tree = JobTree.current()
    with failure_written(tree):
        if arguments and not arguments[0].startswith("-"):
            script, *arguments = arguments
        else:
            script = _script(tree)
        run_script(Path(script), without_service_options(arguments))


def run_script(script: Path, arguments: Sequence[str]) -> None:
    """Run *script* as ``python SCRIPT ARGUMENTS`` would, in this process.

    Raises:
        SiftUsageError: there is no such file.
    """
    if not script.is_file():
        msg = f"the script {str(script)!r} does not exist in {str(Path.cwd())!r}"
        raise SiftUsageError(msg)
    sys.argv = [str(script), *arguments]
    # As python does for a script; what stands there now is the folder of our own entry point.
    sys.path[0] = str(script.parent.resolve())
    runpy.run_path(str(script), run_name="__main__")


def without_service_options(arguments: Sequence[str]) -> list[str]:
    """Return the arguments without ``--sagemaker_KEY VALUE`` and ``--sagemaker_KEY=VALUE``."""
    kept = []
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith(_SERVICE_OPTION):
            kept.append(argument)
        elif "=" not in argument:
            next(rest, None)
    return kept


@contextmanager
def failure_written(tree: JobTree) -> Iterator[None]:
    """Write a short reason to the job's failure file when something is raised in here."""
    try:
        yield
    except Exception as error:
        if tree.exists:
            tree.write_failure(f"{type(error).__name__}: {error}")
        raise


def _script(tree: JobTree) -> str:
    script = decode_hyperparameters(tree.read_hyperparameters()).get(SCRIPT_KEY)
    if not isinstance(script, str):
        msg = (
            f"the job names no script: hyperparameter {SCRIPT_KEY} is {script!r}; launch with "
            'sift_estimator(..., launcher="train") or launcher="run"'
        )
        raise SiftUsageError(msg)
    return script
