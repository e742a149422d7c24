"""Who is told the number of an epoch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from torch.utils.data import DataLoader

from sift_toolkit.sifting._shuffling import shufflers_of


class Told(list[int]):
    """A dataset, sampler or loader that remembers the epochs it was told."""

    def set_epoch(self, epoch: int) -> None:
        """Remember an epoch."""
        self.append(epoch)


@pytest.mark.parametrize(
    "parts",
    [("sampler",), ("batch_sampler",), ("dataset",), ("sampler", "dataset"), ()],
    ids=" and ".join,
)
def test_every_part_that_asks_is_told(parts: tuple[str, ...]) -> None:
    """Samplers and datasets both may shuffle by the epoch."""
    told = {name: Told() for name in parts}
    assert list(shufflers_of(SimpleNamespace(**told))) == list(told.values())


def test_the_sampler_inside_a_batch_sampler_is_told_once() -> None:
    """A DataLoader shows its sampler twice."""
    sampler = Told([0, 1, 2])
    loader: Any = DataLoader(range(3), sampler=sampler)  # type: ignore[arg-type] # a dataset
    assert [each is sampler for each in shufflers_of(loader)] == [True]


def test_a_loader_that_tells_its_parts_is_told_alone() -> None:
    """Such as accelerate's, which passes the number on itself."""
    loader = SimpleNamespace(sampler=Told(), set_epoch=Told().append)
    assert list(shufflers_of(loader)) == [loader]


def test_a_loader_without_any_is_left_alone(toy: Any) -> None:
    """set_epoch() is then no error."""
    toy.sifted(toy.loader(), scores="fresh").set_epoch(3)
