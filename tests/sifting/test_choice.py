"""One window's choice: exact quotas, certain and barred rows, groups, debts and weights."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator, Tensor

from sift_toolkit.sifting._choice import Choice, Window, choose, rows_due

SELECTIONS = ["quota", "bernoulli"]
CHANCES = st.lists(st.floats(1e-12, 1), min_size=1, max_size=40)
DRAWS = 3000
SIGMAS = 4


def window_of(
    chance: list[float] | Tensor,
    keep: float = 0.5,
    *,
    certain: list[int] | None = None,
    barred: list[int] | None = None,
) -> Window:
    """Return a window of rows, some of them certain or barred by their places."""
    chances = torch.as_tensor(chance, dtype=torch.float64)
    rows = chances.numel()
    return Window(chances, keep * rows, mask_of(rows, certain), mask_of(rows, barred))


def mask_of(rows: int, places: list[int] | None) -> Tensor | None:
    """Return a mask of *places*; None: there is no mask."""
    if places is None:
        return None
    mask = torch.zeros(rows, dtype=torch.bool)
    mask[places] = True
    return mask


def grouped(window: Window, groups: list[int], entries: int) -> Window:
    """Return a window whose entries stand for several rows each, with the same share to keep."""
    numbers = torch.tensor(groups)
    counts = numbers.bincount(minlength=entries)
    target = window.target / entries * len(groups)
    return window._replace(groups=numbers, counts=counts, target=target)


def chosen_of(window: Window, *, remainder: float = 0.0, seed: int = 0, **options: Any) -> Choice:
    """Choose with a generator of its own, by quota and without weights unless told otherwise."""
    arguments = {"selection": "quota", "correction": 0.0, "mix": True, **options}
    return choose(window, remainder=remainder, generator=Generator().manual_seed(seed), **arguments)


class TestQuota:
    """Exactly the right number."""

    @given(
        chance=CHANCES,
        keep=st.floats(0.01, 1),
        remainder=st.floats(0, 0.999),
        seed=st.integers(0, 99),
        mix=st.booleans(),
    )
    def test_the_number_is_exact(
        self, chance: list[float], keep: float, remainder: float, seed: int, mix: bool
    ) -> None:
        """The rows due come out, in order; what is left of a row is owed to the next window."""
        window = window_of(chance, keep)
        choice = chosen_of(window, remainder=remainder, seed=seed, mix=mix)
        due = keep * len(chance) + remainder
        assert choice.rows.numel() == min(math.floor(due + 1e-9), len(chance))
        assert choice.rows.numel() + choice.remainder == pytest.approx(due)
        assert bool((choice.rows.diff() > 0).all())

    @pytest.mark.parametrize("batch", [1, 2, 3, 7])
    @pytest.mark.parametrize("keep", [0.1, 1 / 3, 0.5, 0.9])
    def test_windows_of_any_size_keep_the_share(self, keep: float, batch: int) -> None:
        """Over many windows, of one row each even, the share is kept to the row."""
        remainder, rows = 0.0, 0
        for seed in range(420):
            choice = chosen_of(window_of([0.5] * batch, keep), remainder=remainder, seed=seed)
            remainder, rows = choice.remainder, rows + choice.rows.numel()
        assert rows == math.floor(keep * 420 * batch + 1e-6)

    def test_each_row_has_its_scaled_chance(self) -> None:
        """Over many draws rows come as often as their chances, scaled to the quota, say."""
        window = window_of([0.1, 0.2, 0.3, 0.4])
        counts = torch.zeros(4, dtype=torch.float64)
        for seed in range(DRAWS):
            counts[chosen_of(window, seed=seed).rows] += 1
        expected = torch.tensor([0.2, 0.4, 0.6, 0.8], dtype=torch.float64)
        allowed = SIGMAS * (expected * (1 - expected) / DRAWS).sqrt()
        assert bool(((counts / DRAWS - expected).abs() <= allowed).all())

    def test_what_cannot_be_had_stays_owed(self) -> None:
        """Rows that a window does not have are owed to the next one."""
        choice = chosen_of(window_of([0.5] * 4, barred=[0, 1, 2]), remainder=0.25)
        assert choice.rows.tolist() == [3]
        assert choice.remainder == 1.25
        after = chosen_of(window_of([0.5] * 4), remainder=choice.remainder)
        assert (after.rows.numel(), after.remainder) == (3, 0.25)

    def test_the_rows_due_are_never_more_than_there_are(self) -> None:
        """A debt is paid as far as rows are there."""
        assert rows_due(2.5, 3.0, available=4) == (4, 1.5)
        assert rows_due(2.5, 0.0, available=4) == (2, 0.5)


class TestCoins:
    """A coin a row, as AWS has it."""

    @pytest.mark.parametrize(
        ("as_they_are", "mean"), [(True, 2 + 47 * 0.1 + 50 * 0.9), (False, 20)]
    )
    def test_the_number_of_rows_is_chance(self, as_they_are: bool, mean: float) -> None:
        """Its mean is the sum of the chances, the certain ones among them, or else the target."""
        window = window_of([0.1] * 50 + [0.9] * 50, 0.2, certain=[0, 1], barred=[2])
        window = window._replace(coins_as_they_are=as_they_are)
        numbers = torch.tensor(
            [
                chosen_of(window, selection="bernoulli", seed=seed).rows.numel()
                for seed in range(500)
            ]
        ).double()
        assert float(numbers.std()) > 1
        assert abs(float(numbers.mean()) - mean) <= SIGMAS * math.sqrt(100 * 0.2 / 500)

    def test_coins_owe_nothing(self) -> None:
        """A debt of a quota stays what it was."""
        assert chosen_of(window_of([0.5]), selection="bernoulli", remainder=0.25).remainder == 0.25


@pytest.mark.parametrize("selection", SELECTIONS)
class TestExceptions:
    """Rows that come first, and rows that never come."""

    @given(chance=st.lists(st.floats(1e-12, 0.9), min_size=6, max_size=30), seed=st.integers(0, 99))
    def test_the_barred_never_come(self, selection: str, chance: list[float], seed: int) -> None:
        """A barred row is not chosen, whatever its chance, even if it is certain as well."""
        window = window_of(chance, 1.0, certain=[0, 1], barred=[1, 2])
        rows = chosen_of(window, selection=selection, seed=seed).rows.tolist()
        assert not {1, 2} & set(rows)
        assert 0 in rows

    @given(chance=st.lists(st.floats(1e-12, 0.9), min_size=6, max_size=30), seed=st.integers(0, 99))
    def test_the_certain_always_come(self, selection: str, chance: list[float], seed: int) -> None:
        """A certain row is chosen in every draw in which there is room for it."""
        window = window_of(chance, 0.5, certain=[0, 3, 5])
        assert {0, 3, 5} <= set(chosen_of(window, selection=selection, seed=seed).rows.tolist())

    @given(
        chance=st.lists(st.floats(1e-12, 1), min_size=3, max_size=30),
        keep=st.floats(0.01, 1),
        copies=st.sampled_from([1, 2]),
        certain=st.sampled_from([None, [1]]),
        barred=st.sampled_from([None, [0, 2]]),
        correction=st.sampled_from([0.0, 0.7]),
        seed=st.integers(0, 99),
    )
    def test_no_mask_is_a_mask_of_nothing(
        self,
        selection: str,
        chance: list[float],
        keep: float,
        copies: int,
        certain: list[int] | None,
        barred: list[int] | None,
        correction: float,
        seed: int,
    ) -> None:
        """Without masks, or with one of them, the choice is that of masks without a row."""
        window = window_of(chance, keep, certain=certain, barred=barred)
        masked = window_of(chance, keep, certain=certain or [], barred=barred or [])
        if copies > 1:
            groups = [*range(len(chance))] * copies
            window, masked = (grouped(each, groups, len(chance)) for each in (window, masked))
        first, second = (
            chosen_of(each, selection=selection, correction=correction, remainder=0.3, seed=seed)
            for each in (window, masked)
        )
        assert first.rows.tolist() == second.rows.tolist()
        assert first.remainder == second.remainder
        assert (first.weights is None) == (second.weights is None)
        if first.weights is not None and second.weights is not None:
            torch.testing.assert_close(first.weights, second.weights)

    def test_the_generator_decides(self, selection: str) -> None:
        """Equal generators choose equal rows."""
        window = window_of([0.3] * 50)
        first, second, other = (
            chosen_of(window, selection=selection, seed=seed).rows.tolist() for seed in (1, 1, 2)
        )
        assert first == second != other

    def test_an_empty_window_gives_nothing(self, selection: str) -> None:
        """A window without rows gives none, and no weights."""
        choice = chosen_of(window_of([]), selection=selection, correction=1.0)
        assert (choice.rows.tolist(), choice.weights) == ([], None)


def test_more_certain_rows_than_are_due_share_the_quota() -> None:
    """Certain rows in excess of the quota are drawn from evenly, and no other row comes."""
    window = window_of([0.9] * 8, 0.25, certain=[0, 1, 2, 3])
    counts = torch.zeros(8, dtype=torch.float64)
    for seed in range(DRAWS):
        counts[chosen_of(window, seed=seed).rows] += 1
    allowed = SIGMAS * math.sqrt(0.25 / DRAWS)
    assert float((counts[:4] / DRAWS - 0.5).abs().max()) <= allowed
    assert counts[4:].tolist() == [0] * 4


class TestGroups:
    """Entries that stand for several rows."""

    @given(groups=st.lists(st.integers(0, 2), min_size=1, max_size=60), seed=st.integers(0, 99))
    def test_the_number_is_exact(self, groups: list[int], seed: int) -> None:
        """Rows are counted, not entries."""
        window = grouped(window_of([0.2, 0.5, 0.8], 0.4), groups, 3)
        choice = chosen_of(window, seed=seed, mix=False)
        assert choice.rows.numel() == math.floor(0.4 * len(groups) + 1e-9)

    def test_rows_of_a_group_are_as_likely_as_if_they_stood_alone(self) -> None:
        """A group's rows have the chance that each of them would have had."""
        groups = [0, 1, 1, 2, 0, 2, 2, 1]
        chance = torch.tensor([0.1, 0.4, 0.7], dtype=torch.float64)
        entries = grouped(window_of(chance), groups, 3)
        alone = window_of(chance[torch.tensor(groups)])
        found = torch.zeros(2, 8, dtype=torch.float64)
        for place, window in enumerate((entries, alone)):
            for seed in range(DRAWS):
                found[place, chosen_of(window, seed=seed).rows] += 1
        assert float((found[0] - found[1]).abs().max()) / DRAWS <= SIGMAS * math.sqrt(0.5 / DRAWS)

    @pytest.mark.parametrize("selection", SELECTIONS)
    def test_exceptions_hold_for_all_rows_of_a_group(self, selection: str) -> None:
        """All rows of a certain group come, none of a barred one."""
        window = grouped(
            window_of([0.5, 0.5, 0.5], 0.6, certain=[0], barred=[2]), [0, 1, 2, 0, 1, 2, 0, 1], 3
        )
        for seed in range(50):
            rows = set(chosen_of(window, selection=selection, seed=seed).rows.tolist())
            assert {0, 3, 6} <= rows
            assert not {2, 5} & rows

    def test_rows_weigh_as_their_group(self) -> None:
        """Each chosen row has its group's weight."""
        groups = [0, 1, 1, 0, 1, 1]
        entries = grouped(window_of([0.2, 0.8]), groups, 2)
        alone = window_of([[0.2, 0.8][group] for group in groups])
        for seed in range(20):
            first = chosen_of(entries, correction=1.0, seed=seed)
            second = chosen_of(alone, correction=1.0, seed=seed)
            assert first.rows.tolist() == second.rows.tolist()
            assert first.weights is not None
            assert second.weights is not None
            assert torch.allclose(first.weights, second.weights)


