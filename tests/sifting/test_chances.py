"""From scores to chances: the laws, their ties, the scaling to a quota, and the weights."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sift_toolkit import SiftConfig
from sift_toolkit.sifting._chances import (
    by_wait,
    chances,
    percentile_chances,
    sample_values,
    sample_weights,
    scale_to,
)
from sift_toolkit.sifting._history import percentile_intervals

BETAS = [0.5, 1.0, 3.0]
SHARES = st.floats(1e-3, 1)


def doubles(*values: float) -> Tensor:
    """Return a float64 tensor."""
    return torch.tensor(values, dtype=torch.float64)


def config_of(**fields: Any) -> SiftConfig:
    """Return a config that keeps half."""
    return SiftConfig(**{"keep": 0.5, **fields})


def chances_of(losses: Tensor, **fields: Any) -> Tensor:
    """Return the chances of losses that are their own history."""
    config = config_of(**fields)
    values = sample_values(config, losses, None, 0.0) if config.law == "proportional" else None
    return chances(config, percentile_intervals(losses, losses), values, config.kept_share)


def mean_of_power(low: float, high: float, beta: float, steps: int = 200_000) -> float:
    """Return the mean of u ** beta from low to high, by adding up thin slices."""
    middles = low + (torch.arange(steps, dtype=torch.float64) + 0.5) / steps * (high - low)
    return float((middles**beta).mean())


class TestPercentileLaw:
    """Chances that follow the percentile."""

    @pytest.mark.parametrize("beta", BETAS)
    @pytest.mark.parametrize(
        ("low", "high"), [(0, 1), (0, 0.25), (0.25, 1), (0.5, 0.501), (0.9, 1)]
    )
    def test_ties_get_the_mean_of_their_interval(
        self, beta: float, low: float, high: float
    ) -> None:
        """A chance is the mean of u ** beta over the interval of the tied losses."""
        chance = percentile_chances(doubles(low), doubles(high), 1 / (1 + beta))
        assert float(chance) == pytest.approx(mean_of_power(low, high, beta), rel=1e-6)

    @pytest.mark.parametrize("beta", [0, *BETAS, 99])
    @pytest.mark.parametrize("count", [1, 7, 1000])
    def test_equal_losses_keep_the_share_exactly(self, beta: float, count: int) -> None:
        """When all losses are the same, every sample's chance is 1 / (1 + beta), to the bit."""
        losses = torch.full((count,), 0.7)
        chance = percentile_chances(*percentile_intervals(losses, losses), 1 / (1 + beta))
        assert chance.tolist() == [1 / (1 + beta)] * count

    @given(
        losses=st.lists(st.sampled_from([0.0, 0.1, 0.2, 1.0, 5.0]) | st.floats(0, 9), min_size=1),
        keep=SHARES,
    )
    def test_a_whole_history_averages_to_the_share(self, losses: list[float], keep: float) -> None:
        """Over all of a history the chances average to what is kept, with any ties."""
        population = torch.tensor(losses)
        chance = percentile_chances(*percentile_intervals(population, population), keep)
        assert float(chance.mean()) == pytest.approx(keep, rel=1e-9)

    @given(losses=st.lists(st.floats(0, 9, width=32), min_size=2, max_size=20), keep=SHARES)
    def test_a_higher_loss_has_no_lower_chance(self, losses: list[float], keep: float) -> None:
        """Chances rise with the losses, and stay between 0 and 1."""
        ordered = torch.tensor(sorted(losses))
        chance = percentile_chances(*percentile_intervals(ordered, ordered), keep)
        assert bool((chance.diff() >= -1e-12).all())
        assert 0 <= float(chance.min()) <= float(chance.max()) <= 1 + 1e-12

    @given(keep=st.floats(0, 1, exclude_min=True))
    def test_any_share_gives_numbers(self, keep: float) -> None:
        """The smallest share there is gives chances, not NaN."""
        losses = torch.tensor([1.0, 2.0, 2.0, 3.0])
        assert bool(
            percentile_chances(*percentile_intervals(losses, losses), keep).isfinite().all()
        )


