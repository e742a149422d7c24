"""An epoch as one window: groups of equal chances are the rows they stand for."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting._chances import by_wait, chances, sample_values
from sift_toolkit.sifting._choice import Window, choose
from sift_toolkit.sifting._classes import Classes
from sift_toolkit.sifting._epoch_window import epoch_window
from sift_toolkit.sifting._history import percentile_intervals
from sift_toolkit.sifting._memory_store import SampleMemory

LOSSES = st.lists(
    st.sampled_from([0.01, 0.2, 0.2, 0.7, 1.5, 4.0, torch.nan, torch.inf]), min_size=2, max_size=40
)
LAWS: list[dict[str, Any]] = [
    {"law": "percentile"},
    {"law": "percentile", "high_loss_cap": 0.7},
    {"staleness": 0},
    {"staleness": 0, "value": "gradient", "min_probability": 0.2},
    {"staleness": 0, "value": "loss", "high_loss_cap": 0.6},
    {"value": "own", "staleness": 0.5},
    {"value": "own", "high_loss_cap": 0.6},
    {},
    {"min_probability": 0.2, "high_loss_cap": 0.7},
]
BY_LOSS = [law for law in LAWS if law.get("value") != "own"]


def remembered(config: SiftConfig, losses: list[float]) -> SampleMemory:
    """Return a memory of these losses; NaN is unknown. Own values are 1 / 8, 2 / 8, ..."""
    memory = SampleMemory(len(losses), with_values=config.needs_own_values)
    given = torch.tensor(losses)
    ids = torch.where(~given.isnan())[0]
    memory.learn(ids, given[ids], (ids % 5 + 1) / 8 if config.needs_own_values else None)
    return memory


def that_waited(memory: SampleMemory) -> SampleMemory:
    """Return the memory after visits at which samples 0 to 3, 8 to 11, ... were passed over."""
    everyone = torch.arange(len(memory))
    for visit in range(3):
        memory.visit(everyone, torch.where((everyone % 8 > 3) | (everyone % 3 < visit))[0])
    return memory


def by_row(window: Window) -> Window:
    """Return the same window with each row an entry of its own."""
    certain, barred = masks_of(window)
    assert window.groups is not None
    places = window.groups.long()
    return Window(window.chance[places], window.target, certain[places], barred[places])


def masks_of(window: Window) -> tuple[Tensor, Tensor]:
    """Return which entries are certain and which are barred: an epoch's window tells both."""
    assert window.certain is not None
    assert window.barred is not None
    return window.certain, window.barred


@settings(max_examples=60)
@given(
    losses=LOSSES,
    law=st.sampled_from(LAWS),
    keep=st.sampled_from([0.9, 0.5, 0.2]),
    nonfinite=st.sampled_from(["keep", "drop"]),
    selection=st.sampled_from(["quota", "bernoulli"]),
    seed=st.integers(0, 9),
)
def test_groups_choose_what_their_rows_would(
    losses: list[float], law: dict[str, Any], keep: float, nonfinite: Any, selection: str, seed: int
) -> None:
    """The same rows, the same weights, the same debt."""
    config = SiftConfig(keep=keep, nonfinite=nonfinite, correction=0.7, **law)
    ids = torch.randperm(len(losses), generator=Generator().manual_seed(seed))
    memory = that_waited(remembered(config, losses))
    window = epoch_window(config, memory, ids, keep * len(losses))
    grouped, single = (
        choose(
            each,
            selection=selection,
            correction=0.7,
            remainder=0.3,
            generator=Generator().manual_seed(seed),
            mix=False,
        )
        for each in (window, by_row(window))
    )
    assert grouped.rows.tolist() == single.rows.tolist()
    assert grouped.remainder == pytest.approx(single.remainder)
    assert (grouped.weights is None) == (single.weights is None)
    if grouped.weights is not None and single.weights is not None:
        torch.testing.assert_close(grouped.weights, single.weights)


@settings(max_examples=60)
@given(losses=LOSSES, law=st.sampled_from(BY_LOSS), keep=st.sampled_from([0.9, 0.5, 0.2]))
def test_chances_are_those_of_the_laws_row_by_row(
    losses: list[float], law: dict[str, Any], keep: float
) -> None:
    """As fresh scores would have them over the same losses, but for the waits of the rows."""
    config = SiftConfig(keep=keep, nonfinite="drop", **law)
    ids = torch.arange(len(losses))
    memory = that_waited(remembered(config, losses))
    window = by_row(epoch_window(config, memory, ids, keep * len(losses)))
    known = torch.tensor(losses)
    finite = known.isfinite()
    certain, barred = masks_of(window)
    assert certain.tolist() == known.isnan().tolist()
    assert barred.tolist() == known.isinf().tolist()
    some = known[finite]
    if some.numel():
        values: Tensor | None = None
        if config.law == "proportional":
            values = sample_values(config, some, None, float(some.median()))
            waited = memory.visits_passed_over(ids, 255)[finite]
            values = by_wait(values, waited, config.staleness)
        expected = chances(config, percentile_intervals(some, some), values, keep)
        torch.testing.assert_close(window.chance[finite], expected)


