"""SiftingDataloader: what it gives out, what it takes back, and what it says."""

from __future__ import annotations

import copy
import gc
import itertools
import logging
import math
import multiprocessing
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftConfigError, SiftLossError, SiftUsageError
from sift_toolkit.report import Observation
from sift_toolkit.sifting import SiftingDataloader

ENGINES = pytest.mark.parametrize("scores", ["fresh", "memory"])


class Stream(IterableDataset[Any]):
    """Rows of no known number."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def __iter__(self) -> Any:
        return iter(self._rows)


KEEP_ALL: dict[str, dict[str, Any]] = {
    "keep=1, fresh": {"keep": 1.0, "scores": "fresh"},
    "keep=1, memory": {"keep": 1.0, "scores": "memory"},
    "beta=0": {"beta_value": 0.0},
    "enabled=False": {"keep": 0.5, "enabled": False},
    "all annealed": {"keep": 0.5, "anneal": 1.0},
    "fresh, delayed": {"keep": 0.5, "scores": "fresh", "sift_delay": 1000},
    "memory, delayed": {"keep": 0.5, "scores": "memory", "sift_delay": 1000},
}


@pytest.mark.parametrize("config", KEEP_ALL.values(), ids=KEEP_ALL)
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("drop_last", [False, True])
def test_all_data_is_the_plain_loaders_to_the_last_bit(
    toy: Any, config: dict[str, Any], workers: int, drop_last: bool
) -> None:
    """Batches, the last partial one, and the global generator after it, in every epoch."""
    arguments = {"shuffle": True, "num_workers": workers, "drop_last": drop_last}

    def two_epochs(loader: Any, after: Any) -> tuple[list[Any], list[Tensor]]:
        torch.manual_seed(11)
        batches, states = [], []
        for _ in range(2):
            for batch in loader:
                after(batch)
                batches.append(batch)
            states.append(torch.get_rng_state())
        return batches, states

    expected, expected_states = two_epochs(toy.loader(37, **arguments), lambda _: None)
    loader = toy.sifted(toy.loader(37, **arguments), epochs=2, **config)
    batches, states = two_epochs(loader, lambda batch: loader.reduce(toy.loss(toy.model, batch)))
    assert len(batches) == len(expected) == loader.total_steps()
    for batch, plain in zip(batches, expected, strict=True):
        assert type(batch) is type(plain)
        assert all(map(torch.equal, batch, plain))
    assert all(map(torch.equal, states, expected_states))
    counters = loader.state_dict()["meter"]
    assert (counters["scored"], counters["dropped"], counters["nonfinite"]) == (0, 0, 0)


def test_all_data_passes_through_as_the_very_same_objects(toy: Any) -> None:
    """At keep=1 a batch may be anything at all: it is not looked into but for its rows."""
    batches = [{"x": torch.ones(3, 2), "name": None}, {"x": torch.ones(1, 2), "name": None}]
    loader = toy.sifted(batches, keep=1.0)
    assert all(given is batch for given, batch in zip(loader, batches, strict=True))


CHOICES: dict[str, Any] = {
    "explicit fresh": ("loader", {"scores": "fresh"}, 3, "fresh", "the config asks for it"),
    "explicit memory": ("loader", {"scores": "memory"}, 3, "memory", "the config asks for it"),
    "map-style": ("loader", {}, 3, "memory", "the samples have ids and are seen more than once"),
    "epochs unknown": ("loader", {}, None, "memory", "the samples have ids"),
    "one epoch": ("loader", {}, 1, "fresh", "in one epoch no sample is seen twice"),
    "stream": ("stream", {}, 3, "fresh", "an IterableDataset has no ids"),
    "list": ("list", {}, 3, "fresh", "a list does not tell which samples it loads"),
    "keeps all": ("loader", {"keep": 1.0}, 3, "fresh", "nothing is sifted"),
}


@pytest.mark.parametrize("case", CHOICES.values(), ids=CHOICES)
def test_the_engine_is_said_with_its_reason_once(toy: Any, case: Any) -> None:
    """Which one, and why, when the loader is made."""
    kind, config, epochs, name, reason = case
    inner = {
        "loader": toy.loader(),
        "stream": DataLoader(Stream(toy.rows(40)), batch_size=8),
        "list": list(toy.loader()),
    }[kind]
    notes: list[str] = []
    loader = toy.sifted(inner, epochs=epochs, on_note=notes.append, gate="off", **config)
    assert loader.scores == name
    toy.epoch(loader)
    assert len(notes) == 1
    assert notes[0].startswith(f"scores: {name}, because {reason}")


def test_notes_go_to_the_log_if_nobody_takes_them(
    toy: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Under this package's own logger, at level INFO."""
    with caplog.at_level(logging.INFO, logger="sift_toolkit"):
        SiftingDataloader(
            sift_config=SiftConfig(keep=0.5),
            orig_dataloader=toy.loader(),
            loss_impl=toy.loss,
            model=toy.model,
        )
    assert "scores: memory" in caplog.text


