"""The whole way: code to S3, the job fetches it, really trains, model and metrics come back.

AWS is a server on this machine; between a job's request and its end a stand-in plays SageMaker. The
job runs in an environment where sift_toolkit is not installed: all it has of the toolkit is
what the estimator sent along.
"""

from __future__ import annotations

import math
import re
import subprocess
import sysconfig
import tarfile
import textwrap
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from sift_toolkit import METRICS, SiftConfig, sift_estimator
from sift_toolkit.client import JobFigures, compare
from sift_toolkit.config import key_of
from sift_toolkit.errors import SiftJobError
from sift_toolkit.metrics import (
    KEPT_SHARE,
    NAME_PREFIX,
    TRAINING_STEPS,
    VALIDATION_ACCURACY,
    read_series,
)
from sift_toolkit.report import REPORT_FILE, SiftReport
from sift_toolkit.testing import MockedAws
from tests.sagemaker_stand_in import SageMakerStandIn

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
    torch.save(model.state_dict(), os.path.join(os.environ["SM_MODEL_DIR"], "model.pt"))
"""


@pytest.fixture(scope="module")
def account() -> Iterator[MockedAws]:
    """An account on a server of its own, which the jobs can reach as well as their launcher."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    region, bucket = "us-west-2", "sift-end-to-end"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_DEFAULT_REGION", region)
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        boto_session = boto3.Session(region_name=region)
        aws = MockedAws(boto_session, bucket=bucket)
        boto_session.events.register("provide-client-params", aws.note_call)
        s3 = boto_session.client("s3")
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
        lines = [f"{row % 2},{row / SAMPLES},{row % 2}" for row in range(SAMPLES)]
        s3.put_object(Bucket=bucket, Key="rows/rows.csv", Body="\n".join(lines).encode())
        # The SDK looks at a running job every few seconds; here it has ended by the first look.
        patch.setattr("sagemaker.session.time.sleep", lambda _: None)
        # To the real network it would go, past this server.
        patch.setattr(
            "sagemaker.telemetry.telemetry_logging._send_telemetry_request", lambda *_, **__: None
        )
        yield aws
    server.stop()


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
def sagemaker(account: MockedAws, image_python: Path, tmp_path: Path) -> Iterator[SageMakerStandIn]:
    """Runs each job as it is created: when that call returns, the job has ended."""
    stand_in = SageMakerStandIn(account.boto_session, image_python, tmp_path / "jobs")
    events = account.session.sagemaker_client.meta.events

    def created(**_: Any) -> None:
        stand_in.run(account.request())

    events.register("after-call.sagemaker.CreateTrainingJob", created)
    yield stand_in
    events.unregister("after-call.sagemaker.CreateTrainingJob", created)


@pytest.fixture
def make(account: MockedAws, user_code: Path) -> Callable[[str, Any], Any]:
    """Build an estimator in the account."""
    return lambda entry_point, launcher: sift_estimator(
        CONFIG,
        entry_point=entry_point,
        source_dir=user_code,
        launcher=launcher,
        role=account.role,
        instance_type="ml.m5.xlarge",
        instance_count=1,
        framework_version="2.8.0",
        py_version="py312",
        sagemaker_session=account.session,
        hyperparameters={"epochs": EPOCHS},
    )


@pytest.mark.parametrize(
    ("entry_point", "launcher"),
    [("hooks.py", "train"), ("train.py", "run"), ("train.py", "script")],
)
def test_the_whole_way(
    account: MockedAws,
    sagemaker: SageMakerStandIn,
    make: Callable[[str, Any], Any],
    entry_point: str,
    launcher: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """What the client asked for is what the job does, and what it reports is read back exactly."""
    estimator = make(entry_point, launcher)
    estimator.fit({"training": f"s3://{account.bucket}/rows"}, wait=True)
    request = account.request()
    (result,) = sagemaker.results.values()
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
    # The client has seen the log while it waited, and reads the same figures back from AWS.
    assert "[sift] kept_share=0.5;" in capsys.readouterr().out
    (job,) = compare([estimator]).jobs
    assert (job.label, job.facts.status) == (request["TrainingJobName"], "Completed")
    assert (job.facts.config, job.facts.source) == (CONFIG, "log")
    assert job.facts.billable_seconds == math.ceil(result.seconds)
    name, seconds = job.label, job.facts.elapsed_seconds
    assert job.facts.figures == JobFigures.from_lines(log, name=name, seconds=seconds)
    # What it trained is where the estimator says, and is what the job left.
    bucket, key = estimator.model_data.removeprefix("s3://").split("/", 1)
    account.boto_session.client("s3").download_file(bucket, key, str(tmp_path / "model.tar.gz"))
    with tarfile.open(tmp_path / "model.tar.gz") as archive:
        names = {member.name for member in archive if member.isfile()}
    left = result.tree.model_dir
    assert names == {str(path.relative_to(left)) for path in left.rglob("*") if path.is_file()}
    assert "model.pt" in names


def test_a_job_that_fails(
    account: MockedAws,
    sagemaker: SageMakerStandIn,
    make: Callable[[str, Any], Any],
    user_code: Path,
) -> None:
    """The error in the user's script is what fit() raises, by way of S3, the container and AWS."""
    (user_code / "train.py").write_text("raise ValueError('no such luck')\n")
    estimator = make("train.py", "run")
    with pytest.raises(SiftJobError, match=r"training job '.*' failed: .*no such luck") as caught:
        estimator.fit({"training": f"s3://{account.bucket}/rows"}, wait=True)
    (job,) = compare([estimator]).jobs
    assert job.facts.status == "Failed"
    assert "no such luck" in str(job.facts.failure_reason)
    assert job.label in str(caught.value)
