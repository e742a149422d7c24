"""docs/scaling.md's formulas are what ranks really keep, send and store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch.distributed as dist
from torch import Tensor

from tests.ranks.pool import WORLD_SIZES, RankPools
from tests.ranks.training import Case, Net, losses, sifted, traffic_of

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
SAMPLES = 128
BATCH = 8
EPOCHS = 3


def formula(what: str, **sizes: int) -> float:
    """Return what the page's formula for *what* comes to."""
    found = re.search(rf"^\| {what} \| `([\d a-z()*/+]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert found, what
    return float(eval(found[1], {}, sizes))


def tensor_bytes(state: Any) -> int:
    """Return the bytes of all tensors in a state."""
    if isinstance(state, Tensor):
        return state.numel() * state.element_size()
    if isinstance(state, dict):
        return sum(map(tensor_bytes, state.values()))
    if isinstance(state, (list, tuple)):
        return sum(map(tensor_bytes, state))
    return 0


def measured(case: Case) -> dict[str, Any]:
    """Train without gradients, and return what a rank kept, sent and stored."""
    model = Net("layer norm")
    loader = sifted(case, model, [])
    for epoch in range(EPOCHS):
        loader.set_epoch(epoch)
        trained = 0
        for batch in loader:
            trained += len(batch[2])
            each = losses(model, batch)
            loader.reduce(each, values=each.detach())
    state = loader.state_dict()
    memory = state["engine"].get("memory")
    spread = state["engine"].get("spread")
    return {
        "ranks": dist.get_world_size(),
        "kept": tensor_bytes(memory),
        "trained": trained,
        "saved": tensor_bytes([memory, state["engine"].get("plan"), spread]),
        "traffic": dict(traffic_of(loader)),
    }


@pytest.mark.parametrize("ranks", WORLD_SIZES)
def test_a_memory(rank_pool: RankPools, ranks: int) -> None:
    """What it keeps, tells, is told and saves."""
    sizes = {"samples": SAMPLES, "rows": SAMPLES // ranks, "ranks": ranks}
    for found in rank_pool(ranks).run(measured, Case("memory", rows=SAMPLES)):
        assert found["kept"] == formula("a memory keeps", **sizes)
        if ranks == 1:
            assert found["traffic"] == {}
            continue
        sizes["kept"] = found["trained"]
        assert found["saved"] == formula("a saved memory holds at an epoch's end", **sizes)
        told = found["traffic"]["memory"]
        # The first exchange is of nothing but its length.
        assert told.messages == 2 * EPOCHS
        whole = EPOCHS - 1
        put, got = ("a memory puts into an exchange", "a memory gets out of an exchange")
        assert told.bytes_sent == whole * formula(put, **sizes) + 16
        assert told.bytes_received == whole * formula(got, **sizes) + 16 * ranks
        meetings = found["traffic"]["meeting"]
        assert meetings.messages == EPOCHS
        assert meetings.bytes_sent <= EPOCHS * formula("a meeting takes at most", **sizes)
        assert "batch" not in found["traffic"]


def test_own_values(rank_pool: RankPools) -> None:
    """Two bytes a sample more."""
    case = Case("memory", (("law", "proportional"), ("value", "own")), rows=SAMPLES)
    (found,) = rank_pool(1).run(measured, case)
    what = "a memory with the user's own values keeps"
    assert found["kept"] == formula(what, samples=SAMPLES)


@pytest.mark.parametrize("ranks", [each for each in WORLD_SIZES if each > 1])
def test_lockstep(rank_pool: RankPools, ranks: int) -> None:
    """One agreement a batch and one more at the end, or one an epoch."""
    sizes = {"rows": SAMPLES // ranks, "batch": BATCH}
    fields = (("selection", "bernoulli"),)
    for found in rank_pool(ranks).run(measured, Case("fresh", fields, rows=SAMPLES)):
        sent = found["traffic"]["batch"].bytes_sent
        each = formula("fresh scores in lockstep put into their agreements", **sizes)
        # A rank that hands out its last batches and flushes agrees once more after each.
        assert EPOCHS * each <= sent <= EPOCHS * (each + 2 * 40)
    for found in rank_pool(ranks).run(measured, Case("memory", fields, rows=SAMPLES)):
        sent = found["traffic"]["epoch"].bytes_sent
        assert sent == EPOCHS * formula("a memory in lockstep puts into its agreement")


def test_quota_sends_nothing_but_meetings(rank_pool: RankPools) -> None:
    """With fresh scores."""
    for found in rank_pool(4).run(measured, Case("fresh", rows=SAMPLES)):
        assert found["traffic"].keys() == {"meeting"}