@pytest.mark.parametrize("field", [{"keep_end": 0.2}, {"anneal": 0.1}])
def test_a_schedule_that_cannot_be_followed_is_refused_at_once(toy: Any, field: Any) -> None:
    """Without epochs, or over a stream, the share of data seen is not known."""
    with pytest.raises(SiftConfigError, match="needs `epochs`"):
        toy.sifted(**field)
    with pytest.raises(SiftConfigError, match="needs a loader with a known number of rows"):
        toy.sifted(list(toy.loader()), epochs=3, **field)


@ENGINES
@pytest.mark.parametrize("law", ["percentile", "proportional"])
@pytest.mark.parametrize("fall", [1.0, 0.7])
def test_the_kept_share_stays_at_its_target_while_losses_fall(
    toy: Any, scores: str, law: str, fall: float
) -> None:
    """Exactly under quota, however steeply the losses fall from step to step."""
    level = [1e6]

    def falling(model: nn.Module, batch: Any) -> Tensor:
        level[0] *= fall
        return level[0] * (batch[2] % 7 + 1)

    loader = toy.sifted(
        toy.loader(400, shuffle=True), loss=falling, scores=scores, law=law, loss_history_length=99
    )
    for epoch in range(3):
        before = loader.state_dict()["meter"]
        for batch in loader:
            loader.reduce(falling(toy.model, batch))
        after = loader.state_dict()["meter"]
        if epoch:
            assert after["kept"] - before["kept"] == 200
            assert after["seen"] - before["seen"] == 400


@ENGINES
@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("selection", ["quota", "bernoulli"])
def test_equal_losses_keep_the_share_asked_for(
    toy: Any, scores: str, beta: float, selection: str
) -> None:
    """Every row is as likely as any other, and their share is 1 / (1 + beta)."""
    loader = toy.sifted(
        toy.loader(800, shuffle=True, batch_size=50),
        loss=lambda model, batch: torch.ones(len(batch[2])),
        scores=scores,
        beta_value=beta,
        selection=selection,
        rescore_every=10_000,
        leftover="drop",
    )
    times = torch.zeros(800)
    for epoch in range(9):
        for batch in loader:
            loader.reduce(torch.ones(len(batch[2])))
            times[batch[2]] += epoch > 0
    share = 1 / (1 + beta)
    spread = math.sqrt(share * (1 - share) / (800 * 8))
    # What fills no batch is dropped: up to 49 rows an epoch.
    assert -49 / 800 - 5 * spread < float(times.mean()) / 8 - share < 5 * spread
    expected = 8 * float(times.mean()) / 8
    assert float(((times - expected) ** 2).mean()) < 3 * 8 * share * (1 - share) + 0.5


@ENGINES
@pytest.mark.parametrize("law", ["percentile", "proportional"])
@pytest.mark.parametrize("batch_size", [20, 7])
def test_correction_1_is_unbiased(toy: Any, scores: str, law: str, batch_size: int) -> None:
    """The weighted mean loss over what is kept is, on average, the mean loss of all."""
    count = 140
    losses = (torch.arange(count) * 0.37 % 1 + 0.05) ** 2
    loader = toy.sifted(
        toy.loader(count, shuffle=True, batch_size=batch_size),
        loss=lambda model, batch: losses[batch[2]],
        scores=scores,
        law=law,
        value="loss",
        correction=1.0,
        min_probability=0.2,
        keep=0.5,
        rescore_every=10_000,
    )
    torch.manual_seed(0)
    means, plain = [], []
    for epoch in range(60):
        total = bare = rows = 0.0
        for batch in loader:
            some = losses[batch[2]]
            total += float(loader.reduce(some)) * len(some)
            bare += float(some.sum())
            rows += len(some)
        if epoch:
            means.append(total / rows)
            plain.append(bare / rows)
    estimates = torch.tensor(means)
    error = float(estimates.std()) / math.sqrt(len(means))
    truth = float(losses.mean())
    assert abs(float(estimates.mean()) - truth) < 4 * error + 1e-4
    # Without the weights it would be far off: hard rows are kept.
    assert sum(plain) / len(plain) > truth * 1.15


