"""The environment variables of a job: its own, the contract's, and few of its launcher's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from sift_toolkit.contract._description import JobDescription
from sift_toolkit.contract._tree import BASE_VARIABLE, JobTree

# What a job may know of the machine it runs on. Everything else stays behind: in a container it
# would not be there either, and a PYTHONPATH or SM_* of the launcher would change what runs.
_INHERITED: Final = (
    *("HOME", "USER", "LOGNAME", "SHELL", "TZ"),
    *("LANG", "LANGUAGE", "LC_*"),
    *("TMPDIR", "TEMP", "TMP"),
    *("LD_LIBRARY_PATH", "LD_PRELOAD"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    "AWS_*",
    *("OMP_*", "KMP_*", "MKL_*", "GOMP_*", "OPENBLAS_NUM_THREADS", "NUMEXPR_*", "ATEN_*"),
    *("CUDA_*", "NVIDIA_*", "NCCL_*", "GLOO_*", "HIP_*", "ROCR_*", "NEURON_*", "PYTORCH_*"),
    *("XDG_CACHE_HOME", "TORCH_HOME", "HF_HOME"),
)


def job_environment(
    job: JobDescription, tree: JobTree, python: Path, launcher: Mapping[str, str]
) -> dict[str, str]:
    """Return all variables that *job* starts with, given its *python* and its *launcher*'s own."""
    return {
        **{name: value for name, value in launcher.items() if _is_inherited(name)},
        # Scripts that say `python`, and torchrun, must be those beside the job's interpreter.
        "PATH": os.pathsep.join([str(python.parent), launcher.get("PATH", os.defpath)]),
        # Lines must come out as they are printed, and in the encoding they are read in.
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        **job.environment,
        BASE_VARIABLE: str(tree.base),
        "TRAINING_JOB_NAME": job.name,
        # Without it `train` looks its hosts up, for up to 15 minutes where that fails.
        "SM_STUDIO_LOCAL_MODE": "True",
    }


def _is_inherited(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in _INHERITED)
