"""Class-aware quotas: no class below its floor, the total as it was, within a class the law's."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator, Tensor

from sift_toolkit.sifting._chances import scale_to
from sift_toolkit.sifting._choice import Choice, Window, choose
from sift_toolkit.sifting._classes import Classes, Fixed, class_order, with_floors

NOBODY = Fixed(None, None)
DRAWS = 3000
SIGMAS = 4


class Case(NamedTuple):
    """Rows scaled to a quota, their classes, and who is certain or barred."""

    law: Tensor
    chance: Tensor
    classes: Classes
    rows: int
    certain: Tensor
    barred: Tensor

    @property
    def share(self) -> float:
        """Rows due, of all that may be chosen."""
        return self.rows / max(int((~self.barred).sum()), 1)

    @property
    def fixed(self) -> Fixed:
        """Rows that are left alone."""
        return Fixed(self.certain, self.barred)

    def floored(self) -> Tensor:
        """Return the chances with the floors."""
        return with_floors(self.chance, self.classes, self.share, self.fixed, may_grow=False)

    def sums(self, chance: Tensor) -> Tensor:
        """Return each class's expected rows."""
        return self.classes.numbers.bincount(chance, minlength=self.classes.total)


@st.composite
def cases(draw: st.DrawFn, *, exceptions: bool = False) -> Case:
    """Return a window as a quota leaves it, before its floors."""
    size = draw(st.integers(1, 40))

    def each(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=size, max_size=size))

    law = torch.tensor(each(st.floats(1e-12, 1)), dtype=torch.float64)
    numbers = torch.tensor(each(st.integers(0, 5)), dtype=torch.int32)
    kinds = each(st.sampled_from("....cb" if exceptions else "."))
    barred = torch.tensor([kind == "b" for kind in kinds])
    certain = torch.tensor([kind == "c" for kind in kinds])
    rows = draw(st.integers(0, int((~barred).sum())))
    sure = int(certain.sum())
    others = ~certain & ~barred
    chance = torch.zeros(size, dtype=torch.float64)
    chance[certain] = min(1.0, rows / sure) if sure else 0.0
    chance[others] = scale_to(law[others], max(rows - sure, 0))
    floor = draw(st.floats(0, 1))
    return Case(law, chance, Classes(numbers, 6, floor), rows, certain, barred)


