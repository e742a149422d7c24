"""What a rank sends and receives, counted by kind."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass
class Count:
    """Messages of one kind."""

    messages: int = 0
    """Collectives that this rank took part in."""
    bytes_sent: int = 0
    """Bytes of its own that this rank put into them; how often each one travels is the
    backend's."""
    bytes_received: int = 0
    """Bytes that came out of them, this rank's own included."""


class Traffic:
    """Counts since the loader was made; docs/scaling.md is held against them."""

    def __init__(self) -> None:
        self.of: dict[str, Count] = {}

    def count(self, kind: str, *, sent: int, received: int) -> None:
        """Count one message."""
        total = self.of.setdefault(kind, Count())
        total.messages += 1
        total.bytes_sent += sent
        total.bytes_received += received
