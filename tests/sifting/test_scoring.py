"""The evaluative forward pass: it leaves the model, and all around it, exactly as they were."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from sift_toolkit import SiftBatchError, SiftLossError
from sift_toolkit.sifting._batches import take
from sift_toolkit.sifting._scoring import Scorer, _modules_of, invisible, unwrap

Unmoved = Callable[[], AbstractContextManager[None]]

ROWS = 6


def batch_of(rows: int = ROWS) -> tuple[Tensor, Tensor]:
    """Return images and labels."""
    generator = torch.Generator().manual_seed(5)
    images = torch.randn(rows, 3, 8, 8, generator=generator)
    return images, torch.arange(rows) % 4


def model_of() -> nn.Sequential:
    """Return a model with dropout, batch normalisation and a frozen part, in training mode."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = nn.Sequential(
            nn.Conv2d(3, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Flatten(),
            nn.Linear(4 * 36, 4),
            nn.BatchNorm1d(4),
        )
    model.train()
    model[6].eval()
    return model


def per_sample(model: nn.Module, batch: Any) -> Tensor:
    """Return the cross entropy of each sample."""
    images, labels = batch
    return functional.cross_entropy(model(images), labels, reduction="none")


def fails(model: nn.Module, batch: Any) -> Tensor:
    """Raise an error of the user's own, in the middle of the pass."""
    model(batch[0])
    message = "the user's own error"
    raise RuntimeError(message)


def draws(model: nn.Module, batch: Any) -> Tensor:
    """Use every global random state there is."""
    noise = torch.rand(len(batch[0])) + random.random() + np.random.rand()  # noqa: NPY002 - on purpose
    return per_sample(model, batch) + noise


def switches(model: nn.Module, batch: Any) -> Tensor:
    """Switch the model to evaluation and back to training, as many validation functions do."""
    model.eval()
    losses = per_sample(model, batch)
    model.train()
    return losses


def casts(model: nn.Module, batch: Any) -> Tensor:
    """Compute in half precision, whatever is on outside."""
    with torch.autocast("cpu", torch.bfloat16):
        return per_sample(model, batch)


def train_step(model: nn.Module) -> None:
    """Give every parameter a gradient, and every buffer a value of its own."""
    per_sample(model, batch_of()).mean().backward()


def trace_of(model: nn.Module) -> dict[str, Any]:
    """Return all there is to see of a model, as values that compare."""
    return {
        "parameters": {name: each.tolist() for name, each in model.named_parameters()},
        "identities": [id(each) for each in model.parameters()],
        "versions": [each._version for each in [*model.parameters(), *model.buffers()]],
        "gradients": {
            name: None if each.grad is None else each.grad.tolist()
            for name, each in model.named_parameters()
        },
        "buffers": {name: each.tolist() for name, each in model.named_buffers()},
        "modes": [module.training for module in model.modules()],
        "requires_grad": [each.requires_grad for each in model.parameters()],
    }