@ENGINES
@pytest.mark.parametrize("correction", [0.5, 1.0])
def test_suspects_have_no_share_in_the_weights(toy: Any, scores: str, correction: float) -> None:
    """Where the cap leaves some out, those that are chosen still weigh 1 on average."""
    losses = torch.linspace(0.1, 2, 400)
    loader = toy.sifted(
        toy.loader(400, shuffle=True, batch_size=40),
        loss=lambda model, batch: losses[batch[2]],
        scores=scores,
        correction=correction,
        high_loss_cap=0.75,
        keep=0.3,
    )
    for _ in range(3):
        loader_means = []
        for batch in loader:
            loader_means.append(float(loader.reduce(torch.ones(len(batch[2])))))
            loader_means[-1] *= len(batch[2])
    assert sum(loader_means) / 120 == pytest.approx(1, abs=0.05)


def test_weights_are_relative_to_their_expectation(toy: Any) -> None:
    """reduce() multiplies each loss by its weight; gradients flow through it."""
    loader = toy.sifted(scores="fresh", correction=0.5, min_probability=0.1)
    batch = next(iter(loader))
    losses = torch.ones(len(batch[2]), requires_grad=True)
    loss = loader.reduce(losses)
    loss.backward()
    assert losses.grad is not None
    assert float(losses.grad.sum()) == pytest.approx(float(loss.detach()), abs=1e-6)
    assert len(set(losses.grad.tolist())) > 1


@ENGINES
@pytest.mark.parametrize("value", ["learnability", "gradient", "loss", "own"])
def test_every_value_chooses_what_it_says(toy: Any, scores: str, value: str) -> None:
    """The rows that a value prefers are kept, in either engine."""
    losses = torch.full((60,), 0.01)
    losses[:20] = math.log(2)
    losses[20:40] = 8.0
    own = torch.full((60,), 1e-4)
    own[:20] = 1.0
    loader = toy.sifted(
        toy.loader(60, shuffle=True, batch_size=30),
        loss=lambda model, batch: (losses[batch[2]], own[batch[2]]),
        scores=scores,
        law="proportional",
        value=value,
        keep=1 / 3,
        rescore_every=10_000,
        correction=0.5,
    )
    times = torch.zeros(60)
    for epoch in range(16):
        for batch in loader:
            loader.reduce(losses[batch[2]], values=own[batch[2]])
            times[batch[2]] += epoch > 0
    undecided, hopeless, mastered = (
        float(times[part].sum()) for part in torch.arange(60).split(20)
    )
    assert undecided + hopeless + mastered == 300
    if value in {"learnability", "own"}:
        assert undecided > 0.7 * 300
    else:
        assert hopeless > undecided > mastered


@ENGINES
@pytest.mark.parametrize("law", ["percentile", "proportional"])
@pytest.mark.parametrize("value", ["loss", "own"])
def test_the_cap_keeps_suspected_mislabels_out(toy: Any, scores: str, law: str, value: str) -> None:
    """Rows above the percentile get the floor, whatever their loss and their value."""
    losses = torch.arange(60) / 10 + 0.1
    loader = toy.sifted(
        toy.loader(60, shuffle=True, batch_size=30),
        loss=lambda model, batch: (losses[batch[2]], losses[batch[2]]),
        scores=scores,
        law=law,
        value=value,
        high_loss_cap=0.8,
        rescore_every=10_000,
        loss_history_length=60,
    )
    times = torch.zeros(60)
    for epoch in range(10):
        for batch in loader:
            loader.reduce(losses[batch[2]], values=losses[batch[2]])
            times[batch[2]] += epoch > 0
    assert float(times[50:].sum()) <= (0 if scores == "memory" else 12)
    assert float(times[38:46].sum()) > 8 * 9 * 0.5


