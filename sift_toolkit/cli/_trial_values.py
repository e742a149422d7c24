"""What values of `trial`'s options may be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from sift_toolkit.cli._options import JobArgument

if TYPE_CHECKING:
    _ShareType: TypeAlias = click.ParamType[float | tuple[float, float]]
else:  # older releases of click have no generic types
    _ShareType = click.ParamType


class KeptShare(_ShareType):
    """A share to keep, ``0.5``, or one that falls, ``0.7:0.2``."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | tuple[float, float]:
        """Return the share, or the first and the last."""
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return] # click converts what was converted
        start, sign, end = value.partition(":")
        try:
            return (float(start), float(end)) if sign else float(start)
        except ValueError:
            self.fail(f"must be a share, as 0.5, or 0.7:0.2, got {value!r}", param, ctx)


class JobSource(JobArgument):
    """A script that is there, or ``FILE:NAME`` of an estimator."""

    name = "script"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what is neither."""
        text = str(value)
        file = text if Path(text).exists() else text.rpartition(":")[0]
        if not file or not Path(file).is_file():
            self.fail(f"{text!r} does not exist; give a script, or FILE:NAME", param, ctx)
        return text
