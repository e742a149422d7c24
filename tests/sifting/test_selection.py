"""From chances to rows: exactly the quota, each row with its own chance, one source of chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Generator, Tensor

from sift_toolkit.sifting._chances import sample_weights, scale_to
from sift_toolkit.sifting._selection import (
    _mend_rounding,
    _pass,
    _pass_of_few,
    draw_coins,
    draw_quota,
    next_quota,
)

CHANCES = st.lists(
    st.floats(0, 1) | st.sampled_from([1e-12, 1e-9, 0.5, 1.0]) | st.floats(0, 1e-6),
    min_size=1,
    max_size=60,
)
DRAWS = 4000
SIGMAS = 4


def doubles(*values: float) -> Tensor:
    """Return a float64 tensor."""
    return torch.tensor(values, dtype=torch.float64)


def seeded(seed: int = 0) -> Generator:
    """Return a generator of its own."""
    return Generator().manual_seed(seed)


def shares_chosen(chance: Tensor, rows: int, *, mix: bool) -> Tensor:
    """Return how often each row is chosen in many draws."""
    generator, counts = seeded(), torch.zeros(chance.numel(), dtype=torch.float64)
    for _ in range(DRAWS):
        counts[draw_quota(chance, rows, generator, mix=mix)] += 1
    return counts / DRAWS


def tolerance(chance: Tensor) -> Tensor:
    """Return four standard deviations of a share of draws."""
    return SIGMAS * (chance * (1 - chance) / DRAWS).sqrt()


class TestNextQuota:
    """Whole rows out of windows whose targets are no whole numbers."""

    def test_fractions_are_carried(self) -> None:
        """Half a row is owed to the next window."""
        assert next_quota(2.5, 0.0) == (2, 0.5)
        assert next_quota(2.5, 0.5) == (3, 0.0)

    @given(targets=st.lists(st.floats(0, 100), max_size=50))
    def test_no_row_is_lost_or_made(self, targets: list[float]) -> None:
        """Over any windows the rows are the sum of the targets, to less than one row."""
        rows, remainder = 0, 0.0
        for target in targets:
            due, remainder = next_quota(target, remainder)
            assert due >= 0
            rows += due
        assert abs(rows + remainder - math.fsum(targets)) < 1e-6
        assert -1e-6 < remainder < 1

    @pytest.mark.parametrize("keep", [0.1, 1 / 3, 0.7])
    def test_rounding_costs_no_row(self, keep: float) -> None:
        """After many windows that sum to a whole number, that number has come."""
        rows, remainder = 0, 0.0
        for _ in range(10_000):
            due, remainder = next_quota(keep * 30, remainder)
            rows += due
        assert rows == round(keep * 300_000)


class TestQuota:
    """Systematic sampling."""

    @given(chance=CHANCES, data=st.data(), seed=st.integers(0, 2**32), mix=st.booleans())
    def test_it_is_always_exact(
        self, chance: list[float], data: st.DataObject, seed: int, mix: bool
    ) -> None:
        """Exactly the rows asked for come out, each once, in order, for any chances."""
        rows = data.draw(st.integers(0, len(chance)))
        scaled = scale_to(doubles(*chance), rows)
        chosen = draw_quota(scaled, rows, seeded(seed), mix=mix)
        assert chosen.dtype == torch.int64
        assert chosen.numel() == rows
        assert bool((chosen.diff() > 0).all())
        assert rows == 0 or 0 <= int(chosen.min()) <= int(chosen.max()) < len(chance)

    @given(
        chance=st.lists(st.sampled_from([0.3, 1.0, 0.01]), min_size=2, max_size=40),
        seed=st.integers(0, 2**32),
    )
    def test_the_certain_are_always_chosen(self, chance: list[float], seed: int) -> None:
        """A row with chance 1 is in every draw."""
        certain = [place for place, each in enumerate(chance) if each == 1]
        rows = len(certain) + (len(chance) - len(certain)) // 3
        others = [each for each in chance if each < 1]
        assume(others)
        scaled = doubles(*chance)
        scaled[scaled < 1] = scale_to(doubles(*others), rows - len(certain))
        chosen = draw_quota(scaled, rows, seeded(seed)).tolist()
        assert set(certain) <= set(chosen)

    @pytest.mark.parametrize("mix", [True, False])
    @pytest.mark.parametrize(
        ("chance", "rows"),
        [
            pytest.param([0.5] * 8, 4, id="equal"),
            pytest.param([0.05, 0.1, 0.2, 0.4, 0.8, 0.9, 0.55], 3, id="skewed"),
            pytest.param([1.0, 1.0, 0.5, 0.25, 0.25], 3, id="with certain ones"),
            pytest.param([1e-9, 1e-9, 0.5, 0.5 - 2e-9], 1, id="with hopeless ones"),
            pytest.param([0.001] * 50 + [0.95], 1, id="one against many"),
        ],
    )
    def test_each_row_has_its_own_chance(self, chance: list[float], rows: int, mix: bool) -> None:
        """Over many draws each row is chosen as often as its chance says."""
        expected = scale_to(doubles(*chance), rows)
        found = shares_chosen(expected, rows, mix=mix)
        assert bool(((found - expected).abs() <= tolerance(expected) + 1e-12).all())

    @given(chance=CHANCES, data=st.data(), start=st.floats(0, 1, exclude_max=True))
    def test_few_rows_are_chosen_as_many_are(
        self, chance: list[float], data: st.DataObject, start: float
    ) -> None:
        """The loop over a batch ends where the operations on an epoch do, to the last bit."""
        rows = data.draw(st.integers(1, len(chance)))
        order = data.draw(st.permutations(range(len(chance))))
        scaled = scale_to(doubles(*chance), rows)
        passes = _pass(scaled[list(order)], rows, start)
        expected = [number for number, is_chosen in zip(order, passes, strict=True) if is_chosen]
        assert _pass_of_few(scaled.tolist(), order, rows, start) == sorted(expected)

    @pytest.mark.parametrize("mix", [True, False])
    def test_all_equal_rows_come_equally_often(self, mix: bool) -> None:
        """No place in a window is better than another."""
        found = shares_chosen(doubles(*[0.25] * 12), 3, mix=mix)
        assert float((found - 0.25).abs().max()) <= SIGMAS * math.sqrt(0.25 * 0.75 / DRAWS)

    def test_mixing_lets_neighbours_meet(self) -> None:
        """Two neighbours may be chosen together, which the order would otherwise forbid."""
        generator = seeded()
        chance = doubles(0.5, 0.5, 0.5, 0.5)
        mixed = {tuple(draw_quota(chance, 2, generator).tolist()) for _ in range(200)}
        straight = {tuple(draw_quota(chance, 2, generator, mix=False).tolist()) for _ in range(200)}
        assert len(mixed) == 6
        assert straight == {(0, 2), (1, 3)}

    def test_the_generator_is_the_only_source(
        self, unmoved_rng: Callable[[], AbstractContextManager[None]]
    ) -> None:
        """Equal generators choose equal rows, and no global random state moves."""
        chance = doubles(*[0.3] * 20)
        with unmoved_rng():
            first, second = (draw_quota(chance, 6, seeded(3)) for _ in range(2))
            coins = [draw_coins(chance, seeded(3)).tolist() for _ in range(2)]
        assert first.tolist() == second.tolist()
        assert coins[0] == coins[1]

    def test_nothing_is_drawn_from_nothing(self) -> None:
        """An empty window, or an empty quota, gives no rows."""
        assert draw_quota(doubles(), 0, seeded()).tolist() == []
        assert draw_quota(doubles(0, 0), 0, seeded()).tolist() == []

    @pytest.mark.parametrize("mix", [True, False])
    def test_a_chance_above_1_costs_no_row(self, mix: bool) -> None:
        """Even where rounding took a chance above 1, the number of rows is exact."""
        for seed in range(20):
            chosen = draw_quota(doubles(1.5, 0.25, 0.25), 2, seeded(seed), mix=mix)
            assert chosen.numel() == 2

    def test_a_large_window_is_exact(self) -> None:
        """Sums over many chances round; the number of rows does not."""
        chance = scale_to(torch.rand(1_000_000, generator=seeded(), dtype=torch.float64), 123_457)
        assert draw_quota(chance, 123_457, seeded(), mix=False).numel() == 123_457


class TestRounding:
    """The row or two that rounding may cost."""

    def test_a_row_too_many_is_the_least_likely(self) -> None:
        """Where rounding chose one row too many, the one with the least chance goes."""
        chosen = torch.tensor([True, True, True, False])
        assert _mend_rounding(chosen, doubles(0.9, 0.2, 0.8, 0.1), 1).tolist() == [0, 2]

    def test_a_missing_row_is_the_likeliest(self) -> None:
        """Where rounding lost a row, the one with the best chance comes in."""
        chosen = torch.tensor([True, False, False, False])
        assert _mend_rounding(chosen, doubles(0.9, 0.2, 0.8, 0.1), -1).tolist() == [0, 2]

    def test_the_right_number_is_left_alone(self) -> None:
        """Nothing changes where nothing is wrong."""
        chosen = torch.tensor([False, True])
        assert _mend_rounding(chosen, doubles(0.9, 0.2), 0).tolist() == [1]


class TestCoins:
    """A coin a sample, as AWS has it."""

    def test_each_row_has_its_own_chance(self) -> None:
        """Rows are chosen as often as their chance says; 1 always, 0 never."""
        chance = doubles(0, 0.1, 0.5, 0.9, 1).repeat(20_000)
        chosen = torch.zeros(chance.numel())
        chosen[draw_coins(chance, seeded())] = 1
        found = chosen.reshape(-1, 5).double().mean(0)
        expected = chance[:5]
        allowed = SIGMAS * (expected * (1 - expected) / 20_000).sqrt()
        assert bool(((found - expected).abs() <= allowed).all())

    def test_rows_come_in_order(self) -> None:
        """What coins choose is ascending, and empty for an empty window."""
        chosen = draw_coins(doubles(*[0.5] * 100), seeded())
        assert bool((chosen.diff() > 0).all())
        assert draw_coins(doubles(), seeded()).tolist() == []


@pytest.mark.parametrize("follows", [True, False])
def test_a_full_correction_is_unbiased(follows: bool) -> None:
    """At correction 1 the weighted mean loss of what is chosen estimates that of all samples."""
    generator = seeded(1)
    losses = torch.rand(64, generator=generator, dtype=torch.float64) ** 3 * 5
    raw = losses + 0.1 if follows else torch.rand(64, generator=generator).double() + 0.05
    rows = 16
    chance = scale_to(raw, rows)
    weights = sample_weights(chance, 1)
    assert weights is not None
    estimates = []
    for _ in range(DRAWS):
        chosen = draw_quota(chance, rows, generator)
        estimates.append((losses[chosen] * weights[chosen]).mean())
    found = torch.stack(estimates)
    error = float(found.std()) / math.sqrt(DRAWS)
    assert abs(float(found.mean()) - float(losses.mean())) <= SIGMAS * error


def test_no_correction_is_biased() -> None:
    """Without weights, choosing hard samples overstates the loss: the test above can fail."""
    generator = seeded(1)
    losses = torch.linspace(0, 5, 64, dtype=torch.float64)
    chance = scale_to(losses + 0.1, 16)
    draws = [losses[draw_quota(chance, 16, generator)].mean() for _ in range(200)]
    assert float(torch.stack(draws).mean()) > 1.2 * float(losses.mean())