class TestFloors:
    """The chances."""

    @given(case=cases(exceptions=True))
    def test_the_total_stays(self, case: Case) -> None:
        """What some classes are given, others pay, to the last fraction of a row."""
        chance = case.floored()
        assert float(chance.sum()) == pytest.approx(case.rows, abs=1e-6)
        assert bool(((chance >= 0) & (chance <= 1 + 1e-12)).all())

    @given(case=cases())
    def test_no_class_is_below_its_floor(self, case: Case) -> None:
        """Each has its share of its fair number, or more."""
        floors = case.sums(torch.ones_like(case.chance)) * case.share * case.classes.floor
        assert bool((case.sums(case.floored()) >= floors - 1e-6).all())

    @given(case=cases(exceptions=True))
    def test_no_class_is_below_its_floor_that_certain_rows_leave_it(self, case: Case) -> None:
        """Certain rows come first; if they leave room for all floors, all are held."""
        eligible = case.sums((~case.barred).double())
        floors = eligible * case.share * case.classes.floor
        sure = case.sums(case.chance * case.certain)
        wanted = (floors - sure).clamp_min(0)
        room = case.rows - float(sure.sum())
        held = wanted * min(1.0, room / max(float(wanted.sum()), 1e-12)) + sure
        assert bool((case.sums(case.floored()) >= torch.minimum(held, floors) - 1e-6).all())

    @given(case=cases(exceptions=True))
    def test_certain_and_barred_rows_keep_their_meaning(self, case: Case) -> None:
        """Their chances are what they were."""
        chance, fixed = case.floored(), case.certain | case.barred
        assert torch.equal(chance[fixed], case.chance[fixed])

    @given(case=cases())
    def test_within_a_class_the_order_of_the_law_stays(self, case: Case) -> None:
        """Of two rows of a class, the one of the higher chance still has the higher one."""
        chance = case.floored()
        for number in range(case.classes.total):
            rows = torch.where(case.classes.numbers == number)[0]
            ordered = chance[rows[case.law[rows].argsort(stable=True)]]
            assert bool((ordered.diff() >= -1e-12).all())

    @given(case=cases())
    def test_who_is_raised_loses_nothing_and_who_pays_gains_nothing(self, case: Case) -> None:
        """A class's rows move all up or all down; none moves where all are at their floors."""
        change = case.floored() - case.chance
        for number in range(case.classes.total):
            own = change[case.classes.numbers == number]
            assert bool((own >= -1e-12).all()) or bool((own <= 1e-12).all())

    @given(case=cases(), step=st.floats(0, 1))
    def test_a_higher_floor_takes_no_row_from_the_poor(self, case: Case, step: float) -> None:
        """What the classes that were raised have grows with the floor."""
        floor = case.classes.floor
        higher = case._replace(classes=case.classes._replace(floor=floor + step * (1 - floor)))
        before, low, high = (
            case.sums(each) for each in (case.chance, case.floored(), higher.floored())
        )
        raised = low > before + 1e-9
        assert bool((high[raised] >= low[raised] - 1e-6).all())

    def test_where_nobody_is_below_nothing_changes(self) -> None:
        """The very same chances come back."""
        chance = torch.tensor([0.5, 0.3, 0.6, 0.6], dtype=torch.float64)
        classes = Classes(torch.tensor([0, 0, 1, 1], dtype=torch.int32), 2, 0.8)
        assert with_floors(chance, classes, 0.5, NOBODY, may_grow=False) is chance

    def test_by_hand(self) -> None:
        """Of 12 rows 6 are due: a class with .2 of its fair 2 gets 1, the others 5 of 5.8."""
        chance = torch.tensor([0.05] * 4 + [0.6] * 4 + [0.85] * 4, dtype=torch.float64)
        numbers = torch.arange(3, dtype=torch.int32).repeat_interleave(4)
        found = with_floors(chance, Classes(numbers, 3, 0.5), 0.5, NOBODY, may_grow=False)
        paid = 5 / 5.8
        expected = [0.25] * 4 + [0.6 * paid] * 4 + [0.85 * paid] * 4
        assert found.tolist() == pytest.approx(expected)

    def test_a_class_that_pays_may_come_to_be_raised(self) -> None:
        """One that paying brings below its floor is at it in the end."""
        chance = torch.tensor([0.0001] * 8 + [0.41] * 8 + [0.99] * 8, dtype=torch.float64)
        numbers = torch.arange(3, dtype=torch.int32).repeat_interleave(8)
        share = float(chance.sum()) / 24
        found = with_floors(chance, Classes(numbers, 3, 0.85), share, NOBODY, may_grow=False)
        sums = numbers.bincount(found)
        assert sums[:2].tolist() == pytest.approx([0.85 * share * 8] * 2)
        assert float(found.sum()) == pytest.approx(float(chance.sum()))

    def test_many_classes_each_rarer_than_the_one_before(self) -> None:
        """The rounds end, though every round brings further classes below their floors."""
        count = 1000
        numbers = torch.arange(count, dtype=torch.int32).repeat_interleave(7)
        law = torch.logspace(-9, 0, count, dtype=torch.float64).repeat_interleave(7)
        chance = scale_to(law, 700)
        for floor in (0.3, 0.9, 1.0):
            found = with_floors(chance, Classes(numbers, count, floor), 0.1, NOBODY, may_grow=False)
            sums = numbers.bincount(found)
            assert float(sums.min()) >= floor * 0.7 - 1e-6
            assert float(found.sum()) == pytest.approx(700)

    def test_rows_whose_chance_is_next_to_nothing_share_evenly(self) -> None:
        """A class that the law would never choose from is chosen from at random."""
        chance = scale_to(torch.tensor([1e-12] * 4 + [1.0] * 4, dtype=torch.float64), 4)
        numbers = torch.arange(2, dtype=torch.int32).repeat_interleave(4)
        found = with_floors(chance, Classes(numbers, 2, 0.5), 0.5, NOBODY, may_grow=False)
        assert found.tolist() == pytest.approx([0.25] * 4 + [0.75] * 4)

    def test_a_class_of_one_hard_row_fills_up_with_easy_ones(self) -> None:
        """No chance is above 1: what the hard row cannot take, the others of its class share."""
        chance = torch.tensor([0.9, 1e-3, 1e-3, 1e-3] + [1.0] * 4, dtype=torch.float64)
        numbers = torch.arange(2, dtype=torch.int32).repeat_interleave(4)
        share = float(chance.sum()) / 8
        found = with_floors(chance, Classes(numbers, 2, 0.9), share, NOBODY, may_grow=False)
        rest = 0.9 * share * 4 - 1
        assert found[:4].tolist() == pytest.approx([1.0] + [rest / 3] * 3)

    def test_coins_may_come_to_more_where_nobody_can_pay(self) -> None:
        """A window of one easy class keeps its floor; by quota its total stays."""
        chance = torch.full((10,), 0.01, dtype=torch.float64)
        classes = Classes(torch.zeros(10, dtype=torch.int32), 1, 0.5)
        coins = with_floors(chance, classes, 0.4, NOBODY, may_grow=True)
        assert coins.tolist() == pytest.approx([0.2] * 10)
        quota = with_floors(chance, classes, 0.4, NOBODY, may_grow=False)
        assert quota.tolist() == pytest.approx([0.01] * 10)


