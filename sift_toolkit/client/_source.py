"""The user's code as it was given, and what would keep a job from starting it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from sift_toolkit.client import _limits

Launcher = Literal["script", "train", "run"]
"""What starts: the user's script, or one of the toolkit's entry points with the user's file."""

LAUNCHERS: Final = ("script", "train", "run")

PACKAGE: Final = Path(__file__).resolve().parents[1]
"""The folder of the toolkit itself."""

ENTRY_POINTS: Final = "entry_points"
"""The folder of train.py and run.py, inside the package in a wheel, beside it in a checkout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCode:
    """What the user gave as code, and how it is to be started."""

    entry_point: str
    """The user's file: a path, relative to `source_dir` where there is one."""

    source_dir: str | None = None
    """A folder, an s3:// address, or None: the entry point alone."""

    dependencies: tuple[str, ...] = ()
    """Folders and files that go beside the code."""

    launcher: Launcher = "script"
    direct: bool = True
    """Whether the SDK's driver can start a script itself; that of SDK v3 cannot, which gives it
    every hyperparameter as an option, ours too."""
    ship_toolkit: bool = True
    from_git: bool = False
    """Whether the SDK is to clone the source."""

    @property
    def remote(self) -> bool:
        """Whether the code is not on this machine."""
        return self.from_git or (self.source_dir or "").lower().startswith("s3://")

    @property
    def needs_staging(self) -> bool:
        """Whether the job's code is more than what the user gave."""
        return self.ship_toolkit or self.starter is not None

    @property
    def starter(self) -> str | None:
        """The toolkit's entry point that starts the job; None: the script itself does."""
        if self.launcher != "script":
            return self.launcher
        return None if self.direct else "run"

    @property
    def script(self) -> str:
        """The user's file, relative to the job's code folder."""
        path = Path(self.entry_point)
        return path.name if self.source_dir is None else path.as_posix()

    @property
    def program(self) -> str:
        """The file that starts the job, relative to the job's code folder."""
        if self.starter is None:
            return self.script
        return f"{PACKAGE.name}/{ENTRY_POINTS}/{self.starter}.py"


def relative_entry_point(
    entry_point: str | os.PathLike[str], source_dir: str | os.PathLike[str] | None
) -> str:
    """Return the entry point as the SDK wants it: a plain path into the source, where there is one.

    An absolute path into the source becomes one relative to it.
    """
    if source_dir is None:
        return os.fspath(entry_point)
    path = Path(entry_point)
    if path.is_absolute():
        inside = Path(os.path.relpath(path, Path(source_dir).absolute()))
        path = path if ".." in inside.parts else inside
    return path.as_posix()


def source_problems(code: SourceCode) -> list[str]:
    """Name what keeps the code from being staged, or the job from starting."""
    if code.remote:
        return _remote_problems(code)
    return [
        *_entry_point_problems(code),
        *_dependency_problems(code),
        *(_toolkit_problems(code) if code.ship_toolkit else []),
        *(_launcher_problems(code) if code.starter else []),
    ]


def _remote_problems(code: SourceCode) -> list[str]:
    where = "git_config" if code.from_git else f"source_dir={code.source_dir!r}"
    if code.ship_toolkit:
        problem = (
            f"{where} is not on this machine, so that the toolkit cannot be laid beside it: give a "
            "local source_dir, or set ship_toolkit=False and have sift_toolkit in the image"
        )
        return [problem]
    if code.starter:
        mend = ", or use launcher='script'" if code.direct else ""
        problem = (
            f"{_who_starts(code)} needs code on this machine, got {where}: give a local "
            f"source_dir{mend}"
        )
        return [problem]
    return []


def _entry_point_problems(code: SourceCode) -> list[str]:
    file, folder = code.entry_point, code.source_dir
    if folder is None and not Path(file).is_file():
        return [f"entry_point {file!r} is no file, seen from {str(Path.cwd())!r}"]
    if folder is not None and not Path(folder).is_dir():
        return [f"source_dir {folder!r} is no folder, seen from {str(Path.cwd())!r}"]
    if folder is not None and (Path(file).is_absolute() or ".." in Path(file).parts):
        return [f"entry_point {file!r} must lie inside source_dir {folder!r}"]
    if folder is not None and not Path(folder, file).is_file():
        return [f"source_dir {folder!r} holds no {file!r}; {_hint(file, folder)}"]
    if not _limits.SAFE_ENTRY_POINT.fullmatch(code.script):
        problem = (
            f"entry_point {code.script!r} would not be started: its name may hold letters, digits "
            "and . _ + - only, and begins with neither + nor -"
        )
        return [problem]
    return []


def _hint(file: str, folder: str) -> str:
    """Suggest the path below *folder*, where *file* was given as seen from outside of it."""
    parts = PurePosixPath(Path(file).as_posix()).parts
    for start in range(1, len(parts)):
        below = PurePosixPath(*parts[start:])
        if Path(folder, below).is_file():
            return f"entry_point is relative to source_dir, did you mean {str(below)!r}?"
    return "entry_point is relative to source_dir"


def _dependency_problems(code: SourceCode) -> list[str]:
    problems = []
    for path in code.dependencies:
        if not Path(path).exists():
            problems.append(
                f"dependencies has {path!r}, which does not exist, seen from {str(Path.cwd())!r}"
            )
        elif Path(path).name in {"", ".."}:
            problems.append(
                f"dependencies has {path!r}, which has no name to go by in the job: give a path "
                "that ends in one"
            )
    return problems


def _toolkit_problems(code: SourceCode) -> list[str]:
    holders = [
        f"dependencies entry {path!r}"
        for path in code.dependencies
        if Path(path).name == PACKAGE.name
    ]
    if code.source_dir is not None and Path(code.source_dir, PACKAGE.name).exists():
        holders.append(f"source_dir {code.source_dir!r}")
    return [
        f"{holder} brings a {PACKAGE.name} of its own, which would be mixed up with the one "
        "shipped along: remove it, or set ship_toolkit=False to use that one"
        for holder in holders
    ]


def _launcher_problems(code: SourceCode) -> list[str]:
    problems = []
    if not code.entry_point.endswith(".py"):
        problems.append(
            f"{_who_starts(code)} starts Python files, got entry_point={code.entry_point!r}"
        )
    if code.direct and code.source_dir is not None and Path(code.source_dir, "setup.py").exists():
        problems.append(
            f"source_dir {code.source_dir!r} has a setup.py, which makes sagemaker-training install"
            " it and start a module of it: remove it, or use launcher='script'"
        )
    return problems


def _who_starts(code: SourceCode) -> str:
    return "SDK v3" if code.launcher == "script" else f"launcher={code.launcher!r}"
