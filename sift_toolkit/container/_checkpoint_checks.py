"""What must hold before anything is saved, and of what was."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from sift_toolkit.container._place import Place
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.outside import shown

_MOST_STEPS: Final = 10**12
"""As many as a file's name has digits for."""


def step_of(saved: Mapping[str, Any]) -> int:
    """Return the step that a checkpoint was saved at.

    Raises:
        ValueError: it is none.
    """
    step: object = saved["step"]
    if isinstance(step, int) and 0 <= step <= _MOST_STEPS:
        return step
    msg = f"its step is {shown(step)}"
    raise ValueError(msg)


def check_pace(every_minutes: object, every_steps: object) -> None:
    """Make sure that it can be told when to save.

    Raises:
        SiftUsageError: it cannot.
    """
    if isinstance(every_minutes, bool) or not (
        isinstance(every_minutes, int | float) and 0 <= every_minutes < float("inf")
    ):
        msg = f"minutes between checkpoints must be a number from 0, got {every_minutes!r}"
        raise SiftUsageError(msg)
    if every_steps is None:
        return
    if isinstance(every_steps, bool) or not (isinstance(every_steps, int) and every_steps >= 1):
        msg = f"steps between checkpoints must be a whole number from 1, got {every_steps!r}"
        raise SiftUsageError(msg)


def refuse_company() -> None:
    """Make sure that this process is alone.

    Raises:
        SiftUsageError: it is not.
    """
    if Place.from_environment(os.environ).size > 1:
        msg = "Checkpoints are those of one process: save the state of each rank in your own script"
        raise SiftUsageError(msg)
