"""What a saved state says of the loader it belongs to."""

from __future__ import annotations

from typing import Any, Final

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftStateError
from sift_toolkit.sifting._schedule import EpochShape

_VERSION: Final = 1


def state_header(config: SiftConfig, shape: EpochShape | None) -> dict[str, Any]:
    """Return what must be the same where a state is saved and where it is loaded."""
    epoch = None if shape is None else [shape.rows, shape.batch_size, int(shape.drop_last)]
    return {
        "version": _VERSION,
        "config": config.to_hyperparameters(),
        "rows, batch size and drop_last of an epoch": epoch,
    }


def check_state(state: dict[str, Any], header: dict[str, Any]) -> None:
    """Hold a saved state against the loader it is to be loaded into.

    Raises:
        SiftStateError: it belongs to another one.
    """
    for key, ours in header.items():
        if state.get(key) != ours:
            msg = f"the saved state has another {key}: {state.get(key)!r}, this loader {ours!r}"
            raise SiftStateError(msg)
