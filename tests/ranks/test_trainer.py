"""The toolkit's own trainer under torchrun: one model, one report, one checkpoint of all ranks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sift_toolkit import SiftConfig
from sift_toolkit.config import SCRIPT_KEY
from sift_toolkit.contract import JobTree
from sift_toolkit.metrics import EPOCH, TRAINING_STEPS, VALIDATION_ACCURACY, read_series
from tests.faults.jobs import ROOT, Ended, assert_all_gone, lay_out, run, start, torchrun

LETTERS = ROOT / "demo" / "letters"

HOOKS = """
    import hashlib, json
    from pathlib import Path

    import torch
    from torch import nn
    from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

    LABELS = torch.randint(3, (120,), generator=torch.Generator().manual_seed(0))
    NOISE = torch.randn(120, 4, generator=torch.Generator().manual_seed(1))
    ROWS = TensorDataset(NOISE + LABELS[:, None], LABELS)

    class Net(nn.Sequential):
        steps = 0

        def forward(self, features):
            self.steps += self.training
            if self.training:
                place = Path(f"steps_{self.rank}")
                place.write_text(str(self.steps))
            return super().forward(features)

    def epochs(job): return job.hyperparameters["epochs"]

    def model(job):
        torch.set_num_threads(1)
        net = Net(
            nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3)
        )
        net.rank = job.rank
        return net

    def train_data(job):
        if job.processes == 1 or job.hyperparameters.get("all_to_each"):
            return DataLoader(ROWS, batch_size=8, shuffle=True)
        return DataLoader(ROWS, batch_size=8, sampler=DistributedSampler(ROWS, job.processes, job.rank))

    def test_data(job): return DataLoader(ROWS, batch_size=7, shuffle=True)

    def loss(model, batch):
        if DELAY:
            import time; time.sleep(DELAY)
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")

    def correct(model, batch):
        weights = b"".join(each.numpy().tobytes() for each in model.state_dict().values())
        Path(f"model_{model.rank}").write_text(hashlib.sha256(weights).hexdigest())
        return model(batch[0]).argmax(dim=1) == batch[1]

    def optimizer(model, job): return torch.optim.AdamW(model.parameters(), lr=0.01)

    DELAY = 0.0
"""

MakeJob = Callable[..., JobTree]


@pytest.fixture
def make_job(tmp_path: Path) -> MakeJob:
    """Lay out a job of a small training, by its name."""

    def job(name: str, delay: float = 0.0, **hyperparameters: object) -> JobTree:
        tree = lay_out(tmp_path / name, **{SCRIPT_KEY: "small_hooks.py", **hyperparameters})
        hooks = textwrap.dedent(HOOKS).replace("DELAY = 0.0", f"DELAY = {delay}")
        (tree.base / "small_hooks.py").write_text(hooks, encoding="utf-8")
        return tree

    return job


def model_of(tree: JobTree) -> dict[str, Any]:
    """Return the weights that a job saved."""
    weights: dict[str, Any] = torch.load(tree.model_dir / "model.pt", weights_only=True)
    return weights


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two models are the same to the bit."""
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def finished(ended: Ended) -> dict[Any, list[float]]:
    """Return the metrics of a job that must have succeeded."""
    assert (ended.code, ended.failure) == (0, ""), ended.output
    return read_series(ended.output.splitlines())


def test_two_ranks_train_one_model(make_job: MakeJob) -> None:
    """As many steps on both, the same weights, and whatever is told or written once is so."""
    tree = make_job("two", epochs=2, **SiftConfig(keep=0.5).to_hyperparameters())
    ended = run(tree, torchrun(2))

    series = finished(ended)
    assert [(tree.base / f"steps_{rank}").read_text() for rank in (0, 1)] == ["12", "12"]
    first, second = ((tree.base / f"model_{rank}").read_text() for rank in (0, 1))
    assert first == second
    # Once where an epoch ends, once with the accuracy.
    assert series[EPOCH] == [1.0, 1.0, 2.0, 2.0]
    assert len(series[VALIDATION_ACCURACY]) == 2
    assert series[TRAINING_STEPS][-1] == 12
    assert "goes through all the training data" not in ended.output
    assert "different models" not in ended.output
    assert [path.name for path in tree.model_dir.iterdir()] == ["model.pt"]
    assert [path.name for path in tree.output_data_dir.iterdir()] == ["sift_report.json"]


def accuracy_of(tree: JobTree) -> float:
    """Return the accuracy of the model that a job saved, by a count of all rows in one process."""
    script = """
        import sys, torch
        from types import SimpleNamespace
        import small_hooks
        job = SimpleNamespace(rank=9, processes=1, hyperparameters={})
        model = small_hooks.model(job)
        model.load_state_dict(torch.load("model/model.pt", weights_only=True))
        model.eval()
        print(int(small_hooks.correct(model, small_hooks.ROWS.tensors).sum()) / 120)
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=tree.base,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(found.stdout)


def test_held_out_data_is_shared_out_exactly(make_job: MakeJob) -> None:
    """The accuracy of both ranks together is that of the saved model on all rows."""
    tree = make_job("two", epochs=1)
    series = finished(run(tree, torchrun(2)))

    assert series[VALIDATION_ACCURACY] == [accuracy_of(tree)]


def test_ranks_that_read_all_data(make_job: MakeJob) -> None:
    """It is said, with the mend; the training goes on, for the data may be each rank's own."""
    ended = run(make_job("two", epochs=1, all_to_each=True), torchrun(2))

    finished(ended)
    told = "note: each of the 2 processes goes through all the training data, 2 times as much"
    assert ended.output.count(told) == 1