class TestWeights:
    """Weights against the bias of choosing."""

    @pytest.mark.parametrize("selection", SELECTIONS)
    def test_no_correction_has_none(self, selection: str) -> None:
        """Without a correction there are no weights to multiply with."""
        assert chosen_of(window_of([0.5] * 9), selection=selection).weights is None

    @pytest.mark.parametrize("correction", [0.5, 1.0])
    def test_they_belong_to_the_chosen_rows(self, correction: float) -> None:
        """There is one weight a row; a likelier row weighs less."""
        choice = chosen_of(window_of([0.1] * 10 + [0.9] * 10), correction=correction)
        assert choice.weights is not None
        assert choice.weights.shape == choice.rows.shape
        rare, common = choice.weights[choice.rows < 10], choice.weights[choice.rows >= 10]
        assert float(rare[0]) == pytest.approx(float(common[0]) * 9**correction)

    @pytest.mark.parametrize("exceptions", [{}, {"certain": [0, 7, 20]}])
    def test_a_full_correction_is_unbiased(self, exceptions: dict[str, list[int]]) -> None:
        """At correction 1 the weighted mean loss is that of all rows, certain ones among them."""
        losses = torch.linspace(0, 5, 40, dtype=torch.float64)
        window = window_of((losses + 0.2) / 6, 0.3, **exceptions)
        estimates = []
        for seed in range(DRAWS):
            choice = chosen_of(window, correction=1.0, seed=seed)
            assert choice.weights is not None
            estimates.append(float((losses[choice.rows] * choice.weights).mean()))
        found = torch.tensor(estimates, dtype=torch.float64)
        error = float(found.std()) / math.sqrt(DRAWS)
        assert abs(float(found.mean()) - float(losses.mean())) <= SIGMAS * error

    def test_rows_without_a_chance_spoil_nothing(self) -> None:
        """Where certain rows take the whole quota, the weights are numbers still."""
        choice = chosen_of(window_of([0.5] * 4, certain=[0, 1]), correction=1.0)
        assert choice.rows.tolist() == [0, 1]
        assert choice.weights is not None
        assert choice.weights.tolist() == [1, 1]
