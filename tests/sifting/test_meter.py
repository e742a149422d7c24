"""Counts and times of a run: added up by a clock that the tests turn, checked by hand."""

from __future__ import annotations

import dataclasses
import io
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.metrics import METRICS, PROGRESS, metric_named
from sift_toolkit.report import LOSS_PERCENTILES
from sift_toolkit.sifting._meter import Counters, Meter
from sift_toolkit.sifting._timeline import WallTime

COUNTS = st.integers(0, 10**9)
# Clocks tell nanoseconds at best.
SECONDS = st.just(0.0) | st.floats(1e-9, 1e6)


class Seconds:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time it was turned to."""
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def meter(seconds: Seconds) -> Meter:
    return Meter(WallTime(seconds))


def times_of(meter: Meter) -> tuple[float, float, float]:
    """Return seconds of loading, scoring and training."""
    counters = meter.totals()
    return counters.load_seconds, counters.score_seconds, counters.train_seconds


def value_of(counters: Counters, name: str) -> float:
    """Return the metric that follows from totals."""
    return counters.values()[metric_named(name)]


class TestCounters:
    """Totals, and what follows from them."""

    def test_they_start_at_0(self) -> None:
        """A run begins with nothing counted and no time spent."""
        assert set(dataclasses.astuple(Counters())) == {0}

    @given(kept=COUNTS, dropped=COUNTS, waiting=COUNTS)
    def test_every_sample_is_accounted_for(self, kept: int, dropped: int, waiting: int) -> None:
        """Seen is kept, dropped and waiting together, in the metrics too."""
        counters = Counters(seen=kept + dropped + waiting, kept=kept, dropped=dropped)
        assert counters.waiting == waiting
        assert value_of(counters, "samples_seen") == sum(
            value_of(counters, f"samples_{part}") for part in ("kept", "dropped", "waiting")
        )

    def test_the_kept_share_counts_the_chosen(self) -> None:
        """A sample that waits was chosen: it counts as kept in the share."""
        assert value_of(Counters(seen=10, kept=4, dropped=5), "kept_share") == 0.5

    def test_a_scored_sample_costs_a_third(self) -> None:
        """Of ten samples, all scored and half trained on: 10 / 3 + 5 of 10 passes."""
        counters = Counters(seen=10, scored=10, kept=5, dropped=5)
        assert value_of(counters, "counted_cost") == pytest.approx((10 / 3 + 5) / 10)

    def test_free_scores_cost_what_is_kept(self) -> None:
        """Where nothing is scored extra, the counted cost is exactly the kept share."""
        assert value_of(Counters(seen=8, kept=2, dropped=6), "counted_cost") == 0.25

    def test_plain_training_saves_nothing(self) -> None:
        """With everything kept and nothing scored, the saving is 0 and the cost whole."""
        counters = Counters(seen=8, kept=8, loaded=8, load_seconds=3, train_seconds=5)
        assert value_of(counters, "estimated_saving") == 0
        assert value_of(counters, "counted_cost") == 1

    def test_the_saving_is_against_the_same_pace_on_all(self) -> None:
        """Half kept out of all loaded, scoring charged: 1 - (2 + 1 + 5) / (2 + 10) is saved."""
        counters = Counters(
            seen=100,
            kept=50,
            dropped=50,
            loaded=100,
            load_seconds=2,
            score_seconds=1,
            train_seconds=5,
        )
        assert value_of(counters, "estimated_saving") == pytest.approx(1 - 8 / 12)

    def test_what_is_not_loaded_saves_loading(self) -> None:
        """Samples dropped before they are loaded save their share of loading too."""
        counters = Counters(
            seen=100, kept=50, dropped=50, loaded=50, load_seconds=2, train_seconds=5
        )
        assert value_of(counters, "estimated_saving") == pytest.approx(0.5)

    def test_sifting_that_costs_more_has_a_negative_saving(self) -> None:
        """A scoring pass that eats more than it saves is told as a loss."""
        counters = Counters(
            seen=100, kept=90, dropped=10, loaded=100, score_seconds=30, train_seconds=90
        )
        assert value_of(counters, "estimated_saving") == pytest.approx(1 - 120 / 100)

    @pytest.mark.parametrize(
        "counters", [Counters(), Counters(seen=5, kept=5, loaded=5), Counters(seen=5, dropped=5)]
    )
    def test_before_anything_is_known(self, counters: Counters) -> None:
        """Without a sample, or without a measured second, nothing is claimed."""
        assert value_of(counters, "estimated_saving") == 0

    def test_an_empty_run_keeps_all(self) -> None:
        """Before the first sample, the shares are those of plain training."""
        assert value_of(Counters(), "kept_share") == 1
        assert value_of(Counters(), "counted_cost") == 1

    @given(
        counts=st.lists(COUNTS, min_size=4, max_size=4),
        seconds=st.lists(SECONDS, min_size=3, max_size=3),
    )
    def test_metrics_are_always_finite(self, counts: list[int], seconds: list[float]) -> None:
        """Any totals there can be give values that can be charted."""
        kept, dropped, waiting, scored = counts
        load, score, train = seconds
        counters = Counters(
            seen=kept + dropped + waiting,
            kept=kept,
            dropped=dropped,
            scored=scored,
            loaded=kept,
            load_seconds=load,
            score_seconds=score,
            train_seconds=train,
        )
        assert all(math.isfinite(value) for value in counters.values().values())


class TestTimes:
    """Whose time it is."""

    def test_each_second_is_somebodys(self, meter: Meter, seconds: Seconds) -> None:
        """Loading, scoring and the training loop's own time are told apart."""
        with meter.timing("load"):
            seconds.now += 2
        with meter.timing("score"):
            seconds.now += 3
        meter.hand_out()
        seconds.now += 5
        meter.take_over()
        seconds.now += 100
        assert times_of(meter) == (2, 3, 5)

    def test_times_add_up(self, meter: Meter, seconds: Seconds) -> None:
        """Later times are added to earlier ones."""
        for _ in range(3):
            with meter.timing("load"):
                seconds.now += 1
            meter.hand_out()
            seconds.now += 2
            meter.take_over()
        assert times_of(meter) == (3, 0, 6)

    def test_a_time_within_another_counts_once(self, meter: Meter, seconds: Seconds) -> None:
        """Scoring in the middle of loading is scoring, not loading, however deep it is."""
        with meter.timing("load"):
            seconds.now += 1
            with meter.timing("score"):
                seconds.now += 2
                with meter.timing("load"):
                    seconds.now += 4
            seconds.now += 8
            with meter.timing("score"):
                seconds.now += 16
        assert times_of(meter) == (1 + 4 + 8, 2 + 16, 0)

    def test_scoring_within_the_training_loop_is_scoring(
        self, meter: Meter, seconds: Seconds
    ) -> None:
        """What is done with losses handed back is not the training loop's own time."""
        with meter.timing("load"):
            seconds.now += 32
        meter.hand_out()
        seconds.now += 1
        with meter.timing("score"):
            seconds.now += 2
        seconds.now += 4
        meter.take_over()
        assert times_of(meter) == (32, 2, 5)

    def test_time_of_an_error_counts(self, meter: Meter, seconds: Seconds) -> None:
        """A loader that fails has taken its time all the same."""

        def fails() -> None:
            with meter.timing("load"):
                seconds.now += 2
                raise KeyError

        with pytest.raises(KeyError):
            fails()
        assert times_of(meter) == (2, 0, 0)

    def test_all_of_the_wait_for_a_batch_is_loading(self, meter: Meter, seconds: Seconds) -> None:
        """What is neither scoring nor the loop's own; where no batch comes, it ends."""
        meter.hand_out()
        seconds.now += 1
        meter.fetch()
        seconds.now += 2
        with meter.timing("score"):
            seconds.now += 4
        seconds.now += 8
        meter.hand_out()
        seconds.now += 16
        meter.fetch()
        seconds.now += 32
        meter.pause()
        seconds.now += 64
        assert times_of(meter) == (2 + 8 + 32, 4, 1 + 16)

    def test_the_loop_ends_once(self, meter: Meter, seconds: Seconds) -> None:
        """Before the first batch, and after the time was taken, nothing is the loop's."""
        meter.take_over()
        meter.hand_out()
        seconds.now += 5
        meter.take_over()
        seconds.now += 7
        meter.take_over()
        assert times_of(meter) == (0, 0, 5)

    def test_the_clock_is_real_by_default(self) -> None:
        """Without a clock of its own a meter measures seconds that pass."""
        meter = Meter()
        with meter.timing("score"):
            torch.rand(100, generator=torch.Generator())
        assert 0 < meter.totals().score_seconds < 60