class TestInterruption:
    """A job of two ranks that is taken away, and goes on."""

    CONFIG = SiftConfig(keep=0.5, scores="fresh", selection="bernoulli").to_hyperparameters()

    @pytest.fixture
    def whole(self, make_job: MakeJob) -> dict[str, Any]:
        """The model of a job that nobody interrupted."""
        tree = make_job("whole", epochs=4, **self.CONFIG)
        finished(run(tree, torchrun(2)))
        return model_of(tree)

    def interrupted(self, tree: JobTree, number: signal.Signals, *, of_all: bool) -> Ended:
        """Send a signal, once some steps of the second epoch are made, and wait for the end."""
        job = start(tree, torchrun(2))
        place = tree.base / "steps_1"
        while job.poll() is None and not (place.exists() and int(place.read_text() or 0) > 10):
            time.sleep(0.05)
        os.kill(job.pid if of_all else rank_of(tree, 1), number)
        output, _ = job.communicate(timeout=60)
        assert_all_gone(tree)
        return Ended(job.returncode, tree.read_failure() or "", output)

    @pytest.mark.parametrize("of_all", [True, False], ids=["all", "one rank"])
    def test_asked_to_end(self, make_job: MakeJob, whole: dict[str, Any], *, of_all: bool) -> None:
        """Both stop at the same step, save, and the next job ends with the same bits."""
        tree = make_job("taken", delay=0.05, epochs=4, **self.CONFIG)
        ended = self.interrupted(tree, signal.SIGTERM, of_all=of_all)
        assert ended.code
        assert ended.output.count("note: the job was asked to end: it ends after step") == 1
        assert ended.failure == ""
        steps = [(tree.base / f"steps_{rank}").read_text() for rank in (0, 1)]
        assert steps[0] == steps[1]

        (tree.base / "small_hooks.py").write_text(textwrap.dedent(HOOKS))
        ended = run(tree, torchrun(2))
        finished(ended)
        assert ended.output.count(f"going on from the checkpoint of step {steps[0]}") == 1
        assert same(model_of(tree), whole)

    def test_killed(self, make_job: MakeJob, whole: dict[str, Any]) -> None:
        """Without a word: it goes on from the last checkpoint that was written by the steps."""
        tree = make_job("killed", delay=0.05, epochs=4, checkpoint_steps=3, **self.CONFIG)
        ended = self.interrupted(tree, signal.SIGKILL, of_all=False)
        assert ended.code
        assert "rank 1 has ended" in ended.failure

        tree.failure_file.unlink()
        (tree.base / "small_hooks.py").write_text(textwrap.dedent(HOOKS))
        ended = run(tree, torchrun(2))
        finished(ended)
        assert "going on from the checkpoint of step" in ended.output
        assert same(model_of(tree), whole)

    def test_another_number_of_ranks(self, make_job: MakeJob) -> None:
        """Its checkpoint is refused in words, for each rank has a place of its own in the data."""
        tree = make_job("two", epochs=1)
        finished(run(tree, torchrun(2)))
        ended = run(tree)

        assert ended.code == 1
        assert "belongs to another run: processes: 2 there, 1 here" in ended.failure


def rank_of(tree: JobTree, rank: int) -> int:
    """Return the process id of a rank of a job."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            variables = environment_in(folder)
            if f"SAGEMAKER_BASE_DIR={tree.base}" in variables and f"RANK={rank}" in variables:
                return int(folder.name)
    msg = f"rank {rank} does not run"
    raise LookupError(msg)


def environment_in(folder: Path) -> list[str]:
    """Return the variables of a process; none of one that is gone."""
    try:
        return (folder / "environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def test_the_demo_on_two_ranks(tmp_path: Path) -> None:
    """Its accuracy is that of one process, to two points in a hundred: the batches are as large."""
    accuracies = []
    for processes in (1, 2):
        tree = lay_out(
            tmp_path / str(processes), epochs=2, **{SCRIPT_KEY: str(LETTERS / "letters.py")}
        )
        (tree.data_dir / "letters").symlink_to(LETTERS / "data")
        series = finished(run(tree, torchrun(processes)))
        accuracies.append(series[VALIDATION_ACCURACY][-1])
        assert series[TRAINING_STEPS][-1] == 250
    assert json.dumps(accuracies)
    assert abs(accuracies[0] - accuracies[1]) < 0.02
    assert min(accuracies) > 0.85
