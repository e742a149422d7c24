"""What would keep a job from starting the user's code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sift_toolkit.client._source import SourceCode, relative_entry_point, source_problems


def only(problems: list[str]) -> str:
    """Return the one problem there is."""
    assert len(problems) == 1, problems
    return problems[0]


def code_in(folder: Path | None, entry_point: str = "train.py", **others: Any) -> SourceCode:
    """Describe code in a folder."""
    return SourceCode(
        entry_point=entry_point, source_dir=None if folder is None else str(folder), **others
    )


@pytest.mark.parametrize("launcher", ["script", "train", "run"])
@pytest.mark.parametrize("ship_toolkit", [True, False])
def test_good_code(user_code: Path, launcher: Any, ship_toolkit: bool) -> None:
    """A script in a folder is fine with every launcher."""
    code = code_in(user_code, launcher=launcher, ship_toolkit=ship_toolkit)
    assert source_problems(code) == []


def test_script_alone(user_code: Path) -> None:
    """A script without a folder goes by its base name."""
    code = code_in(None, str(user_code / "train.py"))
    assert source_problems(code) == []
    assert code.script == "train.py"


@pytest.mark.parametrize(
    ("launcher", "program"),
    [
        ("script", "model/net.py"),
        ("train", "sift_toolkit/entry_points/train.py"),
        ("run", "sift_toolkit/entry_points/run.py"),
    ],
)
def test_program(user_code: Path, launcher: Any, program: str) -> None:
    """What starts is the user's file, or an entry point of the toolkit in its own folder."""
    code = code_in(user_code, "model/net.py", launcher=launcher)
    assert program == code.program
    assert code.script == "model/net.py"


def test_files_that_are_not_there(user_code: Path) -> None:
    """A script or a folder that is not there is named, with where it was looked for."""
    assert str(Path.cwd()) in only(source_problems(code_in(None, "no.py")))
    assert "is no folder" in only(source_problems(code_in(user_code / "no")))
    assert "is no folder" in only(source_problems(code_in(user_code / "train.py")))
    assert "holds no 'no.py'" in only(source_problems(code_in(user_code, "no.py")))
    assert "holds no 'model'" in only(source_problems(code_in(user_code, "model")))


@pytest.mark.parametrize("seen", ["src/model/net.py", "work/src/model/net.py"])
def test_script_as_seen_from_outside(user_code: Path, seen: str) -> None:
    """A script given as seen from outside its folder gets the path that was meant."""
    problem = only(source_problems(code_in(user_code, seen)))
    assert "did you mean 'model/net.py'?" in problem


def test_script_outside_its_folder(user_code: Path, tmp_path: Path) -> None:
    """A script must lie inside its folder."""
    (tmp_path / "other.py").touch()
    for outside in ("../other.py", str(tmp_path / "other.py")):
        assert "must lie inside" in only(source_problems(code_in(user_code, outside)))


@pytest.mark.parametrize("name", ["my train.py", "-train.py", "trän.py"])
def test_names_that_are_not_started(user_code: Path, name: str) -> None:
    """A name that sagemaker-training would refuse in the job is refused before it."""
    (user_code / name).touch()
    assert "would not be started" in only(source_problems(code_in(user_code, name)))


def test_absolute_paths_become_relative(user_code: Path, tmp_path: Path) -> None:
    """A path into the source becomes relative to it; others stay as they are."""
    expected = "model/net.py"
    assert expected == relative_entry_point(user_code / "model" / "net.py", user_code)
    assert expected == relative_entry_point("./model/net.py", str(user_code))
    outside = str(tmp_path / "other.py")
    assert outside == relative_entry_point(outside, user_code)
    assert outside == relative_entry_point(outside, None)


@pytest.mark.parametrize(
    "remote", [{"source_dir": "s3://bucket/sourcedir.tar.gz"}, {"from_git": True}]
)
def test_code_elsewhere(remote: dict[str, Any]) -> None:
    """Code that is not on this machine cannot have the toolkit laid beside it."""
    shipped = SourceCode(entry_point="train.py", **remote)
    assert "ship_toolkit=False" in only(source_problems(shipped))
    launched = SourceCode(entry_point="train.py", launcher="run", ship_toolkit=False, **remote)
    assert "launcher='script'" in only(source_problems(launched))
    plain = SourceCode(entry_point="train.py", ship_toolkit=False, **remote)
    assert source_problems(plain) == []


def test_another_toolkit_in_the_source(user_code: Path) -> None:
    """A sift_toolkit of the user's own is not mixed with the one shipped along."""
    (user_code / "sift_toolkit").mkdir()
    assert "brings a sift_toolkit of its own" in only(source_problems(code_in(user_code)))
    assert source_problems(code_in(user_code, ship_toolkit=False)) == []


def test_another_toolkit_in_the_dependencies(user_code: Path, tmp_path: Path) -> None:
    """A dependency that is a sift_toolkit is refused likewise."""
    own = tmp_path / "sift_toolkit"
    own.mkdir()
    code = code_in(user_code, dependencies=(str(own),))
    assert "brings a sift_toolkit of its own" in only(source_problems(code))


@pytest.mark.parametrize(
    ("path", "problem"), [("no", "does not exist"), (".", "no name"), ("..", "no name")]
)
def test_dependencies(user_code: Path, path: str, problem: str) -> None:
    """A dependency that is not there, or has no name to go by, is named."""
    assert problem in only(source_problems(code_in(user_code, dependencies=(path,))))


@pytest.mark.parametrize("launcher", ["train", "run"])
def test_only_python_is_launched(user_code: Path, launcher: Any) -> None:
    """The toolkit's entry points start Python files; a job may start a shell script itself."""
    (user_code / "train.sh").touch()
    code = code_in(user_code, "train.sh", launcher=launcher)
    assert "Python files" in only(source_problems(code))
    assert source_problems(code_in(user_code, "train.sh")) == []


@pytest.mark.parametrize("launcher", ["train", "run"])
def test_setup_file(user_code: Path, launcher: Any) -> None:
    """A setup.py makes sagemaker-training start a module, which an entry point is not."""
    (user_code / "setup.py").touch()
    assert "setup.py" in only(source_problems(code_in(user_code, launcher=launcher)))
    assert source_problems(code_in(user_code)) == []
