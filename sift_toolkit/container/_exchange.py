"""States on their way from one process to another: as bytes that load without running code."""

from __future__ import annotations

import io
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def as_bytes(content: Any) -> Tensor:
    """Return *content* as it travels, shape (n,), uint8.

    Args:
        content: tensors, plain values and their containers.
    """
    file = io.BytesIO()
    torch.save(content, file)
    return torch.frombuffer(file.getbuffer(), dtype=torch.uint8)


def from_bytes(sent: Tensor) -> Any:
    """Return what `as_bytes` was given, on the CPU."""
    return torch.load(io.BytesIO(sent.numpy().tobytes()), map_location="cpu", weights_only=True)


def send(sent: Tensor, rank: int, group: dist.ProcessGroup) -> None:
    """Send bytes to the process *rank*, which must `receive` them."""
    dist.send(torch.tensor([sent.numel()]), rank, group=group)
    dist.send(sent, rank, group=group)


def receive(rank: int, group: dist.ProcessGroup) -> Tensor:
    """Return the bytes that the process *rank* sends."""
    size = torch.zeros(1, dtype=torch.int64)
    dist.recv(size, rank, group=group)
    sent = torch.empty(int(size), dtype=torch.uint8)
    dist.recv(sent, rank, group=group)
    return sent
