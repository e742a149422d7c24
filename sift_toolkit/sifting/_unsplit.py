"""Notices that every rank would train on all data, where Accelerate was meant to split it."""

from __future__ import annotations

import sys

from torch.utils.data import DataLoader

from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting._spread import splits_samples


def refuse_unsplit(loader: object) -> None:
    """Refuse a loader that `why_unsplit` has something against.

    Raises:
        SiftUsageError: Accelerate left all data to each rank.
    """
    wrong = why_unsplit(loader)
    if wrong is not None:
        raise SiftUsageError(wrong)


def why_unsplit(loader: object) -> str | None:
    """Return what is wrong with a loader that Accelerate did not prepare, None if nothing is.

    ``accelerator.prepare()`` hands back what it does not know, a sifted loader too, without a
    word. Whether Accelerate runs this training is asked of it, where it is imported.

    Args:
        loader: the one inside, on one of several ranks.
    """
    state = sys.modules.get("accelerate.state")
    if state is None or not state.is_initialized() or not isinstance(loader, DataLoader):
        return None
    if type(loader).__module__.partition(".")[0] == "accelerate":
        return None
    # Of what Accelerate prepared, one of these tells how many share the data.
    parts = (loader.dataset, loader.batch_sampler)
    if splits_samples(loader) or any(hasattr(part, "num_processes") for part in parts):
        return None
    return (
        "each process would train on all data: Accelerate was not given the loader inside. First "
        "loader = accelerator.prepare(loader), then sift what it returns, with "
        "sift_toolkit.integrations.accelerate.sift(loader, ...); accelerator.prepare() of a sifted "
        "loader does nothing. Where each process has data of its own: shares_samples=False"
    )
