"""The messages of the package's errors, found in its source; what is filled in is an ellipsis.

A message is what stands in a raised error, what is assigned to a name that messages have in this
package, and what a function that tells problems gives back, one by one or in a list.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

PACKAGE: Final = Path(__file__).parents[2] / "sift_toolkit"
HOLE: Final = "…"
ERROR: Final = re.compile(r"_?Sift\w+(Error|Exception)|\w+NotProvidedException|_ProblemsError")
NAMES: Final = frozenset(
    {"found", "left", "message", "missing", "msg", "need", "problem", "problems"}
    | {"reason", "told", "violations", "why", "wrong"}
)
"""Names that messages, or lists of them, are assigned to."""
GIVES_TEXT: Final = re.compile(r"Iterator\[str\]|Iterable\[str\]|list\[str\]|str \| None|str$")
SHORT: Final = 3
"""Texts of fewer words are parts of a message."""


class Message(NamedTuple):
    """A message, and where it stands."""

    text: str
    place: str


@cache
def messages() -> tuple[Message, ...]:
    """Return all messages of the package, in the order of its files."""
    return tuple(
        Message(text, f"{path.relative_to(PACKAGE)}:{line}")
        for path in sorted(PACKAGE.rglob("*.py"))
        for function in ast.walk(_tree(path))
        if isinstance(function, ast.FunctionDef) and not function.name.startswith("__")
        for text, line in _texts_in(function)
        if len(text.split()) >= SHORT
    )


@cache
def all_texts() -> tuple[str, ...]:
    """Return every text of the package's code but docstrings, notes and warnings among them."""
    nodes = [node for path in sorted(PACKAGE.rglob("*.py")) for node in ast.walk(_tree(path))]
    docstrings = {node.value for node in nodes if isinstance(node, ast.Expr)}
    texts = {_text_of(node) or "" for node in nodes if node not in docstrings}
    return tuple(text for text in texts if len(text.split()) >= SHORT)


def raised() -> Iterator[tuple[str, ast.expr, str]]:
    """Yield class, first argument and place of each error of ours that is made."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and (name := _error_made(node)) and node.args:
                yield name, node.args[0], f"{path.relative_to(PACKAGE)}:{node.lineno}"


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _texts_in(function: ast.FunctionDef) -> Iterator[tuple[str, int]]:
    """Yield text and line of each message in a function's own body."""
    gives = function.returns is not None and GIVES_TEXT.search(ast.unparse(function.returns))
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            continue
        for value in _values(node, gives=bool(gives)):
            yield from _texts_of(value)
        waiting += ast.iter_child_nodes(node)


def _values(node: ast.AST, *, gives: bool) -> Iterator[ast.expr | None]:
    """Yield what in a node may hold messages."""
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        yield node.value if _is_named(target) else None
    elif isinstance(node, (ast.Return, ast.Yield)):
        yield node.value if gives else None
    elif isinstance(node, ast.Call):
        adds = isinstance(node.func, ast.Attribute) and node.func.attr in {"append", "extend"}
        named = adds and _is_named(node.func.value)  # type: ignore[attr-defined] # it has one
        if named or _error_made(node):
            yield from node.args


def _texts_of(node: ast.expr | None) -> Iterator[tuple[str, int]]:
    """Yield the texts that an expression comes to, whichever way its conditions go."""
    text = None if node is None else _text_of(node)
    if node is None or text is not None:
        yield from [] if node is None or text is None else [(text.strip(), node.lineno)]
    elif isinstance(node, ast.IfExp):
        yield from [*_texts_of(node.body), *_texts_of(node.orelse)]
    elif isinstance(node, (ast.List, ast.Tuple)):
        yield from (found for each in node.elts for found in _texts_of(each))
    elif isinstance(node, ast.BinOp):
        yield from [*_texts_of(node.left), *_texts_of(node.right)]
    elif isinstance(node, (ast.ListComp, ast.GeneratorExp)):
        yield from _texts_of(node.elt)
    elif isinstance(node, ast.Call) and _error_made(node):
        yield from (found for each in node.args for found in _texts_of(each))


def _text_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values
        )
    return None


def _is_named(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in NAMES


def _error_made(node: ast.Call) -> str | None:
    if isinstance(node.func, ast.Name) and ERROR.fullmatch(node.func.id):
        return node.func.id
    return None
