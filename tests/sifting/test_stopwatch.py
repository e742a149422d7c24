"""Every moment is one segment's, and a device that lags behind is waited for only when asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.sifting._stopwatch import Segment, Stopwatch

BOUND = 4
SECONDS = st.lists(st.integers(0, 9), max_size=4)


class Device:
    """A timeline of a device that comes to a mark only later, and counts who waits for it."""

    most_pending = BOUND

    def __init__(self) -> None:
        self.now = 0.0
        self.has_come_to = -1.0
        self.waits = 0

    def mark(self) -> float:
        """Return a mark of now."""
        return self.now

    def seconds(self, start: float, end: float) -> float:
        """Return the time between, after a wait if need be."""
        if end > self.has_come_to:
            self.waits += 1
            self.has_come_to = end
        return end - start


class Minutes(Device):
    """Another timeline, with marks of its own."""

    def seconds(self, start: float, end: float) -> float:
        """Return the time between marks that are minutes."""
        return 60 * (end - start)


@pytest.fixture
def device() -> Device:
    return Device()


def steps(stopwatch: Stopwatch, device: Device, count: int) -> None:
    """Load for 1 s and train for 2 s, so many times."""
    for _ in range(count):
        with stopwatch.during("load"):
            device.now += 1
        stopwatch.begin("train")
        device.now += 2
        stopwatch.end_training()


def test_nothing_waits_for_the_device_before_it_is_asked(device: Device) -> None:
    """A few intervals that the device has not come to are pending; taking them waits."""
    stopwatch = Stopwatch(device)
    steps(stopwatch, device, BOUND // 2)
    assert device.waits == 0
    assert stopwatch.take() == {"load": BOUND // 2, "train": BOUND}
    assert device.waits > 0
    assert stopwatch.take() == {}


def test_what_is_over_is_measured_without_a_wait(device: Device) -> None:
    """A run that nobody asks about never waits for a device that keeps up."""
    stopwatch = Stopwatch(device)
    for _ in range(100):
        steps(stopwatch, device, 1)
        device.has_come_to = device.now - 3
    assert device.waits == 0
    assert len(stopwatch._pending) <= BOUND
    assert stopwatch.take() == {"load": 100, "train": 200}


def test_what_is_pending_is_bounded(device: Device) -> None:
    """A device that falls ever further behind is waited for: where it was long ago, not now."""
    stopwatch = Stopwatch(device)
    steps(stopwatch, device, 100)
    assert len(stopwatch._pending) <= BOUND
    assert device.has_come_to < device.now
    assert stopwatch.take() == {"load": 100, "train": 200}


@given(st.recursive(SECONDS, lambda inner: st.lists(st.integers(0, 9) | inner, max_size=4)))
def test_each_second_is_somebodys_once(script: list[object]) -> None:
    """However deep timings stand in one another, their seconds are all there, and only once."""
    device, expected = Device(), {"load": 0.0, "score": 0.0}
    stopwatch = Stopwatch(device)

    def play(part: list[object], segment: Segment, other: Segment) -> None:
        with stopwatch.during(segment):
            for each in part:
                if isinstance(each, list):
                    play(each, other, segment)
                else:
                    assert isinstance(each, int)
                    device.now += each
                    expected[segment] += each

    play(script, "load", "score")
    measured = stopwatch.take()
    assert {key: measured.get(key, 0.0) for key in ("load", "score")} == expected


def test_who_has_the_time_already_is_not_timed_anew(device: Device) -> None:
    """A timing of loading within loading reads no clock, at its start nor at its end."""
    stopwatch, marks = Stopwatch(device), []
    device.mark = lambda: marks.append(device.now) or device.now  # type: ignore[func-returns-value, method-assign] # to see it
    stopwatch.begin("load")
    with stopwatch.during("load"):
        device.now += 1
    stopwatch.begin("train")
    assert marks == [0, 1]
    assert stopwatch.take() == {"load": 1}


def test_an_error_gives_the_time_back(device: Device) -> None:
    """After an error in a timing, time is again whose it was before."""
    stopwatch = Stopwatch(device)
    stopwatch.begin("train")

    def fails() -> None:
        with stopwatch.during("score"):
            device.now += 1
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    device.now += 2
    stopwatch.end_training()
    device.now += 4
    assert stopwatch.take() == {"score": 1, "train": 2}


def test_another_timeline_takes_over_where_time_is_nobodys(device: Device) -> None:
    """What was timed before is measured by the timeline that timed it."""
    stopwatch = Stopwatch(device)
    steps(stopwatch, device, 1)
    other = Minutes()
    stopwatch.read_from(other)
    with stopwatch.during("load"):
        other.now += 3
    assert stopwatch.take() == {"load": 1 + 3 * 60, "train": 2}


def test_the_training_loops_time_ends_once(device: Device) -> None:
    """Where it is not under way, there is nothing to end."""
    stopwatch = Stopwatch(device)
    stopwatch.end_training()
    with stopwatch.during("score"):
        stopwatch.end_training()
        device.now += 1
    assert stopwatch.take() == {"score": 1}


def test_forgotten_time_is_nobodys(device: Device) -> None:
    """Neither what is pending nor what is under way is left."""
    stopwatch = Stopwatch(device)
    steps(stopwatch, device, 1)
    stopwatch.begin("train")
    device.now += 9
    stopwatch.forget()
    stopwatch.end_training()
    assert stopwatch.take() == {}