class TestValues:
    """What a proportional chance follows."""

    LOSSES = doubles(0.0, math.log(2), 5.0, -1.0)

    def test_learnability_peaks_at_an_undecided_sample(self) -> None:
        """The value is q (1 - q) + 0.02 with q = exp(-loss), most for q = 1/2."""
        values = sample_values(config_of(value="learnability"), self.LOSSES, None, 0.0)
        q = math.exp(-5)
        assert values.tolist() == pytest.approx([0.02, 0.27, q * (1 - q) + 0.02, 0.02])

    def test_where_most_losses_are_high_a_usual_one_is_undecided(self) -> None:
        """Losses count in units of twice their median, as long as that is above 1."""
        config = config_of(value="learnability")
        hard = sample_values(config, self.LOSSES * 4, None, 2.0)
        torch.testing.assert_close(hard, sample_values(config, self.LOSSES, None, 0.0))
        easy = sample_values(config, self.LOSSES, None, 0.5)
        torch.testing.assert_close(easy, sample_values(config, self.LOSSES, None, 0.0))

    def test_gradient_rises_with_the_loss(self) -> None:
        """1 - q: nothing for the mastered, 1 for the hopeless."""
        values = sample_values(config_of(value="gradient"), self.LOSSES, None, 0.0)
        assert values.tolist() == pytest.approx([0, 0.5, 1 - math.exp(-5), 0])

    def test_loss_is_the_loss(self) -> None:
        """The loss itself, never below 0."""
        values = sample_values(config_of(value="loss"), self.LOSSES, None, 0.0)
        assert values.tolist() == pytest.approx([0, math.log(2), 5, 0])

    def test_own_values_are_the_users(self) -> None:
        """The user's values are taken as they are, never below 0; NaN counts as 0."""
        own = torch.tensor([0.5, -1.0, math.nan, math.inf])
        values = sample_values(config_of(value="own"), torch.zeros(4), own, 0.0)
        assert values[:3].tolist() == [0.5, 0, 0]
        assert float(values[3]) == pytest.approx(torch.finfo(torch.float64).max)

    @pytest.mark.parametrize("value", ["learnability", "gradient", "loss"])
    @pytest.mark.parametrize("loss", [0.0, 1e-30, 1e4, 3e38])
    def test_any_finite_loss_has_a_value(self, value: str, loss: float) -> None:
        """No finite loss, however large, gives a value that is no number."""
        values = sample_values(config_of(value=value), torch.tensor([loss]), None, 0.0)
        assert math.isfinite(float(values))
        assert float(values) >= 0


