"""Completion for bash, which cuts words at each `=`: they are joined, and answered in part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from click.shell_completion import BashComplete, CompletionItem, add_completion_class

_SIGN: Final = "="
_SOURCE: Final = """\
%(complete_func)s() {
    local kind value words="${COMP_WORDS[*]}"
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            file) compopt -o default ;;
            dir) compopt -o dirnames ;;
            plain)
                COMPREPLY+=("$value")
                # What follows the sign is part of the same word.
                if [[ $value == *= ]]; then compopt -o nospace; fi
                ;;
        esac
    done < <(COMP_WORDS=$words COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete "$1")
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class Bash(BashComplete):
    """click's own, which takes `-c keep=0.5` for an option's value `keep`, a `=` and a `0.5`."""

    source_template = _SOURCE

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is typed, and that one, each whole."""
        before, typed = super().get_completion_args()
        *args, incomplete = _joined([*before, typed])
        self._answered = _answered(incomplete)
        return args, incomplete

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return the part of an answer that bash has no word for yet."""
        return f"{item.type},{str(item.value).removeprefix(self._answered)}"


def register() -> None:
    """Let click complete for bash by this class."""
    add_completion_class(Bash)


def _joined(words: Sequence[str]) -> Iterator[str]:
    """Put together what bash has cut at each `=`; the last word may be a `=` itself."""
    whole: str | None = None
    for word in words:
        if whole is not None and (_SIGN in {word, whole[-1:]}):
            whole += word
            continue
        if whole is not None:
            yield whole
        whole = word
    if whole is not None:
        yield whole


def _answered(incomplete: str) -> str:
    """Return what of a word stands before the last `=`, without an option's name."""
    value = incomplete.partition(_SIGN)[2] if incomplete.startswith("-") else incomplete
    return value[: value.rfind(_SIGN) + 1]
