"""Where a process stands in its job; alone, being together is a formality."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from sift_toolkit import SiftJobError
from sift_toolkit.container import _processes
from sift_toolkit.container._place import Place
from sift_toolkit.container._processes import Processes, joined
from sift_toolkit.contract import JobTree

MakeJob = Callable[..., JobTree]

TORCHRUN = {
    "WORLD_SIZE": "4",
    "RANK": "3",
    "LOCAL_RANK": "1",
    "MASTER_ADDR": "algo-1",
    "MASTER_PORT": "7777",
}


class TestAlone:
    """One process does as if there were no others."""

    @pytest.fixture
    def alone(self) -> Processes:
        """A process that is alone."""
        return Processes(Place(), torch.device("cpu"), None)

    def test_it_has_everything_itself(self, alone: Processes) -> None:
        """What is gathered, shared out or summed is its own."""
        state = {"rows": torch.arange(3)}
        assert alone.is_first
        assert alone.sums([1, 2]) == alone.greatest([1, 2]) == [1, 2]
        assert alone.from_first(state) is state
        assert alone.to_first(state)[0] is state
        assert alone.own_of([state]) is state
        alone.wait_for_all()

    def test_its_model_is_not_wrapped(self, alone: Processes) -> None:
        """Nothing is averaged."""
        model = nn.Linear(1, 1)
        assert alone.together(model) is model

    def test_its_random_numbers_stay(self, alone: Processes) -> None:
        """They are those it drew before there were several."""
        before = torch.get_rng_state()
        alone.part_ways(3)
        assert torch.equal(torch.get_rng_state(), before)

    def test_nothing_is_joined(self, make_job: MakeJob) -> None:
        """Outside of torchrun no process group is made."""
        with joined(make_job()) as processes:
            assert processes.size == 1
            assert not torch.distributed.is_initialized()

    def test_its_errors_are_its_own(self, make_job: MakeJob) -> None:
        """They pass as they are."""
        with (
            pytest.raises(ZeroDivisionError),
            joined(make_job()) as processes,
            processes.failing_together(),
        ):
            _ = 1 / 0


def test_a_first_host_that_cannot_be_found(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said before anybody waits for it, in the words of the search."""
    for name, value in {**TORCHRUN, "MASTER_ADDR": "algo-1.invalid"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(_processes, "why_unknown", lambda hosts, seconds: f"no {hosts[0]}")
    with pytest.raises(SiftJobError, match=r"no algo-1\.invalid"):
        joined(make_job()).__enter__()