@given(numbers=st.lists(st.integers(0, 4), max_size=30), mix=st.booleans(), seed=st.integers(0, 99))
def test_the_order_is_class_by_class(numbers: list[int], mix: bool, seed: int) -> None:
    """Each row once; within a class in the rows' own order, or in a random one."""
    classes = Classes(torch.tensor(numbers, dtype=torch.int32), 5, 0.5)
    order = class_order(classes, Generator().manual_seed(seed), mix=mix).tolist()
    assert sorted(order) == list(range(len(numbers)))
    assert [numbers[row] for row in order] == sorted(numbers)
    if not mix:
        assert order == sorted(order, key=lambda row: (numbers[row], row))


def test_the_order_within_a_class_is_random_where_that_is_asked_for() -> None:
    """Every row of a class comes first about as often as any other."""
    classes = Classes(torch.tensor([1, 0, 0, 0, 0], dtype=torch.int32), 2, 0.5)
    generator = Generator().manual_seed(0)
    first = torch.tensor(
        [int(class_order(classes, generator, mix=True)[0]) for _ in range(DRAWS)]
    ).bincount(minlength=5)
    expected, allowed = DRAWS / 4, SIGMAS * math.sqrt(DRAWS * 3 / 16)
    assert first[0] == 0
    assert bool(((first[1:] - expected).abs() <= allowed).all())


def window_of(
    law: list[float] | Tensor, numbers: list[int], keep: float, floor: float, **exceptions: Any
) -> Window:
    """Return a window of rows of classes."""
    chance = torch.as_tensor(law, dtype=torch.float64)
    classes = Classes(torch.tensor(numbers, dtype=torch.int32), max(numbers) + 1, floor)
    masks = {}
    for name, places in exceptions.items():
        masks[name] = torch.zeros(chance.numel(), dtype=torch.bool)
        masks[name][places] = True
    return Window(chance, keep * chance.numel(), classes=classes, **masks)


def chosen_of(window: Window, generator: Generator, **options: Any) -> Choice:
    """Choose by quota and without weights unless told otherwise."""
    arguments = {
        "selection": "quota",
        "correction": 0.0,
        "remainder": 0.0,
        "mix": True,
        **options,
    }
    return choose(window, generator=generator, **arguments)


