"""The launching side: builds estimators and runs their jobs.

Importing this package imports no SDK: each name is resolved on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sift_toolkit.client._comparison import TwinComparison, compare_twins
    from sift_toolkit.client._estimator import sift_estimator
    from sift_toolkit.client._host_job import HostJob
    from sift_toolkit.client._host_session import HostSession
    from sift_toolkit.client._job_figures import JobFigures
    from sift_toolkit.client._progress import JobProgress
    from sift_toolkit.client._twin_plot import plot_twins
    from sift_toolkit.client._twin_table import render_table

__all__ = [
    "HostJob",
    "HostSession",
    "JobFigures",
    "JobProgress",
    "TwinComparison",
    "compare_twins",
    "plot_twins",
    "render_table",
    "sift_estimator",
]

_HOME = {
    "HostJob": "sift_toolkit.client._host_job",
    "HostSession": "sift_toolkit.client._host_session",
    "JobFigures": "sift_toolkit.client._job_figures",
    "JobProgress": "sift_toolkit.client._progress",
    "TwinComparison": "sift_toolkit.client._comparison",
    "compare_twins": "sift_toolkit.client._comparison",
    "plot_twins": "sift_toolkit.client._twin_plot",
    "render_table": "sift_toolkit.client._twin_table",
    "sift_estimator": "sift_toolkit.client._estimator",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
