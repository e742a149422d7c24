"""The tree a job finds when it starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit.contract import JobDescription, JobTree
from sift_toolkit.contract._layout import lay_out
from sift_toolkit.errors import SiftJobError

Describe = Callable[..., JobDescription]


@pytest.fixture
def tree(tmp_path: Path) -> JobTree:
    """A tree of which nothing exists yet."""
    return JobTree(tmp_path / "ml")


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_folders_and_code(describe: Describe, tree: JobTree) -> None:
    """Every folder is there, the code in its place and said to be there."""
    lay_out(describe("print(1)", hyperparameters={"lr": "0.1"}), tree)

    folders = (tree.model_dir, tree.output_data_dir, tree.checkpoints_dir, tree.data_dir)
    assert all(folder.is_dir() for folder in folders)
    assert (tree.code_dir / "train.py").read_text(encoding="utf-8") == "print(1)"
    assert {
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": json.dumps(str(tree.code_dir)),
        "lr": "0.1",
    } == tree.read_hyperparameters()


def test_one_host_that_resolves(describe: Describe, tree: JobTree) -> None:
    """The job is alone on a host whose name resolves everywhere."""
    lay_out(describe(instance_type="local_gpu"), tree)
    resources = read(tree.resources_file)

    assert resources["hosts"] == ["localhost"]
    assert resources["current_host"] == "localhost"
    assert resources["current_instance_type"] == "local_gpu"


def test_channels_are_links(describe: Describe, tree: JobTree, tmp_path: Path) -> None:
    """A folder is linked; a single file is linked inside a folder of its own."""
    folder, file = tmp_path / "data", tmp_path / "rows.csv"
    folder.mkdir()
    file.write_text("1,2", encoding="utf-8")

    lay_out(describe(channels={"training": folder, "test": file}), tree)

    assert folder == (tree.data_dir / "training").resolve()
    assert (tree.channel("test") / "rows.csv").read_text(encoding="utf-8") == "1,2"
    assert {"training", "test"} == set(read(tree.channels_file))
    assert read(tree.channels_file)["test"]["TrainingInputMode"] == "File"


def test_kept_checkpoints_are_made_and_linked(
    describe: Describe, tree: JobTree, tmp_path: Path
) -> None:
    """A folder for checkpoints is made if need be, and is the job's own."""
    kept = tmp_path / "deep" / "kept"

    lay_out(describe(checkpoints=kept), tree)

    assert kept == tree.checkpoints_dir.resolve()


def test_code_in_s3_is_left_to_the_job(describe: Describe, tree: JobTree) -> None:
    """An s3:// source reaches `train` as it is, with an empty code folder to unpack into."""
    address = '"s3://bucket/sourcedir.tar.gz"'

    lay_out(describe(hyperparameters={"sagemaker_submit_directory": address}), tree)

    assert address == tree.read_hyperparameters()["sagemaker_submit_directory"]
    assert list(tree.code_dir.iterdir()) == []


def test_a_used_folder_is_refused(describe: Describe, tree: JobTree) -> None:
    """Two jobs never share a folder."""
    lay_out(describe(), tree)

    with pytest.raises(SiftJobError, match="is not empty, perhaps an earlier job ran there"):
        lay_out(describe(), tree)
