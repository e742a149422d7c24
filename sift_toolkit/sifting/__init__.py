"""The sifting core: torch and the leaf, nothing else."""

from sift_toolkit.sifting._batches import Batch, Pad, to_device
from sift_toolkit.sifting._labels import Labels
from sift_toolkit.sifting._layout import Layout
from sift_toolkit.sifting._loader import SiftingDataloader
from sift_toolkit.sifting._loss import Loss, LossObject, as_loss
from sift_toolkit.sifting._meter import Listener
from sift_toolkit.sifting._rank_status import StatusBoard
from sift_toolkit.sifting._rebuild import rebuild
from sift_toolkit.sifting._rewiring import Rewiring
from sift_toolkit.sifting._rng import global_state, set_global_state
from sift_toolkit.sifting._sequences import sequence_loss
from sift_toolkit.sifting._spread import splits_samples

__all__ = [
    "Batch",
    "Labels",
    "Layout",
    "Listener",
    "Loss",
    "LossObject",
    "Pad",
    "Rewiring",
    "SiftingDataloader",
    "StatusBoard",
    "as_loss",
    "global_state",
    "rebuild",
    "sequence_loss",
    "set_global_state",
    "splits_samples",
    "to_device",
]
