"""sift_report.json: what it holds, the way there and back, and how it is shown."""

from sift_toolkit.report._charts import class_figure, kept_figure, loss_figure, report_figures
from sift_toolkit.report._report import (
    LOSS_PERCENTILES,
    MOST_BYTES,
    REPORT_FILE,
    REPORT_VERSION,
    ClassTotals,
    Observation,
    SiftReport,
)
from sift_toolkit.report._time import JobTime, time_figure
from sift_toolkit.report._words import pairs_of_values, stuck_words

__all__ = [
    "LOSS_PERCENTILES",
    "MOST_BYTES",
    "REPORT_FILE",
    "REPORT_VERSION",
    "ClassTotals",
    "JobTime",
    "Observation",
    "SiftReport",
    "class_figure",
    "kept_figure",
    "loss_figure",
    "pairs_of_values",
    "report_figures",
    "stuck_words",
    "time_figure",
]