@ENGINES
def test_min_probability_is_a_floor(toy: Any, scores: str) -> None:
    """The easiest rows come about as often as the floor says."""
    losses = torch.arange(100) / 100 + 0.01
    loader = toy.sifted(
        toy.loader(100, shuffle=True, batch_size=25),
        loss=lambda model, batch: losses[batch[2]],
        law="percentile",
        scores=scores,
        keep=0.25,
        min_probability=0.1,
        rescore_every=10_000,
    )
    times = torch.zeros(100)
    for epoch in range(81):
        for batch in loader:
            loader.reduce(losses[batch[2]])
            times[batch[2]] += epoch > 0
    assert 0.05 < float(times[:20].mean()) / 80 < 0.13


@ENGINES
def test_two_iterators_have_one_epoch(toy: Any, scores: str) -> None:
    """A later iter() ends the earlier epoch; the earlier iterator says so."""
    loader = toy.sifted(scores=scores)
    first = iter(loader)
    next(first)
    second = iter(loader)
    with pytest.raises(SiftUsageError, match=r"ended by a later iter\(\)"):
        next(first)
    assert len(list(second)) == len(loader)


@ENGINES
def test_an_iterator_at_its_end_stays_there(toy: Any, scores: str) -> None:
    """As Python asks of iterators, also when another epoch has begun."""
    loader = toy.sifted(scores=scores)
    iterator = iter(loader)
    for batch in iterator:
        toy.step(loader, batch)
    assert iter(iterator) is iterator
    iter(loader)
    assert list(iterator) == []


@ENGINES
def test_every_sample_is_accounted_for_at_every_moment(toy: Any, scores: str) -> None:
    """Metrics: seen = kept + dropped + waiting, through breaks and carried rows."""
    seen: list[Observation] = []
    loader = toy.sifted(
        toy.loader(45, shuffle=True),
        scores=scores,
        keep=0.6,
        leftover="carry",
        log_every=1,
        listener=seen.append,
        epochs=8,
    )
    for stop in (99, 99, 2, 99, 1, 99):
        for place, batch in enumerate(loader):
            if place == stop:
                break
            toy.step(loader, batch)
    assert len(seen) > 20
    for values in (observation.values for observation in seen):
        held = values["samples_waiting"]
        assert 0 <= held < 8
        assert values["samples_seen"] == values["samples_kept"] + values["samples_dropped"] + held


def test_waiting_is_what_the_fresh_engine_really_holds(toy: Any) -> None:
    """Rows in the buffer, counted by what is saved of them."""
    loader = toy.sifted(toy.loader(45), scores="fresh", keep=0.6, leftover="carry")
    for stop in (2, 99, 3, 0, 99):
        for place, batch in enumerate(loader):
            state = loader.state_dict()
            held = sum(part["rows"] for part in state["engine"]["waiting"]["parts"])
            counters = state["meter"]
            assert counters["seen"] == counters["kept"] + counters["dropped"] + held
            if place == stop:
                break
            toy.step(loader, batch)


def test_an_error_in_the_users_loss_loses_one_batch(toy: Any) -> None:
    """It comes out as it is; the iterator goes on with the next batch, and accounts stay right."""
    calls = [0]

    def sometimes(model: nn.Module, batch: Any) -> Tensor:
        calls[0] += 1
        if calls[0] == 2:
            msg = "the second batch has no loss"
            raise ZeroDivisionError(msg)
        return toy.loss(model, batch)

    loader = toy.sifted(scores="fresh", loss=sometimes)
    iterator = iter(loader)
    with pytest.raises(ZeroDivisionError, match="second batch"):
        next(iterator)
    assert toy.model.training
    rows = sum(len(batch[2]) for batch in iterator)
    counters = loader.state_dict()["meter"]
    assert (rows, counters["seen"], counters["kept"], counters["dropped"]) == (16, 32, 16, 16)


def test_an_error_in_the_training_step_changes_nothing(toy: Any) -> None:
    """What a loop that catches it does with its loader is its own affair."""
    loader = toy.sifted(scores="memory")
    iterator = iter(loader)
    next(iterator)
    with pytest.raises(SiftLossError):
        loader.reduce(torch.tensor(1.0))
    batch = next(iterator)
    loader.reduce(toy.loss(toy.model, batch), batch)
    assert len(list(iterator)) == 3


MISTAKES: dict[str, Any] = {
    "averaged": (lambda losses: losses.mean(), 'reduction="none"'),
    "two dimensions": (lambda losses: losses[:, None], r"got \(8, 1\)"),
}


