"""The toolkit's own trainer under torchrun: one model, one report, one checkpoint of all ranks."""

from __future__ import annotations

import functools
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
from tests.faults.jobs import ROOT, TIMEOUT, Ended, assert_all_gone, lay_out, run, start, torchrun

LETTERS = ROOT / "demo" / "letters"

Whole = Callable[[str], dict[str, Any]]

HOOKS = """
    import hashlib, time
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
        net.past_ddp = job.rank < 9 and job.hyperparameters.get("past_ddp", False)
        return net

    def train_data(job):
        if job.processes == 1 or job.hyperparameters.get("all_to_each"):
            return DataLoader(ROWS, batch_size=8, shuffle=True)
        share = DistributedSampler(ROWS, job.processes, job.rank)
        return DataLoader(ROWS, batch_size=8, sampler=share)

    def test_data(job): return DataLoader(ROWS, batch_size=7, shuffle=True)

    def loss(model, batch):
        time.sleep(DELAY)
        if getattr(model, "module", model).past_ddp:
            model = model.module if model.training else model
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")

    def correct(model, batch):
        weights = b"".join(each.numpy().tobytes() for each in model.state_dict().values())
        Path(f"model_{model.rank}").write_text(hashlib.sha256(weights).hexdigest())
        return model(batch[0]).argmax(dim=1) == batch[1]

    def optimizer(model, job): return torch.optim.AdamW(model.parameters(), lr=0.01)

    DELAY = 0.0
"""


def job_in(base: Path, delay: float = 0.0, **hyperparameters: object) -> JobTree:
    """Lay out a job of a small training, each step of which takes *delay* seconds longer."""
    tree = lay_out(base, **{SCRIPT_KEY: "small_hooks.py", **hyperparameters})
    write_hooks(tree, delay)
    return tree


def write_hooks(tree: JobTree, delay: float = 0.0) -> None:
    """Write the job's hooks."""
    text = textwrap.dedent(HOOKS).replace("DELAY = 0.0", f"DELAY = {delay}")
    (tree.base / "small_hooks.py").write_text(text, encoding="utf-8")


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


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[JobTree, Ended]:
    """A job of two ranks that went well."""
    tree = job_in(
        tmp_path_factory.mktemp("two"), epochs=2, **SiftConfig(keep=0.5).to_hyperparameters()
    )
    return tree, run(tree, torchrun(2))


def test_two_ranks_train_one_model(two: tuple[JobTree, Ended]) -> None:
    """As many steps on both, the same weights, and whatever is told or written once is so."""
    tree, ended = two
    series = finished(ended)
    assert steps_of(tree) == ["12", "12"]
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


def test_held_out_data_is_shared_out_exactly(two: tuple[JobTree, Ended]) -> None:
    """The accuracy of both ranks together is that of the saved model on all rows."""
    tree, ended = two
    assert finished(ended)[VALIDATION_ACCURACY][-1] == accuracy_of(tree)


def test_another_number_of_ranks(two: tuple[JobTree, Ended]) -> None:
    """Its checkpoint is refused in words, for each rank has a place of its own in the data."""
    tree, _ = two
    ended = run(tree)

    assert ended.code == 1
    assert "belongs to another run: processes: 2 there, 1 here" in ended.failure


def test_ranks_that_go_ways_of_their_own(tmp_path: Path) -> None:
    """All data on each, and a loss past what averages gradients: both are said, once."""
    tree = job_in(tmp_path, epochs=1, all_to_each=True, past_ddp=True)
    ended = run(tree, torchrun(2))

    finished(ended)
    for told in (
        "note: each of the 2 processes goes through all the training data, 2 times as much",
        "note: the processes have trained different models, and the first one's is saved",
    ):
        assert ended.output.count(told) == 1


