"""What hooks are told of the job they run in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sift_toolkit.contract import JobTree


@dataclass(frozen=True)
class Job:
    """The job that hooks run in."""

    tree: JobTree
    """Its folders."""
    hyperparameters: Mapping[str, Any]
    """The user's own, with their types; the toolkit's and the SDK's left out."""
    rank: int = 0
    """Which of the job's processes this is, from 0, over all hosts."""
    processes: int = 1
    """How many processes train the model together: with several, each reads its part of the
    training data, as ``DistributedSampler(dataset, job.processes, job.rank)`` gives it."""

    def channel(self, name: str) -> Path:
        """Return the folder of an input channel.

        Raises:
            SiftJobError: the job has no such channel; the message names those it has.
        """
        return self.tree.channel(name)
