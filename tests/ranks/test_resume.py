"""Each rank goes on exactly where it was; states of other ranks are refused."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from sift_toolkit import SiftingDataloader
from sift_toolkit.errors import SiftStateError
from tests.ranks.pool import RankPools
from tests.ranks.training import Case, Net, losses, sifted, wrapped


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
    for rows, seen, same_weights in rank_pool(2).run(interrupted, case, stop):
        assert seen == rows
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
