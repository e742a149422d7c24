"""The arms of the learning benchmark: ways to train with less compute, each under one name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from feeds import OwnValues, PlainFeed, Setting, SiftedFeed
from peers import EpochFeed, InfoBatch, Kakurenbo, SelectiveBackprop
from torch.utils.data import DataLoader
from training import MakeFeed

from sift_toolkit import SiftConfig, SiftingDataloader

BUDGETS = (1.0, 0.8, 0.67, 0.6, 0.5, 0.4, 0.33)
"""Of full plain training, that plain training is run at."""
KEPT = (0.67, 0.5, 0.33)
"""Overall shares of AWS's table."""
FALLS_TO = 0.5
"""Of where it starts."""


@dataclass(frozen=True)
class Arm:
    """A way to train.

    Attributes:
        name: one of a kind.
        family: what the arm is one of: "plain", "random", "peer" or "ours".
        make_feed: what it trains on.
        cost: about what it costs, of full plain training: says which of plain's peak learning
            rates it takes.
    """

    name: str
    family: str
    make_feed: MakeFeed
    cost: float


def falling(
    config: SiftConfig, overall: float, setting: Setting, falls_to: float = FALLS_TO
) -> SiftConfig:
    """Return the config with the keep at its start such that a run keeps *overall* of its rows.

    The number of batches of a run is exact, so it is found without any data.

    Args:
        config: with any `keep`.
        overall: share of all rows of the run.
        setting: of the task.
        falls_to: the share at the end, of the one at the start.
    """
    low, high = 0.02, 1.0
    whole = setting.epochs * (setting.rows // setting.batch_size)
    for _ in range(20):
        keep = (low + high) / 2
        tried = replace(config, keep=keep, keep_end=keep * falls_to)
        if _steps(tried, setting) > overall * whole:
            high = keep
        else:
            low = keep
    return replace(config, keep=low, keep_end=low * falls_to)


def _steps(config: SiftConfig, setting: Setting) -> int:
    loader = SiftingDataloader(
        sift_config=config,
        orig_dataloader=DataLoader(setting.data, batch_size=setting.batch_size, drop_last=True),
        loss_impl=lambda _, batch: batch[0],
        model=torch.nn.Identity(),
        epochs=setting.epochs,
        on_note=lambda _: None,
    )
    return loader.total_steps()


def sifted(
    config: SiftConfig,
    overall: float | None,
    make_own: Callable[[], OwnValues] | None = None,
    falls_to: float = FALLS_TO,
    *,
    by_steps: bool = True,
) -> MakeFeed:
    """Return a feed of the toolkit's.

    Args:
        config: how to sift.
        overall: share of all rows that is kept; None: by the config's own keep.
        make_own: called once a training, for ``value="own"``.
        falls_to: the share kept at the end, of the one at the start.
        by_steps: what the learning rate follows; else the data seen.
    """

    def feed(setting: Setting) -> SiftedFeed:
        given = replace(config, seed=setting.seed)
        if overall is not None:
            given = falling(given, overall, setting, falls_to)
        return SiftedFeed(setting, given, make_own() if make_own else None, by_steps=by_steps)

    return feed


LEARNABILITY = SiftConfig(keep=0.7, scores="memory", gate="off")
"""The toolkit's own defaults."""
FIRST_RULE = replace(LEARNABILITY, staleness=0, min_probability=0.15)
"""What was compared before samples took turns; its share falls."""
PERCENTILE = replace(LEARNABILITY, law="percentile", correction=0.5)
RANDOM = replace(LEARNABILITY, law="random")
# As its documentation has it: fresh scores, coins, a constant keep, and a short delay as in the
# public sample; the default of 1000 steps would be most of a training here.
AWS = SiftConfig(
    keep=1.0,
    law="percentile",
    scores="fresh",
    selection="bernoulli",
    sift_delay=10,
    gate="off",
)


def _plain(budget: float) -> Arm:
    return Arm(f"plain {budget:.0%}", "plain", partial(PlainFeed, budget=budget), budget)


def _aws(beta: float) -> Arm:
    config = replace(AWS, keep=None, beta_value=beta)
    kept = 1 / (1 + beta)
    # Coins: how many steps there will be is known only about.
    feed = sifted(config, None, by_steps=False)
    return Arm(f"AWS's scheme, beta {beta:g}", "peer", feed, kept + 1 / 3)


ARMS: dict[str, Arm] = {
    arm.name: arm
    for arm in (
        *(_plain(budget) for budget in BUDGETS),
        *(
            Arm(f"random {kept:.0%}", "random", sifted(replace(RANDOM, keep=kept), None), kept)
            for kept in KEPT
        ),
        *(
            Arm(f"random, falling {kept:.0%}", "random", sifted(RANDOM, kept), kept)
            for kept in KEPT
        ),
        *(_aws(beta) for beta in (0.5, 1, 2)),
        Arm("Composer's selective backprop", "peer", SelectiveBackprop, 0.95),
        Arm("InfoBatch", "peer", lambda setting: EpochFeed(setting, InfoBatch(setting)), 0.67),
        Arm("KAKURENBO", "peer", lambda setting: EpochFeed(setting, Kakurenbo(setting)), 0.85),
        *(
            Arm(f"learnability {kept:.0%}", "ours", sifted(LEARNABILITY, kept, falls_to=1), kept)
            for kept in KEPT
        ),
        Arm(
            "learnability 50%, fresh",
            "ours",
            sifted(replace(LEARNABILITY, scores="fresh"), 0.5, falls_to=1),
            0.8,
        ),
        *(
            Arm(f"without staleness, falling {kept:.0%}", "ours", sifted(FIRST_RULE, kept), kept)
            for kept in KEPT
        ),
        Arm(
            "without staleness, falling 50%, fresh",
            "ours",
            sifted(replace(FIRST_RULE, scores="fresh"), 0.5),
            0.8,
        ),
        Arm("percentile, falling 50%", "ours", sifted(PERCENTILE, 0.5), 0.5),
    )
}
