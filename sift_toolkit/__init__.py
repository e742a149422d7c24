"""Loss-based data sifting for PyTorch training on Amazon SageMaker.

Importing this package imports neither torch nor sagemaker: each name is resolved on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from sift_toolkit._version import __version__ as __version__
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import (
    SiftBatchError,
    SiftConfigError,
    SiftError,
    SiftJobError,
    SiftLossError,
    SiftRankError,
    SiftRequestError,
    SiftStateError,
    SiftSweepError,
    SiftUsageError,
)
from sift_toolkit.metrics import METRICS, Metric

if TYPE_CHECKING:
    from sift_toolkit.client import (
        HostSession,
        compare,
        describe_request,
        keep_sweep,
        report_page,
        sift_estimator,
        sift_model_trainer,
        sift_tuner,
        trial,
        watch,
    )
    from sift_toolkit.container import sift
    from sift_toolkit.sifting import SiftingDataloader

__all__ = [
    "METRICS",
    "HostSession",
    "Metric",
    "SiftBatchError",
    "SiftConfig",
    "SiftConfigError",
    "SiftError",
    "SiftJobError",
    "SiftLossError",
    "SiftRankError",
    "SiftRequestError",
    "SiftStateError",
    "SiftSweepError",
    "SiftUsageError",
    "SiftingDataloader",
    "compare",
    "describe_request",
    "keep_sweep",
    "report_page",
    "sift",
    "sift_estimator",
    "sift_model_trainer",
    "sift_tuner",
    "trial",
    "watch",
]

_HOME = {
    "HostSession": "sift_toolkit.client",
    "SiftingDataloader": "sift_toolkit.sifting",
    "compare": "sift_toolkit.client",
    "describe_request": "sift_toolkit.client",
    "keep_sweep": "sift_toolkit.client",
    "report_page": "sift_toolkit.client",
    "sift": "sift_toolkit.container",
    "sift_estimator": "sift_toolkit.client",
    "sift_model_trainer": "sift_toolkit.client",
    "sift_tuner": "sift_toolkit.client",
    "trial": "sift_toolkit.client",
    "watch": "sift_toolkit.client",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
