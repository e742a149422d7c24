"""The whole way: an estimator's request, the code it uploaded, the job it describes, its metrics.

The job runs in an environment where sift_toolkit is not installed: all it has of the toolkit is
what the estimator sent along.
"""

from __future__ import annotations

import re
import subprocess
import sysconfig
import textwrap
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from moto import mock_aws

from sift_toolkit import METRICS, SiftConfig, sift_estimator
from sift_toolkit.config import key_of
from sift_toolkit.contract import JobDescription, JobResult, launch
from sift_toolkit.metrics import (
    KEPT_SHARE,
    NAME_PREFIX,
    TRAINING_STEPS,
    VALIDATION_ACCURACY,
    read_series,
)
from sift_toolkit.report import REPORT_FILE, SiftReport

REGION = "us-west-2"
BUCKET = "sift-end-to-end"
NO_TELEMETRY = {
    "SchemaVersion": "1.0",
    "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
}
CONFIG = SiftConfig(keep=0.5, scores="fresh", log_every=2)
EPOCHS = 3
SAMPLES = 64

DATA = """
    import csv, sys
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset
    import sift_toolkit

    print("the toolkit is", sift_toolkit.__file__)

    def data(folder):
        with open(f"{folder}/rows.csv") as file:
            rows = torch.tensor([[float(cell) for cell in row] for row in csv.reader(file)])
        return DataLoader(TensorDataset(rows[:, :2], rows[:, 2].long()), batch_size=8)

    def loss(model, batch):
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")

    def correct(model, batch):
        return model(batch[0]).argmax(dim=1) == batch[1]
"""
HOOKS = """
    from parts.data import correct, data, loss
    import torch

    def epochs(job): return job.hyperparameters["epochs"]
    def model(job): return torch.nn.Linear(2, 2)
    def train_data(job): return data(job.channel("training"))
    def test_data(job): return data(job.channel("training"))
    def optimizer(model, job): return torch.optim.SGD(model.parameters(), lr=0.1)
"""
SCRIPT = """
    import argparse, os
    import torch
    from parts.data import correct, data, loss
    from sift_toolkit import sift

    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, required=True)
    epochs = parser.parse_args().epochs
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    folder = os.environ["SM_CHANNEL_TRAINING"]
    loader = sift(data(folder), model=model, loss=loss, epochs=epochs)
    for _ in range(epochs):
        for batch in loader:
            optimizer.zero_grad()
            loader.reduce(loss(model, batch)).backward()
            optimizer.step()
        right = torch.cat([correct(model, batch) for batch in data(folder)])
        loader.record(validation_accuracy=right.float().mean())
"""