class TestChoice:
    """The rows."""

    @given(
        law=st.lists(st.floats(1e-12, 1), min_size=6, max_size=40),
        keep=st.floats(0.01, 1),
        floor=st.floats(0.01, 1),
        remainder=st.floats(0, 0.999),
        mix=st.booleans(),
        seed=st.integers(0, 99),
    )
    def test_the_number_is_exact(
        self, law: list[float], keep: float, floor: float, remainder: float, mix: bool, seed: int
    ) -> None:
        """As without classes: the rows due, in order, and the same debt."""
        window = window_of(law, [row % 3 for row in range(len(law))], keep, floor)
        with_classes, without = (
            chosen_of(each, Generator().manual_seed(seed), remainder=remainder, mix=mix)
            for each in (window, window._replace(classes=None))
        )
        assert with_classes.rows.numel() == without.rows.numel()
        assert with_classes.remainder == without.remainder
        assert bool((with_classes.rows.diff() > 0).all())

    @given(
        law=st.lists(st.floats(1e-12, 1), min_size=12, max_size=60),
        keep=st.floats(0.1, 1),
        mix=st.booleans(),
        seed=st.integers(0, 99),
    )
    def test_a_floor_of_1_keeps_of_each_class_exactly_keep(
        self, law: list[float], keep: float, mix: bool, seed: int
    ) -> None:
        """To less than one row, in every single draw."""
        numbers = [row % 4 for row in range(len(law))]
        choice = chosen_of(
            window_of(law, numbers, keep, 1.0), Generator().manual_seed(seed), mix=mix
        )
        found = torch.tensor(numbers)[choice.rows].bincount(minlength=4)
        share = choice.rows.numel() / len(law)
        fair = torch.tensor(numbers).bincount() * share
        assert bool(((found - fair).abs() < 1 + 1e-6).all())

    @pytest.mark.parametrize("mix", [True, False])
    def test_each_row_has_its_chance(self, mix: bool) -> None:
        """Over many draws rows come as often as their final chances say."""
        law = [0.02, 0.04, 0.06, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0]
        window = window_of(law, [0, 0, 0, 1, 1, 1, 1, 1, 1, 1], 0.4, 0.5)
        generator = Generator().manual_seed(3)
        counts = torch.zeros(10, dtype=torch.float64)
        for _ in range(DRAWS):
            counts[chosen_of(window, generator, mix=mix).rows] += 1
        raised = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64) * (0.6 / 6)
        rest = torch.tensor(law[3:], dtype=torch.float64)
        scaled = scale_to(torch.tensor(law, dtype=torch.float64), 4)[3:]
        assert torch.allclose(scaled / scaled.sum(), rest / rest.sum())
        expected = torch.cat([raised, scaled * (3.4 / scaled.sum())])
        allowed = SIGMAS * (expected * (1 - expected) / DRAWS).sqrt()
        assert bool(((counts / DRAWS - expected).abs() <= allowed).all())

    @pytest.mark.parametrize("selection", ["quota", "bernoulli"])
    def test_a_rare_class_of_small_windows_comes_as_often_as_it_should(
        self, selection: str
    ) -> None:
        """One row of eight, of the lowest chance: by floor .6 it comes in .3 of the windows."""
        law = [1e-6, *torch.linspace(0.3, 0.7, 7).tolist()]
        window = window_of(law, [0] + [1] * 7, 0.5, 0.6)
        generator = Generator().manual_seed(1)
        came = sum(
            0 in chosen_of(window, generator, selection=selection).rows.tolist()
            for _ in range(DRAWS)
        )
        assert abs(came / DRAWS - 0.3) <= SIGMAS * math.sqrt(0.3 * 0.7 / DRAWS)

    @pytest.mark.parametrize("selection", ["quota", "bernoulli"])
    def test_certain_rows_come_and_barred_ones_do_not(self, selection: str) -> None:
        """Whatever the floors of their classes would have."""
        law = [0.9] * 6 + [1e-6] * 6
        window = window_of(law, [0] * 6 + [1] * 6, 0.5, 1.0, certain=[0, 7], barred=[1, 8])
        generator = Generator().manual_seed(1)
        for _ in range(50):
            rows = set(chosen_of(window, generator, selection=selection).rows.tolist())
            assert {0, 7} <= rows
            assert not {1, 8} & rows

    @pytest.mark.parametrize("selection", ["quota", "bernoulli"])
    @pytest.mark.parametrize("exceptions", [{}, {"certain": [0, 21]}], ids=["none", "certain"])
    def test_corrected_losses_are_unbiased(self, selection: str, exceptions: Any) -> None:
        """At correction 1 the weights undo the floors as they undo the law.

        By coin the number of rows varies, so their weighted sum is held against that number.
        """
        losses = torch.linspace(0, 5, 40, dtype=torch.float64)
        law = ((losses + 0.2) / 6) ** 2
        window = window_of(law, [0] * 15 + [1] * 25, 0.3, 0.8, **exceptions)
        generator = Generator().manual_seed(5)
        errors = []
        for _ in range(DRAWS):
            choice = chosen_of(window, generator, selection=selection, correction=1.0)
            assert choice.weights is not None
            weighted = float((losses[choice.rows] * choice.weights).sum())
            errors.append(weighted - choice.rows.numel() * float(losses.mean()))
        found = torch.tensor(errors, dtype=torch.float64)
        assert abs(float(found.mean())) <= SIGMAS * float(found.std()) / math.sqrt(DRAWS)

    @pytest.mark.parametrize(("as_they_are", "total"), [(True, 27), (False, 20)])
    def test_coins_keep_the_floors_in_expectation(self, as_they_are: bool, total: int) -> None:
        """By coin the number of each class varies; its mean is the floor's, the others' or not."""
        window = window_of([1e-6] * 10 + [0.9] * 30, [0] * 10 + [1] * 30, 0.5, 0.6)
        window = window._replace(coins_as_they_are=as_they_are)
        generator = Generator().manual_seed(2)
        rows = [chosen_of(window, generator, selection="bernoulli").rows for _ in range(DRAWS)]
        few = torch.tensor([int((each < 10).sum()) for each in rows]).double()
        assert abs(float(few.mean()) - 3) <= SIGMAS * math.sqrt(10 * 0.3 * 0.7 / DRAWS)
        totals = torch.tensor([each.numel() for each in rows]).double()
        assert abs(float(totals.mean()) - total) <= SIGMAS * float(totals.std()) / math.sqrt(DRAWS)