class TestInvisible:
    """Nothing is different after a batch was scored."""

    @pytest.mark.parametrize("loss", [per_sample, draws, switches])
    def test_the_model_is_untouched(self, loss: Any, unmoved_rng: Unmoved) -> None:
        """Parameters, gradients, buffers, modes and random states are the same to the bit."""
        model = model_of()
        train_step(model)
        before = trace_of(model)
        with unmoved_rng():
            Scorer(loss, model).score(batch_of())
        assert trace_of(model) == before

    def test_it_is_untouched_by_errors_too(self, unmoved_rng: Unmoved) -> None:
        """An error in the user's loss passes through, and leaves no trace either."""
        model = model_of()
        train_step(model)
        before = trace_of(model)
        with unmoved_rng(), pytest.raises(RuntimeError, match="the user's own error"):
            Scorer(fails, model).score(batch_of())
        assert trace_of(model) == before
        assert torch.is_grad_enabled()
        assert not torch.is_autocast_enabled("cpu")

    def test_a_random_transform_moves_nothing(self, unmoved_rng: Unmoved) -> None:
        """What the model sees may be cropped at random; the training's own crops stay the same."""
        with unmoved_rng():
            Scorer(
                per_sample,
                model_of(),
                transform=lambda batch: [batch[0] + torch.rand(()), batch[1]],
            ).score(batch_of())

    def test_the_batch_is_untouched(self) -> None:
        """The batch that was scored is the one that is trained on, bit for bit."""
        batch, same = batch_of(), batch_of()
        Scorer(per_sample, model_of()).score(batch)
        assert all(torch.equal(one, other) for one, other in zip(batch, same, strict=True))
        assert not any(tensor.is_inference() for tensor in batch)

    def test_the_model_is_evaluated(self) -> None:
        """Scores are those of evaluation mode: dropout is off, statistics are those learned."""
        model, batch = model_of(), batch_of()
        scores = Scorer(per_sample, model).score(batch)
        with torch.no_grad():
            expected = per_sample(model.eval(), batch)
        assert torch.equal(scores.losses, expected)

    def test_a_frozen_part_stays_frozen(self) -> None:
        """A batch normalisation that the user keeps in evaluation mode stays in it."""
        model = model_of()
        with invisible(model):
            assert not any(module.training for module in model.modules())
        assert [module.training for module in model] == [True] * 6 + [False]

    def test_a_model_in_evaluation_stays_in_it(self) -> None:
        """A model that is not in training mode is not put into it, by the end or by an error."""
        model = model_of().eval()
        with invisible(model):
            assert not any(module.training for module in model.modules())
        assert not any(module.training for module in model.modules())
        with pytest.raises(KeyError), invisible(model):
            raise KeyError
        assert not any(module.training for module in model.modules())

    def test_modes_come_back_after_an_error(self) -> None:
        """Each module is in the mode it was in, the frozen part in evaluation."""
        model = model_of()
        with pytest.raises(KeyError), invisible(model):
            raise KeyError
        assert model.training
        assert [module.training for module in model] == [True] * 6 + [False]

    def test_every_module_is_reached_once_in_torchs_order(self, scripted: Any) -> None:
        """One that stands in two places, and a place with none, are walked as torch does."""
        shared = nn.Linear(3, 3)
        model = nn.Sequential(shared, nn.Sequential(nn.ReLU(), shared, nn.Dropout()), nn.ReLU())
        model[1].register_module("empty", None)
        assert _modules_of(model) == list(model.modules())
        assert _modules_of(scripted) == list(scripted.modules())

    def test_it_tells_where_the_model_is(self) -> None:
        """The devices of the parameters come once each, the first one's first."""
        with invisible(model_of()) as devices:
            assert devices == [torch.device("cpu")]
        with invisible(nn.ReLU()) as devices:
            assert devices == []

    def test_an_override_of_train_is_not_called(self) -> None:
        """Modes are set and restored without the side effects a module's `train` may have."""

        class Merging(nn.Linear):
            def train(self, mode: bool = True) -> Merging:
                pytest.fail("merged its weights")

        model = nn.Sequential(Merging(3, 2), nn.Dropout())
        with invisible(model):
            assert not model[0].training
        assert model[0].training

    def test_a_training_run_is_the_same_with_it(self) -> None:
        """A run with a scoring pass before each step ends in the same weights as one without."""

        def run(*, scored: bool) -> list[float]:
            model = model_of()
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
            with torch.random.fork_rng():
                torch.manual_seed(0)
                for _ in range(3):
                    if scored:
                        Scorer(draws, model).score(batch_of())
                    optimizer.zero_grad()
                    train_step(model)
                    optimizer.step()
            return torch.cat([each.detach().flatten() for each in model.parameters()]).tolist()

        assert run(scored=True) == run(scored=False)


