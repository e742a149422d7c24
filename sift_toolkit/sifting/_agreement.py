"""What ranks must have in common at the start of an epoch, and what they agree on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftRankError
from sift_toolkit.sifting._engine import Engine
from sift_toolkit.sifting._schedule import EpochShape, Position

_SAME: Final = {
    "config": "sift configs",
    "engine": "ways to score",
    "samples": "numbers of samples in the dataset they share",
    "batch_size": "batch sizes",
    "drop_last": "drop_last",
    "epochs": "numbers of epochs behind them",
    "steps": "numbers of training steps behind them",
    "resumes": "ways to begin: some go on with a saved epoch",
}
"""What must be the same on all ranks, and what it is called in a message."""

_ROWS: Final = "rows"


def figures_of(
    config: SiftConfig,
    engine: Engine,
    shape: EpochShape | None,
    position: Position,
    *,
    resumes: bool,
) -> dict[str, Any]:
    """Return what a rank says of itself at the start of an epoch.

    Args:
        config: how often something is told may differ.
        engine: the one at work.
        shape: of an epoch of its own data, None if unknown.
        position: how far it has come.
        resumes: whether it goes on in the middle of an epoch.
    """
    fields = dataclasses.replace(config, log_every=1).to_hyperparameters()
    return {
        "config": " ".join(f"{key}={value}" for key, value in sorted(fields.items())),
        "engine": engine.name,
        "samples": engine.shared_samples,
        "batch_size": None if shape is None else shape.batch_size,
        "drop_last": None if shape is None else shape.drop_last,
        "epochs": position.epochs,
        "steps": position.steps,
        "resumes": resumes,
        _ROWS: None if shape is None else shape.rows,
    }


def check_same(said: Sequence[Mapping[str, Any]]) -> None:
    """Refuse ranks that could not stay in step.

    Args:
        said: `figures_of` each rank.

    Raises:
        SiftRankError: they differ in something that must be the same; all of it is named.
    """
    problems = [
        f"{name}: " + ", ".join(f"{each[key]!r} on rank {rank}" for rank, each in enumerate(said))
        for key, name in _SAME.items()
        if len({str(each[key]) for each in said}) > 1
    ]
    if problems:
        msg = "ranks that train together must have the same " + "; the same ".join(problems)
        raise SiftRankError(msg)


def common_shape(shape: EpochShape | None, said: Sequence[Mapping[str, Any]]) -> EpochShape | None:
    """Return the shape of the epochs that all ranks can give: that of the least data.

    Args:
        shape: of this rank's own epochs.
        said: `figures_of` each rank.
    """
    if shape is None or any(each[_ROWS] is None for each in said):
        return None
    return dataclasses.replace(shape, rows=min(each[_ROWS] for each in said))
