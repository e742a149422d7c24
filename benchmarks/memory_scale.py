"""How long a memory takes to choose an epoch, and how many bytes it needs, as it grows.

One thread. The user's sampler is a list drawn beforehand, so its own time is left out; turning its
ids into a tensor is counted. `epoch` is what a training loop waits for its first batch of an epoch,
through the public loader; the parts are the same work called one by one. Wall time includes what
other processes take from the core; `epoch_cpu_seconds` does not.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from machine import spread, write_result
from torch import Generator, Tensor, nn
from torch.utils.data import DataLoader, Dataset

from sift_toolkit import SiftConfig, SiftingDataloader
from sift_toolkit.sifting._choice import choose
from sift_toolkit.sifting._epoch_window import epoch_window
from sift_toolkit.sifting._memory_store import SampleMemory

BATCH_SIZE = 8192
EXTRAPOLATED = 100_000_000
CONFIGS = {
    "percentile, keep 0.5": {"keep": 0.5, "law": "percentile"},
    "learnability, keep 0.5": {"keep": 0.5},
    "learnability, keep 0.7 falling to 0.2, correction 0.5": {
        "keep": 0.7,
        "keep_end": 0.2,
        "correction": 0.5,
    },
}


class Numbers(Dataset[int]):
    """A dataset that costs nothing: the sample is its own number."""

    def __init__(self, samples: int) -> None:
        self._samples = samples

    def __len__(self) -> int:
        return self._samples

    def __getitems__(self, ids: list[int]) -> list[int]:
        return ids


def losses_of(ids: Tensor) -> Tensor:
    """Return losses as a trained model has them: most are small, some are large."""
    return torch.rand(ids.shape, generator=Generator().manual_seed(int(ids[0]))).log_().neg_()


def bytes_of(state: Any) -> int:
    """Return the bytes of all tensors in a state."""
    if isinstance(state, Tensor):
        return state.numel() * state.element_size()
    if isinstance(state, dict):
        return sum(map(bytes_of, state.values()))
    return sum(map(bytes_of, state)) if isinstance(state, list | tuple) else 0


def epochs_chosen(samples: int, config: SiftConfig, repeats: int) -> dict[str, Any]:
    """Train nothing for some epochs; return what choosing each of them took."""
    order = torch.randperm(samples, generator=Generator().manual_seed(0)).tolist()
    inner = DataLoader(
        Numbers(samples), batch_size=BATCH_SIZE, sampler=order, collate_fn=torch.tensor
    )
    loader = SiftingDataloader(
        sift_config=config,
        orig_dataloader=inner,
        loss_impl=lambda _, batch: losses_of(batch),
        model=nn.Module(),
        epochs=repeats + 1,
        on_note=lambda _: None,
    )
    seconds, cpu_seconds = [], []
    for _ in range(repeats + 1):
        start, cpu_start = time.perf_counter(), time.process_time()
        for place, batch in enumerate(loader):
            if place == 0:
                seconds.append(time.perf_counter() - start)
                cpu_seconds.append(time.process_time() - cpu_start)
                memory = loader.state_dict()["engine"]
            loader.reduce(losses_of(batch))
    return {
        "epoch_seconds": spread(seconds[1:]),
        "epoch_cpu_seconds": spread(cpu_seconds[1:]),
        "bytes_a_sample": bytes_of(memory["memory"]) / samples,
        "plan_bytes_a_sample": round(bytes_of(memory["plan"]) / samples, 2),
    }


def parts(samples: int, config: SiftConfig, repeats: int) -> dict[str, Any]:
    """Return the seconds of the parts of one choice."""
    memory = SampleMemory(samples)
    ids = torch.randperm(samples, generator=Generator().manual_seed(0))
    memory.learn(ids, losses_of(ids))
    generator = Generator().manual_seed(0)
    target = samples * config.kept_share
    taken: dict[str, list[float]] = {"percentiles": [], "chances": [], "choice": [], "visits": []}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        taken[name].append(time.perf_counter() - start)
        return result

    for _ in range(repeats):
        timed("percentiles", lambda: memory.ties(0.95))
        window = timed("chances", lambda: epoch_window(config, memory, ids, target))
        # The window takes the percentiles itself.
        taken["chances"][-1] -= taken["percentiles"][-1]
        chosen = timed(
            "choice",
            lambda window=window: choose(
                window,
                selection=config.selection,
                correction=config.correction,
                remainder=0.0,
                generator=generator,
                mix=False,
            ),
        )
        timed("visits", lambda chosen=chosen: memory.visit(ids, chosen.rows))
    return {f"{name}_seconds": spread(seconds) for name, seconds in taken.items()}


def extrapolated(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the growth between the two largest memories makes of one ten times as large."""
    small, large = rows[-2:]
    median = large["epoch_cpu_seconds"]["median"]
    growth = (median - small["epoch_cpu_seconds"]["median"]) / (large["samples"] - small["samples"])
    more = EXTRAPOLATED - large["samples"]
    return {
        "config": large["config"],
        "samples": EXTRAPOLATED,
        "extrapolated": True,
        "epoch_cpu_seconds": round(median + growth * more, 2),
        "nanoseconds_a_sample": round(growth * 1e9, 1),
        "memory_megabytes": round(large["bytes_a_sample"] * EXTRAPOLATED / 1e6),
    }


def main() -> None:
    """Measure each size under each config, print a line each, and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--samples", type=int, nargs="+", default=[10**5, 10**6, 10**7])
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for name, fields in CONFIGS.items():
        config = SiftConfig(scores="memory", **fields)
        measured = []
        for samples in options.samples:
            measured.append(
                {
                    "config": name,
                    "samples": samples,
                    **epochs_chosen(samples, config, options.repeats),
                    **parts(samples, config, options.repeats),
                }
            )
            print(json.dumps(measured[-1]), flush=True)
        measured.append(extrapolated(measured))
        print(json.dumps(measured[-1]), flush=True)
        rows += measured
    print(write_result("memory_scale", rows))


if __name__ == "__main__":
    main()
