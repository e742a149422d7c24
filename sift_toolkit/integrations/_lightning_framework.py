"""Which Lightning a script uses: it is published under two names, whose classes differ."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any, Final

from sift_toolkit.errors import SiftUsageError

_NAMES: Final = ("lightning.pytorch", "pytorch_lightning")


def framework() -> Any:
    """Return `lightning.pytorch` or `pytorch_lightning`: the one in use, else the one installed.

    Raises:
        SiftUsageError: neither is installed.
    """
    imported = [name for name in _NAMES if name in sys.modules]
    there = (name for name in _NAMES if importlib.util.find_spec(name.partition(".")[0]))
    name = imported[0] if imported else next(there, None)
    if name is None:
        msg = "sifting in Lightning needs it installed: pip install 'lightning>=2.4'"
        raise SiftUsageError(msg)
    return importlib.import_module(name)