class TestChances:
    """A config's chances, before any quota."""

    def test_percentiles_alone_count(self) -> None:
        """At half kept, four different losses have the middles of their quarters."""
        assert chances_of(
            torch.tensor([4.0, 1.0, 3.0, 2.0]), law="percentile"
        ).tolist() == pytest.approx([0.875, 0.125, 0.625, 0.375])

    def test_a_proportional_chance_follows_the_value(self) -> None:
        """Chances are proportional to the values and sum to the target."""
        chance = chances_of(torch.tensor([1.0, 2.0, 3.0, 4.0]), law="proportional", value="loss")
        assert chance.tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8])

    def test_a_proportional_chance_ends_at_1(self) -> None:
        """A value out of proportion is certain; the others share what is left."""
        chance = chances_of(torch.tensor([97.0, 1.0, 1.0, 1.0]), law="proportional", value="loss")
        assert chance.tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3])

    @given(losses=st.lists(st.floats(0, 9, width=32), min_size=1), keep=SHARES)
    def test_no_chance_is_above_1(self, losses: list[float], keep: float) -> None:
        """Rounding takes no chance out of its bounds."""
        chance = chances_of(torch.tensor(losses), keep=keep)
        assert 0 < float(chance.min()) <= float(chance.max()) <= 1

    @pytest.mark.parametrize("law", ["percentile", "proportional"])
    def test_groups_have_the_chances_of_their_samples(self, law: str) -> None:
        """Entries that stand for several samples get the chances these would get one by one."""
        config = config_of(law=law, value="loss")
        losses, counts = torch.tensor([1.0, 2.0, 6.0]), torch.tensor([4, 3, 1])
        each = losses.repeat_interleave(counts)
        alone = chances_of(each, law=law, value="loss")
        intervals = percentile_intervals(losses, each)
        values = sample_values(config, losses, None, 0.0)
        grouped = chances(config, intervals, values, 0.5, counts)
        assert torch.allclose(grouped.repeat_interleave(counts), alone)

    def test_values_of_nothing_are_equal_chances(self) -> None:
        """Where all values are 0, every sample has the same chance."""
        chance = chances_of(torch.zeros(4), law="proportional", value="loss")
        assert chance.tolist() == pytest.approx([0.5] * 4)

    def test_an_infinite_value_is_certain(self) -> None:
        """One infinite value of the user's takes its place and no more."""
        config = config_of(law="proportional", value="own")
        losses = torch.zeros(4)
        values = sample_values(config, losses, torch.tensor([math.inf, 1.0, 1.0, 1.0]), 0.0)
        chance = chances(config, percentile_intervals(losses, losses), values, 0.5)
        assert chance.tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3])

    @pytest.mark.parametrize("law", ["percentile", "proportional"])
    def test_nobody_is_below_the_floor(self, law: str) -> None:
        """`min_probability` is a floor under every chance."""
        losses = torch.linspace(0, 5, 50)
        chance = chances_of(losses, law=law, value="loss", min_probability=0.3)
        assert float(chance.min()) == 0.3
        assert float(chance.max()) > 0.3

    def test_without_a_floor_nobody_is_without_hope(self) -> None:
        """The easiest sample keeps a chance above 0, so that any quota can be filled."""
        assert float(chances_of(torch.arange(1000.0), beta_value=99, keep=None).min()) > 0

    def test_samples_above_the_cap_are_suspects(self) -> None:
        """Losses above the capped percentile lose their chance, the ones below keep theirs."""
        losses = torch.arange(20.0)
        chance = chances_of(losses, law="percentile", high_loss_cap=0.9)
        assert bool((chance[18:] < 1e-9).all())
        assert torch.equal(chance[:18], chances_of(losses, law="percentile")[:18])

    def test_proportional_chances_share_what_suspects_lose(self) -> None:
        """So that coins keep what they should, however long the suspects wait."""
        chance = chances_of(torch.arange(20.0), value="loss", high_loss_cap=0.9)
        assert bool((chance[18:] < 1e-9).all())
        assert float(chance.sum()) == pytest.approx(10)

    def test_a_floor_holds_for_suspects_too(self) -> None:
        """Suspects of mislabelling keep the floor, if there is one."""
        chance = chances_of(torch.arange(20.0), high_loss_cap=0.9, min_probability=0.1)
        assert chance[18:].tolist() == [0.1, 0.1]

    def test_equal_losses_are_no_suspects(self) -> None:
        """When all losses are the same, none of them stands out: the cap takes nobody."""
        chance = chances_of(torch.ones(20), law="percentile", high_loss_cap=0.9)
        assert chance.tolist() == [0.5] * 20


class TestWaiting:
    """Values by the visits that their samples waited."""

    def test_a_value_grows_with_the_wait(self) -> None:
        """By hand: at staleness 1 the value to the power of 1.5, times 1, 2, 3."""
        found = by_wait(doubles(0.04, 0.25, 0.25), torch.tensor([1, 0, 2]), 1.0)
        assert found.tolist() == pytest.approx([0.016, 0.125, 0.375])

    def test_half_of_it(self) -> None:
        """At staleness 0.5 the value to the power of 1.25, times the root of the wait."""
        found = by_wait(doubles(0.0625), torch.tensor([3]), 0.5)
        assert found.tolist() == pytest.approx([2 * 0.5**5])

    def test_without_staleness_values_are_as_they_are(self) -> None:
        """However long their samples waited, to the last bit."""
        assert by_wait(doubles(0.1, 0.7), torch.tensor([9, 0]), 0.0).tolist() == [0.1, 0.7]


