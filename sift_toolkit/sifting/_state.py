"""What a saved state says of the loader it belongs to."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from torch import Tensor

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftStateError
from sift_toolkit.outside import brief, shown, some_of
from sift_toolkit.sifting._labels import Labels
from sift_toolkit.sifting._ranks import Ranks
from sift_toolkit.sifting._schedule import EpochShape
from sift_toolkit.sifting._state_form import state_form

_VERSION: Final = 2
_VERSION_KEY: Final = "version"
_CONFIG_KEY: Final = "config"
_DATA_KEY: Final = "data"
_SAMPLES: Final = "samples in the dataset"


def state_header(
    config: SiftConfig,
    shape: EpochShape | None,
    dataset: object,
    ranks: Ranks,
    labels: Labels | None = None,
) -> dict[str, Any]:
    """Return what must be the same where a state is saved and where it is loaded.

    Args:
        config: the loader's.
        shape: of an epoch, None if unknown.
        dataset: the dataset of the loader inside, None if there is none.
        ranks: each has a state of its own, of its part of the data.
        labels: the user's, None if there are none; they are part of the choice.
    """
    data: dict[str, int | str] = {"ranks": ranks.size, "rank": ranks.rank}
    if hasattr(dataset, "__len__"):
        data[_SAMPLES] = len(dataset)
    if shape is not None:
        data["rows an epoch"] = shape.rows
        data["rows a batch"] = shape.batch_size
        data["drop_last"] = int(shape.drop_last)
    if labels is not None and config.sifts:
        data["labels"] = "by sample" if isinstance(labels, Tensor) else "by batch"
    # What is only told, and how often, may change: it is the same run.
    same = dataclasses.replace(config, log_every=1, gate="off")
    return {_VERSION_KEY: _VERSION, _CONFIG_KEY: same.to_hyperparameters(), _DATA_KEY: data}


def check_state(state: Any, header: dict[str, Any]) -> None:
    """Hold a saved state against the loader it is to be loaded into.

    Raises:
        SiftStateError: it belongs to another one, every difference is named; or is no whole state.
    """
    version = state.get(_VERSION_KEY) if isinstance(state, dict) else None
    is_ours = isinstance(version, int) and version == _VERSION
    if not is_ours or not all(isinstance(state.get(key), dict) for key in (_CONFIG_KEY, _DATA_KEY)):
        told = f"version={shown(version)}"
        msg = f"this is no state of a SiftingDataloader that this package reads: {told}"
        raise SiftStateError(msg)
    differences = [
        f"{brief(str(name))}: {shown(saved.get(name))} there, {ours.get(name)!r} here"
        for saved, ours in (
            (state[_CONFIG_KEY], header[_CONFIG_KEY]),
            (state[_DATA_KEY], header[_DATA_KEY]),
        )
        for name in [*ours, *(saved.keys() - ours.keys())]
        if not _same(saved.get(name), ours.get(name))
    ]
    if differences:
        told = some_of(differences)
        msg = f"the saved state is of another sift config, other data or another rank: {told}"
        raise SiftStateError(msg)
    wrong = state_form(header[_DATA_KEY].get(_SAMPLES, 0))(state, "state")
    if wrong is not None:
        msg = f"the saved state was changed, or is not whole: {brief(wrong)} is not what was saved"
        raise SiftStateError(msg)


def _same(saved: object, ours: object) -> bool:
    # Tensors do not compare to one answer; none stands there by itself.
    return not isinstance(saved, Tensor) and saved == ours
