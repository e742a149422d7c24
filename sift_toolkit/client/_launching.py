"""What a job's code makes of its request: installs, processes, the folder of its checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from sift_toolkit.client import _limits
from sift_toolkit.client._source import SourceCode

_REQUIREMENTS: Final = "requirements.txt"
_SETUP: Final = "setup.py"
_OFFLINE: Final = "--no-index"
_TORCHRUN: Final = "torch_distributed"
_BY_TORCHRUN: Final = f"distribution={{{_TORCHRUN!r}: {{'enabled': True}}}}"


def launching_problems(code: SourceCode, arguments: Mapping[str, object]) -> list[str]:
    """Name where code and request are each fine, and the job would fail all the same."""
    if code.remote:
        return []
    return [
        *_install_problems(code, arguments),
        *(_trainer_problems(arguments) if code.launcher == "train" else []),
    ]


def launching_warnings(code: SourceCode, arguments: Mapping[str, object]) -> list[str]:
    """Name what the job would do that hardly anyone wants."""
    warnings = []
    if code.starter is None and not code.remote and _in_source(code, _SETUP):
        warnings.append(
            f"source_dir {code.source_dir!r} has a setup.py, which makes sagemaker-training pip "
            "install it and start a module of it instead of the file: remove it, if not meant"
        )
    count = arguments.get("instance_count")
    if (
        isinstance(count, int)
        and count > 1
        and code.launcher != "train"
        and not arguments.get("distribution")
    ):
        warnings.append(
            f"instance_count={count} without distribution: each host would run the whole training "
            f"by itself, unless the script connects them; give {_BY_TORCHRUN}"
        )
    return warnings


def _install_problems(code: SourceCode, arguments: Mapping[str, object]) -> list[str]:
    problems = []
    isolated = bool(arguments.get("enable_network_isolation"))
    installs = code.starter is None and _in_source(code, _SETUP)
    if isolated and (requirements := _in_source(code, _REQUIREMENTS)):
        text = requirements.read_text(encoding="utf-8", errors="replace")
        if _OFFLINE not in text and any(map(_is_requirement, text.splitlines())):
            problems.append(
                f"{str(requirements)!r} would be installed when the job starts, which "
                "enable_network_isolation=True cuts off from every package index: build an image "
                f"with these packages, or send wheels along and begin the file with {_OFFLINE}"
            )
    if isolated and installs:
        problems.append(
            f"source_dir {code.source_dir!r} has a setup.py, whose installation needs a package "
            "index, which enable_network_isolation=True cuts off: remove it"
        )
    distribution = arguments.get("distribution")
    if installs and isinstance(distribution, Mapping) and _TORCHRUN in distribution:
        problems.append(
            f"source_dir {code.source_dir!r} has a setup.py, and torch_distributed starts files "
            "only, no packages: remove it"
        )
    return problems


def _trainer_problems(arguments: Mapping[str, object]) -> list[str]:
    problems = []
    distribution = arguments.get("distribution")
    ways = list(distribution) if isinstance(distribution, Mapping) else []
    if ways not in ([], [_TORCHRUN]):
        problems.append(
            f"launcher='train' trains on several processes by torchrun alone, got distribution of "
            f"{', '.join(map(repr, ways))}: give {_BY_TORCHRUN}, or use launcher='script' or "
            "'run' with a script that calls sift() itself"
        )
    count = arguments.get("instance_count")
    if isinstance(count, int) and count > 1 and not ways:
        problems.append(
            f"instance_count={count} without distribution: each host would run the whole training "
            f"by itself; give {_BY_TORCHRUN}"
        )
    folder = arguments.get("checkpoint_local_path")
    ours = PurePosixPath(_limits.CHECKPOINT_FOLDER)
    if isinstance(folder, str) and PurePosixPath(folder) != ours:
        problems.append(
            f"launcher='train' keeps its checkpoints in {str(ours)!r}, got "
            f"checkpoint_local_path={folder!r}, where it would save none: leave it out"
        )
    return problems


def _in_source(code: SourceCode, name: str) -> Path | None:
    """The file that lies as *name* at the root of the job's code, None if none does."""
    found = [
        Path(dependency)
        for dependency in code.dependencies
        if Path(dependency).name == name and Path(dependency).is_file()
    ]
    if code.source_dir is not None and (file := Path(code.source_dir, name)).is_file():
        found.append(file)
    return found[0] if found else None


def _is_requirement(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")
