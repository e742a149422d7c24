"""The sifting core: torch and the leaf, nothing else."""

from sift_toolkit.sifting._batches import Batch, Pad, to_device
from sift_toolkit.sifting._labels import Labels
from sift_toolkit.sifting._loader import SiftingDataloader
from sift_toolkit.sifting._loss import Loss, LossObject
from sift_toolkit.sifting._meter import Listener
from sift_toolkit.sifting._rng import global_state, set_global_state
from sift_toolkit.sifting._sequences import sequence_loss

__all__ = [
    "Batch",
    "Labels",
    "Listener",
    "Loss",
    "LossObject",
    "Pad",
    "SiftingDataloader",
    "global_state",
    "sequence_loss",
    "set_global_state",
    "to_device",
]
