"""Running any script with its own hyperparameters on its command line; entry_points/run.py."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sift_toolkit.container._alias import alias_smart_sifting, is_ours
from sift_toolkit.container._alias_in_children import alias_in_children
from sift_toolkit.container._command_line import command_line, tell_hyperparameters
from sift_toolkit.container._failure import FailureWritten
from sift_toolkit.container._interruption import interruption
from sift_toolkit.container._script import existing_script, import_beside, script_of
from sift_toolkit.contract import JobTree

_SERVICE_OPTION: Final = "--sagemaker_"
"""Options of the SDK's and the toolkit's own hyperparameters; SDK v3 puts them on the argv."""


def run_entry(arguments: Sequence[str]) -> None:
    """Run the script that the first argument, or else the job, names.

    A job's script is told the job's hyperparameters as sagemaker-training tells them, whatever
    launcher wrote the command line.

    Args:
        arguments: the command line, the program's own name left out. Those after a script's name
            go to the script, save the options of the SDK and of the toolkit.

    Raises:
        SiftUsageError: no script is named, or it does not exist.
    """
    tree = JobTree.current()
    with FailureWritten(tree), interruption.noticed():
        if arguments and not arguments[0].startswith("-"):
            script, own = Path(arguments[0]), without_service_options(arguments[1:])
        else:
            script, hyperparameters = script_of(tree), tree.user_hyperparameters()
            tell_hyperparameters(hyperparameters, os.environ)
            own = command_line(hyperparameters)
        run_script(script, own)


def run_script(script: Path, arguments: Sequence[str]) -> None:
    """Run *script* as ``python SCRIPT ARGUMENTS`` would, in this process.

    Where AWS's smart_sifting is not installed, the script, and what Python processes it starts,
    find ours by that name.

    Raises:
        SiftUsageError: there is no such file.
    """
    path = existing_script(script)
    import_beside(path)
    sys.argv = [str(path), *arguments]
    alias_smart_sifting()
    if is_ours():
        alias_in_children()
    # The absolute path becomes __file__, by which spawned processes find the script again.
    runpy.run_path(str(path), run_name="__main__")


def without_service_options(arguments: Sequence[str]) -> list[str]:
    """Return the arguments without ``--sagemaker_KEY VALUE`` and ``--sagemaker_KEY=VALUE``.

    Of an option without a value, only the option goes: no value of ours begins with two dashes.
    """
    kept = []
    value_may_follow = False
    for argument in arguments:
        is_ours = argument.startswith(_SERVICE_OPTION)
        if not is_ours and not (value_may_follow and not argument.startswith("--")):
            kept.append(argument)
        value_may_follow = is_ours and "=" not in argument
    return kept
