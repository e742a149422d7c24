"""What the launcher says of a process."""

from __future__ import annotations

import pytest

from sift_toolkit import SiftUsageError
from sift_toolkit.container._place import Place

TORCHRUN = {
    "WORLD_SIZE": "4",
    "RANK": "3",
    "LOCAL_RANK": "1",
    "MASTER_ADDR": "algo-1",
    "MASTER_PORT": "7777",
}


class TestPlace:
    """What the launcher says of a process."""

    def test_torchrun(self) -> None:
        """Its variables give the place over all hosts, and on this one."""
        assert Place.from_environment(TORCHRUN) == (3, 4, 1)

    @pytest.mark.parametrize("size", [None, "", "1"])
    def test_alone(self, size: str | None) -> None:
        """Without a number, or with one process, there is nobody else, whatever else is set."""
        alone = {**TORCHRUN, "WORLD_SIZE": size} if size is not None else {"RANK": "0"}
        assert Place.from_environment(alone) == (0, 1, 0)

    def test_what_torchrun_would_have_set(self) -> None:
        """All that is missing is named, with the launcher that sets it."""
        with pytest.raises(SiftUsageError, match=r"WORLD_SIZE=2, but not RANK, .*MASTER_PORT: st"):
            Place.from_environment({"WORLD_SIZE": "2"})

    def test_mpirun(self) -> None:
        """Each process would train a model of its own: refused."""
        with pytest.raises(SiftUsageError, match="4 processes with mpirun, and the trainer needs"):
            Place.from_environment({"OMPI_COMM_WORLD_SIZE": "4"})

    @pytest.mark.parametrize("text", ["two", "-1", "1.5"])
    def test_what_is_no_number(self, text: str) -> None:
        """A variable that holds something else is named, with what it holds."""
        with pytest.raises(SiftUsageError, match=f"WORLD_SIZE must be a whole .* got '{text}'"):
            Place.from_environment({"WORLD_SIZE": text})
