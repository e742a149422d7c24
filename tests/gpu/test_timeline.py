"""On a real device: work is timed where it is done, and nothing waits for it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting import SiftingDataloader
from sift_toolkit.sifting._stopwatch import Stopwatch
from sift_toolkit.sifting._timeline import CudaTime, WallTime, timeline_of

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
]

LONG = 200_000_000
"""Clock cycles, a tenth of a second and more on any device."""


def work(cycles: int) -> None:
    """Give the device something to do; returns at once."""
    torch.cuda._sleep(cycles)  # type: ignore[no-untyped-call] # not of the public face


def test_the_devices_time_counts_and_the_hosts_does_not() -> None:
    """A pass that is launched at once takes as long as the device works on it."""
    stopwatch = Stopwatch(CudaTime(torch.device("cuda", torch.cuda.current_device())))
    work(1)
    torch.cuda.synchronize()
    with stopwatch.during("score"):
        work(LONG)
    with stopwatch.during("load"):
        work(LONG // 100)
    assert not stopwatch._pending[0].end.query()
    taken = stopwatch.take()
    assert taken["score"] > 20 * taken["load"] > 0


def test_another_stream_has_its_own_marks() -> None:
    """Work on the stream in use is timed, whichever stream that is."""
    device = torch.device("cuda", torch.cuda.current_device())
    stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call] # torch's own gap
    stopwatch = Stopwatch(CudaTime(device))
    with torch.cuda.stream(stream):
        with stopwatch.during("score"):
            work(LONG)
        with stopwatch.during("load"):
            work(LONG // 100)
    taken = stopwatch.take()
    assert taken["score"] > 20 * taken["load"] > 0


def test_a_model_that_is_moved_later_is_timed_where_it_is() -> None:
    """The loader was made while the model was on the CPU; a forward pass that is long counts."""
    model = torch.nn.Linear(4, 3)
    assert isinstance(timeline_of(model), WallTime)

    def loss(model: torch.nn.Module, batch: Any) -> torch.Tensor:
        work(LONG)
        return torch.nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")

    rows = torch.utils.data.TensorDataset(torch.randn(64, 4), torch.randint(3, (64,)))
    notes: list[str] = []
    loader = SiftingDataloader(
        sift_config=SiftConfig(keep=0.5, scores="fresh", gate="off"),
        orig_dataloader=torch.utils.data.DataLoader(rows, batch_size=8),
        loss_impl=loss,
        model=model,
        on_note=notes.append,
    )
    model.to("cuda")
    for batch in loader:
        inputs, labels = (each.to("cuda") for each in batch)
        losses = torch.nn.functional.cross_entropy(model(inputs), labels, reduction="none")
        loader.reduce(losses).backward()  # type: ignore[no-untyped-call] # torch's own gap
    assert isinstance(timeline_of(model), CudaTime)
    meter = loader.state_dict()["meter"]
    assert meter["score_seconds"] > meter["train_seconds"] > 0
