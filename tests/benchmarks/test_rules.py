"""Peers' rules, each held against cases computed by hand."""

from __future__ import annotations

import math

import pytest
import torch
from rules import CONFIDENT, info_batch, kakurenbo, selective_backprop


def generator(seed: int = 0) -> torch.Generator:
    """Return a seeded generator."""
    return torch.Generator().manual_seed(seed)


class TestSelectiveBackprop:
    """Composer's rule on one batch."""

    def test_the_number_is_exact(self) -> None:
        """Half of 5 rows are 2, a fifth of them is 1, and there is always one."""
        losses = torch.rand(5)
        for keep, count in ((0.5, 2), (0.2, 1), (0.01, 1), (1.0, 5)):
            assert selective_backprop(losses, keep, generator()).numel() == count

    def test_chances_follow_the_percentiles(self) -> None:
        """Of two rows, percentiles 1/2 and 1, a third is kept: the power is 2, chances 1 to 4."""
        losses = torch.tensor([3.0, 1.0])
        drawn = [int(selective_backprop(losses, 1 / 3, generator(seed))) for seed in range(2000)]

        expected = 0.8
        assert abs(drawn.count(0) / 2000 - expected) < 4 * math.sqrt(0.8 * 0.2 / 2000)


class TestInfoBatch:
    """InfoBatch's rule on one epoch."""

    def test_by_hand(self) -> None:
        """What is not below the mean of 2 stays and counts once, what stays of the rest twice."""
        losses = torch.tensor([1.0, 3.0, 2.0, 1.5, 2.5])
        kept = info_batch(losses, 0.5, generator())
        assert kept.weights is not None
        weights = dict(zip(kept.ids.tolist(), kept.weights.tolist(), strict=True))

        assert {1, 2, 4} <= weights.keys()
        assert {weights[1], weights[2], weights[4]} == {1.0}
        assert {weights[each] for each in weights.keys() & {0, 3}} <= {2.0}

    def test_the_expected_weight_is_one(self) -> None:
        """Over many draws each sample counts as often as in plain training."""
        losses = torch.tensor([1.0, 3.0])
        total = torch.zeros(2)
        for seed in range(2000):
            kept = info_batch(losses, 0.75, generator(seed))
            assert kept.weights is not None
            total[kept.ids] += kept.weights

        assert total[1] == 2000
        assert abs(float(total[0]) / 2000 - 1) < 4 * math.sqrt(3 / 2000)

    def test_what_is_not_known_stays(self) -> None:
        """A sample without a loss is neither dropped nor does it spoil the mean."""
        losses = torch.tensor([1.0, 3.0, torch.inf])
        seen = [set(info_batch(losses, 0.5, generator(seed)).ids.tolist()) for seed in range(50)]

        assert all({1, 2} <= ids for ids in seen)
        assert {0 in ids for ids in seen} == {True, False}


class TestKakurenbo:
    """KAKURENBO's rule on one epoch."""

    def test_by_hand(self) -> None:
        """Half of four at most: of the two lowest losses the one that is not sure moves back."""
        losses = torch.tensor([0.1, 5.0, 0.5, 2.0])
        assert math.exp(-0.5) < CONFIDENT < math.exp(-0.1)
        hidden = kakurenbo(losses, 0.5, progress=0.1)

        assert hidden.hidden.tolist() == [0]
        assert hidden.kept.tolist() == [1, 2, 3]
        assert hidden.rate_factor == pytest.approx(4 / 3)

    @pytest.mark.parametrize(
        ("progress", "count"), [(0.1, 30), (0.3, 30), (0.5, 24), (0.7, 18), (0.9, 12)]
    )
    def test_the_share_falls_in_steps(self, progress: float, count: int) -> None:
        """Three tenths of 100 sure samples, then .8, .6 and .4 of that."""
        assert kakurenbo(torch.full((100,), 0.01), 0.3, progress).hidden.numel() == count

    def test_what_is_not_known_stays(self) -> None:
        """A sample without a loss is not hidden."""
        assert kakurenbo(torch.full((4,), torch.inf), 0.5, 0.1).hidden.numel() == 0
