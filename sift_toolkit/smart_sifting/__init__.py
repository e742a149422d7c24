"""AWS's names for smart sifting, on any PyTorch: a thin face over this package's own core.

A script that says ``from smart_sifting... import ...`` runs unchanged in this package's jobs and
under ``sift-toolkit run``; elsewhere call `alias_smart_sifting` first, or write
``from sift_toolkit.smart_sifting... import ...``. What AWS documents holds here with AWS's
semantics: fresh scores, percentile ** beta, a delay of 1000 steps; in a job that carries a sift
config that one's law, share and delay. Only the choice is exact where
AWS's is a coin a sample: of each batch the right number, so that a length is known.

Source: the AWS documentation of smart sifting, "SageMaker smart sifting API reference".
"""

from sift_toolkit.container import alias_smart_sifting
from sift_toolkit.smart_sifting._exceptions import (
    LossImplementationNotProvidedException,
    SiftConfigValidationException,
    UnsupportedDataFormatException,
)

__all__ = [
    "LossImplementationNotProvidedException",
    "SiftConfigValidationException",
    "UnsupportedDataFormatException",
    "alias_smart_sifting",
]
