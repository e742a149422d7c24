"""A job's arguments, whatever SDK sends them: of one form, and joined with those of sifting."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from sift_toolkit.client._definitions import with_sift_metrics
from sift_toolkit.client._source import (
    LAUNCHERS,
    Launcher,
    SourceCode,
    relative_entry_point,
    source_problems,
)
from sift_toolkit.config import SCRIPT_KEY, SiftConfig
from sift_toolkit.errors import SiftConfigError


def require_config(sift_config: object) -> None:
    """Raise SiftConfigError where *sift_config* is something else."""
    if not isinstance(sift_config, SiftConfig):
        problem = f"sift_config must be a SiftConfig, as SiftConfig(keep=0.5), got {sift_config!r}"
        raise SiftConfigError([problem])


def paths_as_text(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Write paths as the SDK wants them: strings, the entry point relative to the source."""
    texts = {"source_dir": None, **arguments}
    if isinstance(source_dir := texts.get("source_dir"), os.PathLike):
        texts["source_dir"] = os.fspath(source_dir)
    if isinstance(entry_point := texts["entry_point"], str | os.PathLike):
        texts["entry_point"] = relative_entry_point(entry_point, texts["source_dir"])
    if isinstance(dependencies := texts.get("dependencies"), list | tuple):
        texts["dependencies"] = [
            os.fspath(path) if isinstance(path, os.PathLike) else path for path in dependencies
        ]
    return texts


def source_code_of(
    arguments: Mapping[str, Any], launcher: Launcher, *, ship_toolkit: bool, direct: bool = True
) -> tuple[SourceCode | None, list[str]]:
    """The code the arguments speak of, and what is wrong with it."""
    entry_point, source_dir = arguments["entry_point"], arguments.get("source_dir")
    dependencies = arguments.get("dependencies") or []
    problems = []
    if launcher not in LAUNCHERS:
        names = ", ".join(map(repr, LAUNCHERS))
        problems.append(f"launcher must be one of {names}, got {launcher!r}")
    if not isinstance(entry_point, str):
        problems.append(f"entry_point must be a path, got {entry_point!r}")
    if source_dir is not None and not isinstance(source_dir, str):
        problems.append(f"source_dir must be a path, got {source_dir!r}")
    if not isinstance(dependencies, list) or not all(
        isinstance(path, str) for path in dependencies
    ):
        problems.append(f"dependencies must be a list of paths, got {dependencies!r}")
    if problems:
        return None, problems
    code = SourceCode(
        entry_point=entry_point,
        source_dir=source_dir,
        dependencies=tuple(dependencies),
        launcher=launcher,
        direct=direct,
        ship_toolkit=ship_toolkit,
        from_git=bool(arguments.get("git_config")),
    )
    return code, source_problems(code)


def with_sifting(
    arguments: Mapping[str, Any], sift_config: SiftConfig, code: SourceCode | None
) -> dict[str, object]:
    """Hyperparameters and metric definitions: the user's and those of sifting together."""
    merged: dict[str, object] = {}
    hyperparameters = arguments["hyperparameters"] or {}
    if isinstance(hyperparameters, Mapping):
        script = {SCRIPT_KEY: code.script} if code and code.starter else {}
        merged["hyperparameters"] = {
            **hyperparameters,
            **sift_config.to_hyperparameters(),
            **script,
        }
    definitions = arguments["metric_definitions"] or []
    if isinstance(definitions, list | tuple):
        merged["metric_definitions"] = with_sift_metrics(definitions)
    return merged
