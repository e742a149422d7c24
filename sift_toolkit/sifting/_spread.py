"""What each rank learnt about its samples, spread to all ranks when an epoch begins.

Ranks that share a dataset are given other samples in each epoch. Each tells what it knows of the
samples it had since it last told: ten bytes a sample, so that an exchange takes ten bytes for
each sample of the dataset, however many ranks there are.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor

from sift_toolkit.sifting._memory_store import SampleMemory
from sift_toolkit.sifting._rng import parts_of
from sift_toolkit.sifting._wiring import Wiring

_TO_TELL_KEY: Final = "to_tell"


class Spread:
    """Keeps the memories of all ranks alike.

    Args:
        wiring: of the run.
        memory: this rank's.
    """

    def __init__(self, wiring: Wiring, memory: SampleMemory) -> None:
        self._ranks = wiring.ranks
        self._memory = memory
        given = wiring.shares_samples
        self._is_shared = splits_samples(wiring.loader) if given is None else given
        self._to_tell: list[Tensor] = []

    def remember(self, ids: Tensor) -> None:
        """Remember samples that this rank has in the epoch that begins."""
        if self._is_shared and self._ranks.size > 1:
            self._to_tell.append(ids.to(torch.int64))

    def exchange(self) -> None:
        """Tell what this rank knows of the samples remembered, and learn what the others know.

        All ranks must call it. Of a sample that several ranks had, the last rank's word counts.

        Raises:
            SiftRankError: another rank has failed.
        """
        if not self._is_shared or self._ranks.size == 1:
            return
        ids = torch.cat([torch.empty(0, dtype=torch.int64), *self._to_tell])
        ids = ids.unique()  # type: ignore[no-untyped-call] # torch's own gap
        self._to_tell = []
        for told in self._ranks.gather(self._memory.pack(ids), kind="memory"):
            self._memory.take_over(told)

    def state_dict(self) -> dict[str, Any]:
        """Return the samples remembered."""
        return {_TO_TELL_KEY: [ids.clone() for ids in self._to_tell]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self._to_tell = list(state[_TO_TELL_KEY])


def splits_samples(loader: object) -> bool:
    """Return whether a sampler of *loader* gives each rank a part of one dataset.

    As PyTorch's DistributedSampler does; others are known by its attribute.
    """
    return any(hasattr(part, "num_replicas") for part in parts_of(loader))
