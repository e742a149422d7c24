"""Packing what a job left, as SageMaker does when it ends."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path
from typing import Final

from sift_toolkit.contract._tree import JobTree

MODEL_ARCHIVE: Final = "model.tar.gz"
OUTPUT_ARCHIVE: Final = "output.tar.gz"
"""Name of the archive of a job's output data."""


def pack_artifacts(tree: JobTree, folder: Path) -> Path:
    """Write model.tar.gz and output.tar.gz of a job into *folder*; return the path of the model's.

    An archive that is there already is replaced at once, never half written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _pack(tree.output_dir, folder / OUTPUT_ARCHIVE)
    return _pack(tree.model_dir, folder / MODEL_ARCHIVE)


def _pack(source: Path, archive: Path) -> Path:
    partial = archive.with_name(archive.name + ".partial")
    with tarfile.open(partial, "w:gz") as tar:
        for path in sorted(source.iterdir()):
            tar.add(path, arcname=path.name)
    os.replace(partial, archive)  # noqa: PTH105 - the atomic one
    return archive
