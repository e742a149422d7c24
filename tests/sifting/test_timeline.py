"""Time is read from the clock on the wall, or from events that a device comes to by itself."""

from __future__ import annotations

import types
from typing import Any, cast

import pytest
import torch

from sift_toolkit.sifting._timeline import CudaTime, WallTime, timeline_of


class Event:
    """What CUDA events do, on a device whose time a test tells."""

    times: list[float]
    """Milliseconds at which the events to come will be reached."""
    device_at = 0.0
    """How far the device has come, in milliseconds."""
    streams: list[object]

    def __init__(self, *, enable_timing: bool) -> None:
        assert enable_timing

    def record(self, stream: object) -> None:
        """Take the next of the times."""
        Event.streams.append(stream)
        self.at = Event.times.pop(0)

    def query(self) -> bool:
        """Whether the device has come here."""
        return self.at <= Event.device_at

    def synchronize(self) -> None:
        """Let the device come here."""
        Event.device_at = max(Event.device_at, self.at)

    def elapsed_time(self, other: Event) -> float:
        """Return milliseconds; events that are not reached yet have none, as with CUDA's."""
        assert self.query()
        assert other.query()
        return other.at - self.at


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> CudaTime:
    """Return a timeline of a device that is not there."""
    Event.times, Event.streams, Event.device_at = [], [], 0.0
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: f"stream of {device}")
    return CudaTime(torch.device("cuda", 1))


def test_on_the_wall_a_mark_is_the_time() -> None:
    """What was done before it is over."""
    now = [5.0]
    timeline = WallTime(lambda: now[0])
    start = timeline.mark()
    now[0] = 7.5
    end = timeline.mark()
    assert timeline.seconds(start, end) == 2.5


def test_marks_are_events_on_the_stream_in_use(cuda: CudaTime) -> None:
    """Recorded on the current stream of the model's device, which may not be the current one."""
    Event.times = [3.0]
    cuda.mark()
    assert Event.device_at == 0.0
    assert Event.streams == ["stream of cuda:1"]


def test_seconds_between_events_are_waited_for(cuda: CudaTime) -> None:
    """CUDA counts milliseconds, and only between events that are over."""
    Event.times = [500.0, 2000.0]
    assert cuda.seconds(cuda.mark(), cuda.mark()) == 1.5


def test_time_never_runs_backwards(cuda: CudaTime) -> None:
    """Events of two streams that come in another order have nothing between them."""
    Event.times = [2000.0, 500.0]
    assert cuda.seconds(cuda.mark(), cuda.mark()) == 0.0


def on(*devices: str) -> torch.nn.Module:
    """Return something whose parameters are on devices that need not be there."""
    found = [torch.device(device) for device in devices]
    parameters = [types.SimpleNamespace(device=each, is_cuda=each.type == "cuda") for each in found]
    return cast("torch.nn.Module", types.SimpleNamespace(parameters=lambda: parameters))


def test_the_models_device_decides() -> None:
    """Events for any parameter on a CUDA device, of the first one; the wall for all others."""
    assert isinstance(timeline_of(torch.nn.Linear(1, 1)), WallTime)
    assert isinstance(timeline_of(torch.nn.Identity()), WallTime)
    assert isinstance(timeline_of(on("mps")), WallTime)
    timeline: Any = timeline_of(on("cpu", "cuda:1", "cuda:0"))
    assert isinstance(timeline, CudaTime)
    assert timeline.device == torch.device("cuda", 1)
