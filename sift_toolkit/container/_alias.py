"""Makes ``import smart_sifting`` mean this package's own modules of AWS's names."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Final

from sift_toolkit.errors import SiftUsageError

_ALIAS: Final = "smart_sifting"
_OURS: Final = "sift_toolkit.smart_sifting"


def alias_smart_sifting(*, ours_first: bool = False) -> None:
    """Let ``import smart_sifting``, and all imports below it, find this package's modules.

    Called twice, it does no more than called once; nothing is imported before somebody asks.

    Args:
        ours_first: whether they are found even where AWS's own package is installed.

    Raises:
        SiftUsageError: AWS's package was to be passed over, but is imported already.
    """
    imported = sys.modules.get(_ALIAS)
    if ours_first and imported is not None and imported.__name__ != _OURS:
        msg = (
            f"{_ALIAS} was imported before, from {getattr(imported, '__file__', None)!r}: call "
            "alias_smart_sifting(ours_first=True) first of all"
        )
        raise SiftUsageError(msg)
    finders = [each for each in sys.meta_path if isinstance(each, _AliasFinder)]
    if not finders:
        finders = [_AliasFinder()]
        # First of all: whoever else knew the folder of our modules would load them a second time.
        sys.meta_path.insert(0, finders[0])
    finders[0].ours_first |= ours_first


def is_ours() -> bool:
    """Whether AWS's name means this package's modules."""
    found = importlib.util.find_spec(_ALIAS)
    return found is not None and isinstance(found.loader, _AliasFinder)


class _AliasFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a module of the alias in the module of the same name below ours."""

    ours_first = False

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - as Python asks
        target: ModuleType | None = None,  # noqa: ARG002 - as Python asks
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where to find a module; None: it is none of ours."""
        top, _, below = fullname.partition(".")
        if top != _ALIAS or not self._is_ours(below):
            return None
        if importlib.util.find_spec(_ours(fullname)) is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def _is_ours(self, below: str) -> bool:
        """Whether the alias is this package's; asked for *below* it, it has been decided."""
        if below:
            return getattr(sys.modules.get(_ALIAS), "__name__", None) == _OURS
        return self.ours_first or importlib.machinery.PathFinder.find_spec(_ALIAS) is None

    def exec_module(self, module: ModuleType) -> None:
        """Put our own module, the very one, in the place of an empty one of the alias's name."""
        # Not from create_module: Python would write the alias into what it is given there.
        sys.modules[module.__name__] = importlib.import_module(_ours(module.__name__))


def _ours(fullname: str) -> str:
    return _OURS + fullname.removeprefix(_ALIAS)
