"""Loaders that Accelerate prepared are sifted: lengths, ends of epochs, accumulation, resume."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from accelerate.data_loader import BatchSamplerShard
from accelerate.state import AcceleratorState, GradientState
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler, TensorDataset

from sift_toolkit import SiftConfig, SiftingDataloader
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.integrations._prepared import RankSampler, plain_loader, view_of
from sift_toolkit.integrations.accelerate import sift

MEMORY = SiftConfig(keep=0.5)
FRESH = SiftConfig(keep=0.5, scores="fresh")
COINS = SiftConfig(keep=0.5, scores="fresh", selection="bernoulli")
ROWS, BATCH_SIZE = 80, 8


@pytest.fixture(autouse=True)
def _no_accelerator() -> Iterator[None]:
    """Each test has an accelerator of its own."""
    for after in (False, True):
        AcceleratorState._reset_state(reset_partial_state=True)
        GradientState._reset_state()
        if not after:
            yield


def loss(model: nn.Module, batch: list[Tensor]) -> Tensor:
    """Return one loss a sample."""
    features, targets, _ = batch
    return (model(features) - targets).square().mean(1)


def task(**given: Any) -> tuple[Accelerator, nn.Module, torch.optim.Optimizer, Any]:
    """Return an accelerator, and what it prepared."""
    torch.manual_seed(0)
    accelerator = Accelerator(cpu=True, **given)
    rows = TensorDataset(torch.randn(ROWS, 4), torch.randn(ROWS, 1), torch.arange(ROWS))
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(rows, batch_size=BATCH_SIZE, shuffle=True)
    return (accelerator, *accelerator.prepare(model, optimizer, loader))


@pytest.mark.parametrize("config", [MEMORY, FRESH, COINS], ids=["memory", "fresh", "coins"])
@pytest.mark.parametrize("group", [1, 4])
def test_a_loop_of_accelerate(config: SiftConfig, group: int) -> None:
    """The last batch of each epoch ends an accumulation, and the loader has a length."""
    accelerator, model, optimizer, loader = task(gradient_accumulation_steps=group)
    sifted = sift(loader, model=model, loss=loss, epochs=3, config=config)
    steps, batches, lengths = 0, [], []
    for _ in range(3):
        given = 0
        for batch in sifted:
            lengths.append(len(sifted))
            given += 1
            with accelerator.accumulate(model):
                accelerator.backward(sifted.reduce(loss(model, batch)))
                steps += accelerator.sync_gradients
                optimizer.step()
                optimizer.zero_grad()
            ends = accelerator.gradient_state.end_of_dataloader
        assert ends
        assert not accelerator.gradient_state.in_dataloader
        batches.append(given)
    assert steps == sum(-(-given // group) for given in batches)
    if config is not COINS:
        assert sum(batches) == sifted.total_steps()
        assert batches == ([10, 5, 5] if config is MEMORY else [5, 5, 5])


@pytest.mark.parametrize("config", [MEMORY, FRESH], ids=["memory", "fresh"])
def test_it_goes_on_within_an_epoch(config: SiftConfig) -> None:
    """The batches that would have come, and the last one is known as such."""

    def made() -> tuple[Any, Any]:
        _, model, _, loader = task()
        return model, sift(loader, model=model, loss=loss, epochs=3, config=config)

    def run(model: Any, sifted: Any, *, stop: int | None = None) -> list[Any]:
        given = []
        for batch in sifted:
            sifted.reduce(loss(model, batch))
            given.append((batch[2].tolist(), sifted.end_of_dataloader))
            if len(given) == stop:
                break
        return given

    model, whole = made()
    run(model, whole)
    expected = run(model, whole)
    model, stopped = made()
    run(model, stopped)
    assert run(model, stopped, stop=2) == expected[:2]
    state = copy.deepcopy(stopped.state_dict())
    model, resumed = made()
    resumed.load_state_dict(state)
    assert run(model, resumed) == expected[2:]
    assert [ends for _, ends in expected] == [False, False, False, False, True]


def test_only_a_prepared_loader_is_taken() -> None:
    """The order of calls is named."""
    _, model, _, loader = task()
    with pytest.raises(SiftUsageError, match=r"first loader = accelerator\.prepare"):
        sift(loader.base_dataloader, model=model, loss=loss, config=FRESH)


def test_the_core_wraps_a_prepared_loader() -> None:
    """Scores are fresh then; there is a length, and a state that can be saved."""
    _, model, _, loader = task()
    sifted = SiftingDataloader(
        sift_config=FRESH, orig_dataloader=loader, loss_impl=loss, model=model, epochs=2
    )
    assert sifted.total_steps() == 10
    ids = [batch[2] for batch in sifted]
    assert len(torch.cat(ids).unique()) == ROWS // 2
    assert sifted.state_dict()["mid_epoch"] is False


def test_one_process_has_the_plain_loader() -> None:
    """Nothing is made anew; what was not prepared stays as it is."""
    _, _, _, loader = task()
    assert plain_loader(loader) is loader.base_dataloader
    assert plain_loader([1]) == view_of([1]) == [1]


@pytest.mark.parametrize("rows", [5, 16, 37, 40, 41, 48])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("even", [False, True])
@pytest.mark.parametrize("ranks", [2, 3])
def test_a_ranks_samples_are_accelerates(
    rows: int, ranks: int, *, drop_last: bool, split: bool, even: bool
) -> None:
    """The same batches, and as many samples as are announced."""
    size = 6 if split else 4
    for rank in range(ranks):
        shard = BatchSamplerShard(
            BatchSampler(SequentialSampler(range(rows)), size, drop_last),
            num_processes=ranks,
            process_index=rank,
            split_batches=split,
            even_batches=even,
        )
        sampler = RankSampler(shard, lambda: None)
        again = BatchSampler(sampler, sampler.rank_batch_size, sampler.drop_last)
        assert [list(batch) for batch in again] == [list(batch) for batch in shard]
        assert len(sampler) == sum(map(len, shard))