class TestScaling:
    """Chances scaled to a total."""

    CHANCES = st.lists(
        st.floats(0, 1) | st.sampled_from([0.0, 1e-300, 1e-12, 1.0]) | st.floats(0, 1e30),
        min_size=1,
        max_size=40,
    )

    @given(chance=CHANCES, data=st.data())
    def test_it_reaches_any_total(self, chance: list[float], data: st.DataObject) -> None:
        """The sum is the total, nobody is above 1 or below 0, and the order stays."""
        total = data.draw(st.integers(0, len(chance)) | st.floats(0, len(chance)))
        given_chances = doubles(*chance)
        scaled = scale_to(given_chances, total)
        assert float(scaled.sum()) == pytest.approx(total, abs=1e-9)
        assert 0 <= float(scaled.min()) <= float(scaled.max()) <= 1
        order = given_chances.argsort(stable=True)
        assert bool((scaled[order].diff() >= 0).all())

    @given(chance=CHANCES, data=st.data())
    def test_ratios_stay_below_1(self, chance: list[float], data: st.DataObject) -> None:
        """All that is not certain keeps its proportions."""
        total = data.draw(st.integers(1, len(chance)))
        given_chances = doubles(*chance).clamp_min(1e-12)
        scaled = scale_to(given_chances, total)
        open_ones = (scaled < 1) & (scaled > 0)
        ratios = scaled[open_ones] / given_chances[open_ones]
        if ratios.numel():
            assert float(ratios.max() / ratios.min()) == pytest.approx(1, rel=1e-9)

    @pytest.mark.parametrize("total", [4, 4.5, 100])
    def test_more_than_all_is_all(self, total: float) -> None:
        """A total of all or more makes everybody certain."""
        assert scale_to(doubles(0, 0.1, 0.5, 1), total).tolist() == [1, 1, 1, 1]

    def test_nothing_of_nobody(self) -> None:
        """An empty window stays empty."""
        assert scale_to(doubles(), 0).tolist() == []

    def test_chances_that_fit_are_left_alone(self) -> None:
        """Chances that sum to the total already do not change."""
        chance = doubles(0.25, 0.5, 0.75, 0.5)
        assert scale_to(chance, 2).tolist() == pytest.approx(chance.tolist(), rel=1e-12)

    @given(
        chance=st.lists(st.floats(1e-6, 1), min_size=1, max_size=8),
        counts=st.lists(st.integers(1, 5), min_size=8, max_size=8),
        share=st.floats(0, 1),
    )
    def test_groups_are_scaled_like_their_samples(
        self, chance: list[float], counts: list[int], share: float
    ) -> None:
        """An entry that stands for several samples is scaled as each of them would be."""
        numbers = torch.tensor(counts[: len(chance)])
        each = doubles(*chance).repeat_interleave(numbers)
        total = share * each.numel()
        grouped = scale_to(doubles(*chance), total, numbers)
        assert torch.allclose(grouped.repeat_interleave(numbers), scale_to(each, total), atol=1e-9)


class TestWeights:
    """Weights against the bias of choosing."""

    @given(
        chance=st.lists(st.floats(1e-6, 1), min_size=1, max_size=30),
        correction=st.floats(0.01, 1),
    )
    def test_their_expectation_is_1(self, chance: list[float], correction: float) -> None:
        """Over what is chosen, the weights are 1 on average, for any chances and correction."""
        p = doubles(*chance)
        weights = sample_weights(p, correction)
        assert weights is not None
        assert float((p * weights).sum() / p.sum()) == pytest.approx(1)

    @given(chance=st.lists(st.floats(1e-6, 1), min_size=1, max_size=30))
    def test_a_full_correction_is_the_inverse_chance(self, chance: list[float]) -> None:
        """At correction 1 the weight is what makes each sample count the same."""
        p = doubles(*chance)
        weights = sample_weights(p, 1)
        assert weights is not None
        assert torch.allclose(weights * p, p.mean().expand_as(p))

    def test_no_correction_has_no_weights(self) -> None:
        """At correction 0 there is nothing to multiply with."""
        assert sample_weights(doubles(0.5), 0) is None

    def test_equal_chances_weigh_1(self) -> None:
        """Samples with equal chances are not weighted against each other."""
        weights = sample_weights(doubles(0.3, 0.3), 1)
        assert weights is not None
        assert weights.tolist() == pytest.approx([1, 1])

    def test_what_cannot_be_chosen_spoils_nothing(self) -> None:
        """A chance of 0 has weight 0, and the others' expectation is 1 still."""
        weights = sample_weights(doubles(0, 1, 0.5), 1)
        assert weights is not None
        assert weights.tolist() == pytest.approx([0, 0.75, 1.5])

    def test_groups_weigh_like_their_samples(self) -> None:
        """Weights of entries that stand for several samples are those of the samples."""
        p, counts = doubles(0.2, 0.8), torch.tensor([3, 2])
        grouped = sample_weights(p, 0.5, counts)
        each = sample_weights(p.repeat_interleave(counts), 0.5)
        assert grouped is not None
        assert each is not None
        assert torch.allclose(grouped.repeat_interleave(counts), each)
