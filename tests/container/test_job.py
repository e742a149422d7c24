"""What hooks are told of their job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sift_toolkit import SiftConfig, SiftJobError
from sift_toolkit.container import Job
from sift_toolkit.contract import JobTree

MakeJob = Callable[..., JobTree]
JobOf = Callable[[JobTree], Job]


def test_hyperparameters_are_the_users_own(make_job: MakeJob, job_of: JobOf) -> None:
    """Hooks see their own hyperparameters with their types, and none of the toolkit's."""
    own = {"lr": 0.1, "title": "two words", "deep": {"a": [1, None]}, "flag": True}
    job = job_of(make_job(**own, **SiftConfig(keep=0.5).to_hyperparameters()))

    assert own == job.hyperparameters


def test_channels_are_folders(make_job: MakeJob, job_of: JobOf) -> None:
    """A channel is found by its name; one that is not there is refused with those that are."""
    tree = make_job()
    folder: Path = tree.data_dir / "letters"
    folder.mkdir(parents=True)
    job = job_of(tree)

    assert job.channel("letters") == folder
    with pytest.raises(SiftJobError, match="has no channel 'training'; it has 'letters'"):
        job.channel("training")


def test_a_job_is_one_process(make_job: MakeJob, job_of: JobOf) -> None:
    """Unless it is told otherwise."""
    job = job_of(make_job())

    assert (job.rank, job.processes) == (0, 1)
