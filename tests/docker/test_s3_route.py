"""SDK v2's local mode by way of S3: a server of our own, which the container can reach."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from sift_toolkit import sift_estimator
from tests.docker.demo_job import (
    CONFIG,
    DATA,
    LETTERS,
    check_metrics,
    job_arguments,
    log_lines,
    members,
)

BUCKET = "sift-docker"


@pytest.fixture
def gateway() -> Iterator[str]:
    """This machine's address in a network of the test's own, to which every container has a way."""
    name = "sift-docker-s3"
    subprocess.run(["docker", "network", "create", name], stdout=subprocess.DEVNULL, check=True)
    try:
        (network,) = json.loads(subprocess.check_output(["docker", "network", "inspect", name]))
        yield network["IPAM"]["Config"][0]["Gateway"]
    finally:
        subprocess.run(["docker", "network", "rm", name], stdout=subprocess.DEVNULL, check=True)


@pytest.fixture
def s3(gateway: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of S3, with a bucket that holds the demo's data."""
    server = ThreadedMotoServer(ip_address=gateway, port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{gateway}:{port}")
    client = boto3.client("s3", region_name="us-west-2")
    client.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    client.upload_file(str(DATA / "letters.npz"), BUCKET, "data/letters.npz")
    yield client
    server.stop()


@pytest.mark.point("3c")
def test_by_way_of_s3(
    s3: Any, image: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """SDK v2, as on AWS: code and data come from S3, the model goes there."""
    from sagemaker.local import LocalSession

    session = LocalSession(boto3.Session(region_name="us-west-2"), default_bucket=BUCKET)
    session.config = {"local": {"container_root": str(tmp_path)}}
    estimator = sift_estimator(
        CONFIG,
        entry_point="letters.py",
        launcher="train",
        source_dir=LETTERS,
        sagemaker_session=session,
        **job_arguments(image),
    )
    estimator.fit({"letters": f"s3://{BUCKET}/data"})
    check_metrics(log_lines(capfd.readouterr().out), estimator.metric_definitions)
    code = estimator.uploaded_code.s3_prefix
    bucket, key = estimator.model_data.removeprefix("s3://").split("/", 1)
    assert (bucket, key.split("/")[-1]) == (BUCKET, "model.tar.gz")
    s3.download_file(bucket, key, str(tmp_path / "model.tar.gz"))
    assert set(members(tmp_path / "model.tar.gz")) == {"model.pt"}
    s3.head_object(Bucket=BUCKET, Key=code.removeprefix(f"s3://{BUCKET}/"))
