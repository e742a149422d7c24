"""The folder a job's code is sent from."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sift_toolkit
from sift_toolkit.client._source import SourceCode
from sift_toolkit.client._staging import stage
from sift_toolkit.errors import SiftRequestError

PACKAGE = Path(sift_toolkit.__file__).parent


def staged(code: SourceCode, tmp_path: Path) -> Path:
    """Stage code and return its folder."""
    folder = tmp_path / "staged" / "code"
    stage(code, folder)
    return folder


def files_below(folder: Path) -> set[str]:
    """All files below a folder, by their relative path."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def users_files(folder: Path) -> set[str]:
    """The staged files that are not the toolkit's."""
    return {name for name in files_below(folder) if not name.startswith("sift_toolkit/")}


def test_folder_without_junk(user_code: Path, tmp_path: Path) -> None:
    """The user's files are there; caches, version control and environments are not."""
    folder = staged(SourceCode(entry_point="train.py", source_dir=str(user_code)), tmp_path)
    assert users_files(folder) == {"train.py", "model/net.py"}
    assert (folder / "train.py").read_text() == (user_code / "train.py").read_text()


@pytest.mark.parametrize(
    "name", [".aws/credentials", ".env", ".ssh/id_ed25519", ".netrc", ".pypirc"]
)
def test_credentials_stay_at_home(user_code: Path, tmp_path: Path, name: str) -> None:
    """Files that tools keep keys in do not travel, wherever in the source they lie."""
    for folder in (user_code, user_code / "model"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("hush-hush")
    folder = staged(SourceCode(entry_point="train.py", source_dir=str(user_code)), tmp_path)
    assert users_files(folder) == {"train.py", "model/net.py"}


def test_jobs_are_no_code(user_code: Path, tmp_path: Path) -> None:
    """The folder of a job that ran here stays behind, and with it what its channels link to."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").write_text("1,2")
    job = user_code / "sift-jobs" / "a-job"
    (job / "input").mkdir(parents=True)
    (job / "sift_job.log").touch()
    (job / "input" / "training").symlink_to(tmp_path / "data")
    folder = staged(SourceCode(entry_point="train.py", source_dir=str(user_code)), tmp_path)
    assert users_files(folder) == {"train.py", "model/net.py"}


def test_script_alone(user_code: Path, tmp_path: Path) -> None:
    """Without a source folder the script goes alone, whatever lies beside it."""
    code = SourceCode(entry_point=str(user_code / "train.py"))
    assert users_files(staged(code, tmp_path)) == {"train.py"}


@pytest.mark.parametrize("launcher", ["script", "train", "run"])
def test_toolkit_is_complete(user_code: Path, tmp_path: Path, launcher: Any) -> None:
    """The toolkit comes whole, its entry points where a wheel has them, without caches."""
    code = SourceCode(entry_point="train.py", source_dir=str(user_code), launcher=launcher)
    folder = staged(code, tmp_path)
    shipped = files_below(folder / "sift_toolkit")
    ours = {name for name in files_below(PACKAGE) if "__pycache__" not in name}
    assert shipped == ours | {"entry_points/train.py", "entry_points/run.py"}
    assert (folder / code.program).is_file()


def run_from(folder: Path, script: str, *arguments: str) -> str:
    """Run a script in a bare interpreter that knows the toolkit in *folder* alone."""
    found = subprocess.run(
        [sys.executable, "-S", "-c", script, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout.strip()


STAGE_AGAIN = """
import sys
from pathlib import Path
from sift_toolkit.client._source import SourceCode
from sift_toolkit.client._staging import stage
from sift_toolkit.errors import SiftRequestError
try:
    stage(SourceCode(entry_point="train.py", source_dir=sys.argv[1]), Path(sys.argv[2]))
except SiftRequestError as error:
    print(error)
"""


def test_toolkit_works_from_there(user_code: Path, tmp_path: Path) -> None:
    """The staged copy is imported where no toolkit is installed."""
    folder = staged(SourceCode(entry_point="train.py", source_dir=str(user_code)), tmp_path)
    script = "import sift_toolkit; sift_toolkit.SiftConfig(keep=0.5); print(sift_toolkit.__file__)"
    assert run_from(folder, script) == str(folder / "sift_toolkit" / "__init__.py")


def test_wheel_stages_as_a_checkout_does(user_code: Path, tmp_path: Path) -> None:
    """Where the entry points lie inside the package, as in a wheel, the same files are staged."""
    folder = staged(SourceCode(entry_point="train.py", source_dir=str(user_code)), tmp_path)
    again = tmp_path / "again"
    assert run_from(folder, STAGE_AGAIN, str(user_code), str(again)) == ""
    assert files_below(again) == files_below(folder)


def test_incomplete_installation(user_code: Path, tmp_path: Path) -> None:
    """An installation without its entry points says so."""
    folder = staged(SourceCode(entry_point="train.py", source_dir=str(user_code)), tmp_path)
    shutil.rmtree(folder / "sift_toolkit" / "entry_points")
    said = run_from(folder, STAGE_AGAIN, str(user_code), str(tmp_path / "again"))
    assert "lacks its entry_points" in said


@pytest.mark.parametrize("launcher", ["train", "run"])
def test_entry_point_alone(user_code: Path, tmp_path: Path, launcher: Any) -> None:
    """Without the toolkit only the file that starts the job is added, beside the user's copy."""
    (user_code / "sift_toolkit").mkdir()
    (user_code / "sift_toolkit" / "__init__.py").touch()
    code = SourceCode(
        entry_point="train.py",
        source_dir=str(user_code),
        launcher=launcher,
        ship_toolkit=False,
    )
    shipped = files_below(staged(code, tmp_path) / "sift_toolkit")
    assert shipped == {"__init__.py", f"entry_points/{launcher}.py"}


def test_dependencies_as_the_sdk_has_them(user_code: Path, tmp_path: Path) -> None:
    """Folders and files go to the root by their base name, what is in ``folder/`` to the root."""
    common, flat = tmp_path / "libs" / "common", tmp_path / "libs" / "flat"
    for folder in (common, flat):
        folder.mkdir(parents=True)
        (folder / f"{folder.name}_code.py").touch()
    single = tmp_path / "libs" / "single.py"
    single.touch()
    code = SourceCode(
        entry_point="train.py",
        source_dir=str(user_code),
        dependencies=(str(common), f"{flat}/", str(single)),
    )
    expected = {
        "train.py",
        "model/net.py",
        "common/common_code.py",
        "flat_code.py",
        "single.py",
    }
    assert users_files(staged(code, tmp_path)) == expected


def test_dependency_joins_a_folder_of_the_source(user_code: Path, tmp_path: Path) -> None:
    """A dependency called as a folder of the source is merged with it, as in the SDK's archive."""
    other = tmp_path / "libs" / "model"
    other.mkdir(parents=True)
    (other / "loss.py").touch()
    code = SourceCode(entry_point="train.py", source_dir=str(user_code), dependencies=(str(other),))
    assert users_files(staged(code, tmp_path)) == {"train.py", "model/net.py", "model/loss.py"}


def test_links(user_code: Path, tmp_path: Path) -> None:
    """Links are followed, as in the SDK's archive; one that leads nowhere is left out."""
    (tmp_path / "shared.py").write_text("SHARED = 1\n")
    (user_code / "shared.py").symlink_to(tmp_path / "shared.py")
    (user_code / ".#train.py").symlink_to("nowhere")
    folder = staged(SourceCode(entry_point="train.py", source_dir=str(user_code)), tmp_path)
    assert users_files(folder) == {"train.py", "model/net.py", "shared.py"}
    assert not (folder / "shared.py").is_symlink()


def test_source_that_allows_no_writing(user_code: Path, tmp_path: Path) -> None:
    """The toolkit is laid beside files that come from a folder without write permission."""
    user_code.chmod(0o555)
    try:
        folder = staged(SourceCode(entry_point="train.py", source_dir=str(user_code)), tmp_path)
        assert folder.stat().st_mode & 0o777 == 0o755
    finally:
        user_code.chmod(0o755)


def test_source_around_the_staged_folder(user_code: Path) -> None:
    """A source that holds the temporary folders is not copied into itself."""
    folder = user_code / "sift-staged-abc" / "code"
    stage(SourceCode(entry_point="train.py", source_dir=str(user_code)), folder)
    assert users_files(folder) == {"train.py", "model/net.py"}


def test_file_that_cannot_be_copied(user_code: Path, tmp_path: Path) -> None:
    """A file that cannot be copied is named in one sentence."""
    os.mkfifo(user_code / "pipe")
    code = SourceCode(entry_point="train.py", source_dir=str(user_code))
    with pytest.raises(SiftRequestError, match=r"cannot be copied.*pipe"):
        staged(code, tmp_path)
