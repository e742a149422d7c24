"""Laying out the tree a job finds when it starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sift_toolkit.contract._code import stage_code
from sift_toolkit.contract._description import SOURCE_KEY, JobDescription
from sift_toolkit.contract._tree import JobTree
from sift_toolkit.errors import SiftJobError

# A name that resolves everywhere: `train` waits up to 15 minutes for hosts that do not.
HOST: Final = "localhost"

_GROUP: Final = "homogeneousCluster"
_CHANNEL_CONFIG: Final = {
    "TrainingInputMode": "File",
    "S3DistributionType": "FullyReplicated",
    "RecordWrapperType": "None",
}


def lay_out(job: JobDescription, tree: JobTree) -> list[str]:
    """Make the tree of *job*; return the names of install files that were left out of its code.

    A channel's folder is a link to the one it was given. A channel that is a single file is a
    folder with a link to that file in it. `checkpoints` is a link if the job was given a folder.

    Raises:
        SiftJobError: there is something at the tree's base already.
    """
    if tree.base.exists() and any(tree.base.iterdir()):
        msg = (
            f"{str(tree.base)!r} is not empty, perhaps an earlier job ran there: each job needs "
            "a folder of its own"
        )
        raise SiftJobError(msg)
    folders = (tree.config_dir, tree.data_dir, tree.model_dir, tree.output_data_dir)
    for folder in (*folders, tree.code_dir):
        folder.mkdir(parents=True)
    tree.log_file.touch()
    _write_json(tree.resources_file, _resources(job.instance_type))
    _write_json(tree.channels_file, dict.fromkeys(job.channels, _CHANNEL_CONFIG))
    _write_json(tree.hyperparameters_file, _hyperparameters(job, tree))
    for name, source in job.channels.items():
        _link_channel(source.absolute(), tree.data_dir / name)
    _place_checkpoints(job.checkpoints, tree.checkpoints_dir)
    return stage_code(job.source, tree.code_dir) if isinstance(job.source, Path) else []


def _hyperparameters(job: JobDescription, tree: JobTree) -> dict[str, str]:
    if isinstance(job.source, str):
        return dict(job.hyperparameters)
    # `train` leaves code alone that is where it belongs already.
    return {**job.hyperparameters, SOURCE_KEY: json.dumps(str(tree.code_dir))}


def _resources(instance_type: str) -> dict[str, object]:
    return {
        "current_host": HOST,
        "hosts": [HOST],
        "current_instance_type": instance_type,
        "current_group_name": _GROUP,
        "instance_groups": [
            {"instance_group_name": _GROUP, "instance_type": instance_type, "hosts": [HOST]}
        ],
        "network_interface_name": "lo",
    }


def _link_channel(source: Path, folder: Path) -> None:
    if source.is_dir():
        folder.symlink_to(source, target_is_directory=True)
    else:
        folder.mkdir()
        (folder / source.name).symlink_to(source)


def _place_checkpoints(kept: Path | None, folder: Path) -> None:
    if kept is None:
        folder.mkdir()
    else:
        kept.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(kept.absolute(), target_is_directory=True)


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
