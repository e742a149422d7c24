"""Whether a checkpoint belongs to the run that wants to go on from it, and if not, why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from torch import Tensor
from torch.nn.parameter import is_lazy

from sift_toolkit.errors import SiftStateError
from sift_toolkit.outside import brief, shown, some_of

OWN_HYPERPARAMETERS: Final = frozenset({"checkpoint_minutes", "checkpoint_steps"})
"""When to save may change from one job to the next: it is the same run."""

_MOST_TOLD: Final = 3
"""A model of another width differs in all its layers."""


def identity(facts: Mapping[str, object], hyperparameters: Mapping[str, object]) -> dict[str, Any]:
    """Return what a checkpoint says of its run; of hyperparameters no values, they may be secret.

    Args:
        facts: told with their values where they differ.
        hyperparameters: the user's own.
    """
    return {
        "facts": {name: repr(value) for name, value in facts.items()},
        "hyperparameters": {
            name: _digest(value)
            for name, value in sorted(hyperparameters.items())
            if name not in OWN_HYPERPARAMETERS
        },
    }


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Return how two identities differ, in words; *there* is the checkpoint's."""
    facts = changes(there["facts"], here["facts"])
    saved, ours = there["hyperparameters"], here["hyperparameters"]
    others = [
        f"hyperparameter {shown(name)} is {_how(name, saved, ours)}"
        for name in _changed(saved, ours)
        # Said already, with its values.
        if name not in there["facts"]
    ]
    return [*facts, *others]


def changes(there: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """Return which words differ, by their names."""
    return [
        f"{brief(name)}: {brief(there.get(name, 'none'))} there, {here.get(name, 'none')} here"
        for name in _changed(there, here)
    ]


def model_differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Return how a saved model's state differs in names, shapes and kinds from this one's."""
    if any(is_lazy(value) for value in here.values()):
        return []
    saved, ours = _forms(there), _forms(here)
    told = [f"model {change}" for change in changes(saved, ours)]
    more = len(told) - _MOST_TOLD
    return [*told[:_MOST_TOLD], f"{more} more of the model"] if more > 0 else told


def another_run(folder: str, why: Sequence[str]) -> SiftStateError:
    """Return the error to raise where a checkpoint does not belong to the run."""
    return SiftStateError(
        f"the checkpoint in {folder!r} belongs to another run: {some_of(why)}; give this "
        "job a checkpoint folder of its own, or make it the same run"
    )


def _changed(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    names = [*here, *(name for name in there if name not in here)]
    return (name for name in names if there.get(name) != here.get(name))


def _how(name: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    if name not in there:
        return "new"
    return "not there any more" if name not in here else "another one"


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _forms(state: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
        for name, value in state.items()
        if isinstance(value, Tensor)
    }
