"""Packing what a job left."""

from __future__ import annotations

import tarfile
from pathlib import Path

from sift_toolkit.contract import JobTree, pack_artifacts


def names_in(archive: Path) -> set[str]:
    with tarfile.open(archive, "r:gz") as tar:
        return set(tar.getnames())


def test_both_archives(tmp_path: Path) -> None:
    """The model and the output are packed, each from the top of its folder."""
    tree = JobTree(tmp_path / "ml")
    tree.model_dir.mkdir(parents=True)
    tree.output_data_dir.mkdir(parents=True)
    (tree.model_dir / "model.pt").touch()
    (tree.output_data_dir / "plot.png").touch()
    tree.write_failure("because")

    model = pack_artifacts(tree, tmp_path / "deep" / "out")

    assert tmp_path / "deep" / "out" / "model.tar.gz" == model
    assert {"model.pt"} == names_in(model)
    assert {"data", "data/plot.png", "failure"} == names_in(model.with_name("output.tar.gz"))
    assert sorted(path.name for path in model.parent.iterdir()) == ["model.tar.gz", "output.tar.gz"]


def test_an_older_archive_is_replaced(tmp_path: Path) -> None:
    """The next job's archives take the place of those before."""
    for number in ("1", "2"):
        tree = JobTree(tmp_path / number)
        tree.model_dir.mkdir(parents=True)
        tree.output_dir.mkdir(parents=True)
        (tree.model_dir / number).touch()
        model = pack_artifacts(tree, tmp_path / "out")

    assert {"2"} == names_in(model)
