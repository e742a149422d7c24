"""The sifting core: torch and the leaf, nothing else."""

from sift_toolkit.sifting._batches import Batch, Pad, to_device
from sift_toolkit.sifting._loader import SiftingDataloader
from sift_toolkit.sifting._loss import Loss, LossObject
from sift_toolkit.sifting._meter import Listener

__all__ = ["Batch", "Listener", "Loss", "LossObject", "Pad", "SiftingDataloader", "to_device"]
