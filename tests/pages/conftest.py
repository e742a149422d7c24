"""What the code in the documentation takes for granted: an account, jobs, a model and its data."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit import SiftConfig, sift_estimator
from sift_toolkit.testing import FakeJob, MockedAws, mocked_aws, record_job
from tests.client.conftest import _checks_once, _quiet_sdk

__all__ = ["_checks_once", "_quiet_sdk"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a page's code runs in, with a script where pages have theirs."""
    for place in (tmp_path, tmp_path / "src"):
        place.mkdir(exist_ok=True)
        (place / "train.py").write_text("print('training')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "no-job"))
    # What a page puts there is its own.
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    return tmp_path


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockedAws]:
    """An account whose jobs have ended as soon as they are launched."""
    with mocked_aws() as account:
        events = account.boto_session.events
        events.register("after-call.sagemaker.CreateTrainingJob", ender(account))
        # What the SDK makes a session from where it is given none.
        monkeypatch.setattr("boto3.DEFAULT_SESSION", account.boto_session)
        yield account


def ender(account: MockedAws) -> Any:
    """What gives a job just launched the log, the metrics and the end of a fake one."""
    ended: set[str] = set()

    def end(**_: Any) -> None:
        request = account.request()
        if (name := request["TrainingJobName"]) not in ended:
            # The call comes here again, for a job is recorded by making it.
            ended.add(name)
            config = SiftConfig.from_hyperparameters(request["HyperParameters"])
            record_job(account.boto_session, name, FakeJob(config or SiftConfig(keep=1.0)))

    return end


@pytest.fixture
def names(aws: MockedAws, folder: Path) -> dict[str, object]:
    """The names that pages use without making them."""
    arguments = {
        "entry_point": "train.py",
        "role": aws.role,
        "instance_type": "ml.g5.xlarge",
        "instance_count": 1,
        "framework_version": "2.8.0",
        "py_version": "py312",
    }
    given = {**arguments, "sagemaker_session": aws.session}
    config = SiftConfig(keep=0.5)
    return {
        "__name__": "page",
        "arguments": arguments,
        "data": "s3://bucket/data",
        "epochs": 2,
        "estimator": sift_estimator(config, **given),  # type: ignore[arg-type] # all of them fit
        "role": aws.role,
        "twin": sift_estimator(config.plain_twin(), **given),  # type: ignore[arg-type]
        **training_names(),
    }


def training_names() -> dict[str, object]:
    """A model and its data, by the names that pages give them."""
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    dataset = TensorDataset(torch.randn(96, 4), torch.randint(3, (96,)))

    def per_sample_loss(model: nn.Module, batch: list[Tensor]) -> Tensor:
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")

    return {
        "dataset": dataset,
        "loader": DataLoader(dataset, batch_size=16, shuffle=True),
        "loss": per_sample_loss,
        "losses_of": per_sample_loss,
        "model": model,
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
        "per_sample_loss": per_sample_loss,
    }
