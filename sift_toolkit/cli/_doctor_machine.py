"""What this machine has: packages, disk, memory, accelerators."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import sift_toolkit

PACKAGES: Final = (
    "sift_toolkit",
    "torch",
    "sagemaker-training",
    "sagemaker",
    "sagemaker-train",
    "boto3",
    "click",
    "rich",
)
"""What the versions of are told; `sagemaker` is SDK v2 or v3, `sagemaker-train` a part of v3."""

# Asked of a process of its own: an import of torch takes seconds, and may end the process.
_ASK_TORCH: Final = """
import json, torch
cuda = torch.cuda.is_available()
names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if cuda else []
mps = getattr(torch.backends, "mps", None)
names += ["Apple MPS"] if mps is not None and mps.is_available() else []
print(json.dumps(names))
"""
_TORCH_SECONDS: Final = 120
_MEMORY_FILE: Final = Path("/proc/meminfo")
_NEURON_DEVICES: Final = "neuron[0-9]*"


def versions() -> dict[str, str | None]:
    """Return the version of each package, None where it is not installed."""
    return {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str | None:
    if name == sift_toolkit.__name__:
        # A plain copy of the folder has a version too.
        return sift_toolkit.__version__
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def machine() -> dict[str, Any]:
    """Return what does not depend on packages; sizes in bytes, None where not known."""
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "memory_bytes": _memory(),
        "memory_free_bytes": _free_memory(),
        "disk_free_bytes": shutil.disk_usage(Path.cwd()).free,
        "temporary_free_bytes": shutil.disk_usage(tempfile.gettempdir()).free,
        "compiler": shutil.which("cc") or shutil.which("gcc"),
    }


def accelerators(*, has_torch: bool) -> dict[str, Any]:
    """Return the devices that torch can use, and in words what keeps it from telling."""
    neuron = sorted(str(path) for path in Path("/dev").glob(_NEURON_DEVICES))
    if not has_torch:
        return {"devices": neuron, "problem": None}
    found, problem = _ask_torch()
    return {"devices": found + neuron, "problem": problem}


def _ask_torch() -> tuple[list[str], str | None]:
    command = [sys.executable, "-c", _ASK_TORCH]
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, timeout=_TORCH_SECONDS, check=True
        )
        names: list[str] = json.loads(asked.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return [], f"torch did not import within {_TORCH_SECONDS} seconds"
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().splitlines()[-1:]
        return [], f"torch cannot be imported: {' '.join(last) or f'exit code {error.returncode}'}"
    return names, None


def _memory() -> int | None:
    with contextlib.suppress(ValueError, OSError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


def _free_memory() -> int | None:
    with contextlib.suppress(OSError):
        for line in _MEMORY_FILE.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None