@pytest.mark.parametrize("case", MISTAKES.values(), ids=MISTAKES)
def test_reduce_names_the_likely_mistake(toy: Any, case: Any) -> None:
    """Losses of the wrong shape are refused."""
    change, words = case
    loader = toy.sifted(scores="memory")
    batch = next(iter(loader))
    with pytest.raises(SiftLossError, match=words):
        loader.reduce(change(toy.loss(toy.model, batch)))


def test_losses_on_another_device_are_refused_in_words(toy: Any) -> None:
    """In the first step, by reduce() and by scoring."""
    loader = toy.sifted(scores="memory")
    next(iter(loader))
    with pytest.raises(SiftLossError, match="losses are on meta, the model is on cpu"):
        loader.reduce(torch.ones(8, device="meta"))
    loader = toy.sifted(
        scores="fresh", loss=lambda model, batch: torch.ones(len(batch[0]), device="meta")
    )
    with pytest.raises(SiftLossError, match=r"on meta, the model on cpu"):
        next(iter(loader))


def test_losses_nobody_waits_for_are_refused_in_words(toy: Any) -> None:
    """More of them than batches, or of another length."""
    loader = toy.sifted(scores="fresh")
    with pytest.raises(SiftUsageError, match="no outstanding batch has that length"):
        loader.reduce(torch.ones(8))


def test_a_model_without_parameters_has_no_device(toy: Any) -> None:
    """Then losses may be anywhere."""
    loader = SiftingDataloader(
        sift_config=SiftConfig(keep=0.5),
        orig_dataloader=toy.loader(),
        loss_impl=toy.loss,
        model=nn.Identity(),
    )
    next(iter(loader))
    assert float(loader.reduce(torch.ones(8))) == 1.0


@pytest.mark.parametrize("config", [{"scores": "fresh"}, {"scores": "auto"}])
def test_correction_without_reduce_is_said_once(toy: Any, config: Any) -> None:
    """Weights that nobody applies are no correction."""
    notes: list[str] = []
    loader = toy.sifted(correction=0.5, on_note=notes.append, gate="off", **config)
    for _ in range(3):
        list(loader)
    said = [note for note in notes if "correction=0.5 has no effect" in note]
    assert len(said) == 1
    assert "loader.reduce(losses)" in said[0]


def test_plain_twins_need_no_reduce(toy: Any) -> None:
    """With sifting off nothing is missed."""
    notes: list[str] = []
    loader = toy.sifted(correction=0.5, enabled=False, scores="memory", on_note=notes.append)
    for _ in range(3):
        list(loader)
    assert len(notes) == 1


@ENGINES
def test_the_listener_hears_every_log_every_steps_and_at_each_end(toy: Any, scores: str) -> None:
    """Numbers of the same moment; the loss since the line before."""
    seen: list[Observation] = []
    loader = toy.sifted(
        toy.loader(80, shuffle=True), scores=scores, log_every=4, listener=seen.append, epochs=2
    )
    for _ in range(2):
        for batch in loader:
            loader.reduce(torch.full((len(batch[2]),), 2.0) + 0 * toy.loss(toy.model, batch))
    steps = [observation.values["training_steps"] for observation in seen]
    expected = {"fresh": [4, 5, 9, 10], "memory": [4, 8, 10, 14, 15]}
    assert steps == expected[scores]
    last = seen[-1].values
    assert last["progress"] == 1.0
    assert last["epoch"] == 2
    assert last["samples_seen"] == 160
    assert last["train_loss"] == 2.0
    assert last["kept_share"] == pytest.approx({"fresh": 0.5, "memory": 0.75}[scores])
    assert seen[-1].kept_losses is not None or scores == "memory"


def test_what_is_recorded_reaches_the_listener(toy: Any) -> None:
    """Under the metric's name, with the place in the run."""
    seen: list[Observation] = []
    loader = toy.sifted(scores="fresh", listener=seen.append)
    loader.record(validation_accuracy=0.75)
    assert seen == [
        Observation(values={"epoch": 0.0, "training_steps": 0.0, "validation_accuracy": 0.75})
    ]
    toy.sifted(scores="fresh").record(validation_accuracy=0.75)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "acuracy",
            0.9,
            r"record\(\) takes validation_accuracy, got acuracy; print a value of another name",
        ),
        ("samples_seen", 3, r"record\(\) takes validation_accuracy, got samples_seen"),
        ("validation_accuracy", 93, r"must be a share, from 0 to 1, got 93\.0"),
        ("validation_accuracy", -0.001, r"must be a share, from 0 to 1, got -0\.001"),
    ],
)
def test_what_no_script_measures_is_refused(toy: Any, name: str, value: float, words: str) -> None:
    """Percents, misspelt names, and the names of what the toolkit counts itself."""
    seen: list[Observation] = []
    with pytest.raises(SiftUsageError, match=words):
        toy.sifted(scores="fresh", listener=seen.append).record(**{name: value})
    assert seen == []


