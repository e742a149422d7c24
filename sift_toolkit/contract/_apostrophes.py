"""Hyperparameters with their apostrophes spelled out, for a launcher that cannot quote them.

SDK v3 starts a job by writing each decoded value into a shell script, ``export NAME='VALUE'``. An
apostrophe in it ends the job before the user's code runs, or runs what follows as a command.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sift_toolkit.config import QUOTED_KEY
from sift_toolkit.outside import read_json


def without_apostrophes(encoded: Mapping[str, str]) -> dict[str, str]:
    r"""Return hyperparameters, each JSON text, such that none holds an apostrophe once decoded.

    A value with an apostrophe becomes JSON text within JSON text, whose inner one spells it
    ``\u0027``; one more hyperparameter names those that were changed. All others stay.
    """
    changed = {
        key: json.dumps(text.replace("'", r"\u0027"))
        for key, text in encoded.items()
        if "'" in text
    }
    names = {QUOTED_KEY: json.dumps(sorted(changed))} if changed else {}
    return {**encoded, **changed, **names}


def with_apostrophes(decoded: Mapping[str, object]) -> dict[str, object]:
    """Undo `without_apostrophes`, given hyperparameters that were decoded once."""
    names = decoded.get(QUOTED_KEY)
    changed = {
        name: _unquoted(text)
        for name in (names if isinstance(names, list) else [])
        if isinstance(name, str) and isinstance(text := decoded.get(name), str)
    }
    return {**decoded, **changed}


def _unquoted(text: str) -> object:
    try:
        return read_json(text)
    except ValueError:
        # Not one of those that were spelled out here, whatever the list says.
        return text
