"""A loader's saved state, whoever changed it: gone on from, or refused in words."""

from __future__ import annotations

import copy
import functools
import itertools
from typing import Any, Literal

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit import SiftConfig, SiftingDataloader
from sift_toolkit.sifting._layout import Layout
from sift_toolkit.sifting._plain_rows import formed_rows, plain_rows
from sift_toolkit.sifting._rng import kept_global_state
from tests.fuzz.strange import JSON_VALUES, changed_tree, tried
from tests.sifting.conftest import Toy

Scores = Literal["fresh", "memory"]
ROWS = 24
TENSORS = st.sampled_from(
    [
        torch.zeros(0),
        torch.zeros(ROWS),
        torch.arange(4),
        torch.arange(ROWS),
        torch.tensor([-1, 10**9]),
        torch.full((ROWS,), torch.nan),
        torch.zeros(16, dtype=torch.uint8),
        torch.zeros((2, 2), dtype=torch.complex64),
        torch.tensor(3),
    ]
)
OTHERS = st.one_of(JSON_VALUES, TENSORS, st.integers(-2, ROWS + 2))


def _loader(scores: Scores) -> tuple[Toy, SiftingDataloader]:
    torch.manual_seed(0)
    toy = Toy()
    generator = torch.Generator().manual_seed(0)
    loader = SiftingDataloader(
        sift_config=SiftConfig(keep=0.5, scores=scores, log_every=2),
        orig_dataloader=toy.loader(ROWS, batch_size=6, shuffle=True, generator=generator),
        loss_impl=toy.loss,
        model=toy.model,
        epochs=4,
        labels=torch.arange(ROWS) % 3 if scores == "memory" else (lambda batch: batch[1]),
    )
    return toy, loader


def _train(toy: Toy, loader: SiftingDataloader, batches: int) -> None:
    for batch in itertools.islice(loader, batches):
        loader.reduce(toy.loss(toy.model, batch))


@functools.cache
def saved(scores: Scores) -> dict[str, Any]:
    """Return the state of a loader in the middle of its second epoch."""
    with kept_global_state():
        toy, loader = _loader(scores)
        _train(toy, loader, ROWS)
        _train(toy, loader, 1)
        state = copy.deepcopy(loader.state_dict())
    # Random states are long, and would take every change there is.
    engine = state["engine"]
    draws = engine["draws"] if scores == "memory" else engine["source"]["draws"]
    draws["global_at_start"]["numpy"][1] = draws["global_at_start"]["numpy"][1][:2]
    draws["global_at_start"]["python"][1] = draws["global_at_start"]["python"][1][:2]
    return state


def go_on(scores: Scores, state: Any) -> None:
    """Load a state, and train on for two epochs."""
    with kept_global_state():
        toy, loader = _loader(scores)

        def train() -> None:
            loader.load_state_dict(copy.deepcopy(state))
            _train(toy, loader, ROWS)
            _train(toy, loader, ROWS)
            loader.state_dict()

        tried(train)


KINDS: dict[str, Any] = {
    "tensor": torch.arange(4),
    "array": np.arange(8.0).reshape(4, 2),
    "words": ["a", "b", "c", "d"],
    "scalars": [np.float32(0.5)] * 4,
    "part": "train",
}


@given(part=st.deferred(lambda: changed_tree(plain_rows(KINDS, Layout()), OTHERS)))
def test_rows_that_wait_are_formed_or_refused(part: Any) -> None:
    """Whatever was changed in what a checkpoint holds of them."""
    tried(lambda: formed_rows(part, KINDS, Layout()))


@given(state=st.deferred(lambda: changed_tree(saved("memory"), OTHERS)))
def test_a_memorys_state_is_gone_on_from_or_refused(state: object) -> None:
    """Whatever was changed in it, nothing but our errors come, then or in the epochs after."""
    go_on("memory", state)


@given(state=st.deferred(lambda: changed_tree(saved("fresh"), OTHERS)))
def test_a_state_of_fresh_scores_is_gone_on_from_or_refused(state: object) -> None:
    """Whatever was changed in it, nothing but our errors come, then or in the epochs after."""
    go_on("fresh", state)