CONFIGS = {
    "fresh": SiftConfig(keep=0.5, scores="fresh", selection="bernoulli"),
    "memory": SiftConfig(keep=0.7, keep_end=0.4, scores="memory"),
}
ASKED = {name: {"epochs": 4, **config.to_hyperparameters()} for name, config in CONFIGS.items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Return the model of a job that nobody interrupted, by the name of its config."""

    @functools.cache
    def model(name: str) -> dict[str, Any]:
        tree = job_in(tmp_path_factory.mktemp(name), checkpoint_steps=3, **ASKED[name])
        finished(run(tree, torchrun(2)))
        return model_of(tree)

    return model


class TestInterruption:
    """A job of two ranks that is taken away, and goes on to the same bits."""

    @pytest.mark.parametrize(
        ("name", "told"), [("fresh", ("launcher", 1)), ("memory", (1,))], ids=["all", "one rank"]
    )
    def test_asked_to_end(
        self, tmp_path: Path, whole: Whole, name: str, told: tuple[int | str, ...]
    ) -> None:
        """Both stop at the same step and save, however often and whoever of them is asked."""
        tree = job_in(tmp_path, delay=0.05, **ASKED[name])
        ended = interrupted(tree, signal.SIGTERM, told)
        assert ended.code
        assert ended.failure == ""
        assert ended.output.count("note: the job was asked to end: it ends after step") == 1
        first, second = steps_of(tree)
        assert first == second

        ended = run_on(tree)
        assert ended.output.count(f"going on from the checkpoint of step {first}") == 1
        assert same(model_of(tree), whole(name))

    def test_killed(self, tmp_path: Path, whole: Whole) -> None:
        """Without a word: it goes on from the last checkpoint that was written by the steps."""
        tree = job_in(tmp_path, delay=0.05, checkpoint_steps=3, **ASKED["memory"])
        ended = interrupted(tree, signal.SIGKILL, (1,))
        assert ended.code
        assert "rank 1 has ended" in ended.failure

        tree.failure_file.unlink()
        assert "going on from the checkpoint of step" in run_on(tree).output
        assert same(model_of(tree), whole("memory"))


def interrupted(tree: JobTree, number: signal.Signals, told: tuple[int | str, ...]) -> Ended:
    """Send a signal, once some steps of the second epoch are made, and wait for the end."""
    job = start(tree, torchrun(2))
    place = tree.base / "steps_1"
    while job.poll() is None and not (place.exists() and int(place.read_text() or 0) > 10):
        time.sleep(0.05)
    for whom in told:
        os.kill(job.pid if whom == "launcher" else rank_of(tree, int(whom)), number)
    output, _ = job.communicate(timeout=TIMEOUT)
    assert_all_gone(tree)
    return Ended(job.returncode, tree.read_failure() or "", output)


def run_on(tree: JobTree) -> Ended:
    """Run a job that was interrupted to its end, at full speed."""
    write_hooks(tree)
    ended = run(tree, torchrun(2))
    finished(ended)
    return ended


def steps_of(tree: JobTree) -> list[str]:
    """Return how many training steps each rank has made, in the order of the ranks."""
    return [(tree.base / f"steps_{rank}").read_text() for rank in (0, 1)]


def accuracy_of(tree: JobTree) -> float:
    """Return the accuracy of the model that a job saved, by a count of all rows in one process."""
    script = """
        import torch
        from types import SimpleNamespace
        import small_hooks
        model = small_hooks.model(SimpleNamespace(rank=9))
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
            tmp_path / str(processes), epochs=1, **{SCRIPT_KEY: str(LETTERS / "letters.py")}
        )
        (tree.data_dir / "letters").symlink_to(LETTERS / "data")
        series = finished(run(tree, torchrun(processes)))
        accuracies.append(series[VALIDATION_ACCURACY][-1])
        assert series[TRAINING_STEPS][-1] == 125
    assert abs(accuracies[0] - accuracies[1]) < 0.02
    assert min(accuracies) > 0.85
