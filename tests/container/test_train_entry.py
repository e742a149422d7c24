"""The trainer, started as a job starts it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from sift_toolkit import SiftConfig, SiftUsageError
from sift_toolkit.config import SCRIPT_KEY
from sift_toolkit.container import train_entry
from sift_toolkit.contract import JobTree
from sift_toolkit.metrics import EPOCH, KEPT_SHARE, read_series

MakeJob = Callable[..., JobTree]

pytestmark = pytest.mark.usefixtures("kept_imports")

HOOKS = """
    import torch
    from torch import nn

    BATCHES = [(torch.rand(8, 2), torch.zeros(8, dtype=torch.int64)) for _ in range(4)]

    def epochs(job): return job.hyperparameters["epochs"]
    def model(job): return nn.Linear(2, 2)
    def train_data(job): return BATCHES
    def test_data(job): return BATCHES[:1]
    def loss(model, batch):
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")
    def correct(model, batch): return model(batch[0]).argmax(dim=1) == batch[1]
    def optimizer(model, job): return torch.optim.SGD(model.parameters(), lr=0.1)
"""


@pytest.fixture
def write_hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Write the job's module of hooks into the folder it runs in."""
    monkeypatch.chdir(tmp_path)
    return lambda text: Path("toy_hooks.py").write_text(textwrap.dedent(text), encoding="utf-8")


def test_the_module_that_the_job_names_is_trained(
    write_hooks: Callable[[str], None], make_job: MakeJob, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hyperparameters, sift config and script all come from the job."""
    write_hooks(HOOKS)
    config = SiftConfig(keep=0.5).to_hyperparameters()
    tree = make_job(**{SCRIPT_KEY: "toy_hooks.py", "epochs": 3}, **config)

    train_entry()

    series = read_series(capsys.readouterr().out.splitlines())
    assert series[EPOCH][-1] == 3
    assert series[KEPT_SHARE][-1] == 0.5
    assert tree.read_failure() is None
    assert sorted(path.name for path in tree.model_dir.iterdir()) == ["model.pt"]


def test_an_error_in_a_hook_is_the_reason(
    write_hooks: Callable[[str], None], make_job: MakeJob
) -> None:
    """What a hook raises goes on, and stands in the failure file in one line."""
    write_hooks(HOOKS)
    tree = make_job(**{SCRIPT_KEY: "toy_hooks.py"})
    with pytest.raises(KeyError):
        train_entry()

    assert tree.read_failure() == "KeyError: 'epochs'"


def test_a_module_that_lacks_hooks(write_hooks: Callable[[str], None], make_job: MakeJob) -> None:
    """All missing hooks are in the failure file at once."""
    write_hooks("def epochs(job): return 1")
    tree = make_job(**{SCRIPT_KEY: "toy_hooks.py"})
    with pytest.raises(SiftUsageError):
        train_entry()

    reason = tree.read_failure() or ""
    assert reason.startswith("SiftUsageError: toy_hooks.py is no module of hooks: it lacks model(")
    assert "optimizer(model, job)" in reason


def test_a_job_that_names_no_module(make_job: MakeJob) -> None:
    """A job launched with another entry point in mind says how it should be launched."""
    tree = make_job()
    with pytest.raises(SiftUsageError):
        train_entry()

    assert 'launcher="train"' in (tree.read_failure() or "")
