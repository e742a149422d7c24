"""A job of two hosts, of which only one can be found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sift_toolkit import sift_estimator
from tests.docker.demo_job import CONFIG, LETTERS, job_arguments
from tests.docker.one_container import HOST, Container, lay_out


@pytest.mark.point("5")
def test_unknown_host(image: str, start: Callable[..., Container], tmp_path: Path) -> None:
    """A host name that does not resolve: the job ends within seconds, with the reason."""
    arguments = {**job_arguments(image), "instance_type": "ml.m5.xlarge"}
    estimator = sift_estimator(
        CONFIG, entry_point="letters.py", launcher="train", source_dir=LETTERS, **arguments
    )
    tree = lay_out(estimator, tmp_path / "job")
    resources = json.loads(tree.resources_file.read_text())
    tree.resources_file.write_text(json.dumps({**resources, "hosts": [HOST, "algo-2"]}))
    container = start(tree, environment={"SIFT_HOST_SECONDS": "3"})
    assert container.wait(60) == 1
    failure = (tree.base / "output" / "failure").read_text()
    assert failure.startswith("SiftJobError: no address is known for 'algo-2', 1 of the job's 2")