@pytest.fixture
def scripted() -> Any:
    """Return `model_of` as a scripted module, which keeps its modes elsewhere than others do."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*torch.jit.* is deprecated", DeprecationWarning)
        return torch.jit.script(model_of())


class TestScripted:
    """A model that torch has compiled to TorchScript."""

    MODES = (True,) * 7 + (False,)

    def modes_of(self, model: nn.Module) -> tuple[bool, ...]:
        """Return the modes of a model's modules, itself first."""
        return tuple(module.training for module in model.modules())

    def test_it_is_evaluated(self, scripted: Any) -> None:
        """Dropout is off in the pass, and on again after it; the scores are the plain model's."""
        batch = batch_of()
        scores = Scorer(per_sample, scripted).score(batch)
        assert torch.equal(scores.losses, Scorer(per_sample, model_of()).score(batch).losses)
        with torch.random.fork_rng(), torch.no_grad():
            assert not torch.equal(scripted(batch[0]), scripted(batch[0]))

    def test_its_modes_come_back(self, scripted: Any) -> None:
        """All of it is in evaluation mode inside; outside the frozen part alone is, as before."""
        assert self.modes_of(scripted) == self.MODES
        with invisible(scripted) as devices:
            assert not any(self.modes_of(scripted))
            assert devices == [torch.device("cpu")]
        assert self.modes_of(scripted) == self.MODES

    def test_its_modes_come_back_after_an_error(self, scripted: Any) -> None:
        """An error in the pass leaves no module in evaluation mode."""
        with pytest.raises(KeyError), invisible(scripted):
            raise KeyError
        assert self.modes_of(scripted) == self.MODES

    def test_it_stays_in_evaluation(self, scripted: Any) -> None:
        """A scripted model that is not in training mode is not put into it."""
        scripted.eval()
        with invisible(scripted):
            assert not any(self.modes_of(scripted))
        assert not any(self.modes_of(scripted))

    def test_it_may_be_a_part(self, scripted: Any) -> None:
        """A scripted part of a plain model follows it."""
        model = nn.Sequential(scripted, nn.Dropout())
        with invisible(model):
            assert not any(self.modes_of(model))
        assert self.modes_of(model) == (True, *self.MODES, True)


def test_a_compiled_model_follows_its_modes() -> None:
    """What was compiled for training is not what is evaluated, and the other way round."""
    model, batch = model_of(), batch_of()
    compiled: Any = torch.compile(model, backend="eager")
    with torch.random.fork_rng():
        for _ in range(2):
            train_step(compiled)
            scores = Scorer(per_sample, compiled).score(batch)
            assert torch.equal(scores.losses, Scorer(per_sample, model).score(batch).losses)
            assert [module.training for module in model] == [True] * 6 + [False]
            with torch.no_grad():
                assert not torch.equal(compiled(batch[0]), compiled(batch[0]))


class TestAutocast:
    """Mixed precision around and inside the pass."""

    def test_the_users_precision_is_kept(self) -> None:
        """Under the user's autocast the scores are those of the user's precision."""
        seen = []

        def loss(model: nn.Module, batch: Any) -> Tensor:
            output = model(batch[0])
            seen.append(output.dtype)
            return functional.cross_entropy(output, batch[1], reduction="none")

        scorer = Scorer(loss, nn.Sequential(nn.Flatten(), nn.Linear(192, 4)))
        scorer.score(batch_of())
        with torch.autocast("cpu", torch.bfloat16):
            scorer.score(batch_of())
        assert seen == [torch.float32, torch.bfloat16]

    def test_no_cast_stays_in_the_cache(self) -> None:
        """A step under autocast gets its gradients although the batch was scored within it."""

        def gradients(*, scored: bool) -> list[float]:
            model = nn.Sequential(nn.Flatten(), model_of()[5], nn.ReLU(), nn.Linear(4, 4))
            with torch.no_grad():
                model[3].weight.fill_(0.5)
                model[3].bias.zero_()
            images = batch_of()[0][:, :1].repeat(1, 4, 1, 1)[:, :, :6, :6]
            labels = batch_of()[1]
            with torch.autocast("cpu", torch.bfloat16):
                if scored:
                    Scorer(per_sample, model).score((images, labels))
                    assert torch.is_autocast_cache_enabled()
                per_sample(model, (images, labels)).mean().backward()
            return [each.grad.sum().item() for each in model.parameters() if each.grad is not None]

        assert len(gradients(scored=True)) == 4
        assert gradients(scored=True) == gradients(scored=False)

    @pytest.mark.parametrize("within", [True, False])
    def test_no_cast_of_the_losses_own_stays(self, within: bool) -> None:
        """A loss with an autocast of its own spoils no step, be another one around it or not."""

        def gradients(*, scored: bool) -> list[Any]:
            model = model_of().eval()
            with torch.autocast("cpu", torch.bfloat16) if within else nullcontext():
                if scored:
                    Scorer(casts, model).score(batch_of())
                casts(model, batch_of()).mean().backward()
            return [
                None if each.grad is None else each.grad.tolist() for each in model.parameters()
            ]

        assert None not in gradients(scored=True)
        assert gradients(scored=True) == gradients(scored=False)

    @pytest.mark.parametrize(
        ("around", "is_on"), [(nullcontext(), True), (torch.autocast("cpu", torch.bfloat16), False)]
    )
    def test_the_cache_is_off_in_the_pass(
        self, around: AbstractContextManager[Any], is_on: bool
    ) -> None:
        """Casts without gradients are not kept for the step; with no autocast there are none."""
        seen = []

        def loss(model: nn.Module, batch: Any) -> Tensor:
            seen.append(torch.is_autocast_cache_enabled())
            return per_sample(model, batch)

        with around:
            Scorer(loss, model_of()).score(batch_of())
            seen.append(torch.is_autocast_cache_enabled())
        assert seen == [is_on, True]

    def test_the_state_is_given_back(self) -> None:
        """Autocast is on or off, and of the dtype it was, after the pass."""
        scorer = Scorer(per_sample, model_of())
        for around in (nullcontext(), torch.autocast("cpu", torch.float16)):
            with around:
                before = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
                scorer.score(batch_of())
                after = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
                assert after == before


