"""Worlds of ranks for the tests of several processes; tests/ranks/pool.py shows their use."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import coverage
import pytest

from tests.ranks.once import RunRanksOnce, run_ranks_once
from tests.ranks.pool import RankPool, RankPools
from tests.ranks.processes import Surroundings


def surroundings_of(
    config: pytest.Config, folders: pytest.TempPathFactory, name: str
) -> Surroundings:
    """Return what ranks take over from this session."""
    measurement = coverage.Coverage.current()
    return Surroundings(
        folder=folders.mktemp(name),
        warning_filters=tuple(config.getini("filterwarnings")),
        coverage_file=None if measurement is None else measurement.config.data_file,
    )


@pytest.fixture(scope="session")
def rank_pool(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RankPools]:
    """Give the session's pool of a world size, started when it is first needed."""

    @functools.cache
    def pool(world_size: int) -> RankPool:
        pools.append(
            RankPool(
                world_size, surroundings_of(pytestconfig, tmp_path_factory, f"pool_{world_size}_")
            )
        )
        return pools[-1]

    pools: list[RankPool] = []
    yield pool
    for started in pools:
        started.close()


@pytest.fixture(name="run_ranks_once")
def run_ranks_once_here(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> RunRanksOnce:
    """Run a function on new ranks and tell how each ended."""
    return functools.partial(
        run_ranks_once, surroundings=surroundings_of(pytestconfig, tmp_path_factory, "once_")
    )
