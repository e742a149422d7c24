"""The history of losses: where a loss stands among the last ones."""

from __future__ import annotations

import io

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sift_toolkit.sifting._chances import percentile_chances
from sift_toolkit.sifting._history import LossHistory, percentile_intervals

LOSSES = st.lists(
    st.floats(-1e6, 1e6, width=32) | st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=30
)


def intervals(low: list[float], high: list[float]) -> tuple[list[float], list[float]]:
    """Return percentile intervals as they are compared."""
    return pytest.approx(low), pytest.approx(high)  # type: ignore[return-value] # compares equal


def as_lists(pair: tuple[Tensor, Tensor]) -> tuple[list[float], list[float]]:
    """Return percentile intervals as lists."""
    return pair[0].tolist(), pair[1].tolist()


def test_the_median_is_of_the_losses_held() -> None:
    """Of an even number the lower one in the middle; 0 before any loss is known."""
    history = LossHistory(4)
    assert history.median == 0
    history.join(torch.tensor([9.0, 9.0, 1.0]))
    assert history.median == 9
    history.join(torch.tensor([3.0, 2.0, 4.0]))
    assert history.median == 2


class TestIntervals:
    """Percentile intervals of losses in a population."""

    def test_distinct_losses_share_the_range(self) -> None:
        """Each of n different losses has an n-th of the range, in the order of the losses."""
        losses = torch.tensor([3.0, 1.0, 4.0, 2.0])
        assert as_lists(percentile_intervals(losses, losses)) == intervals(
            [0.5, 0, 0.75, 0.25], [0.75, 0.25, 1, 0.5]
        )

    def test_equal_losses_share_one_interval(self) -> None:
        """Losses that are the same stand in one interval, as wide as there are many of them."""
        losses = torch.tensor([2.0, 1.0, 2.0, 2.0])
        assert as_lists(percentile_intervals(losses, losses)) == intervals(
            [0.25, 0, 0.25, 0.25], [1, 0.25, 1, 1]
        )

    def test_the_others_count(self) -> None:
        """A loss stands among the whole population, not only among those asked about."""
        population = torch.tensor([1.0, 2.0, 3.0, 4.0])
        assert as_lists(percentile_intervals(torch.tensor([3.0]), population)) == ([0.5], [0.75])

    @given(population=LOSSES, data=st.data())
    def test_an_interval_counts_below_and_not_above(
        self, population: list[float], data: st.DataObject
    ) -> None:
        """An interval is the share below a loss, and the share not above it, for any losses."""
        some = data.draw(st.lists(st.sampled_from(population), max_size=10))
        everything = torch.tensor(population)
        low, high = percentile_intervals(torch.tensor(some), everything)
        assert low.dtype == high.dtype == torch.float64
        assert low.tolist() == [float((everything < loss).double().mean()) for loss in some]
        assert high.tolist() == [float((everything <= loss).double().mean()) for loss in some]
        assert bool((low < high).all())


class TestLossHistory:
    """A history of a given length."""

    def test_the_first_batch_stands_among_itself(self) -> None:
        """Sifting starts with the first batch: it is its own history."""
        losses = torch.tensor([2.0, 1.0])
        assert as_lists(LossHistory(1000).join(losses)) == ([0.5, 0], [1, 0.5])

    def test_later_batches_stand_among_earlier_ones(self) -> None:
        """A batch is ranked among what came before and itself."""
        history = LossHistory(1000)
        history.join(torch.tensor([1.0, 3.0]))
        assert as_lists(history.join(torch.tensor([2.0, 4.0]))) == ([0.25, 0.75], [0.5, 1])

    def test_the_oldest_losses_are_forgotten(self) -> None:
        """The history holds the last losses, as many as it is long."""
        history = LossHistory(3)
        history.join(torch.tensor([9.0, 8.0]))
        history.join(torch.tensor([1.0]))
        assert as_lists(history.join(torch.tensor([2.0]))) == intervals([1 / 3], [2 / 3])
        assert history.state_dict()["losses"].tolist() == [8, 1, 2]

    def test_a_batch_larger_than_the_history_counts_in_full(self) -> None:
        """All of a batch is ranked among all of it, whatever is remembered of it."""
        history = LossHistory(2)
        history.join(torch.tensor([9.0]))
        losses = torch.tensor([4.0, 3.0, 2.0, 1.0])
        assert as_lists(history.join(losses)) == ([0.75, 0.5, 0.25, 0], [1, 0.75, 0.5, 0.25])
        assert history.state_dict()["losses"].tolist() == [2, 1]

    def test_no_losses_change_nothing(self) -> None:
        """A batch without a finite loss leaves the history as it was."""
        history = LossHistory(5)
        assert as_lists(history.join(torch.empty(0))) == ([], [])
        history.join(torch.tensor([1.0]))
        assert as_lists(history.join(torch.empty(0))) == ([], [])
        assert history.state_dict()["losses"].tolist() == [1]

    @pytest.mark.parametrize("length", [4, 100, 1000])
    def test_a_falling_loss_keeps_its_share(self, length: int) -> None:
        """While losses fall from batch to batch, the chances still average to what is kept."""
        history, generator = LossHistory(length), torch.Generator().manual_seed(0)
        chances = []
        for step in range(200):
            losses = torch.rand(64, generator=generator) * 0.99**step
            chances.append(percentile_chances(*history.join(losses), 0.5).mean())
        # A history longer than the batch lags behind; that is what the quota is for.
        assert float(torch.stack(chances).mean()) == pytest.approx(0.5, abs=0.01 + length / 5000)

    @given(batches=st.lists(LOSSES, max_size=6), split=st.integers(0, 6), length=st.integers(1, 40))
    def test_it_goes_on_from_a_saved_state(
        self, batches: list[list[float]], split: int, length: int
    ) -> None:
        """A history loaded at any point ranks what comes as the one that was saved."""
        history = LossHistory(length)
        for batch in batches[:split]:
            history.join(torch.tensor(batch))
        file = io.BytesIO()
        torch.save(history.state_dict(), file)
        file.seek(0)
        loaded = LossHistory(length)
        loaded.load_state_dict(torch.load(file, weights_only=True))
        for batch in batches[split:]:
            losses = torch.tensor(batch)
            assert as_lists(loaded.join(losses)) == as_lists(history.join(losses))

    def test_a_shorter_history_takes_the_newest(self) -> None:
        """A state of a longer history is cut to the newest losses."""
        history = LossHistory(2)
        history.load_state_dict({"losses": torch.tensor([1.0, 2.0, 3.0])})
        assert history.state_dict()["losses"].tolist() == [2, 3]

    def test_a_state_is_a_copy(self) -> None:
        """What is saved does not change when the history goes on."""
        history = LossHistory(3)
        history.join(torch.tensor([1.0]))
        state = history.state_dict()
        history.join(torch.tensor([2.0]))
        assert state["losses"].tolist() == [1]

    def test_losses_of_any_dtype_join(self) -> None:
        """Half-precision losses are ranked like any others."""
        history = LossHistory(10)
        history.join(torch.tensor([1.0, 3.0], dtype=torch.bfloat16))
        assert as_lists(history.join(torch.tensor([2.0], dtype=torch.float64))) == intervals(
            [1 / 3], [2 / 3]
        )
