"""torch.compile: sifting compiles nothing per batch, whatever was compiled and is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo import config as dynamo_config
from torch._dynamo.testing import CompileCounter
from torch.utils.data import DataLoader, TensorDataset

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting import SiftingDataloader
from sift_toolkit.sifting._scoring import Scorer

STEPS = 6
EPOCHS = 3


class Net(nn.Module):
    """Reads short sequences; of a class of its own, for `compile()` in place skips torch's own."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(2)
            self.first = nn.Linear(4, 8)
            self.norm = nn.BatchNorm1d(8)
            self.dropout = nn.Dropout(0.2)
            self.last = nn.Linear(8, 3)

    def forward(self, sequences: Tensor) -> Tensor:
        """Return logits, shape (batch, 3)."""
        hidden = self.first(sequences).relu().mean(dim=1)
        logits: Tensor = self.last(self.dropout(self.norm(hidden)))
        return logits


def per_sample(model: nn.Module, batch: Any) -> Tensor:
    """Return the cross entropy of each sample."""
    return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")


def half(batch: Any) -> Any:
    """Return every second step of a batch's sequences."""
    return [batch[0][:, ::2], *batch[1:]]


def loader_of(rows: int, **arguments: Any) -> DataLoader[Any]:
    """Return a loader of (sequence, label, number)."""
    numbers = torch.arange(rows)
    steps = torch.arange(STEPS)[None, :, None]
    sequences = torch.sin(numbers[:, None, None] * torch.tensor([0.3, 0.7, 1.1, 1.9]) + steps)
    data = TensorDataset(sequences, numbers % 3, numbers)
    return DataLoader(data, batch_size=8, shuffle=True, **arguments)


class Made(NamedTuple):
    """What a way of compiling makes of a model and its loss."""

    trained: nn.Module
    scored: nn.Module
    loss: Callable[[nn.Module, Any], Tensor]


def uncompiled(net: Net, counter: CompileCounter) -> Made:
    """Compile nothing."""
    return Made(net, net, per_sample)


def wrapped(net: Net, counter: CompileCounter) -> Made:
    """Train and score the wrapper that torch.compile returns."""
    compiled: Any = torch.compile(net, backend=counter)
    return Made(compiled, compiled, per_sample)


def wrapped_for_training(net: Net, counter: CompileCounter) -> Made:
    """Train the wrapper; the loader was given the plain model."""
    compiled: Any = torch.compile(net, backend=counter)
    return Made(compiled, net, per_sample)


def in_place(net: Net, counter: CompileCounter) -> Made:
    """Call the model's own `compile`."""
    net.compile(backend=counter)
    return Made(net, net, per_sample)


def with_its_loss(net: Net, counter: CompileCounter) -> Made:
    """Compile the loss, and the model within it."""
    return Made(net, net, torch.compile(per_sample, backend=counter))


Way = Callable[[Net, CompileCounter], Made]


class Outcome(NamedTuple):
    """A run, batch by batch."""

    rows: list[list[list[int]]]
    """Of each epoch and batch, the numbers of its rows."""
    compiled: list[list[int]]
    """Of each epoch and batch, how many graphs were compiled by its end."""


@pytest.fixture
def counter() -> Iterator[CompileCounter]:
    """Return a backend that counts; torch would stop compiling at its limit without an error."""
    torch._dynamo.reset()
    with dynamo_config.patch(fail_on_recompile_limit_hit=True):
        yield CompileCounter()
    torch._dynamo.reset()