class Account(NamedTuple):
    """A mocked AWS account."""

    session: Any
    requests: list[dict[str, Any]]
    """All CreateTrainingJob requests, as they were sent."""


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """An account with one bucket, in which nothing reaches the network."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        from sagemaker import Session

        boto_session = boto3.Session(region_name=REGION)
        boto_session.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        requests: list[dict[str, Any]] = []
        boto_session.events.register(
            "provide-client-params.sagemaker.CreateTrainingJob",
            lambda params, **_: requests.append(dict(params)),
        )
        session = Session(
            boto_session=boto_session, default_bucket=BUCKET, sagemaker_config=NO_TELEMETRY
        )
        yield Account(session, requests)


@pytest.fixture(scope="module")
def image_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The python of a training image: everything this one has, but for sift_toolkit."""
    folder = tmp_path_factory.mktemp("image")
    venv.create(folder, with_pip=False, symlinks=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        # However the toolkit is installed here: as a folder, or by a file that leads to it.
        if not package.name.startswith(("sift_toolkit", "__editable__", "__pycache__")):
            (packages / package.name).symlink_to(package)
    python = folder / "bin" / "python"
    found = subprocess.run(
        [python, "-c", "import sift_toolkit"], cwd="/", capture_output=True, text=True, check=False
    )
    assert "No module named 'sift_toolkit'" in found.stderr
    return python


@pytest.fixture
def user_code(tmp_path: Path) -> Path:
    """A user's folder: a script, hooks, and a package of their own that both import."""
    folder = tmp_path / "src"
    (folder / "parts").mkdir(parents=True)
    for name, text in (("parts/data.py", DATA), ("hooks.py", HOOKS), ("train.py", SCRIPT)):
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """The folder behind the training channel."""
    folder = tmp_path / "rows"
    folder.mkdir()
    lines = [f"{row % 2},{row / SAMPLES},{row % 2}" for row in range(SAMPLES)]
    (folder / "rows.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def run_job(
    account: Account, image_python: Path, user_code: Path, rows: Path, tmp_path: Path
) -> Callable[[str, str], tuple[dict[str, Any], JobResult]]:
    """Send a job to AWS, take its request and its code from there, and run what they describe."""

    def job(entry_point: str, launcher: Any) -> tuple[dict[str, Any], JobResult]:
        estimator = sift_estimator(
            CONFIG,
            entry_point=entry_point,
            source_dir=user_code,
            launcher=launcher,
            role="arn:aws:iam::123456789012:role/sift-tests",
            instance_type="ml.m5.xlarge",
            instance_count=1,
            framework_version="2.8.0",
            py_version="py312",
            sagemaker_session=account.session,
            hyperparameters={"epochs": EPOCHS},
        )
        estimator.fit({"training": f"s3://{BUCKET}/rows"}, wait=False)
        request = account.requests[-1]
        sent = request["HyperParameters"]
        bucket, key = re.fullmatch(
            "s3://([^/]+)/(.*)", sent["sagemaker_submit_directory"].strip('"')
        ).groups()
        archive = tmp_path / "sourcedir.tar.gz"
        account.session.boto_session.client("s3").download_file(bucket, key, str(archive))
        description = JobDescription(
            name=request["TrainingJobName"],
            hyperparameters={**sent, "sagemaker_submit_directory": str(archive)},
            channels={"training": rows},
        )
        return request, launch(description, tmp_path / "job", python=image_python)

    return job


@pytest.mark.parametrize(
    ("entry_point", "launcher"),
    [("hooks.py", "train"), ("train.py", "run"), ("train.py", "script")],
)
def test_the_whole_way(
    run_job: Callable[[str, str], tuple[dict[str, Any], JobResult]], entry_point: str, launcher: str
) -> None:
    """What the client asked for is what the job does, and what it reports is read back exactly."""
    request, result = run_job(entry_point, launcher)
    log = list(result.tree.log_lines())
    assert result.failure is None, "\n".join(log)
    series = read_series(log)
    report = SiftReport.read(result.tree.output_data_dir / REPORT_FILE)

    # The toolkit that ran is the one that was sent along.
    assert f"the toolkit is {result.tree.code_dir / 'sift_toolkit' / '__init__.py'}" in log
    # The config arrived: half of the samples, in batches of the size the user's loader has.
    assert request["HyperParameters"][key_of("keep")] == "0.5"
    assert series[KEPT_SHARE][-1] == 0.5
    assert series[TRAINING_STEPS][-1] == EPOCHS * SAMPLES * 0.5 / 8
    assert report.config == CONFIG.to_hyperparameters()
    # Every metric was reported, and the definitions of the request chart what the reader reads.
    assert set(series) == set(METRICS)
    assert len(series[VALIDATION_ACCURACY]) == EPOCHS
    definitions = {
        definition["Name"]: definition["Regex"]
        for definition in request["AlgorithmSpecification"]["MetricDefinitions"]
    }
    assert {NAME_PREFIX + metric.name: values for metric, values in series.items()} == {
        name: [float(found[1]) for line in log if (found := re.search(regex, line))]
        for name, regex in definitions.items()
    }
    # The report holds the same numbers to the bit.
    for metric, values in series.items():
        assert [value for _, value in report.series(metric.name)] == values
    assert not any("hush-hush" in line for line in log)
