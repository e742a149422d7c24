"""Values that parsers are not made for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hypothesis import strategies as st

from sift_toolkit import SiftError

MOST_WORDS: Final = 20_000
"""Characters of a message that anybody would read."""


def tried(step: Callable[[], object]) -> object:
    """Return what *step* does, None where it ends in an error of ours."""
    try:
        return step()
    except SiftError as error:
        said = str(error)
    assert len(said) < MOST_WORDS
    return None


# What has made parsers stumble elsewhere, and what means something to ours.
WORDS = (
    *("", " ", "null", "None", "True", "true", "NaN", "Infinity", "-Infinity", "1e999", "-0"),
    *('"' * 9, "\\", "\\ud800", "\ud800", "\x00", "\x1b[2J", "\u2028", "\r", "a\nb"),
    *("[sift] kept_share=0.5;", "../../etc/passwd", "$x$", "<script>", "[red]", "{}", "%s"),
)
LONG = st.sampled_from(["[", '{"a":', "1", "x"]).map(lambda word: word * 5000)
TEXT = st.one_of(
    st.sampled_from(WORDS), st.text(max_size=40), st.text(st.characters(), max_size=8), LONG
)
NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([0, 1, -1, 255, 2**31, 2**63 - 1, 2**63, 10**308, 10**400, -(10**400)]),
    st.floats(),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXT)
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)


class File(bytes):
    """Bytes that are not shown as a whole where a test fails."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes, {self[:20]!r}...>"


@st.composite
def changed_bytes(draw: st.DrawFn, whole: bytes) -> File:
    """Bytes that are nearly those of a valid file: cut, flipped, doubled or written over."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(content) - 1, 0)))
        kind = draw(st.sampled_from(["flip", "cut", "double", "over", "insert", "drop"]))
        if kind == "flip" and content:
            content[place] ^= draw(st.integers(1, 255))
        elif kind == "cut":
            del content[place:]
        elif kind == "double":
            content[place:place] = content[place : place + draw(st.integers(1, 64))]
        elif kind == "over":
            new = draw(st.binary(min_size=1, max_size=8))
            content[place : place + len(new)] = new
        elif kind == "insert":
            content[place:place] = draw(st.binary(max_size=8))
        else:
            del content[place : place + draw(st.integers(1, 64))]
    return File(content)


def _places(value: object, here: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    found = [here]
    if isinstance(value, dict):
        for key, child in value.items():
            found += _places(child, (*here, key))
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            found += _places(child, (*here, index))
    return found


def _with(value: object, place: tuple[object, ...], new: object) -> object:
    if not place:
        return new
    first, rest = place[0], place[1:]
    if isinstance(value, dict):
        return {k: _with(v, rest, new) if k == first else v for k, v in value.items()}
    assert isinstance(value, list | tuple)
    changed = [_with(v, rest, new) if i == first else v for i, v in enumerate(value)]
    return type(value)(changed)


def _without(value: object, place: tuple[object, ...]) -> object:
    first, rest = place[0], place[1:]
    if isinstance(value, dict):
        return {
            k: _without(v, rest) if rest and k == first else v
            for k, v in value.items()
            if rest or k != first
        }
    assert isinstance(value, list | tuple)
    kept = [
        _without(v, rest) if rest and i == first else v
        for i, v in enumerate(value)
        if rest or i != first
    ]
    return type(value)(kept)


@st.composite
def changed_tree(
    draw: st.DrawFn, whole: object, others: st.SearchStrategy[object] = JSON_VALUES
) -> object:
    """A tree of dicts and lists in which a few places hold something else, or are not there."""
    changed = whole
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(_places(changed)))
        if place and draw(st.integers(0, 3)) == 0:
            changed = _without(changed, place)
        else:
            changed = _with(changed, place, draw(others))
    return changed