def train(
    way: Way,
    counter: CompileCounter,
    inner: DataLoader[Any],
    *,
    scoring_transform: Any = None,
    autocast: bool = False,
    compiles_step: bool = False,
    after_epoch: Callable[[nn.Module], object] = lambda _: None,
    **config: Any,
) -> Outcome:
    """Train for some epochs."""
    net = Net()
    made = way(net, counter)
    optimizer = torch.optim.SGD(net.parameters(), 0.2)
    loader = SiftingDataloader(
        sift_config=SiftConfig(**{"keep": 0.5, **config}),
        orig_dataloader=inner,
        loss_impl=made.loss,
        model=made.scored,
        epochs=EPOCHS,
        on_note=lambda _: None,
        scoring_transform=scoring_transform,
    )

    def mean_loss(batch: Any) -> Tensor:
        return loader.reduce(made.loss(made.trained, batch), batch)

    if compiles_step:
        mean_loss = torch.compile(mean_loss, backend=counter)
    outcome = Outcome([], [])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(EPOCHS):
            rows, compiled = [], []
            for batch in loader:
                optimizer.zero_grad()
                with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                    loss = mean_loss(batch)
                loss.backward()
                optimizer.step()
                rows.append(batch[2].tolist())
                compiled.append(counter.frame_count)
            outcome.rows.append(rows)
            outcome.compiled.append(compiled)
            after_epoch(made.trained)
    return outcome


class TestCounts:
    """How many graphs there are, and when they were made.

    torch compiles a function for the first size it sees, and for any size once it sees a second
    one: so two for training where the last batch of an epoch is smaller, and two for scoring where
    the loader's is. Scoring, without gradients and in evaluation mode, has graphs of its own.
    """

    @pytest.mark.parametrize(
        ("scores", "way", "rows", "graphs"),
        [
            pytest.param("fresh", wrapped, 44, 2 + 2, id="fresh-wrapped"),
            pytest.param("fresh", wrapped, 40, 2 + 1, id="fresh-wrapped-even"),
            # A size of 1 has a graph of its own in torch. No refined batch has one row.
            pytest.param("fresh", wrapped, 41, 2 + 2, id="fresh-wrapped-one-left"),
            pytest.param("fresh", in_place, 44, 2 + 2, id="fresh-in_place"),
            pytest.param("fresh", with_its_loss, 44, 2 + 2, id="fresh-with_its_loss"),
            pytest.param("fresh", wrapped_for_training, 44, 2, id="fresh-scored_plain"),
            pytest.param("memory", wrapped, 44, 2, id="memory-wrapped"),
            pytest.param("memory", wrapped, 40, 2, id="memory-wrapped-even"),
            pytest.param("memory", with_its_loss, 44, 2, id="memory-with_its_loss"),
        ],
    )
    def test_nothing_is_compiled_per_batch(
        self, counter: CompileCounter, scores: str, way: Way, rows: int, graphs: int
    ) -> None:
        """Two graphs to train, two to score, all by the end of the second epoch; none later."""
        outcome = train(way, counter, loader_of(rows), scores=scores)
        first, second, *others = outcome.compiled
        # Batches of one size: what the first one did not need is compiled for the last one alone.
        assert set(first[:-1]) == {first[0]}
        assert second[-1] == graphs
        assert {count for epoch in others for count in epoch} == {graphs}

    @pytest.mark.parametrize(("scores", "graphs"), [("fresh", 1 + 1), ("memory", 1)])
    def test_one_graph_each_where_batches_are_full(
        self, counter: CompileCounter, scores: str, graphs: int
    ) -> None:
        """One graph to train and one to score, if the loader drops its last batch."""
        outcome = train(wrapped, counter, loader_of(44, drop_last=True), scores=scores)
        assert {count for epoch in outcome.compiled for count in epoch} == {graphs}

    @pytest.mark.parametrize(
        ("arguments", "graphs"),
        [
            pytest.param({"scoring_transform": half}, 2 + 2, id="scoring_transform"),
            pytest.param({"autocast": True}, 2 + 2, id="autocast"),
            pytest.param({"correction": 1.0}, 2 + 2, id="weights"),
            pytest.param({"keep_end": 0.2}, 2 + 2, id="falling-keep"),
            # Two sizes were seen by the time that the second kind of pass is made.
            pytest.param({"sift_delay": 7, "anneal": 0.3}, 2 + 1, id="whole-batches-too"),
            # The last batch is not scored.
            pytest.param({"score_every": 2}, 2 + 1, id="every-second-batch"),
        ],
    )
    def test_more_ways_to_sift_need_no_more_graphs(
        self, counter: CompileCounter, arguments: dict[str, Any], graphs: int
    ) -> None:
        """At most two to train and two to score, all by the end of the second epoch."""
        outcome = train(wrapped, counter, loader_of(44), scores="fresh", **arguments)
        assert {count for epoch in outcome.compiled[2:] for count in epoch} == {graphs}

    @pytest.mark.parametrize("scores", ["fresh", "memory"])
    def test_a_compiled_step_may_hand_back_its_losses(
        self, counter: CompileCounter, scores: str
    ) -> None:
        """`reduce` is left out of a graph around it, which has two sizes like any other."""
        arguments = {"scores": scores, "compiles_step": True, "correction": 1.0}
        outcome = train(uncompiled, counter, loader_of(44), **arguments)
        assert {count for epoch in outcome.compiled[2:] for count in epoch} == {2}

    def test_the_users_evaluation_shares_the_graphs_of_scoring(
        self, counter: CompileCounter
    ) -> None:
        """A validation between epochs, without gradients, compiles nothing."""

        def validate(model: nn.Module) -> None:
            model.eval()
            with torch.no_grad():
                for batch in loader_of(44):
                    model(batch[0])
            model.train()

        outcome = train(wrapped, counter, loader_of(44), scores="fresh", after_epoch=validate)
        assert counter.frame_count == outcome.compiled[0][-1] == 4


