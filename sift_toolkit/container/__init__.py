"""Inside the job: reads the config, wraps the loader, emits metrics, trains, checkpoints."""

from sift_toolkit.container._entry import run_entry, train_entry
from sift_toolkit.container._hooks import Hooks, Job
from sift_toolkit.container._sift import sift

__all__ = ["Hooks", "Job", "run_entry", "sift", "train_entry"]
