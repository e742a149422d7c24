"""Where a process stands among those that its launcher started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sift_toolkit.errors import SiftUsageError


class Place(NamedTuple):
    """Where a process stands among those of its job."""

    rank: int = 0
    size: int = 1
    on_host: int = 0
    """Its number among those of its host."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Place:
        """Return the place that torchrun gave this process.

        Raises:
            SiftUsageError: another launcher started several, or left out what torchrun sets.
        """
        size = _number(environment, "WORLD_SIZE", 1)
        if size == 1 and (of_mpi := _number(environment, "OMPI_COMM_WORLD_SIZE", 1)) > 1:
            msg = (
                f"this job starts {of_mpi} processes with mpirun, and the trainer needs torchrun: "
                'launch with distribution={"torch_distributed": {"enabled": True}}'
            )
            raise SiftUsageError(msg)
        if size == 1:
            return cls()
        needed = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
        if missing := [name for name in needed if not environment.get(name)]:
            msg = (
                f"this job has WORLD_SIZE={size}, but not {', '.join(missing)}: start it with "
                'torchrun, as distribution={"torch_distributed": {"enabled": True}} does'
            )
            raise SiftUsageError(msg)
        return cls(_number(environment, "RANK", 0), size, _number(environment, "LOCAL_RANK", 0))


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if text.isdecimal():
        return int(text)
    msg = f"environment variable {name} must be a whole number, got {text!r}"
    raise SiftUsageError(msg)
