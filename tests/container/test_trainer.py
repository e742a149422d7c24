"""A complete training around hooks, resumed to the bit."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from sift_toolkit import (
    SiftConfig,
    SiftConfigError,
    SiftJobError,
    SiftStateError,
    SiftUsageError,
)
from sift_toolkit.config import key_of
from sift_toolkit.container._hooks import hooks_of
from sift_toolkit.container._interruption import interruption
from sift_toolkit.container._job import Job
from sift_toolkit.container._trainer import MODEL_FILE, train
from sift_toolkit.contract import JobTree
from sift_toolkit.metrics import (
    EPOCH,
    KEPT_SHARE,
    SAMPLES_SEEN,
    VALIDATION_ACCURACY,
    Metric,
    read_series,
)
from sift_toolkit.report import SiftReport

MakeJob = Callable[..., JobTree]
JobOf = Callable[[JobTree], Job]
ToyHooks = Callable[..., SimpleNamespace]
Series = Callable[[], dict[Metric, list[float]]]
EPOCHS = 4

CONFIGS = {
    "plain": SiftConfig(keep=0.5, enabled=False),
    "fresh": SiftConfig(keep=0.5, scores="fresh", leftover="carry"),
    "memory": SiftConfig(keep=0.7, keep_end=0.4, scores="memory", law="proportional"),
    "coins": SiftConfig(keep=0.5, scores="fresh", selection="bernoulli", anneal=0.2),
}


class TakenAwayError(Exception):
    """The machine was taken away."""


class Noisy(Dataset[Any]):
    """Samples with noise from every source a user may draw from, in this process or a worker."""

    def __init__(self, samples: TensorDataset) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Any:
        features, label = self.samples[index]
        noise = random.random() + np.random.random() + float(torch.rand(()))  # noqa: NPY002 - what users draw from
        return features + 0.01 * noise, label


class Stream(IterableDataset[Any]):
    """The samples, their number unknown."""

    def __init__(self, samples: TensorDataset) -> None:
        self.samples = samples

    def __iter__(self) -> Iterator[Any]:
        return (self.samples[index] for index in range(len(self.samples)))


@pytest.fixture
def run(toy_hooks: ToyHooks, job_of: JobOf) -> Callable[..., bytes]:
    """Train a job with the toy hooks, some of them replaced; return its model, byte by byte."""

    def training(tree: JobTree, **hooks: Any) -> bytes:
        train(hooks_of(toy_hooks(**hooks), "toy.py"), job_of(tree))
        return (tree.model_dir / MODEL_FILE).read_bytes()

    return training


@pytest.fixture
def interrupted(toy_hooks: ToyHooks, run: Callable[..., bytes]) -> Callable[..., None]:
    """Train a job until the machine is taken away in the middle of an epoch."""

    def training(tree: JobTree, *, in_epoch: int, **hooks: Any) -> None:
        evaluations, loss = [], hooks.pop("loss", toy_hooks().loss)

        def correct(model: nn.Module, batch: Any) -> Tensor:
            evaluations.append(1)
            return toy_hooks().correct(model, batch)

        def stopping_loss(model: nn.Module, batch: Any) -> Any:
            # Three batches of test data are looked at after each epoch.
            if len(evaluations) == 3 * (in_epoch - 1) and model.training:
                stopping_loss.steps += 1
                if stopping_loss.steps == 3:
                    raise TakenAwayError
            return loss(model, batch)

        stopping_loss.steps = 0
        with pytest.raises(TakenAwayError):
            run(tree, loss=stopping_loss, correct=correct, **hooks)

    return training


@pytest.fixture
def series(capsys: pytest.CaptureFixture[str]) -> Series:
    """Read all metrics printed since the last time."""
    return lambda: read_series(capsys.readouterr().out.splitlines())


class TestTraining:
    """One uninterrupted run."""

    def test_it_learns_and_says_so(
        self, make_job: MakeJob, run: Callable[..., bytes], series: Series
    ) -> None:
        """Accuracy is reported after each epoch, and gets far above chance."""
        run(make_job(epochs=EPOCHS))

        reported = series()
        assert len(reported[VALIDATION_ACCURACY]) == EPOCHS
        assert reported[VALIDATION_ACCURACY][-1] > 0.5
        assert reported[SAMPLES_SEEN][-1] == EPOCHS * 60

    def test_the_model_is_saved(
        self, make_job: MakeJob, run: Callable[..., bytes], toy_model: nn.Module
    ) -> None:
        """The model folder holds the weights, to be loaded without running code."""
        tree = make_job()
        run(tree)

        weights = torch.load(tree.model_dir / MODEL_FILE, weights_only=True)
        toy_model.load_state_dict(weights)

    def test_the_job_is_sifted(
        self, make_job: MakeJob, run: Callable[..., bytes], series: Series
    ) -> None:
        """The config comes from the job, for the hooks know nothing of it."""
        run(make_job(**CONFIGS["fresh"].to_hyperparameters()))

        assert series()[KEPT_SHARE][-1] == 0.5

    def test_the_seed_decides(self, make_job: MakeJob, run: Callable[..., bytes]) -> None:
        """The same seed gives the same model to the bit, another one another."""
        models = [run(make_job(str(number), seed=number % 2)) for number in range(3)]

        assert models[0] == models[2] != models[1]

    def test_the_schedule_is_the_users(self, make_job: MakeJob, run: Callable[..., bytes]) -> None:
        """A hook for the learning rate is followed from the first step to the last."""
        seen: list[float] = []

        def factor(progress: float) -> float:
            seen.append(progress)
            return 0.0

        models = [run(make_job(name), learning_rate_factor=factor) for name in ("a", "b")]

        # Nothing is learned at a rate of 0, but for running statistics.
        assert models[0] == models[1]
        assert seen[0] == 0.0
        assert seen[-1] == 1.0

    def test_the_model_trains_in_training_mode(
        self, make_job: MakeJob, run: Callable[..., bytes], toy_hooks: ToyHooks
    ) -> None:
        """Neither evaluation nor scoring leaves its mode behind."""
        gradients_and_modes = set()

        def loss(model: nn.Module, batch: Any) -> Tensor:
            gradients_and_modes.add((torch.is_grad_enabled(), model.training))
            losses: Tensor = toy_hooks().loss(model, batch)
            return losses

        run(make_job(**CONFIGS["fresh"].to_hyperparameters()), loss=loss)

        assert gradients_and_modes == {(True, True), (False, False)}

    def test_a_loss_with_values_of_its_own(
        self, make_job: MakeJob, run: Callable[..., bytes], toy_hooks: ToyHooks
    ) -> None:
        """A loss that returns a second tensor steers a selection by the user's own values."""
        config = SiftConfig(keep=0.5, law="proportional", value="own", scores="memory")

        def loss(model: nn.Module, batch: Any) -> tuple[Tensor, Tensor]:
            losses = toy_hooks().loss(model, batch)
            return losses, torch.ones_like(losses)

        run(make_job(**config.to_hyperparameters()), loss=loss)

    def test_classes_are_the_hooks(
        self,
        make_job: MakeJob,
        run: Callable[..., bytes],
        read_report: Callable[[JobTree], SiftReport],
    ) -> None:
        """A hook tells the class of each sample, and the report what was kept of each."""
        tree = make_job(**CONFIGS["fresh"].to_hyperparameters())
        run(tree, class_labels=lambda job: lambda batch: batch[1])

        classes = read_report(tree).classes
        assert classes is not None
        assert list(classes.labels) == [0, 1, 2]

    def test_a_stream_is_trained_at_a_constant_rate(
        self,
        make_job: MakeJob,
        run: Callable[..., bytes],
        toy_loader: Callable[[], DataLoader[Any]],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Data of unknown length has no progress: the job says so, and trains."""
        samples: Any = toy_loader().dataset
        config = SiftConfig(keep=0.5).to_hyperparameters()
        run(make_job(**config), train_data=lambda job: DataLoader(Stream(samples), batch_size=8))

        out = capsys.readouterr().out
        assert "[sift] note: learning rate: constant, because" in out
        assert read_series(out.splitlines())[EPOCH][-1] == EPOCHS

    def test_workers_load_the_data(
        self, make_job: MakeJob, run: Callable[..., bytes], toy_loader: Any, series: Series
    ) -> None:
        """Loaders with processes of their own are fine."""

        def train_data(job: Job) -> DataLoader[Any]:
            return DataLoader(toy_loader().dataset, batch_size=8, shuffle=True, num_workers=2)

        run(make_job(epochs=2, **CONFIGS["memory"].to_hyperparameters()), train_data=train_data)

        assert series()[SAMPLES_SEEN][-1] == 2 * 60


class TestResume:
    """A run that was interrupted ends as if it had never been."""

    @pytest.mark.parametrize("name", CONFIGS)
    def test_to_the_bit(
        self,
        make_job: MakeJob,
        run: Callable[..., bytes],
        interrupted: Callable[..., None],
        toy_loader: Callable[[], DataLoader[Any]],
        name: str,
    ) -> None:
        """Two epochs, an interruption, two epochs: the model of four epochs, byte by byte."""
        hyperparameters = {"epochs": EPOCHS, **CONFIGS[name].to_hyperparameters()}
        noisy = Noisy(toy_loader().dataset)  # type: ignore[arg-type] # a TensorDataset

        def train_data(job: Job) -> DataLoader[Any]:
            return DataLoader(noisy, batch_size=8, shuffle=True)

        whole = run(make_job("whole", **hyperparameters), train_data=train_data)
        tree = make_job("restarted", **hyperparameters)
        interrupted(tree, in_epoch=3, train_data=train_data)
        # The new machine's random state is another one.
        torch.rand(17)
        resumed = run(tree, train_data=train_data)

        assert whole == resumed

    @pytest.mark.parametrize("name", CONFIGS)
    def test_to_the_bit_in_the_middle_of_an_epoch(
        self,
        make_job: MakeJob,
        run: Callable[..., bytes],
        toy_hooks: ToyHooks,
        toy_loader: Callable[[], DataLoader[Any]],
        name: str,
    ) -> None:
        """Taken away in every fifth step, when the work of three or more is saved."""
        hyperparameters = {"epochs": EPOCHS, **CONFIGS[name].to_hyperparameters()}
        noisy = Noisy(toy_loader().dataset)  # type: ignore[arg-type] # a TensorDataset
        steps: list[int] = []

        def train_data(job: Job) -> DataLoader[Any]:
            return DataLoader(noisy, batch_size=8, shuffle=True)

        def fragile_loss(model: nn.Module, batch: Any) -> Any:
            if model.training:
                steps.append(1)
                if len(steps) % 5 == 0:
                    raise TakenAwayError
            return toy_hooks().loss(model, batch)

        whole = run(make_job("whole", **hyperparameters), train_data=train_data)
        tree = make_job("taken away", checkpoint_steps=3, **hyperparameters)
        lives = 1
        while True:
            torch.rand(17)
            try:
                resumed = run(tree, train_data=train_data, loss=fragile_loss)
                break
            except TakenAwayError:
                lives += 1

        assert whole == resumed
        assert lives > 3

    def test_asked_to_end(
        self, make_job: MakeJob, run: Callable[..., bytes], toy_hooks: ToyHooks
    ) -> None:
        """SIGTERM in a step: that step is finished, saved, and the next job goes on after it."""
        steps: list[int] = []

        def loss(model: nn.Module, batch: Any) -> Any:
            steps.append(1)
            if len(steps) == 11:
                signal.raise_signal(signal.SIGTERM)
            return toy_hooks().loss(model, batch)

        whole = run(make_job("whole"))
        tree = make_job("asked")
        with interruption.noticed(), pytest.raises(SystemExit) as end:
            run(tree, loss=loss)
        assert end.value.code == 143
        assert len(steps) == 11
        assert run(tree, loss=loss) == whole
        assert len(steps) == 32

    @pytest.mark.parametrize("batch", [1, 2, 3])
    def test_asked_to_end_in_the_evaluation(
        self,
        make_job: MakeJob,
        run: Callable[..., bytes],
        toy_hooks: ToyHooks,
        series: Series,
        batch: int,
    ) -> None:
        """The next job evaluates that epoch again, and nothing else is done twice."""
        evaluated, steps = [], []

        def correct(model: nn.Module, given: Any) -> Tensor:
            evaluated.append(1)
            if len(evaluated) == batch:
                signal.raise_signal(signal.SIGTERM)
            result: Tensor = toy_hooks().correct(model, given)
            return result

        def loss(model: nn.Module, given: Any) -> Any:
            steps.append(1)
            return toy_hooks().loss(model, given)

        whole = run(make_job("whole"))
        expected = series()[VALIDATION_ACCURACY]
        tree = make_job("asked")
        with interruption.noticed(), pytest.raises(SystemExit):
            run(tree, correct=correct, loss=loss)
        assert run(tree, correct=correct, loss=loss) == whole
        assert len(steps) == 32
        # The last batch's evaluation is complete, and the epoch with it.
        assert series()[VALIDATION_ACCURACY] == expected

    def test_no_data_is_in_a_checkpoint(
        self, make_job: MakeJob, run: Callable[..., bytes], toy_hooks: ToyHooks
    ) -> None:
        """In the middle of an epoch it holds rows that wait for their batch, and no others."""
        config = SiftConfig(keep=0.5, scores="fresh")
        tree = make_job(checkpoint_steps=1, **config.to_hyperparameters())
        steps: list[int] = []

        def loss(model: nn.Module, batch: Any) -> Any:
            if model.training:
                steps.append(1)
                if len(steps) == 3:
                    raise TakenAwayError
            return toy_hooks().loss(model, batch)

        with pytest.raises(TakenAwayError):
            run(tree, loss=loss)
        content = sorted(tree.checkpoints_dir.iterdir())[-1].read_bytes()
        features = toy_hooks().train_data(None).dataset.tensors[0]
        held = [row.numpy().tobytes() in content for row in features]

        assert sum(held) < 8

    def test_a_memory_holds_no_data(
        self, make_job: MakeJob, run: Callable[..., bytes], toy_hooks: ToyHooks
    ) -> None:
        """Its rows wait as numbers."""
        tree = make_job(checkpoint_steps=1, **CONFIGS["memory"].to_hyperparameters())
        run(tree)
        features = toy_hooks().train_data(None).dataset.tensors[0]
        for path in tree.checkpoints_dir.iterdir():
            content = path.read_bytes()
            assert not any(row.numpy().tobytes() in content for row in features)

    def test_metrics_go_on(
        self,
        make_job: MakeJob,
        run: Callable[..., bytes],
        interrupted: Callable[..., None],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Totals continue, and the job says that it was resumed."""
        tree = make_job(**CONFIGS["fresh"].to_hyperparameters())
        interrupted(tree, in_epoch=3)
        capsys.readouterr()
        run(tree)

        out = capsys.readouterr().out
        series = read_series(out.splitlines())
        assert "note: going on from the checkpoint of step 7" in out
        assert "note: 2 of 4 epochs are done" in out
        assert len(series[VALIDATION_ACCURACY]) == 2
        assert series[SAMPLES_SEEN][0] > 2 * 60
        assert series[SAMPLES_SEEN][-1] == EPOCHS * 60

    def test_a_run_that_was_done(self, make_job: MakeJob, run: Callable[..., bytes]) -> None:
        """A job restarted after its last epoch saves the same model and trains nothing."""
        tree = make_job()
        model = run(tree)
        (tree.model_dir / MODEL_FILE).unlink()

        assert run(tree) == model

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            (SiftConfig(keep=0.25).to_hyperparameters(), f"{key_of('keep')}: 0.5 there, 0.25 here"),
            ({"epochs": 6}, "epochs: 4 there, 6 here"),
            ({"seed": 1}, "seed: 0 there, 1 here"),
            ({"learning_rate": 0.2}, "hyperparameter 'learning_rate' is new"),
        ],
        ids=["config", "epochs", "seed", "another hyperparameter"],
    )
    def test_another_run_is_refused(
        self,
        make_job: MakeJob,
        run: Callable[..., bytes],
        changed: dict[str, object],
        words: str,
    ) -> None:
        """A checkpoint of another run is no start for this one; the folder is named."""
        before = {"epochs": 4, **CONFIGS["fresh"].to_hyperparameters()}
        tree = make_job(**before)
        run(tree)
        make_job(**{**before, **changed})
        with pytest.raises(SiftStateError) as caught:
            run(tree)

        assert words in str(caught.value)
        assert str(tree.checkpoints_dir) in str(caught.value)
        assert "give this job a checkpoint folder of its own" in str(caught.value)

    def test_another_model_is_refused(self, make_job: MakeJob, run: Callable[..., bytes]) -> None:
        """Weights that do not fit are refused in words too."""
        tree = make_job()
        run(tree)
        with pytest.raises(
            SiftStateError, match=r"belongs to another run: model 0\.weight: \(8, 4\) float32 there"
        ):
            run(tree, model=lambda job: nn.Sequential(nn.Linear(4, 3)))

    def test_another_optimizer_is_refused(
        self, make_job: MakeJob, run: Callable[..., bytes]
    ) -> None:
        """Its state may load without a word, and mean something else."""
        tree = make_job()
        run(tree)
        with pytest.raises(SiftStateError, match="another run: optimizer: AdamW there, SGD here"):
            run(tree, optimizer=lambda model, job: torch.optim.SGD(model.parameters(), lr=0.1))

    @pytest.mark.parametrize("samples", [52, 44], ids=["another length", "other batches"])
    def test_other_data_is_refused(
        self, make_job: MakeJob, run: Callable[..., bytes], toy_loader: Any, samples: int
    ) -> None:
        """The number of samples is held against the checkpoint's."""

        def train_data(job: Job) -> DataLoader[Any]:
            part = torch.utils.data.Subset(toy_loader().dataset, range(samples))
            return DataLoader(part, batch_size=8, shuffle=True)

        tree = make_job()
        run(tree)
        with pytest.raises(
            SiftStateError, match=f"samples in the dataset: 60 there, {samples} here"
        ):
            run(tree, train_data=train_data)