def test_a_share_may_be_rounded_or_unknown(toy: Any) -> None:
    """A mean that came out at a hair above 1 ends no training, and neither does one of nothing."""
    seen: list[Observation] = []
    loader = toy.sifted(scores="fresh", listener=seen.append)
    for value in (1.0000000000000002, -1e-17, math.nan):
        loader.record(validation_accuracy=value)
    recorded = [each.values["validation_accuracy"] for each in seen]
    assert recorded[:2] == [1.0, 0.0]
    assert math.isnan(recorded[2])


def test_progress_follows_the_data(toy: Any) -> None:
    """From 0 to 1 over the run, evenly in the rows that came by, kept or not."""
    loader = toy.sifted(toy.loader(64), scores="fresh", epochs=2)
    marks = [loader.progress]
    for _ in range(2):
        for batch in loader:
            toy.step(loader, batch)
            marks.append(loader.progress)
    assert marks == sorted(marks)
    assert (marks[0], marks[-1]) == (0.0, 1.0)
    assert loader.progress == 1.0


def test_the_face_of_the_loader_inside(toy: Any) -> None:
    """Dataset and batch size are the loader's, None where there are none."""
    inner = toy.loader()
    loader = toy.sifted(inner, scores="fresh")
    assert loader.dataset is inner.dataset
    assert loader.batch_size == 8
    assert toy.sifted([], scores="fresh").dataset is None
    stream = toy.sifted(DataLoader(Stream(range(9)), batch_size=4), scores="fresh")
    assert stream.batch_size == 4
    assert loader.stuck_ids() == []


@pytest.mark.parametrize("index", [2, -1, "feature"])
def test_other_formats_are_refused_in_words(toy: Any, index: Any) -> None:
    """batch_format_index is 0, 1 or None."""
    with pytest.raises(SiftUsageError, match=r"must be 0 .* 1 .* or None"):
        SiftingDataloader(
            sift_config=SiftConfig(keep=0.5),
            orig_dataloader=toy.loader(),
            loss_impl=toy.loss,
            model=toy.model,
            batch_format_index=index,
        )


@ENGINES
def test_samples_in_dimension_1(toy: Any, scores: str) -> None:
    """A tensor of time first, samples second, comes out as it went in, with fewer samples."""
    inner = DataLoader(
        toy.rows(40), batch_size=8, collate_fn=lambda rows: torch.stack([row[0] for row in rows], 1)
    )
    shown: list[tuple[int, ...]] = []

    def loss(model: nn.Module, batch: Tensor) -> Tensor:
        shown.append(tuple(batch.shape))
        return batch.abs().sum(0) + 0.01

    loader = SiftingDataloader(
        sift_config=SiftConfig(keep=0.5, scores=scores),
        orig_dataloader=inner,
        loss_impl=loss,
        model=toy.model,
        on_note=lambda _: None,
        batch_format_index=1,
    )
    for _ in range(2):
        for batch in loader:
            loader.reduce(loss(toy.model, batch))
    assert tuple(batch.shape) in {(4, 4), (4, 8)}
    assert batch.is_contiguous()
    assert all(shape[0] == 4 for shape in shown)
    columns = {tuple(column) for column in toy.rows(40).tensors[0].tolist()}
    assert all(tuple(column) in columns for column in batch.T.tolist())


