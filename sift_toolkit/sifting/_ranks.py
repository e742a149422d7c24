"""The processes that train together: what they tell each other, and how they fail together.

Arrivals and failures go through the store of the process group, so that a rank which waits can
look up why another one does not come; everything else is a collective of that group.
"""

from __future__ import annotations

import json
import time
import weakref
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import torch
import torch.distributed as dist
from torch import Tensor

from sift_toolkit.errors import SiftRankError
from sift_toolkit.sifting._rank_status import Status, StatusBoard, aloud, whom_for, why_missing
from sift_toolkit.sifting._traffic import Traffic

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

_SHORTEST_PAUSE: Final = 0.001
_LONGEST_PAUSE: Final = 0.25
"""Seconds between two looks of a rank that waits; many ranks ask one store."""
_LOOK_ROUND: Final = 1.0
"""Seconds after which it looks for the reason too."""
_MANY: Final = 64
"""Ranks from which on it looks more seldom."""


_SILENT_FOR: Final = 10.0
"""Seconds a rank waits before it says for whom."""


class Ranks:
    """This process among those that train together; alone, where there is no process group.

    It joins at first use, so that a process group may be made after the loader.

    Args:
        group: the processes; None: the default group, if there is one.
        note: is told of a failure elsewhere, in words.
    """

    def __init__(
        self, group: dist.ProcessGroup | None = None, note: Callable[[str], None] = lambda _: None
    ) -> None:
        self._group = group
        self._note = note
        self._store: Store | None = None
        self._board: StatusBoard | None = None
        self._rank, self._size = 0, 1
        self._patience = 0.0
        self._meetings = 0
        self._noted_at = 0
        self._left = Status()
        self.traffic = Traffic()
        # When the loader is made, if there is a group by then: a rank that ends before its first
        # epoch is missed, and loaders belong together in the order in which ranks make them.
        self._join_if_there()

    @property
    def size(self) -> int:
        """How many processes train together."""
        self._join_if_there()
        return self._size

    @property
    def rank(self) -> int:
        """Which of them this is, from 0."""
        self._join_if_there()
        return self._rank

    def _join_if_there(self) -> None:
        # Once is enough: a group that is gone later does not change whose data this is.
        if self._store is None and dist.is_available() and dist.is_initialized():
            rank = dist.get_rank(self._group)
            # A process outside of the group given trains on its own.
            if rank >= 0:
                self._join(rank)

    def _join(self, rank: int) -> None:
        # The one way to a store that all ranks have already; torch offers no public one.
        whole = dist.distributed_c10d._get_default_store()  # noqa: SLF001 - see above
        # As long as the process group itself would wait.
        self._patience = whole.timeout.total_seconds()  # type: ignore[attr-defined] # torch's own gap
        members = dist.get_process_group_ranks(self._group or dist.group.WORLD)
        names = f"sift_toolkit/{zlib.crc32(str(members).encode()):x}"
        # Ranks make their loaders in one order, so the n-th of each belong together.
        from torch.distributed.distributed_c10d import PrefixStore

        loader = whole.add(f"{names}/loaders of {rank}", 1)
        self._store = PrefixStore(f"{names}/{loader}", whole)
        self._rank, self._size = rank, dist.get_world_size(self._group)
        if self._size > 1:
            self._board = StatusBoard(self._store, rank, aloud(self._note))
            weakref.finalize(self, self._board.stop)

    def leave(self, epochs: int, steps: int) -> None:
        """Remember how many batches of its last epoch this rank has handed out."""
        self._left = Status(epochs=epochs, steps=steps)

    def tell(self, epochs: int, steps: int) -> None:
        """Let ranks that wait know how far this one is; costs no communication here."""
        if self._board is not None:
            self._board.status = self._board.status.at(epochs, steps)

    def meet(self, figures: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Wait for all ranks, and return what each of them says, by rank.

        Args:
            figures: numbers, words and what JSON makes of them.

        Raises:
            SiftRankError: a rank has failed, has ended, or is out of step.
        """
        if self.size == 1:
            return [dict(figures)]
        self._arrive()
        said = self.gather(_as_bytes(figures), kind="meeting")
        return [json.loads(bytes(each.tolist())) for each in said]

    def _arrive(self) -> None:
        assert self._store is not None
        assert self._board is not None
        self._meetings += 1
        self._board.status = self._board.status.after_meeting(self._meetings)
        key, met = f"arrived {self._meetings}", f"met {self._meetings}"
        with self._store_is_there():
            if (reason := self._board.failure()) is not None:
                raise SiftRankError(reason)
            if self._store.add(key, 1) == self.size:
                self._store.set(met, "")
            if self.rank == 0 and self._meetings > 1:
                # All have left the meeting before, or they could not have come to this one.
                self._store.delete_key(f"arrived {self._meetings - 1}")
                self._store.delete_key(f"met {self._meetings - 2}")
            self._wait_for(met)

    def _wait_for(self, key: str) -> None:
        assert self._store is not None
        started = looked = time.monotonic()
        pause = _SHORTEST_PAUSE
        # Not store.wait(): it logs a stack for every wait that is over.
        while not self._store.check([key]):
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            now = time.monotonic()
            if now - looked > _LOOK_ROUND * max(1.0, self._size / _MANY):
                looked = now
                self._board_says_go_on(now - started)

    def _board_says_go_on(self, waited: float) -> None:
        assert self._board is not None
        statuses = self._board.of_all(self.size)
        reason = self._board.failure() or why_missing(statuses, self._meetings, self._left)
        limit = self._patience
        if reason is None and waited > limit:
            reason = f"not all ranks came to the start of an epoch in {limit:.0f} s"
        if reason is not None:
            raise self.failed(reason)
        if waited > _SILENT_FOR and self._noted_at != self._meetings:
            self._noted_at = self._meetings
            aloud(self._note)(whom_for(statuses, self._meetings, self._left))

    @contextmanager
    def _store_is_there(self) -> Iterator[None]:
        try:
            yield
        except dist.DistNetworkError as error:
            msg = "lost contact with the other ranks: the process that held their store has ended"
            raise SiftRankError(msg) from error

    def gather(self, values: Tensor, *, kind: str) -> list[Tensor]:
        """Return the tensor of each rank, by rank, on the CPU.

        Args:
            values: shape (n,), n of each rank's own, uint8, on the CPU.
            kind: of message, for the count.
        """
        if self.size == 1:
            return [values]
        device = self._device()
        sizes = [torch.zeros(1, dtype=torch.int64, device=device) for _ in range(self.size)]
        own = torch.tensor([values.numel()], dtype=torch.int64, device=device)
        with self._others_are_there():
            dist.all_gather(sizes, own, group=self._group)
            counts = [int(size) for size in sizes]
            sent = torch.zeros(max(counts), dtype=torch.uint8, device=device)
            sent[: values.numel()] = values.to(device)
            got = [torch.empty_like(sent) for _ in counts]
            dist.all_gather(got, sent, group=self._group)
        self.traffic.count(kind, sent=8 + sent.numel(), received=self.size * (8 + sent.numel()))
        return [each[:count].cpu() for each, count in zip(got, counts, strict=True)]

    def least(self, numbers: Sequence[int], *, kind: str) -> list[int]:
        """Return the least of each number over all ranks."""
        if self.size == 1:
            return list(numbers)
        values = torch.tensor(numbers, dtype=torch.int64, device=self._device())
        with self._others_are_there():
            dist.all_reduce(values, dist.ReduceOp.MIN, group=self._group)
        self.traffic.count(kind, sent=8 * len(numbers), received=8 * len(numbers))
        least: list[int] = values.tolist()
        return least

    @contextmanager
    def _others_are_there(self) -> Iterator[None]:
        """Say why, where a collective breaks off because another rank has."""
        try:
            yield
        except SiftRankError:
            raise
        except RuntimeError as error:
            reason = None if self._board is None else self._board.failure()
            msg = reason or "another rank has ended, or is doing something else"
            raise SiftRankError(msg) from error

    def _device(self) -> torch.device:
        if dist.get_backend(self._group) == dist.Backend.NCCL:
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("cpu")

    def tell_of(self, error: BaseException) -> None:
        """Tell the other ranks of an error here, so that they do not wait.

        Not of one that is theirs, nor of what ends a process and is no error.
        """
        if isinstance(error, Exception) and not isinstance(error, SiftRankError | StopIteration):
            self.failed(f"{type(error).__name__}: {error}")

    def failed(self, reason: str) -> SiftRankError:
        """Tell the other ranks that this one stops, and return the error to stop with."""
        if self._board is not None:
            self._board.publish_failure(reason)
        return SiftRankError(reason)

    def reason(self) -> str | None:
        """Return why a rank has failed, None if none has said so."""
        return None if self._board is None else self._board.failure()


def _as_bytes(figures: Mapping[str, Any]) -> Tensor:
    return torch.tensor(list(json.dumps(figures).encode()), dtype=torch.uint8)