class CachingModel(nn.Module):
    """Makes a table at its first call and keeps it, as rotary embeddings do."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(192, 4)
        self.table: Tensor | None = None

    def forward(self, images: Tensor) -> Tensor:
        """Multiply by the table."""
        if self.table is None:
            self.table = torch.linspace(1, 2, 192).cos()
        result: Tensor = self.linear(images.flatten(1) * self.table)
        return result


class TestModels:
    """Models of every kind."""

    def test_lazy_modules_work(self) -> None:
        """Parameters and buffers made by the first scoring pass are ordinary ones, and train."""
        model = nn.Sequential(
            nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(4)
        )
        Scorer(per_sample, model).score(batch_of())
        assert all(module.training for module in model.modules())
        train_step(model)
        assert all(each.grad is not None for each in model.parameters())

    def test_what_a_model_keeps_can_be_trained_with(self) -> None:
        """A table that the scoring pass made the model keep does not spoil the first step."""
        model = CachingModel()
        Scorer(per_sample, model).score(batch_of())
        train_step(model)
        assert model.linear.weight.grad is not None

    def test_a_model_without_parameters_works(self) -> None:
        """A model that has nothing to learn is scored where the batch is."""

        def loss(model: nn.Module, batch: Any) -> Tensor:
            return model(batch[0]).flatten(1).sum(1)

        losses = Scorer(loss, nn.ReLU()).score(batch_of()).losses
        assert torch.allclose(losses, batch_of()[0].relu().flatten(1).sum(1))

    def test_the_model_is_looked_at_anew_each_time(self) -> None:
        """Scores follow the training: the model is scored as it is at each call."""
        model = model_of()
        scorer = Scorer(per_sample, model)
        first = scorer.score(batch_of()).losses
        with torch.no_grad():
            model[5].weight.mul_(2)
        assert not torch.equal(scorer.score(batch_of()).losses, first)

    def test_the_batch_goes_where_the_model_is(self) -> None:
        """The model sees the batch on its own device; the batch stays where it was."""
        seen = []

        def loss(model: nn.Module, batch: Any) -> Tensor:
            seen.extend(tensor.device.type for tensor in batch)
            return torch.ones(ROWS, device="cpu")

        batch = batch_of()
        with pytest.raises(SiftLossError, match="the loss is on cpu, the model on meta"):
            Scorer(loss, nn.Linear(3, 3, device="meta")).score(batch)
        assert seen == ["meta", "meta"]
        assert {tensor.device.type for tensor in batch} == {"cpu"}


@pytest.fixture
def process_group(tmp_path: Path) -> Iterator[None]:
    """Return within a process group of one."""
    store = torch.distributed.FileStore(str(tmp_path / "store"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.usefixtures("process_group")
class TestDistributed:
    """A model wrapped for data-parallel training."""

    def test_the_wrapper_takes_no_part(self) -> None:
        """Scoring calls the user's module: no hook of the wrapper runs, training goes on."""
        model = model_of()
        wrapped = DistributedDataParallel(model)
        calls: list[str] = []
        wrapped.register_forward_pre_hook(lambda *_: calls.append("wrapper"))
        model.register_forward_pre_hook(lambda *_: calls.append("model"))
        Scorer(per_sample, wrapped).score(batch_of())
        assert calls == ["model"]
        train_step(wrapped)
        assert calls == ["model", "wrapper", "model"]
        assert all(each.grad is not None for each in model.parameters())

    def test_the_wrappers_mode_is_its_own(self) -> None:
        """The wrapper stays in training mode, and so does all inside it."""
        wrapped = DistributedDataParallel(model_of())
        before = [module.training for module in wrapped.modules()]
        Scorer(per_sample, wrapped).score(batch_of())
        assert [module.training for module in wrapped.modules()] == before

    def test_it_is_found_under_a_compiler(self) -> None:
        """A wrapper that was compiled as a whole is unwrapped too."""
        model = model_of()
        assert unwrap(torch.compile(DistributedDataParallel(model), backend="eager")) is model


