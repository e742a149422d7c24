"""A job laid out in a temporary folder, and a training small enough for milliseconds."""

from __future__ import annotations

import json
import random
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit.container import _recorder
from sift_toolkit.container._job import Job
from sift_toolkit.contract import JobTree
from sift_toolkit.report import REPORT_FILE, SiftReport

MakeJob = Callable[..., JobTree]

SAMPLES = 60
BATCH_SIZE = 8


@pytest.fixture(autouse=True)
def _no_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of a job, whatever machine the tests run on; one thread, for results to the bit."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "no-job"))
    for name in ("RANK", "WORLD_SIZE", "OMPI_COMM_WORLD_RANK"):
        monkeypatch.delenv(name, raising=False)
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _kept_random_state() -> Iterator[None]:
    """The trainer owns the global random states; the tests after it get theirs back."""
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()  # noqa: NPY002 - what users draw from
    yield
    torch.set_rng_state(states[0])
    random.setstate(states[1])
    np.random.set_state(states[2])  # noqa: NPY002 - the legacy state is what is kept


@pytest.fixture(autouse=True)
def process_ends(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Do what would be done when the process ends, and keep it from the tests' own end."""
    endings: list[Callable[[], None]] = []
    monkeypatch.setattr(_recorder, "atexit", SimpleNamespace(register=endings.append))

    def end() -> None:
        for ending in endings:
            ending()

    return end


@pytest.fixture
def no_room() -> Callable[[], AbstractContextManager[None]]:
    """No file can become larger than a checkpoint is, as long as a test is in this context.

    A context rather than the whole test: the limit holds for the process, and so for the file that
    the tests' own output may be written to.
    """

    @contextmanager
    def limited() -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


@pytest.fixture
def kept_imports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test changes of the import path, the modules and the command line is put back."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "argv", [*sys.argv])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        # Parts of torch, which it imports when first used, register things that can be only once.
        if name.partition(".")[0] != "torch":
            del sys.modules[name]


@pytest.fixture
def make_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeJob:
    """Lay out a job with hyperparameters as the SDK encodes them; this process belongs to it."""

    def job(name: str = "job", **hyperparameters: object) -> JobTree:
        tree = JobTree(tmp_path / name)
        tree.config_dir.mkdir(parents=True, exist_ok=True)
        encoded = {key: json.dumps(value) for key, value in hyperparameters.items()}
        tree.hyperparameters_file.write_text(json.dumps(encoded), encoding="utf-8")
        monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tree.base))
        return tree

    return job


@pytest.fixture
def read_report() -> Callable[[JobTree], SiftReport]:
    """Read the report that a job has written so far."""
    return lambda tree: SiftReport.read(tree.output_data_dir / REPORT_FILE)


def per_sample_loss(model: nn.Module, batch: list[Tensor]) -> Tensor:
    """Return the cross entropy of each sample."""
    features, labels = batch
    return nn.functional.cross_entropy(model(features), labels, reduction="none")


def right(model: nn.Module, batch: list[Tensor]) -> Tensor:
    """Return which samples the model gets right."""
    features, labels = batch
    return model(features).argmax(dim=1) == labels


def samples(count: int, seed: int = 0) -> TensorDataset:
    """Return points of three classes, in overlapping clouds."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (count,), generator=generator)
    noise = torch.randn(count, 4, generator=generator)
    return TensorDataset(noise + labels[:, None], labels)


def network() -> nn.Module:
    """Return a network with everything a resume may lose: dropout, running statistics."""
    return nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3)
    )


@pytest.fixture
def toy_hooks() -> Callable[..., SimpleNamespace]:
    """Hooks of a tiny training; keyword arguments take the place of some of them."""

    def hooks(**others: Any) -> SimpleNamespace:
        return SimpleNamespace(
            **{
                "epochs": lambda job: int(job.hyperparameters.get("epochs", 4)),
                "model": lambda job: network(),
                "train_data": lambda job: DataLoader(
                    samples(SAMPLES), batch_size=BATCH_SIZE, shuffle=True
                ),
                "test_data": lambda job: DataLoader(samples(20, seed=1), batch_size=8),
                "loss": per_sample_loss,
                "correct": right,
                "optimizer": lambda model, job: torch.optim.AdamW(model.parameters(), lr=0.01),
                **others,
            }
        )

    return hooks


@pytest.fixture
def toy_loader() -> Callable[[], DataLoader[Any]]:
    """Loaders of the same samples in the same order."""
    return lambda: DataLoader(samples(SAMPLES), batch_size=BATCH_SIZE)


@pytest.fixture
def toy_loss() -> Callable[..., Tensor]:
    """One loss a sample."""
    return per_sample_loss


@pytest.fixture
def toy_model() -> nn.Module:
    """A model for the samples."""
    torch.manual_seed(0)
    return network()


@pytest.fixture
def job_of() -> Callable[[JobTree], Job]:
    """What the hooks of a job are told."""
    return lambda tree: Job(tree, tree.user_hyperparameters())
