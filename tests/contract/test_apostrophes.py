"""Hyperparameters survive a launcher that puts them between apostrophes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.config import QUOTED_KEY
from sift_toolkit.contract import decode_hyperparameters, without_apostrophes

TEXTS = st.text() | st.text(alphabet="'\"\\u0027 a$`{}[]")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
HYPERPARAMETERS = st.dictionaries(st.sampled_from(["lr", "note", "a-b", "q"]), VALUES)


def as_sdk_v3_decodes(value: str) -> str:
    """Write a value as SDK v3's bootstrap does, having decoded what it can: its environment.py."""
    decoded = json.loads(value)
    return decoded if isinstance(decoded, str) else json.dumps(decoded)


@given(HYPERPARAMETERS)
def test_no_apostrophe_reaches_the_shell(hyperparameters: dict[str, Any]) -> None:
    """What SDK v3 decodes, and puts between apostrophes, holds none."""
    wire = without_apostrophes({key: json.dumps(value) for key, value in hyperparameters.items()})
    for value in wire.values():
        assert "'" not in as_sdk_v3_decodes(value)
        assert "'" not in json.dumps(json.loads(value))


@given(HYPERPARAMETERS)
def test_the_job_reads_what_was_given(hyperparameters: dict[str, Any]) -> None:
    """Decoding gives back each value as it was, whatever signs are in it."""
    wire = without_apostrophes({key: json.dumps(value) for key, value in hyperparameters.items()})
    decoded = decode_hyperparameters(wire)
    decoded.pop(QUOTED_KEY, None)
    assert decoded == hyperparameters


@given(HYPERPARAMETERS)
def test_without_apostrophes_nothing_changes(hyperparameters: dict[str, Any]) -> None:
    """A value without an apostrophe is on the wire as SDK v2 writes it."""
    encoded = {key: json.dumps(value) for key, value in hyperparameters.items()}
    plain = {key: text for key, text in encoded.items() if "'" not in text}
    assert plain.items() <= without_apostrophes(encoded).items()
    assert without_apostrophes(plain) == plain


def test_the_changed_ones_are_named() -> None:
    """One more hyperparameter names those whose apostrophes were spelled out."""
    wire = without_apostrophes({"note": '"it\'s"', "lr": "0.1"})
    assert wire == {
        "note": r'"\"it\\u0027s\""',
        "lr": "0.1",
        QUOTED_KEY: '["note"]',
    }