class TestRefusals:
    """What cannot be trained as asked is said before it is."""

    @pytest.mark.parametrize("epochs", [0, -1, 2.0, "3", None])
    def test_epochs(self, make_job: MakeJob, run: Callable[..., bytes], epochs: object) -> None:
        """The number of epochs is a whole number from 1."""
        with pytest.raises(SiftUsageError, match=f"epochs must return a .* from 1, got {epochs!r}"):
            run(make_job(), epochs=lambda job: epochs)

    @pytest.mark.parametrize("seed", [-1, 0.5, "one", None, 2**70])
    def test_seeds(self, make_job: MakeJob, run: Callable[..., bytes], seed: object) -> None:
        """The seed is a whole number from 0."""
        with pytest.raises(SiftUsageError, match=f"'seed' must be a .* from 0, got {seed!r}"):
            run(make_job(seed=seed))

    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("checkpoint_minutes", "often", "minutes between checkpoints must be a number from 0"),
            ("checkpoint_steps", 0, "steps between checkpoints must be a whole number from 1"),
        ],
    )
    def test_checkpoints(
        self, make_job: MakeJob, run: Callable[..., bytes], name: str, value: Any, words: str
    ) -> None:
        """How often to save is a number."""
        with pytest.raises(SiftUsageError, match=words):
            run(make_job(**{name: value}))

    def test_a_checkpoint_folder_that_cannot_be_written(
        self, make_job: MakeJob, run: Callable[..., bytes]
    ) -> None:
        """It is said before there is a model, not when the first epoch is over."""
        tree = make_job()
        tree.checkpoints_dir.touch()
        with pytest.raises(SiftJobError, match="checkpoints cannot be kept in"):
            run(tree, model=lambda job: pytest.fail("too late"))

    def test_schedules_without_a_length(
        self, make_job: MakeJob, run: Callable[..., bytes], toy_loader: Any
    ) -> None:
        """A share that falls with the data needs to know how much there is."""
        config = SiftConfig(keep=0.5, keep_end=0.2)
        with pytest.raises(SiftConfigError, match="keep_end needs a loader with a known number"):
            run(
                make_job(**config.to_hyperparameters()),
                train_data=lambda job: DataLoader(Stream(toy_loader().dataset), batch_size=8),
            )


def test_checkpoints_go_to_the_jobs_folder(
    make_job: MakeJob, run: Callable[..., bytes], tmp_path: Path
) -> None:
    """The folder may be a link to one that outlives the job."""
    tree = make_job()
    (tmp_path / "kept").mkdir()
    tree.checkpoints_dir.symlink_to(tmp_path / "kept")
    run(tree)

    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [
        f"sift_checkpoint_{step:012d}.pt" for step in (24, 32)
    ]