def seen(meter: Meter, losses: list[float], chosen: list[int]) -> None:
    """Add the scores of one window."""
    meter.add_scores(torch.tensor(losses), torch.tensor(chosen, dtype=torch.int64))


def by_hand(losses: list[float]) -> tuple[float, ...]:
    """Return the percentiles of losses, each between its two neighbours."""
    ordered, found = sorted(losses), []
    for percent in LOSS_PERCENTILES:
        place = percent / 100 * (len(ordered) - 1)
        low = math.floor(place)
        high = min(low + 1, len(ordered) - 1)
        found.append(ordered[low] + (place - low) * (ordered[high] - ordered[low]))
    return tuple(found)


class TestObservation:
    """What is told every few steps."""

    def test_it_holds_what_is_known(self, meter: Meter) -> None:
        """All totals, the place in the run, and nothing that was not measured."""
        values = meter.observe({PROGRESS: 0.5}).values
        measured = {"epoch", "training_steps", "train_loss", "validation_accuracy"}
        assert set(values) == {metric.name for metric in METRICS} - measured
        assert values["progress"] == 0.5
        assert all(type(value) is float for value in values.values())

    def test_the_training_loss_is_the_mean_since_the_last(self, meter: Meter) -> None:
        """Losses are averaged over samples, not batches, and each interval starts anew."""
        meter.add_training_losses(torch.tensor([1.0, 2.0]))
        meter.add_training_losses(torch.tensor([6.0]))
        assert meter.observe({}).values["train_loss"] == 3
        meter.add_training_losses(torch.tensor([7.0]))
        assert meter.observe({}).values["train_loss"] == 7
        assert "train_loss" not in meter.observe({}).values

    @pytest.mark.parametrize("bad", [math.nan, math.inf])
    def test_a_loss_that_is_not_finite_is_not_charted(self, meter: Meter, bad: float) -> None:
        """A training that diverged reports no loss, and goes on reporting all else."""
        meter.add_training_losses(torch.tensor([1.0, bad]))
        assert "train_loss" not in meter.observe({}).values
        meter.add_training_losses(torch.tensor([1.0]))
        assert meter.observe({}).values["train_loss"] == 1

    def test_half_precision_adds_up(self, meter: Meter) -> None:
        """Many losses of little precision have the mean they should have."""
        for _ in range(50):
            meter.add_training_losses(torch.full((100,), 1.5, dtype=torch.bfloat16))
        assert meter.observe({}).values["train_loss"] == 1.5

    def test_kept_and_dropped_losses_are_told_apart(self, meter: Meter) -> None:
        """Percentiles of what was chosen and of what was not, over all windows since the last."""
        seen(meter, [1, 2, 3, 4], [2, 3])
        seen(meter, [5, 6], [0])
        observation = meter.observe({})
        assert observation.kept_losses == pytest.approx(by_hand([3, 4, 5]))
        assert observation.dropped_losses == pytest.approx(by_hand([1, 2, 6]))
        nothing = meter.observe({})
        assert (nothing.kept_losses, nothing.dropped_losses) == (None, None)

    def test_losses_that_are_not_finite_are_left_out(self, meter: Meter) -> None:
        """NaN and infinities have no percentile."""
        seen(meter, [math.nan, 2, math.inf], [0, 1])
        observation = meter.observe({})
        assert observation.kept_losses == (2,) * len(LOSS_PERCENTILES)
        assert observation.dropped_losses is None

    def test_many_losses_are_thinned(self, meter: Meter) -> None:
        """More losses than percentiles need give nearly the same percentiles."""
        scores = torch.linspace(0, 1, 1_000_001)
        meter.add_scores(scores, torch.arange(scores.numel()))
        expected = [percent / 100 for percent in LOSS_PERCENTILES]
        assert meter.observe({}).kept_losses == pytest.approx(expected, abs=1e-3)

    def test_memory_is_bounded_if_nobody_asks(self, meter: Meter) -> None:
        """A run that nobody observes remembers the scores of its last windows only."""
        for window in range(3000):
            seen(meter, [float(window)], [0])
        (least, *_) = meter.observe({}).kept_losses or ()
        assert least >= 2000


class TestState:
    """Totals survive."""

    def test_it_goes_on_from_a_saved_state(self, seconds: Seconds) -> None:
        """Totals are taken over; what was measured in between is forgotten."""
        meter = Meter(WallTime(seconds))
        meter.counters = Counters(seen=7, kept=3, dropped=2, score_seconds=1.5)
        file = io.BytesIO()
        torch.save(meter.state_dict(), file)
        file.seek(0)
        loaded = Meter(WallTime(seconds))
        loaded.add_training_losses(torch.tensor([9.0]))
        seen(loaded, [1], [0])
        loaded.hand_out()
        seconds.now += 50
        loaded.load_state_dict(torch.load(file, weights_only=True))
        loaded.take_over()
        observation = loaded.observe({})
        assert observation == meter.observe({})
        assert observation.values["train_seconds"] == 0

    def test_a_state_is_a_copy(self, meter: Meter) -> None:
        """What is saved does not change when the run goes on."""
        state = meter.state_dict()
        meter.counters.seen += 1
        assert state["seen"] == 0
