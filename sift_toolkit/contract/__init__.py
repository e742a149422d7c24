"""The contract between a training job and whatever launches it. No SDK in it.

Inside a job, `JobTree.current()` finds its folders. A launcher describes a job
(`JobDescription`), runs it on this machine with the real `train` of sagemaker-training
(`launch`) and packs what it left (`pack_artifacts`).
"""

from __future__ import annotations

from sift_toolkit.contract._apostrophes import without_apostrophes
from sift_toolkit.contract._archive import UNREADABLE
from sift_toolkit.contract._artifacts import OUTPUT_ARCHIVE, pack_artifacts
from sift_toolkit.contract._description import JobDescription
from sift_toolkit.contract._hosts import hosts_of, why_unknown
from sift_toolkit.contract._launch import JobResult, launch
from sift_toolkit.contract._locations import local_path
from sift_toolkit.contract._log import read_log
from sift_toolkit.contract._outcome import JobOutcome, read_outcome
from sift_toolkit.contract._tree import FAILURE_REASON_LIMIT, JobTree, decode_hyperparameters

__all__ = [
    "FAILURE_REASON_LIMIT",
    "OUTPUT_ARCHIVE",
    "UNREADABLE",
    "JobDescription",
    "JobOutcome",
    "JobResult",
    "JobTree",
    "decode_hyperparameters",
    "hosts_of",
    "launch",
    "local_path",
    "pack_artifacts",
    "read_log",
    "read_outcome",
    "why_unknown",
    "without_apostrophes",
]
