"""Mixed precision: the selection is that of full precision, and training is not disturbed.

Rows are compared along one training run under autocast: its own loader, and one of full precision
beside it, score the same models. Runs of their own would drift apart, as any two do that are not
equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pytest
import torch
from torch import Generator, Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting import SiftingDataloader
from sift_toolkit.sifting._scoring import Scorer

LETTERS: Final = Path(__file__).parents[2] / "demo" / "letters" / "data" / "letters.npz"
ROWS: Final = 2000
EPOCHS: Final = 3

Loss = Callable[[nn.Module, Any], Tensor]


@pytest.fixture(scope="module")
def letters() -> TensorDataset:
    """Return (features, letter, number) of the first letters of UCI Letter Recognition."""
    with np.load(LETTERS) as arrays:
        features = torch.from_numpy(arrays["train_features"][:ROWS].astype(np.float32))
        labels = torch.from_numpy(arrays["train_labels"][:ROWS].astype(np.int64))
    return TensorDataset((features - 7.5) / 4, labels, torch.arange(ROWS))


def model_of() -> nn.Sequential:
    """Return a perceptron, the same one each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 26))


def per_sample(model: nn.Module, batch: Any) -> Tensor:
    """Return the cross entropy of each sample, which autocast computes in full precision."""
    return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")


def rounded(model: nn.Module, batch: Any) -> Tensor:
    """Return the losses in bfloat16, whose neighbours lie a hundredth apart."""
    return per_sample(model, batch).to(torch.bfloat16)


def casts(model: nn.Module, batch: Any) -> Tensor:
    """Compute in bfloat16, whatever is on outside."""
    with torch.autocast("cpu", torch.bfloat16):
        return per_sample(model, batch)


def casts_and_caches(model: nn.Module, batch: Any) -> Tensor:
    """Compute in bfloat16, and ask for the cache of casts although it may be off outside."""
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=True):
        return per_sample(model, batch)


def half_precision() -> AbstractContextManager[Any]:
    """Return an autocast to bfloat16."""
    return torch.autocast("cpu", torch.bfloat16)


def sifted(
    data: TensorDataset, model: nn.Module, loss: Loss = per_sample, **config: Any
) -> SiftingDataloader:
    """Return a sifted loader over *data*, shuffled in the same way each time."""
    inner = DataLoader(data, batch_size=64, shuffle=True, generator=Generator().manual_seed(1))
    return SiftingDataloader(
        sift_config=SiftConfig(**{"keep": 0.5, **config}),
        orig_dataloader=inner,
        loss_impl=loss,
        model=model,
        epochs=EPOCHS,
        on_note=lambda _: None,
    )


class Chosen(NamedTuple):
    """What two loaders chose of one epoch, and how hard the rows were for the model before it."""

    half: set[int]
    full: set[int]
    losses: Tensor

    @property
    def agreement(self) -> float:
        """Share of the rows that both chose."""
        return len(self.half & self.full) / max(len(self.half), len(self.full))

    def mean_losses(self) -> tuple[float, float]:
        """Return the mean loss of the rows that each chose."""
        half, full = (float(self.losses[list(rows)].mean()) for rows in (self.half, self.full))
        return half, full


def fit(model: nn.Module, data: TensorDataset) -> None:
    """Train for three epochs in full precision: losses spread out, as they do in a run."""
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(3):
        for batch in DataLoader(data, batch_size=64):
            optimizer.zero_grad()
            per_sample(model, batch).mean().backward()
            optimizer.step()


def choose_beside(data: TensorDataset, loss: Loss = per_sample, **config: Any) -> list[Chosen]:
    """Train under autocast, and let a loader of full precision choose by the same models."""
    model = model_of()
    fit(model, data)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    half, full = sifted(data, model, loss, **config), sifted(data, model, **config)
    chosen = []
    for _ in range(EPOCHS):
        with torch.no_grad():
            chosen.append(Chosen(set(), set(), per_sample(model, data[:])))
        batches, others = iter(half), iter(full)
        while True:
            with half_precision():
                batch = next(batches, None)
            other = next(others, None)
            if batch is None and other is None:
                break
            if other is not None:
                with torch.no_grad():
                    full.reduce(per_sample(model, other))
                chosen[-1].full.update(other[2].tolist())
            if batch is not None:
                optimizer.zero_grad()
                with half_precision():
                    mean = half.reduce(loss(model, batch))
                mean.backward()
                optimizer.step()
                chosen[-1].half.update(batch[2].tolist())
    return chosen