def test_percentiles_are_of_the_whole_memory_not_of_the_epoch() -> None:
    """A sampler that gives only easy rows gives rows of low chance."""
    config = SiftConfig(keep=0.5, law="percentile")
    memory = remembered(config, [0.1, 0.2, 0.3, 0.4, 5.0, 6.0, 7.0, 8.0])
    window = by_row(epoch_window(config, memory, torch.arange(4), 2.0))
    assert window.chance.tolist() == pytest.approx([1 / 16, 3 / 16, 5 / 16, 7 / 16])


def test_a_row_that_waited_has_more_of_a_chance() -> None:
    """Of equal losses: in proportion to the visits since it was last chosen, up to 15."""
    config = SiftConfig(keep=0.5, rescore_every=256)
    memory = remembered(config, [0.5] * 4)
    everyone = torch.arange(4)
    for chosen in ([2], [], [3], [3]):
        memory.visit(everyone, torch.tensor(chosen, dtype=torch.int64))
    window = by_row(epoch_window(config, memory, everyone, 1.0))
    assert window.chance.tolist() == pytest.approx([5 / 15, 5 / 15, 4 / 15, 1 / 15])
    for _ in range(300):
        memory.visit(everyone, torch.tensor([3]))
    window = by_row(epoch_window(config, memory, everyone, 1.0))
    assert window.chance.tolist() == pytest.approx([16 / 49, 16 / 49, 16 / 49, 1 / 49])


def test_rows_of_equal_losses_take_turns() -> None:
    """Visits that a row waits differ less than by equal chances, whose waits are geometric."""
    spreads = {}
    for staleness in (0.0, 1.0):
        config = SiftConfig(keep=0.25, rescore_every=256, staleness=staleness)
        memory, everyone = remembered(config, [0.5] * 400), torch.arange(400)
        generator, waits = Generator().manual_seed(1), []
        for visit in range(200):
            choice = choose(
                epoch_window(config, memory, everyone, 100.0),
                selection="quota",
                correction=0.0,
                remainder=0.0,
                generator=generator,
                mix=True,
            )
            if visit >= 40:
                waits.append(memory.visits_passed_over(choice.rows, 255).double())
            memory.visit(everyone, choice.rows)
        spreads[staleness] = float(torch.cat(waits).std())
    # Geometric waits at a quarter: the root of 0.75, by 0.25. With staleness: Rayleigh's, about.
    assert spreads[0.0] == pytest.approx(3.46, rel=0.05)
    assert spreads[1.0] == pytest.approx(1.9, rel=0.1)


def test_rows_that_are_due_are_certain() -> None:
    """Whatever their loss; among those barred, too."""
    config = SiftConfig(keep=0.5, rescore_every=1, nonfinite="drop")
    memory = remembered(config, [0.1, 0.2, 0.3, torch.inf, torch.inf])
    everyone = torch.arange(5)
    memory.visit(everyone, torch.tensor([1, 2, 4]))
    certain, barred = masks_of(by_row(epoch_window(config, memory, everyone, 2.5)))
    assert certain.tolist() == [True, False, False, True, False]
    assert barred.tolist() == [False, False, False, False, True]


@settings(max_examples=60)
@given(
    losses=LOSSES,
    law=st.sampled_from(LAWS),
    nonfinite=st.sampled_from(["keep", "drop"]),
    seed=st.integers(0, 9),
)
def test_with_classes_each_row_is_an_entry(
    losses: list[float], law: dict[str, Any], nonfinite: Any, seed: int
) -> None:
    """Rows of one group may be of many classes; their chances are those of their group."""
    config = SiftConfig(keep=0.5, nonfinite=nonfinite, **law)
    ids = torch.randperm(len(losses), generator=Generator().manual_seed(seed))
    classes = Classes((ids % 3).int(), 3, 0.5)
    memory = that_waited(remembered(config, losses))
    expected = by_row(epoch_window(config, memory, ids, len(losses) / 2))
    window = epoch_window(config, memory, ids, len(losses) / 2, classes)
    assert torch.equal(window.chance, expected.chance)
    for mask, wanted in ((window.certain, expected.certain), (window.barred, expected.barred)):
        assert wanted is not None
        assert torch.equal(mask if mask is not None else torch.zeros_like(wanted), wanted)
    assert window._replace(chance=expected.chance, certain=None, barred=None) == Window(
        expected.chance, expected.target, classes=classes
    )
