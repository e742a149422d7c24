"""Each rank goes on exactly where it was; states of other ranks are refused."""

from __future__ import annotations

import dataclasses
import io
import time
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch.utils.data.distributed import DistributedSampler

from sift_toolkit import SiftConfig, SiftingDataloader
from sift_toolkit.errors import SiftRankError, SiftStateError
from tests.ranks.pool import RankPools
from tests.ranks.training import Case, Net, losses, rows, sifted, wrapped


@dataclasses.dataclass
class Place:
    """Where a training is interrupted."""

    epoch: int
    batch: int


class Training:
    """A training that can be saved and gone on with."""

    def __init__(self, case: Case) -> None:
        torch.manual_seed(0)
        self.model: nn.Module = wrapped(Net("layer norm"), "ddp")
        self.loader: SiftingDataloader = sifted(case, self.model, [])
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.1)
        self.epochs = case.epochs

    def go(self, first: int = 0, stop: Place | None = None) -> list[list[int]]:
        """Train from an epoch to the end, or to a place; return the rows of each batch."""
        seen = []
        for epoch in range(first, self.epochs):
            self.loader.set_epoch(epoch)
            for index, batch in enumerate(self.loader):
                self.optimizer.zero_grad()
                self.loader.reduce(losses(self.model, batch)).backward()
                self.optimizer.step()
                seen.append(batch[2].tolist())
                if stop == Place(epoch, index):
                    return seen
        return seen

    def save(self) -> bytes:
        """Return everything, as a checkpoint holds it."""
        file = io.BytesIO()
        parts = {
            "model": self.model.state_dict(),
            "loader": self.loader.state_dict(),
            "rng": torch.get_rng_state(),
        }
        torch.save(parts, file)
        return file.getvalue()

    def load(self, saved: bytes) -> None:
        """Go on from there."""
        parts: dict[str, Any] = torch.load(io.BytesIO(saved), weights_only=True)
        self.model.load_state_dict(parts["model"])
        self.loader.load_state_dict(parts["loader"])
        torch.set_rng_state(parts["rng"])


def interrupted(case: Case, stop: Place) -> tuple[list[list[int]], list[list[int]], bool]:
    """Return the rows of a whole training, of an interrupted one, and if the weights agree."""
    whole = Training(case)
    rows = whole.go()
    before = Training(case)
    seen = before.go(stop=stop)
    saved = before.save()
    after = Training(case)
    after.load(saved)
    seen += after.go(first=stop.epoch)
    return rows, seen, torch.equal(weights_of(whole), weights_of(after))


def weights_of(training: Training) -> Tensor:
    """Return all weights in one tensor."""
    return torch.cat([each.detach().flatten() for each in training.model.parameters()])


@pytest.mark.parametrize("stop", [Place(0, 1), Place(1, 0), Place(2, 1)], ids=str)
@pytest.mark.parametrize("selection", ["quota", "bernoulli"])
@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_ranks_go_on_bit_for_bit(
    rank_pool: RankPools, scores: str, selection: str, stop: Place
) -> None:
    """The same rows in the same batches, and the same weights, as without interruption."""
    case = Case(scores, (("selection", selection),))
    for whole, seen, same_weights in rank_pool(2).run(interrupted, case, stop):
        assert seen == whole
        assert same_weights


def saved_by(case: Case) -> bytes:
    """Return the state of a training that has begun."""
    training = Training(case)
    training.go(stop=Place(1, 0))
    return training.save()


def refused(case: Case, saved: list[bytes]) -> str:
    """Load the next rank's state, and return what is said."""
    given = saved[(dist.get_rank() + 1) % len(saved)]
    try:
        Training(case).load(given)
    except SiftStateError as error:
        return str(error)
    return ""


def test_the_state_of_another_rank(rank_pool: RankPools) -> None:
    """It is of another part of the data."""
    saved = rank_pool(2).run(saved_by, Case("memory"))
    first, second = rank_pool(2).run(refused, Case("memory"), saved)
    assert "rank: 1 there, 0 here" in first
    assert "rank: 0 there, 1 here" in second


def test_another_number_of_ranks(rank_pool: RankPools) -> None:
    """It is refused in words."""
    saved = rank_pool(2).run(saved_by, Case("memory"))
    (told,) = rank_pool(1).run(refused, Case("memory"), saved[:1])
    assert "ranks: 2 there, 1 here" in told


def gone_back(case: Case) -> list[list[int]]:
    """Save in an epoch, go on, and go back to what was saved, one rank later than the other."""
    training = Training(case)
    seen = training.go(stop=Place(1, 0))
    saved = training.save()
    training.go(first=1, stop=Place(1, 1))
    training.load(saved)
    time.sleep(3 * dist.get_rank())
    return seen + training.go(first=1)


def test_ranks_may_go_back_to_a_saved_place(rank_pool: RankPools) -> None:
    """The slower one is waited for, although it was further before."""
    for seen in rank_pool(2).run(gone_back, Case()):
        assert len(seen) > 6


def test_data_of_different_lengths_is_not_shared(rank_pool: RankPools) -> None:
    """A sample's number would mean another one on each rank."""
    for told in rank_pool(2).run(shares_unequal):
        assert "the same numbers of samples in the dataset they share: 40 on rank 0, 48" in told


def shares_unequal() -> str:
    """Begin an epoch of a sampler over a dataset that is longer on rank 1."""
    data = rows(40 + 8 * dist.get_rank())
    inner = DataLoader(data, 8, sampler=DistributedSampler(data))
    loader = SiftingDataloader(
        sift_config=SiftConfig(keep=0.5, scores="memory"),
        orig_dataloader=inner,
        loss_impl=losses,
        model=Net(),
        epochs=2,
    )
    try:
        iter(loader)
    except SiftRankError as error:
        return str(error)
    return ""