LAWS = pytest.mark.parametrize(
    "law",
    [{}, {"law": "proportional", "min_probability": 0.15, "keep": 0.3}],
    ids=["rank", "value"],
)
LOSSES = pytest.mark.parametrize("loss", [per_sample, rounded])


class TestSelection:
    """95 of 100 rows that are chosen are the same ones, where each batch or coin decides alone."""

    @LAWS
    @LOSSES
    @pytest.mark.parametrize("selection", ["quota", "bernoulli"])
    def test_fresh_scores_choose_the_same_rows(
        self, letters: TensorDataset, law: dict[str, Any], loss: Loss, selection: str
    ) -> None:
        """In every epoch of a training run, by quota and by coins, with losses in bfloat16 too."""
        chosen = choose_beside(letters, loss, scores="fresh", selection=selection, **law)
        assert min(each.agreement for each in chosen) >= 0.95

    @LAWS
    @LOSSES
    def test_a_memory_chooses_the_same_rows_by_coins(
        self, letters: TensorDataset, law: dict[str, Any], loss: Loss
    ) -> None:
        """In every epoch, the first of which is on all data."""
        chosen = choose_beside(letters, loss, scores="memory", selection="bernoulli", **law)
        assert len(chosen[0].half) == ROWS
        assert min(each.agreement for each in chosen) >= 0.95

    @LAWS
    @LOSSES
    def test_a_memory_chooses_rows_as_hard_by_quota(
        self, letters: TensorDataset, law: dict[str, Any], loss: Loss
    ) -> None:
        """Nearly the same rows in the first sifted epoch, and rows as hard in later ones.

        A quota is drawn along the sum of all chances of the epoch, so that rounding, and then the
        few rows whose last losses are of other epochs, move the draws of all that come after.
        """
        whole, first, *others = choose_beside(letters, loss, scores="memory", **law)
        assert whole.agreement == 1
        assert first.agreement >= 0.9
        for each in others:
            assert len(each.half) == len(each.full)
            half, full = each.mean_losses()
            assert half == pytest.approx(full, rel=0.1)

    def test_losses_that_round_to_one_are_tied(self, toy: Any) -> None:
        """They share one chance: half of them is kept, and no place among them is preferred."""

        def flat(model: nn.Module, batch: Any) -> Tensor:
            losses: Tensor = 2 + batch[2] * 1e-4
            assert len(losses.unique()) == len(losses)
            return losses.to(torch.bfloat16)

        loader = toy.sifted(toy.loader(16, batch_size=16), loss=flat, scores="fresh")
        times = torch.zeros(16)
        for _ in range(400):
            (batch,) = loader
            times[batch[2]] += 1
        assert int(times.sum()) == 400 * 8
        assert times.min() > 400 * 0.4
        assert times.max() < 400 * 0.6


