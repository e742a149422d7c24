"""What time is read from: the clock on the wall, or the device's own stream of work."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, Protocol

import torch
from torch import nn

_MOST_EVENTS: Final = 512
"""Some seventy training steps; a device is never that many behind."""


class Timeline(Protocol):
    """Tells how much time lies between two marks."""

    most_pending: int
    """Intervals that are measured only later, so that nothing waits for the device."""

    def mark(self) -> Any:
        """Return a mark of now; without a wait for the device."""
        ...

    def seconds(self, start: Any, end: Any) -> float:
        """Return the seconds between two marks, once the device has come to both."""
        ...


class WallTime:
    """Marks are times; right where each operation is over when its call returns.

    Args:
        clock: returns seconds that only grow; replaced in tests.
    """

    most_pending = 0

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.mark = clock

    def seconds(self, start: float, end: float) -> float:
        """Return the seconds between two times."""
        return end - start


class CudaTime:
    """Marks are CUDA events on the stream in use, so what is measured is when work was done.

    The time that the host takes counts as far as the device had nothing to do meanwhile: data that
    is loaded while the device still trains costs nothing.

    Args:
        device: a CUDA device, the model's.
    """

    most_pending = _MOST_EVENTS

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def mark(self) -> torch.cuda.Event:
        """Return an event recorded now on the device's current stream."""
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call] # torch's own gap
        event.record(torch.cuda.current_stream(self.device))
        return event

    def seconds(self, start: torch.cuda.Event, end: torch.cuda.Event) -> float:
        """Return the seconds between two events; waits for them."""
        start.synchronize()
        end.synchronize()
        milliseconds = float(start.elapsed_time(end))
        # Events of two streams may come in another order than they were recorded in.
        return max(milliseconds / 1000, 0.0)


def timeline_of(model: nn.Module) -> Timeline:
    """Return what to time the training of *model* by, as its parameters lie now.

    CUDA events for parameters on a CUDA device, the first one's where there are several; else the
    clock on the wall.
    """
    for parameter in model.parameters():
        if parameter.is_cuda:
            return CudaTime(parameter.device)
    return WallTime()
