"""Where code and request are each fine, and the job would fail all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sift_toolkit.client._launching import launching_problems, launching_warnings
from sift_toolkit.client._source import SourceCode

ISOLATED = {"enable_network_isolation": True}
DISTRIBUTED = {"distribution": {"torch_distributed": {"enabled": True}}}


def code_in(folder: Path, launcher: Any = "script", **others: Any) -> SourceCode:
    """Describe code in a folder."""
    return SourceCode(entry_point="train.py", source_dir=str(folder), launcher=launcher, **others)


def only(problems: list[str]) -> str:
    """Return the one problem there is."""
    assert len(problems) == 1, problems
    return problems[0]


@pytest.mark.parametrize("launcher", ["script", "train", "run"])
def test_good(user_code: Path, launcher: Any) -> None:
    """Plain files start everywhere, cut off from the network or not."""
    code = code_in(user_code, launcher)
    for arguments in ({"instance_count": 1}, ISOLATED):
        assert launching_problems(code, arguments) == []
        assert launching_warnings(code, arguments) == []


@pytest.mark.parametrize("launcher", ["script", "train", "run"])
def test_requirements_without_a_network(user_code: Path, launcher: Any) -> None:
    """Requirements cannot be installed under network isolation; the mend is named."""
    (user_code / "requirements.txt").write_text("# of ours\n\ntransformers\n")
    code = code_in(user_code, launcher)
    assert "build an image" in only(launching_problems(code, ISOLATED))
    assert launching_problems(code, {"enable_network_isolation": False}) == []


@pytest.mark.parametrize("text", ["", "# nothing\n\n", "--no-index\n--find-links wheels\nx\n"])
def test_requirements_that_need_none(user_code: Path, text: str) -> None:
    """Nothing to install, or wheels sent along, need no network."""
    (user_code / "requirements.txt").write_text(text)
    assert launching_problems(code_in(user_code), ISOLATED) == []


def test_requirements_among_the_dependencies(user_code: Path, tmp_path: Path) -> None:
    """A dependency lands at the root of the code, where sagemaker-training looks."""
    file = tmp_path / "requirements.txt"
    file.write_text("transformers\n")
    code = code_in(user_code, dependencies=(str(file),))
    assert str(file) in only(launching_problems(code, ISOLATED))


def test_setup_file(user_code: Path) -> None:
    """A setup.py is warned of, and refused where its installation or its start must fail."""
    (user_code / "setup.py").touch()
    code = code_in(user_code)
    assert "start a module of it" in only(launching_warnings(code, {}))
    assert launching_problems(code, {}) == []
    assert "needs a package index" in only(launching_problems(code, ISOLATED))
    assert "starts files only" in only(launching_problems(code, DISTRIBUTED))


def test_sagemaker_training_takes_a_setup_file_for_a_package(user_code: Path) -> None:
    """What is warned of is what the container's own code does."""
    from sagemaker_training import _entry_point_type as kinds

    assert kinds.get(str(user_code), "train.py") is kinds.PYTHON_PROGRAM
    (user_code / "setup.py").touch()
    assert kinds.get(str(user_code), "train.py") is kinds.PYTHON_PACKAGE


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            {"distribution": {"mpi": {"enabled": True}}},
            "by torchrun alone, got distribution of 'mpi'",
        ),
        ({"instance_count": 2}, "instance_count=2 without distribution"),
        ({"checkpoint_local_path": "/data"}, "where it would save none"),
    ],
)
def test_trainer(user_code: Path, arguments: dict[str, Any], problem: str) -> None:
    """The toolkit's own trainer is started by torchrun, and knows one folder for checkpoints."""
    assert problem in only(launching_problems(code_in(user_code, "train"), arguments))
    for launcher in ("script", "run"):
        assert launching_problems(code_in(user_code, launcher), arguments) == []


def test_the_trainer_on_several_hosts(user_code: Path) -> None:
    """Torchrun makes its processes one training."""
    arguments = {**DISTRIBUTED, "instance_count": 2}
    assert launching_problems(code_in(user_code, "train"), arguments) == []


def test_folder_of_the_trainers_checkpoints(user_code: Path) -> None:
    """The folder that SageMaker would take anyway may be given too."""
    arguments = {"checkpoint_local_path": "/opt/ml/checkpoints/"}
    assert launching_problems(code_in(user_code, "train"), arguments) == []


def test_hosts_that_do_not_know_of_each_other(user_code: Path) -> None:
    """Several hosts without a distribution are warned of."""
    code = code_in(user_code, "run")
    assert "torch_distributed" in only(launching_warnings(code, {"instance_count": 2}))
    assert launching_warnings(code, {"instance_count": 2, **DISTRIBUTED}) == []


def test_code_elsewhere() -> None:
    """Code that is not on this machine is not looked into."""
    code = SourceCode(
        entry_point="train.py", source_dir="s3://bucket/sourcedir.tar.gz", ship_toolkit=False
    )
    assert launching_problems(code, {**ISOLATED, **DISTRIBUTED}) == []
    assert launching_warnings(code, {"instance_count": 1}) == []
