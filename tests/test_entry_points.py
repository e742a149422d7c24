"""The scripts a job names, started by the real `train` of sagemaker-training."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from sift_toolkit import SiftConfig
from sift_toolkit.config import SCRIPT_KEY
from sift_toolkit.contract import JobDescription, JobResult, JobTree, launch
from sift_toolkit.metrics import EPOCH, KEPT_SHARE, VALIDATION_ACCURACY, read_series
from sift_toolkit.report import REPORT_FILE, SiftReport

ROOT = Path(__file__).parents[1]
Run = Callable[..., JobResult]

HOOKS = """
    import os
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    labels = torch.arange(64) % 2
    noise = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
    DATA = TensorDataset(noise + labels[:, None], labels)

    def epochs(job): return 4
    def model(job): return nn.Linear(3, 2)
    def train_data(job): return DataLoader(DATA, batch_size=8, shuffle=True)
    def test_data(job): return DataLoader(DATA, batch_size=8)
    def loss(model, batch):
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")
    def correct(model, batch): return model(batch[0]).argmax(dim=1) == batch[1]
    def optimizer(model, job): return torch.optim.AdamW(model.parameters(), lr=0.1)
"""
STOPPED_IN_THE_THIRD_EPOCH = """
    steps = 0
    def loss(model, batch):
        global steps
        steps += 1
        if steps == 8 + 4 + 2:
            os._exit(9)  # the machine is taken away
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")
"""
CONFIG = SiftConfig(keep=0.5, scores="memory")


@pytest.fixture(scope="module")
def shipped_toolkit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it lies beside a user's file in a job: with its entry points inside."""
    package = tmp_path_factory.mktemp("shipped") / "sift_toolkit"
    no_junk = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "sift_toolkit", package, ignore=no_junk)
    shutil.copytree(ROOT / "entry_points", package / "entry_points", ignore=no_junk)
    return package


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, shipped_toolkit: Path) -> Run:
    """Run a job of the toolkit's entry points with the user's file beside them."""

    def job(
        entry_point: str,
        script: str,
        *,
        checkpoints: Path | None = None,
        **hyperparameters: object,
    ) -> JobResult:
        folder = tmp_path_factory.mktemp("job")
        source = folder / "source"
        source.mkdir()
        (source / "user_file.py").write_text(textwrap.dedent(script), encoding="utf-8")
        (source / "beside.py").write_text("VALUE = 7", encoding="utf-8")
        (source / "sift_toolkit").symlink_to(shipped_toolkit)
        request = {
            "sagemaker_program": f"sift_toolkit/entry_points/{entry_point}.py",
            "sagemaker_submit_directory": str(source),
            SCRIPT_KEY: "user_file.py",
            **hyperparameters,
        }
        description = JobDescription(
            name="a-job",
            hyperparameters={key: json.dumps(value) for key, value in request.items()},
            checkpoints=checkpoints,
        )
        return launch(description, folder / "ml")

    return job


@pytest.fixture(scope="module")
def whole(run: Run) -> JobResult:
    """A training that nothing interrupted."""
    return run("train", HOOKS, **CONFIG.to_hyperparameters(), seed=3)


def test_train_runs_a_whole_training(whole: JobResult) -> None:
    """Hooks and a config in, metrics, report and model out."""
    assert whole.failure is None
    series = read_series(whole.tree.log_lines())
    report = SiftReport.read(whole.tree.output_data_dir / REPORT_FILE)
    assert series[EPOCH][-1] == 4
    # The first epoch is on all data, the other three are on half of it.
    assert series[KEPT_SHARE][-1] == pytest.approx((1 + 3 * 0.5) / 4)
    assert len(series[VALIDATION_ACCURACY]) == 4
    assert report.last("kept_share") == series[KEPT_SHARE][-1]
    assert report.config == CONFIG.to_hyperparameters()
    assert (whole.tree.model_dir / "model.pt").is_file()


def test_a_job_that_is_taken_away_goes_on(run: Run, whole: JobResult, tmp_path: Path) -> None:
    """A job killed in its third epoch, started again, ends with the model of one that was not."""
    hyperparameters = {**CONFIG.to_hyperparameters(), "seed": 3}
    stopping = textwrap.dedent(HOOKS) + textwrap.dedent(STOPPED_IN_THE_THIRD_EPOCH)
    killed = run("train", stopping, checkpoints=tmp_path, **hyperparameters)
    resumed = run("train", HOOKS, checkpoints=tmp_path, **hyperparameters)

    assert killed.failure is not None
    assert resumed.failure is None
    assert any("2 of 4 epochs are done" in line for line in resumed.tree.log_lines())
    assert model_of(resumed.tree) == model_of(whole.tree)


def model_of(tree: JobTree) -> bytes:
    """Return the model a job left, byte by byte."""
    return (tree.model_dir / "model.pt").read_bytes()


def test_train_tells_why_it_failed(run: Run) -> None:
    """The reason of a failed job is the error, not the log of the launcher."""
    result = run("train", HOOKS.replace("return nn.Linear(3, 2)", "raise ValueError('no GPU')"))

    assert result.exit_code == 1
    assert result.failure == "ValueError: no GPU"


STRICT = """
    import argparse
    import beside
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, required=True)
    print(f"parsed {vars(parser.parse_args())} beside {beside.VALUE} in {__name__}")
"""


def test_run_serves_a_strict_parser(run: Run) -> None:
    """A script that refuses unknown options gets only its own."""
    result = run("run", STRICT, **SiftConfig(keep=0.5).to_hyperparameters(), epochs=3)

    assert result.failure is None
    assert "parsed {'epochs': 3} beside 7 in __main__" in list(result.tree.log_lines())


def test_run_serves_a_strict_parser_under_sdk_v3(tmp_path: Path) -> None:
    """SDK v3's driver puts every hyperparameter on the command line: ours are taken off."""
    (tmp_path / "beside.py").write_text("VALUE = 7", encoding="utf-8")
    (tmp_path / "user_file.py").write_text(textwrap.dedent(STRICT), encoding="utf-8")
    hyperparameters = {"epochs": 3, **SiftConfig(keep=0.5).to_hyperparameters()}
    options = [word for key, value in hyperparameters.items() for word in (f"--{key}", str(value))]
    result = subprocess.run(
        [sys.executable, str(ROOT / "entry_points" / "run.py"), "user_file.py", *options],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )

    assert result.stdout == "parsed {'epochs': 3} beside 7 in __main__\n"


def test_run_tells_why_a_script_failed(run: Run) -> None:
    """An error of the script is the reason of the failed job."""
    result = run("run", "raise ValueError('no column age')")

    assert result.exit_code == 1
    assert result.failure == "ValueError: no column age"


def test_run_leaves_exit_codes_to_sagemaker(run: Run) -> None:
    """A script that exits with a code is a failed job, described by sagemaker-training."""
    result = run("run", "raise SystemExit(3)")

    assert result.exit_code == 1
    assert "ExitCode 3" in (result.failure or "")