class TestTraining:
    """Under autocast the model learns what it would without any scoring."""

    @pytest.mark.parametrize("loss", [per_sample, rounded, casts, casts_and_caches])
    @pytest.mark.parametrize("scoring", [nullcontext, half_precision], ids=["plain", "cast"])
    @pytest.mark.parametrize("scores", ["fresh", "memory"])
    def test_every_gradient_comes_and_is_the_same(
        self, letters: TensorDataset, scores: str, scoring: Any, loss: Loss
    ) -> None:
        """Bit for bit those of the same batches without a loader: nothing is left in a cache."""

        def weights_after(batches: Any, reduce: Callable[[Tensor], Tensor]) -> list[Any]:
            model = models.pop()
            optimizer = torch.optim.SGD(model.parameters(), 0.1)
            iterator = iter(batches)
            while True:
                # One autocast around both, so that what scoring left would be found by training.
                with scoring():
                    batch = next(iterator, None)
                    if batch is None:
                        break
                    with half_precision():
                        mean = reduce(loss(model, batch))
                trained_on.append(batch)
                optimizer.zero_grad()
                mean.backward()
                assert all(
                    each.grad is not None and bool(each.grad.isfinite().all())
                    for each in model.parameters()
                )
                optimizer.step()
            return [each.tolist() for each in model.parameters()]

        models = [model_of(), model_of()]
        trained_on: list[Any] = []
        few = TensorDataset(*letters[:320])
        loader = sifted(few, models[-1], loss, scores=scores)
        with_scoring = weights_after(loader, loader.reduce)
        batches, trained_on = trained_on, []
        assert len(batches) == (3 if scores == "fresh" else 5)
        assert weights_after(batches, lambda losses: losses.mean()) == with_scoring

    @pytest.mark.parametrize("loss", [per_sample, casts, casts_and_caches])
    def test_no_cast_of_weights_outlives_the_pass(self, letters: TensorDataset, loss: Loss) -> None:
        """A weight changed after the scoring is the one that the next pass computes with."""

        def losses(*, scored: bool) -> list[float]:
            model, batch = model_of(), letters[:8]
            with half_precision():
                if scored:
                    Scorer(loss, model).score(batch)
                with torch.no_grad():
                    for each in model.parameters():
                        each.mul_(2)
                numbers: list[float] = per_sample(model, batch).tolist()
            return numbers

        assert losses(scored=True) == losses(scored=False)

    def test_training_works_in_float16(self, letters: TensorDataset) -> None:
        """Scores and gradients are finite, and the model learns."""
        model = model_of()
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        loader = sifted(TensorDataset(*letters[:512]), model, scores="fresh", nonfinite="raise")
        means = []
        for _ in range(EPOCHS):
            with torch.autocast("cpu", torch.float16):
                batches = list(loader)
            for batch in batches:
                optimizer.zero_grad()
                with torch.autocast("cpu", torch.float16):
                    mean = per_sample(model, batch).mean()
                mean.backward()
                optimizer.step()
                means.append(float(mean.detach()))
        assert means[-1] < means[0]


HALVES = pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])


class TestLossesInHalfPrecision:
    """What becomes of losses that are not of full precision."""

    @HALVES
    def test_the_memory_keeps_them_in_full(self, toy: Any, dtype: torch.dtype) -> None:
        """Losses handed back are stored as float32, each with the very value it came with."""
        loader = toy.sifted(scores="memory")
        came = torch.full((40,), torch.nan)
        for batch in loader:
            losses = toy.loss(toy.model, batch).to(dtype)
            mean = loader.reduce(losses)
            assert mean.dtype == dtype
            mean.backward()
            came[batch[2]] = losses.detach().float()
        stored = loader.state_dict()["engine"]["memory"]["losses"]
        assert stored.dtype == torch.float32
        assert torch.equal(stored, came)

    @HALVES
    def test_scores_are_in_full_precision(self, toy: Any, dtype: torch.dtype) -> None:
        """Fresh scores are float32 of the values that the loss returned."""
        batch = next(iter(toy.loader()))
        scores = Scorer(lambda model, each: toy.loss(model, each).to(dtype), toy.model).score(batch)
        assert scores.losses.dtype == torch.float32
        assert torch.equal(scores.losses, toy.loss(toy.model, batch).detach().to(dtype).float())

    @pytest.mark.parametrize("scores", ["fresh", "memory"])
    def test_an_overflow_is_a_loss_that_is_not_finite(self, toy: Any, scores: str) -> None:
        """Losses above 65504 overflow in float16; they are counted, and the run goes on."""

        def huge(model: nn.Module, batch: Any) -> Tensor:
            scale = torch.where(batch[2] == 5, 1e6, 1.0)
            losses: Tensor = (toy.loss(model, batch) * scale).to(torch.float16)
            return losses

        loader = toy.sifted(loss=huge, scores=scores)
        for batch in loader:
            loader.reduce(huge(toy.model, batch))
        assert loader.state_dict()["meter"]["nonfinite"] == 1
        toy.epoch(loader)