def test_other_models_stay_as_they_are() -> None:
    """Only the data-parallel wrapper is taken off; a compiled model is scored compiled."""
    model = model_of()
    compiled = torch.compile(model, backend="eager")
    assert unwrap(model) is model
    assert unwrap(compiled) is compiled


class TestScores:
    """What comes out."""

    def test_scores_are_ordinary_tensors(self) -> None:
        """Scores can be written to, and used with gradients, outside the pass."""
        losses = Scorer(per_sample, model_of()).score(batch_of()).losses
        assert not losses.is_inference()
        assert not losses.requires_grad
        weight = torch.ones(ROWS, requires_grad=True)
        (losses * weight).sum().backward()
        losses += 1

    def test_chosen_rows_can_be_trained_on(self) -> None:
        """Rows taken from a scored batch are back-propagated like any others."""
        model, batch = model_of(), batch_of()
        losses = Scorer(per_sample, model).score(batch).losses
        per_sample(model, take(batch, losses.topk(3).indices)).mean().backward()
        assert all(each.grad is not None for each in model.parameters())

    def test_values_of_ones_own_come_along(self) -> None:
        """The second tensor of a loss is a score too, where it is asked for."""

        def loss(model: nn.Module, batch: Any) -> tuple[Tensor, Tensor]:
            losses = per_sample(model, batch)
            return losses, losses * 2

        scores = Scorer(loss, model_of(), needs_own=True).score(batch_of())
        assert scores.own is not None
        assert torch.equal(scores.own, scores.losses * 2)
        assert Scorer(loss, model_of()).score(batch_of()).own is None

    def test_a_cheaper_view_may_be_scored(self) -> None:
        """The model sees what the transform makes of a batch; the batch itself stays."""
        seen = []

        def loss(model: nn.Module, batch: Any) -> Tensor:
            seen.append(tuple(batch[0].shape))
            return torch.zeros(ROWS)

        def half(batch: Any) -> Any:
            return batch[0][..., ::2, ::2], batch[1]

        Scorer(loss, model_of(), transform=half).score(batch_of())
        assert seen == [(ROWS, 3, 4, 4)]

    def test_a_transform_keeps_the_samples(self) -> None:
        """Losses are counted against the loader's batch, not against its cheaper view."""

        def fewer(batch: Any) -> Any:
            return batch[0][:2], batch[1][:2]

        with pytest.raises(SiftLossError, match=r"must have shape \(6,\).*got \(2,\)"):
            Scorer(per_sample, model_of(), transform=fewer).score(batch_of())

    def test_a_wrong_loss_is_refused(self) -> None:
        """A loss that is already averaged is refused with its mend."""

        def loss(model: nn.Module, batch: Any) -> Tensor:
            return per_sample(model, batch).mean()

        with pytest.raises(SiftLossError, match='reduction="none"'):
            Scorer(loss, model_of()).score(batch_of())

    def test_a_wrong_batch_is_refused(self) -> None:
        """A batch without samples is refused, and the model is as it was."""
        model = model_of()
        before = trace_of(model)
        with pytest.raises(SiftBatchError):
            Scorer(lambda m, b: torch.zeros(1), model).score("words")
        assert trace_of(model) == before


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_a_traced_model_is_scored() -> None:
    """Its modules keep their parameters elsewhere."""
    model = torch.nn.Linear(4, 3)
    traced = torch.jit.trace(model, torch.zeros(2, 4))
    scores = Scorer(lambda each, batch: each(batch).sum(1), traced).score(torch.ones(5, 4))
    assert scores.losses.tolist() == pytest.approx(model(torch.ones(5, 4)).sum(1).tolist())
