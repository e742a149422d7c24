"""The processes that train one model together, as torchrun starts them; or one that is alone."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from sift_toolkit.container._company import Company
from sift_toolkit.container._exchange import as_bytes, from_bytes, receive, send
from sift_toolkit.container._place import Place
from sift_toolkit.container._random_state import seed_all
from sift_toolkit.contract import JobTree, why_unknown
from sift_toolkit.errors import SiftJobError, SiftUsageError

_PATIENCE: Final = timedelta(minutes=30)
"""For a process that is slow; one that fails or ends is missed at once."""

_HOST_SECONDS: Final = 10.0
"""For which the first host may be unknown; torchrun itself has found it by now."""

_FIRST: Final = 0


class Processes:
    """This process among those of its job; alone, each of its methods is a formality.

    Args:
        place: where it stands.
        device: it computes on.
        company: the others; None: there are none.
    """

    def __init__(self, place: Place, device: torch.device, company: Company | None) -> None:
        self.rank = place.rank
        self.size = place.size
        self.device = device
        self._company = company

    @property
    def is_first(self) -> bool:
        """Whether this one writes what there is once: model, report, checkpoint."""
        return self.rank == _FIRST

    def failing_together(self) -> contextlib.AbstractContextManager[None]:
        """End all with the reason of the one that fails in here, or ends."""
        if self._company is None:
            return contextlib.nullcontext()
        return self._company.failing_together()

    def part_ways(self, seed: int) -> None:
        """Let each process draw random numbers of its own from here on; alone, as it did."""
        if self.size > 1:
            digest = hashlib.sha256(f"{seed} {self.rank}".encode()).digest()
            seed_all(int.from_bytes(digest[:8], "big") >> 1)

    def together(self, model: nn.Module) -> nn.Module:
        """Return *model* such that all processes train the same one: gradients are averaged.

        Raises:
            SiftUsageError: its weights are sharded already, or it has none to train.
        """
        if self._company is None or isinstance(model, DistributedDataParallel):
            return model
        if any(hasattr(parameter, "full_tensor") for parameter in model.parameters()):
            msg = (
                "the hook model returned sharded weights, of which no process could save the "
                "whole: return a plain model, or call sift() in a training script of your own"
            )
            raise SiftUsageError(msg)
        if not any(parameter.requires_grad for parameter in model.parameters()):
            msg = "the hook model returned a model without weights to train"
            raise SiftUsageError(msg)
        return DistributedDataParallel(model)

    def are_same(self, model: nn.Module) -> bool:
        """Return whether the weights of *model* are the same in all processes."""
        total = sum(
            (each.detach().double().sum() for each in model.parameters()),
            start=torch.zeros((), dtype=torch.float64, device=self.device),
        )
        # NaN has many bit patterns.
        bits = int(total.nan_to_num().cpu().view(torch.int64))
        greatest, least = self.greatest([bits, ~bits])
        return greatest == ~least

    def take_first_buffers(self, model: nn.Module) -> None:
        """Give the running statistics of the first process to all; each has gathered its own."""
        if self._company is not None:
            for buffer in model.buffers():
                dist.broadcast(buffer, _FIRST)

    def sums(self, numbers: Sequence[int]) -> list[int]:
        """Return the sum of each number over all processes, exact."""
        return self._over_all(numbers, dist.ReduceOp.SUM)

    def greatest(self, numbers: Sequence[int]) -> list[int]:
        """Return the greatest of each number over all processes."""
        return self._over_all(numbers, dist.ReduceOp.MAX)

    def _over_all(self, numbers: Sequence[int], operation: Any) -> list[int]:
        if self._company is None:
            return list(numbers)
        values = torch.tensor(numbers, dtype=torch.int64)
        dist.all_reduce(values, operation, group=self._company.group)
        together: list[int] = values.tolist()
        return together

    def from_first(self, content: Any) -> Any:
        """Return what the first process gave; what the others give does not count.

        Args:
            content: tensors, plain values and their containers, on the CPU.
        """
        if self._company is None:
            return content
        group = self._company.group
        if self.is_first:
            sent = as_bytes(content)
            dist.broadcast(torch.tensor([sent.numel()]), _FIRST, group=group)
        else:
            size = torch.zeros(1, dtype=torch.int64)
            dist.broadcast(size, _FIRST, group=group)
            sent = torch.empty(int(size), dtype=torch.uint8)
        dist.broadcast(sent, _FIRST, group=group)
        return content if self.is_first else from_bytes(sent)

    def to_first(self, content: Any) -> list[Any]:
        """Return what each process gave, by rank, to the first one; to the others nothing."""
        if self._company is None:
            return [content]
        if not self.is_first:
            send(as_bytes(content), _FIRST, self._company.group)
            return []
        others = (receive(rank, self._company.group) for rank in range(1, self.size))
        return [content, *map(from_bytes, others)]

    def own_of(self, contents: Sequence[Any]) -> Any:
        """Return this process's item of what the first one gave: one item for each, by rank."""
        if self._company is None:
            return contents[_FIRST]
        if not self.is_first:
            return from_bytes(receive(_FIRST, self._company.group))
        for rank in range(1, self.size):
            send(as_bytes(contents[rank]), rank, self._company.group)
        return contents[_FIRST]

    def wait_for_all(self) -> None:
        """Go on once all processes have come here."""
        self.sums([1])


def alone() -> Processes:
    """Return the place of a process that has no company."""
    return Processes(Place(), device_of(Place()), None)


@contextlib.contextmanager
def joined(tree: JobTree) -> Iterator[Processes]:
    """Join the other processes of this job for as long as the block lasts.

    Args:
        tree: of the job, for the reason where this process must be ended from inside.

    Raises:
        SiftJobError: the host of the first process cannot be found.
        SiftRankError: another process failed, or ended; the reason is its own.
        SiftUsageError: processes were started in a way that cannot work.
    """
    place = Place.from_environment(os.environ)
    if place.size == 1:
        yield alone()
        return
    device = device_of(place)
    if reason := why_unknown([os.environ["MASTER_ADDR"]], seconds=_HOST_SECONDS):
        raise SiftJobError(reason)
    # Absent where PyTorch is built without torch.distributed.
    from torch.distributed.rendezvous import rendezvous

    store, _, _ = next(rendezvous("env://", place.rank, place.size, timeout=_PATIENCE))
    backend = "nccl" if device.type == "cuda" and dist.is_nccl_available() else "gloo"
    dist.init_process_group(
        backend, store=store, rank=place.rank, world_size=place.size, timeout=_PATIENCE
    )
    company = Company(dist.new_group(backend="gloo", timeout=_PATIENCE), store, place.rank, tree)
    try:
        processes = Processes(place, device, company)
        with company.failing_together():
            yield processes
            processes.wait_for_all()
    finally:
        company.leave()
    # Not after a failure: others may be in the middle of something, and the process ends anyway.
    dist.destroy_process_group()


def device_of(place: Place) -> torch.device:
    """Return the device a process computes on, and make it the current one.

    Raises:
        SiftUsageError: the host has fewer GPUs than processes.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if place.size == 1:
        return torch.device("cuda")
    if place.on_host >= (there := torch.cuda.device_count()):
        msg = (
            f"this host has {there} GPUs, and this is process {place.on_host + 1} of it: start one "
            "process a GPU"
        )
        raise SiftUsageError(msg)
    torch.cuda.set_device(place.on_host)
    return torch.device("cuda", place.on_host)
