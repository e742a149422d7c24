"""The launching side: builds estimators and runs their jobs.

Importing this package imports no SDK: each name is resolved on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sift_toolkit.client._compare import Comparison, compare
    from sift_toolkit.client._comparison import TwinComparison, compare_twins
    from sift_toolkit.client._describe import describe_request
    from sift_toolkit.client._estimator import sift_estimator
    from sift_toolkit.client._host_job import HostJob
    from sift_toolkit.client._host_session import HostSession
    from sift_toolkit.client._job_facts import JobFacts
    from sift_toolkit.client._job_figures import JobFigures
    from sift_toolkit.client._model_trainer import sift_model_trainer
    from sift_toolkit.client._progress import JobProgress
    from sift_toolkit.client._report_page import ReportPage, report_page
    from sift_toolkit.client._sweep import Sweep, keep_sweep
    from sift_toolkit.client._telemetry import without_telemetry
    from sift_toolkit.client._trial import trial
    from sift_toolkit.client._trial_result import TrialResult
    from sift_toolkit.client._trial_verdict import TrialVerdict
    from sift_toolkit.client._tuner import sift_tuner
    from sift_toolkit.client._twin_plot import plot_twins
    from sift_toolkit.client._twin_table import render_table
    from sift_toolkit.client._watch import watch

__all__ = [
    "Comparison",
    "HostJob",
    "HostSession",
    "JobFacts",
    "JobFigures",
    "JobProgress",
    "ReportPage",
    "Sweep",
    "TrialResult",
    "TrialVerdict",
    "TwinComparison",
    "compare",
    "compare_twins",
    "describe_request",
    "keep_sweep",
    "plot_twins",
    "render_table",
    "report_page",
    "sift_estimator",
    "sift_model_trainer",
    "sift_tuner",
    "trial",
    "watch",
    "without_telemetry",
]

_HOME = {
    "Comparison": "sift_toolkit.client._compare",
    "HostJob": "sift_toolkit.client._host_job",
    "HostSession": "sift_toolkit.client._host_session",
    "JobFacts": "sift_toolkit.client._job_facts",
    "JobFigures": "sift_toolkit.client._job_figures",
    "JobProgress": "sift_toolkit.client._progress",
    "ReportPage": "sift_toolkit.client._report_page",
    "Sweep": "sift_toolkit.client._sweep",
    "TrialResult": "sift_toolkit.client._trial_result",
    "TrialVerdict": "sift_toolkit.client._trial_verdict",
    "TwinComparison": "sift_toolkit.client._comparison",
    "compare": "sift_toolkit.client._compare",
    "compare_twins": "sift_toolkit.client._comparison",
    "describe_request": "sift_toolkit.client._describe",
    "keep_sweep": "sift_toolkit.client._sweep",
    "plot_twins": "sift_toolkit.client._twin_plot",
    "render_table": "sift_toolkit.client._twin_table",
    "report_page": "sift_toolkit.client._report_page",
    "sift_estimator": "sift_toolkit.client._estimator",
    "sift_model_trainer": "sift_toolkit.client._model_trainer",
    "sift_tuner": "sift_toolkit.client._tuner",
    "trial": "sift_toolkit.client._trial",
    "watch": "sift_toolkit.client._watch",
    "without_telemetry": "sift_toolkit.client._telemetry",
}


_OF_SDK_V2 = frozenset({"HostSession"})
"""Names that cannot be had without it; all others ask for an SDK when they are called."""


def __getattr__(name: str) -> object:
    if name in _OF_SDK_V2:
        from sift_toolkit.client._sdks import module_of_sdk

        return getattr(module_of_sdk(_HOME[name], 2, name), name)
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
