"""Jobs as SDK v3 starts them: its own bootstrap and drivers, on what it uploaded."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit import SiftConfig, sift_model_trainer
from sift_toolkit.contract import without_apostrophes
from sift_toolkit.metrics import EPOCH, KEPT_SHARE, VALIDATION_ACCURACY, read_series
from sift_toolkit.report import REPORT_FILE, SiftReport
from tests.one_job import CONFIG, ENVIRONMENT, HYPERPARAMETERS, SCRIPT, check_seen
from tests.v3.played import PlayedJob

Run = Callable[..., PlayedJob]

HOOKS = """
    import beside
    import sift_toolkit
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    # The one that was sent along, not the one that this environment has too.
    assert sift_toolkit.__file__ == "/opt/ml/input/data/code/sift_toolkit/__init__.py"

    labels = torch.arange(64) % 2
    noise = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
    DATA = TensorDataset(noise + labels[:, None], labels)

    def epochs(job): return job.hyperparameters["epochs"]
    def model(job):
        assert job.hyperparameters["note"] == "it's"
        return nn.Linear(3, 2)
    def train_data(job): return DataLoader(DATA, batch_size=8, shuffle=True)
    def test_data(job): return DataLoader(DATA, batch_size=8)
    def loss(model, batch):
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")
    def correct(model, batch): return model(batch[0]).argmax(dim=1) == batch[1]
    def optimizer(model, job): return torch.optim.AdamW(model.parameters(), lr=0.1)
"""

SIFTED_SCRIPT = """
    import argparse
    import torch
    from torch.utils.data import DataLoader, TensorDataset
    from sift_toolkit import sift

    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int)
    epochs = parser.parse_args().epochs
    torch.distributed.init_process_group("gloo")
    rank, ranks = torch.distributed.get_rank(), torch.distributed.get_world_size()
    data = TensorDataset(torch.randn(64, 3))
    loader = sift(
        DataLoader(data, batch_size=8),
        model=torch.nn.Linear(3, 1),
        loss=lambda model, batch: model(batch[0]).square().mean(dim=1),
        epochs=epochs,
    )
    for epoch in range(epochs):
        for batch in loader:
            pass
    print(f"RANK {rank} of {ranks} trained", flush=True)
    torch.distributed.destroy_process_group()
"""


def write(source: Path, text: str) -> None:
    """Make a text the job's script."""
    (source / "train.py").write_text(textwrap.dedent(text), encoding="utf-8")


@pytest.mark.parametrize("launcher", ["script", "run"])
def test_a_strict_script(
    run: Run, job_arguments: dict[str, Any], source: Path, launcher: Any
) -> None:
    """A script sees its own hyperparameters, sign by sign, as it does under SDK v2."""
    write(source, SCRIPT)
    trainer = sift_model_trainer(
        CONFIG,
        **job_arguments,
        launcher=launcher,
        hyperparameters=HYPERPARAMETERS,
        environment=ENVIRONMENT,
    )
    job = run(trainer)
    assert job.exit_code == 0, "\n".join(job.lines[-40:])
    check_seen(job.lines)


def test_the_trainer(run: Run, job_arguments: dict[str, Any], source: Path) -> None:
    """Hooks and a config in, metrics, report and model out."""
    write(source, HOOKS)
    trainer = sift_model_trainer(
        SiftConfig(keep=0.5, scores="memory"),
        **job_arguments,
        launcher="train",
        hyperparameters={"epochs": 4, "note": "it's"},
    )
    job = run(trainer)
    assert job.exit_code == 0, "\n".join(job.lines[-40:])
    series = read_series(job.lines)
    assert series[EPOCH][-1] == 4
    assert series[KEPT_SHARE][-1] == pytest.approx((1 + 3 * 0.5) / 4)
    assert len(series[VALIDATION_ACCURACY]) == 4
    report = SiftReport.read(job.tree.output_data_dir / REPORT_FILE)
    assert report.config == SiftConfig(keep=0.5, scores="memory").to_hyperparameters()
    assert (job.tree.model_dir / "model.pt").is_file()


def test_torchrun(run: Run, job_arguments: dict[str, Any], source: Path) -> None:
    """Each process of torchrun sifts, and gets the script's own command line."""
    write(source, SIFTED_SCRIPT)
    trainer = sift_model_trainer(
        SiftConfig(keep=0.5, scores="fresh"),
        **job_arguments,
        hyperparameters={"epochs": 2},
        distribution={"torch_distributed": {"enabled": True}},
    )
    trainer.distributed.process_count_per_node = 2
    job = run(trainer)
    assert job.exit_code == 0, "\n".join(job.lines[-40:])
    assert {"RANK 0 of 2 trained", "RANK 1 of 2 trained"} <= set(job.lines)
    assert read_series(job.lines)[KEPT_SHARE][-1] == 0.5


def test_a_failure_is_told(run: Run, job_arguments: dict[str, Any], source: Path) -> None:
    """The reason of a failed job is the script's error, and its exit code is the job's."""
    write(source, "raise ValueError('no column age')")
    job = run(sift_model_trainer(CONFIG, **job_arguments))
    assert job.exit_code == 1
    assert job.tree.read_failure() == "ValueError: no column age"


def test_requirements_are_installed(run: Run, job_arguments: dict[str, Any], source: Path) -> None:
    """A requirements.txt beside the script is installed first, as under SDK v2."""
    (source / "requirements.txt").write_text("# nothing to install\n")
    write(source, "print('after the installation')")
    job = run(sift_model_trainer(CONFIG, **job_arguments))
    assert job.exit_code == 0, "\n".join(job.lines[-40:])
    assert job.lines.index("Installing requirements") < job.lines.index("after the installation")


@pytest.mark.parametrize(
    "arguments",
    [
        {"hyperparameters": {"note": "it's"}},
        {"hyperparameters": {"model.depth": "2"}},
        {"channel": "my-data"},
    ],
)
def test_what_is_refused_would_fail(
    run: Run,
    job_arguments: dict[str, Any],
    arguments: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What SDK v3's launcher cannot take ends a job before the user's code, as we say it does."""
    trainers = "sift_toolkit.client._sift_model_trainer"
    monkeypatch.setattr("sift_toolkit.client._model_trainer.v3_problems", lambda *_: [])
    monkeypatch.setattr(f"{trainers}.v3_problems", lambda *_: [])
    monkeypatch.setattr(
        "sift_toolkit.client._model_trainer_inputs.v3_channel_problems", lambda *_: []
    )
    monkeypatch.setattr(
        "sift_toolkit.client._model_trainer_arguments.without_apostrophes", lambda texts: texts
    )
    assert without_apostrophes({"note": '"it\'s"'}) != {"note": '"it\'s"'}
    channel = arguments.pop("channel", "training")
    job = run(
        sift_model_trainer(CONFIG, **job_arguments, **arguments), {channel: "s3://sift-tests/data"}
    )
    assert job.exit_code != 0
    assert "training" not in job.lines
    assert "Running Basic Script driver" not in job.lines
