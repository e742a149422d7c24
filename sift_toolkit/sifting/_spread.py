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

_HAD_KEY: Final = "had"
_LEARNT_KEY: Final = "learnt"


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
        self._had: list[Tensor] = []
        self._learnt: list[Tensor] = []

    @property
    def is_on(self) -> bool:
        """Whether ranks tell each other anything."""
        return self._is_shared and self._ranks.size > 1

    def remember(self, ids: Tensor) -> None:
        """Remember samples that this rank has in the epoch that begins."""
        if self.is_on:
            self._had.append(ids.to(torch.int64))

    def remember_learnt(self, ids: Tensor) -> None:
        """Remember samples whose losses came back to this rank."""
        if self.is_on:
            self._learnt.append(ids.to(torch.int64))

    def exchange(self) -> None:
        """Tell what this rank knows of the samples remembered, and learn what the others know.

        All ranks must call it. Of a sample that several ranks had, one's word counts to whom its
        loss came back; of several of those, the last rank's.

        Raises:
            SiftRankError: another rank has failed.
        """
        if not self.is_on:
            return
        learnt = self._marked(self._learnt)
        had = self._marked(self._had) & ~learnt
        self._had, self._learnt = [], []
        # All packed before any is taken over: what another rank only had overrules no loss of ours.
        packets = [self._memory.pack(torch.where(marks)[0]) for marks in (had, learnt)]
        for packed in packets:
            for told in self._ranks.gather(packed, kind="memory"):
                self._memory.take_over(told)

    def _marked(self, parts: list[Tensor]) -> Tensor:
        marks = torch.zeros(len(self._memory), dtype=torch.bool)
        for ids in parts:
            marks[ids] = True
        return marks

    def state_dict(self) -> dict[str, Any]:
        """Return the samples remembered."""
        return {
            _HAD_KEY: [ids.clone() for ids in self._had],
            _LEARNT_KEY: [ids.clone() for ids in self._learnt],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self._had = list(state[_HAD_KEY])
        self._learnt = list(state[_LEARNT_KEY])


def splits_samples(loader: object) -> bool:
    """Return whether a sampler of *loader* gives each rank a part of one dataset.

    As PyTorch's DistributedSampler does; others are known by its attribute.
    """
    return any(hasattr(part, "num_replicas") for part in parts_of(loader))
