"""A config in a notebook: what differs from the defaults, and what it means."""

from __future__ import annotations

import dataclasses
from html import escape
from typing import TYPE_CHECKING

from sift_toolkit.config._fields import help_of
from sift_toolkit.display import Row, html_table

if TYPE_CHECKING:
    from sift_toolkit.config._config import SiftConfig


def config_html(config: SiftConfig) -> str:
    """Return a table of the fields that differ from their defaults, and a line about the others."""
    fields = dataclasses.fields(config)
    given = [field for field in fields if getattr(config, field.name) != field.default]
    table = html_table(
        "Sift config: what differs from the defaults",
        [["field"], ["value"], ["default"], ["meaning"]],
        [
            Row(
                field.name,
                [
                    repr(getattr(config, field.name)),
                    repr(field.default),
                    help_of(field).replace("`", ""),
                ],
            )
            for field in given
        ],
        text_columns=3,
    )
    others = ", ".join(f"{f.name}={f.default!r}" for f in fields if f not in given)
    return (
        f"{table}\n<details><summary>The other {len(fields) - len(given)} fields are at their "
        f"defaults</summary><p>{escape(others)}</p></details>"
    )