@pytest.mark.parametrize(
    ("scores", "way"),
    [("fresh", wrapped), ("fresh", in_place), ("fresh", with_its_loss), ("memory", wrapped)],
)
def test_a_compiled_model_is_sifted_as_a_plain_one(
    counter: CompileCounter, scores: str, way: Way
) -> None:
    """The same rows are chosen in every epoch, dropout and batch normalisation included."""
    compiled = train(way, counter, loader_of(44), scores=scores)
    plain = train(uncompiled, counter, loader_of(44), scores=scores)
    assert compiled.rows == plain.rows


class TestModes:
    """Modes are set past `Module.__setattr__`; compiled code must see it."""

    def test_each_mode_has_its_graph(self, counter: CompileCounter) -> None:
        """With gradients off in both, what tells training from scoring is the flag alone."""
        net = Net()
        compiled: Any = torch.compile(net, backend=counter)
        batch = next(iter(loader_of(8)))
        scorer = Scorer(per_sample, compiled)
        losses, counts = [], []
        for _ in range(3):
            with torch.random.fork_rng(), torch.no_grad():
                torch.manual_seed(1)
                losses.append(per_sample(compiled, batch).tolist())
            counts.append(counter.frame_count)
            net.norm.reset_running_stats()
            losses.append(scorer.score(batch).losses.tolist())
            counts.append(counter.frame_count)
        assert counts == [1, 2, 2, 2, 2, 2]
        assert losses[0] == losses[2] == losses[4]
        assert losses[1] == losses[3] == losses[5]
        assert losses[0] != losses[1]

    def test_a_part_that_the_user_freezes_is_seen(self, counter: CompileCounter) -> None:
        """A part put into evaluation between steps needs a graph to train, and none to score."""
        net = Net()
        compiled: Any = torch.compile(net, backend=counter)
        batch = next(iter(loader_of(8)))
        scorer = Scorer(per_sample, compiled)
        counts = []
        for frozen in (False, True, False, True):
            net.norm.train(not frozen)
            before = net.norm.running_mean.tolist()  # type: ignore[union-attr] # it tracks them
            scorer.score(batch)
            per_sample(compiled, batch).mean().backward()
            after = net.norm.running_mean.tolist()  # type: ignore[union-attr] # as above
            assert (after == before) is frozen
            counts.append(counter.frame_count)
        assert counts == [2, 3, 3, 3]
