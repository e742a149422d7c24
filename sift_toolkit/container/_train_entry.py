"""Training the hooks module that the job names; entry_points/train.py."""

from __future__ import annotations

from sift_toolkit.container._failure import FailureWritten
from sift_toolkit.container._hooks import load_hooks
from sift_toolkit.container._interruption import interruption
from sift_toolkit.container._job import Job
from sift_toolkit.container._processes import joined
from sift_toolkit.container._script import script_of
from sift_toolkit.container._trainer import train
from sift_toolkit.contract import JobTree


def train_entry() -> None:
    """Train the hooks module that the job names; asked to end, checkpoint first.

    Raises:
        SiftUsageError: the job names none, or it lacks hooks.
    """
    tree = JobTree.current()
    with FailureWritten(tree), interruption.noticed(), joined(tree) as processes:
        hooks = load_hooks(script_of(tree))
        job = Job(tree, tree.user_hyperparameters(), processes.rank, processes.size)
        train(hooks, job, processes)
