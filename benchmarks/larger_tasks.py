"""Two models of a size that people train, for what is judged against a real forward pass."""

from __future__ import annotations

from typing import Final

import torch
from tasks import Task, Transformer
from torch import Tensor, nn

_WIDTH: Final = 32
"""Channels of the first stage; the paper has 64, which takes a core four times as long."""


class _Block(nn.Module):
    """Two convolutions around which the input is added, as in He et al., 2015."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or channels != out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, images: Tensor) -> Tensor:
        """Return feature maps, shape (batch, out, height / stride, width / stride)."""
        return torch.relu(self.body(images) + self.shortcut(images))


def _resnet_18() -> nn.Module:
    """Return a ResNet-18 for 32x32 images: its first layer does not shrink them."""
    stages: list[nn.Module] = []
    channels = _WIDTH
    for factor in (1, 2, 4, 8):
        out = _WIDTH * factor
        stages += [_Block(channels, out, 1 if factor == 1 else 2), _Block(out, out, 1)]
        channels = out
    return nn.Sequential(
        nn.Conv2d(3, _WIDTH, 3, padding=1, bias=False),
        nn.BatchNorm2d(_WIDTH),
        nn.ReLU(),
        *stages,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(channels, 10),
    )


TRANSFORMER: Final = Task(
    "transformer, width 256, 4 layers, 64 tokens",
    lambda: Transformer(256, 4, 1024),
    lambda rows: torch.randint(1000, (rows, 64)),
    10,
    None,
)
RESNET: Final = Task(
    f"ResNet-18 of width {_WIDTH}, 32x32",
    _resnet_18,
    lambda rows: torch.randn(rows, 3, 32, 32),
    10,
    None,
)