@ENGINES
@pytest.mark.parametrize("kind", [list, tuple])
def test_lists_indexed_by_sample(toy: Any, scores: str, kind: type) -> None:
    """As many samples as features make no difference, nor does their size; saved and resumed."""
    inner = DataLoader(toy.rows(24), batch_size=3, collate_fn=kind)

    def loss(model: nn.Module, batch: Any) -> Tensor:
        assert type(batch) is kind
        return torch.stack([sample[0].abs().sum() for sample in batch]) + 0.01

    def make() -> SiftingDataloader:
        return SiftingDataloader(
            sift_config=SiftConfig(keep=0.7, scores=scores),
            orig_dataloader=inner,
            loss_impl=loss,
            model=toy.model,
            on_note=lambda _: None,
            batch_format_index=0,
        )

    loader = make()
    for _ in range(2):
        for batch in loader:
            assert type(batch) is kind
            assert len(batch) <= 3
            assert all(len(sample) == 3 for sample in batch)
            loader.reduce(loss(toy.model, batch))
    iterator = iter(loader)
    loader.reduce(loss(toy.model, next(iterator)))
    other = make()
    other.load_state_dict(copy.deepcopy(loader.state_dict()))
    rest = [[int(sample[2]) for sample in batch] for batch in other]
    assert rest == [[int(sample[2]) for sample in batch] for batch in iterator]
    assert rest


def test_a_scoring_transform_sees_the_users_form(toy: Any) -> None:
    """Also where samples are in dimension 1."""
    shown = []

    def halved(batch: Tensor) -> Tensor:
        shown.append(tuple(batch.shape))
        return batch[:2]

    loader = SiftingDataloader(
        sift_config=SiftConfig(keep=0.5, scores="fresh"),
        orig_dataloader=[torch.rand(4, 6), torch.rand(4, 6)],
        loss_impl=lambda model, batch: batch.sum(0),
        model=toy.model,
        on_note=lambda _: None,
        scoring_transform=halved,
        batch_format_index=1,
    )
    assert [tuple(batch.shape) for batch in loader] == [(4, 6)]
    assert shown == [(4, 6), (4, 6)]


def test_a_proxy_is_scored_in_the_models_place(toy: Any) -> None:
    """A smaller model, or a moving average, given as `scoring_model`."""
    proxy = copy.deepcopy(toy.model)
    asked: list[nn.Module] = []

    def loss(model: nn.Module, batch: Any) -> Tensor:
        asked.append(model)
        return toy.loss(model, batch)

    loader = SiftingDataloader(
        sift_config=SiftConfig(keep=0.5, scores="fresh"),
        orig_dataloader=toy.loader(),
        loss_impl=loss,
        model=toy.model,
        scoring_model=proxy,
        on_note=lambda _: None,
    )
    list(loader)
    assert len(asked) == 5
    assert all(model is proxy for model in asked)


@ENGINES
def test_the_seed_decides_the_selection(toy: Any, make_toy: Any, scores: str) -> None:
    """The same seed chooses the same rows, another one others; whatever the global state."""

    def chosen(seed: int, global_seed: int) -> list[Any]:
        torch.manual_seed(global_seed)
        other = make_toy()
        loader = other.sifted(other.loader(60), scores=scores, seed=seed)
        return [other.epoch(loader) for _ in range(3)]

    assert chosen(1, 5) == chosen(1, 6)
    assert chosen(1, 5) != chosen(2, 5)


def test_a_sifted_loader_moves_no_global_generator(toy: Any, unmoved_rng: Any) -> None:
    """Over data in order, nothing is drawn but what the plain DataLoader draws for itself."""
    loader = toy.sifted(list(toy.loader()), scores="fresh")
    with unmoved_rng():
        for _ in range(2):
            list(loader)


def test_zip_with_a_range_leaves_the_loader_usable(toy: Any) -> None:
    """A loop that stops after some batches is a loop that broke out."""
    loader = toy.sifted(scores="fresh", keep=1.0)
    assert len(list(zip(range(2), loader, strict=False))) == 2
    assert len(list(itertools.islice(loader, 3))) == 3
    assert len(list(loader)) == 5


@ENGINES
@pytest.mark.parametrize("persistent", [False, True])
def test_workers_end_as_soon_as_the_loader_is_let_go(
    toy: Any, scores: str, persistent: bool
) -> None:
    """Nothing holds itself: workers that linger would be inherited by those that follow."""
    gc.collect()
    before = set(multiprocessing.active_children())
    gc.disable()
    try:
        inner = toy.loader(num_workers=1, persistent_workers=persistent)
        loader = toy.sifted(inner, scores=scores)
        iterator = iter(loader)
        next(iterator)
        assert set(multiprocessing.active_children()) != before
        del inner, loader, iterator
        assert set(multiprocessing.active_children()) == before
    finally:
        gc.enable()
