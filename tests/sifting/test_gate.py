"""The gate, on both sides of break-even: work takes the time that a test says, and no other."""

from __future__ import annotations

import io
import itertools
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from sift_toolkit.sifting import _epoch_sifter, _run
from sift_toolkit.sifting._choice import choose
from sift_toolkit.sifting._gate import FIGURES, Gate
from sift_toolkit.sifting._timeline import WallTime

ROWS = 320
BATCHES = 40
SIFTED = 20
TRAIN = 1.0
BREAK_EVEN = {"fresh": TRAIN / 2, "memory": (BATCHES - SIFTED) * TRAIN}
"""Seconds of a scored batch, or of choosing an epoch, that cost what half of the batches save."""


class Rows(Dataset[Any]):
    """Rows (features, label, number) that take their time to load."""

    def __init__(self, rows: Any, work: Work) -> None:
        self._rows = rows
        self._work = work

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> Any:
        if math.isnan(self._work.load):
            msg = "no time"
            raise ValueError(msg)
        self._work.now += self._work.load
        return self._rows[number]


class Work:
    """A training whose clock is turned by nothing but its own loading, scoring and training."""

    def __init__(self, toy: Any, scores: str, patch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.load, self.score, self.train = 0.0, 0.0, TRAIN
        self.scored = 0
        self.starts_slowly = False
        self.notes: list[str] = []
        self._toy, self._scores = toy, scores
        patch.setattr(_run, "timeline_of", lambda _: WallTime(lambda: self.now))

        def slow_choose(*arguments: Any, **named: Any) -> Any:
            self.now += self.score
            return choose(*arguments, **named)

        patch.setattr(_epoch_sifter, "choose", slow_choose)

    def loss(self, model: torch.nn.Module, batch: Any) -> Any:
        """Score a batch; for a long time, if something is to warm up first."""
        self.now += 1000 if self.starts_slowly else self.score
        self.starts_slowly = False
        self.scored += 1
        return self._toy.loss(model, batch)

    def loader(self, rows: int = ROWS, **config: Any) -> Any:
        """Return a sifted loader of a training that begins, as in a process of its own."""
        inner = DataLoader(Rows(self._toy.rows(rows), self), batch_size=8)
        return self._toy.sifted(
            inner, loss=self.loss, scores=self._scores, on_note=self.notes.append, **config
        )

    def steps(self, batches: Any, loader: Any) -> list[list[int]]:
        """Train on batches; return the numbers of the rows of each."""
        numbers = []
        for batch in batches:
            self._toy.step(loader, batch)
            self.now += self.train
            numbers.append(batch[2].tolist())
        return numbers

    def epoch(self, loader: Any) -> list[list[int]]:
        """Train on an epoch; return the numbers of the rows of each batch."""
        return self.steps(loader, loader)

    def epochs(self, loader: Any, count: int) -> list[int]:
        """Train on epochs; return how many batches each had, as it was told at its start."""
        lengths = []
        for _ in range(count):
            batches = iter(loader)
            expected = len(loader)
            lengths.append(len(self.steps(batches, loader)))
            assert lengths[-1] == expected
        return lengths

    @property
    def gate_notes(self) -> list[str]:
        """What was said of the cost."""
        return [note for note in self.notes if "more time than" in note]


@pytest.fixture(params=["fresh", "memory"])
def scores(request: pytest.FixtureRequest) -> str:
    """Return each engine."""
    name: str = request.param
    return name


@pytest.fixture
def make_work(toy: Any, scores: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Work]:
    """Return what makes a training whose scores take so much of what they save."""

    def make(of_break_even: float) -> Work:
        work = Work(toy, scores, monkeypatch)
        work.score = of_break_even * BREAK_EVEN[scores]
        return work

    return make


@pytest.fixture
def fresh(toy: Any, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Return a training with fresh scores, whose times a test sets."""
    return Work(toy, "fresh", monkeypatch)


MakeWork = Callable[[float], Work]


def whole_first(scores: str) -> list[int]:
    """Return the lengths of the epochs before anything could be judged, and of the first judged."""
    return [SIFTED] if scores == "fresh" else [BATCHES, SIFTED]


class TestWarn:
    """A gate that says what sifting costs."""

    def test_a_cost_is_said_once(self, make_work: MakeWork, scores: str) -> None:
        """With its percentage and what to do; sifting goes on."""
        work = make_work(1.2)
        loader = work.loader(epochs=6, gate="warn")
        assert work.epochs(loader, 5)[-3:] == [SIFTED] * 3
        (note,) = work.gate_notes
        # Half of the time is left, and 60 % of the whole is added.
        assert "sifting costs more than it saves: 10% more time" in note
        assert 'set gate="on"' in note

    @pytest.mark.parametrize("of_break_even", [0.0, 0.8, 1.03])
    def test_a_saving_is_not(self, make_work: MakeWork, of_break_even: float) -> None:
        """Nor a cost of less than 2 %, which could be noise."""
        work = make_work(of_break_even)
        loader = work.loader(epochs=4, gate="warn")
        work.epochs(loader, 4)
        assert work.gate_notes == []

    def test_loading_that_is_saved_counts(self, make_work: MakeWork, scores: str) -> None:
        """A memory does not load what it drops; fresh scores load everything either way."""
        work = make_work(1.2)
        work.load = TRAIN / 8
        work.epochs(work.loader(epochs=6, gate="warn"), 5)
        assert len(work.gate_notes) == (scores == "fresh")

    @pytest.mark.parametrize("gate", ["warn", "on"])
    @pytest.mark.parametrize("epochs", [1, None])
    def test_the_last_epoch_is_judged_at_its_end(
        self, fresh: Work, gate: str, epochs: int | None
    ) -> None:
        """Where no other epoch may follow; "on" can then only say so, and waits if one may."""
        fresh.score = 1.0
        fresh.epoch(fresh.loader(epochs=epochs, gate=gate))
        assert len(fresh.gate_notes) == (gate == "warn" or epochs == 1)

    @pytest.mark.parametrize("gate", ["warn", "on"])
    @pytest.mark.parametrize("config", [{"keep": 1}, {"enabled": False}, {"anneal": 1.0}])
    def test_where_nothing_is_sifted_nothing_is_said(
        self, make_work: MakeWork, gate: str, config: dict[str, Any]
    ) -> None:
        """A plain twin costs nothing, however slow everything is."""
        work = make_work(50)
        work.load = 3.0
        loader = work.loader(epochs=3, gate=gate, **config)
        assert work.epochs(loader, 3) == [BATCHES] * 3
        assert work.gate_notes == []

    def test_off_says_nothing(self, make_work: MakeWork) -> None:
        """However much sifting costs."""
        work = make_work(50)
        loader = work.loader(epochs=4, gate="off")
        assert work.epochs(loader, 4)[-1] == SIFTED
        assert work.gate_notes == []


class TestOn:
    """A gate that ends sifting."""

    def test_it_falls_back_after_an_epoch_that_cost(self, make_work: MakeWork, scores: str) -> None:
        """Once and for all; said once, with its figures."""
        work = make_work(1.2)
        loader = work.loader(epochs=6, gate="on")
        first = whole_first(scores)
        assert work.epochs(loader, 6) == [*first, *[BATCHES] * (6 - len(first))]
        (note,) = work.gate_notes
        assert f"sifting ends with epoch {len(first)}" in note
        assert "it took 10% more time than that takes" in note
        assert loader._run._gate.report() == NOTHING

    def test_it_stays_open_while_sifting_pays(self, make_work: MakeWork, scores: str) -> None:
        """Nothing is said, and every epoch is sifted."""
        work = make_work(0.8)
        first = whole_first(scores)
        loader = work.loader(epochs=5, gate="on")
        assert work.epochs(loader, 5) == [*first, *[SIFTED] * (5 - len(first))]
        assert work.gate_notes == []

    def test_nothing_is_scored_any_more(self, fresh: Work) -> None:
        """No forward pass is made but the training's."""
        fresh.score = 1.0
        loader = fresh.loader(epochs=3, gate="on")
        fresh.epoch(loader)
        assert fresh.scored == BATCHES
        fresh.epochs(loader, 2)
        assert fresh.scored == BATCHES
        assert loader.state_dict()["meter"]["scored"] == ROWS

    def test_never_in_the_middle_of_an_epoch(self, make_work: MakeWork, scores: str) -> None:
        """However much it costs by then; what len() said stays true to the end."""
        work = make_work(100)
        loader = work.loader(epochs=4, gate="on")
        for expected in whole_first(scores):
            count = 0
            assert len(loader) == expected
            for batch in loader:
                work.steps([batch], loader)
                count += 1
                assert len(loader) == expected
                assert loader._run._position.sifts
                assert work.gate_notes == []
            assert count == expected
        iter(loader)
        assert len(loader) == BATCHES
        assert len(work.gate_notes) == 1

    @pytest.mark.parametrize("leftover", ["flush", "carry", "drop"])
    def test_rows_that_wait_are_not_lost(
        self, make_work: MakeWork, scores: str, leftover: str
    ) -> None:
        """What was chosen for a batch of the last sifted epoch comes in one, or goes on waiting."""
        work = make_work(20)
        loader = work.loader(ROWS - 3, epochs=5, gate="on", leftover=leftover, keep=0.55)
        work.epochs(loader, len(whole_first(scores)) + 1)
        assert len(work.gate_notes) == 1
        rows = work.epoch(loader)
        counters = loader.state_dict()["meter"]
        waiting = counters["seen"] - counters["kept"] - counters["dropped"]
        assert (waiting > 0) == (leftover == "carry")
        assert Counter(itertools.chain.from_iterable(rows)) == dict.fromkeys(range(ROWS - 3), 1)

    def test_rows_that_wait_come_with_the_first_whole_epoch(self, fresh: Work) -> None:
        """Where leftovers are flushed: at its end, beside all of its own."""
        fresh.score = 1.0
        loader = fresh.loader(gate="on", keep=0.55)
        fresh.steps(itertools.islice(loader, 19), loader)
        (waiting,) = loader.state_dict()["engine"]["waiting"]["parts"]
        numbers = waiting["leaves"][2].tolist()
        assert numbers
        batches = iter(loader)
        assert len(loader) == BATCHES + 1
        rows = fresh.steps(batches, loader)
        assert rows[-1] == numbers
        assert sorted(itertools.chain.from_iterable(rows[:-1])) == list(range(ROWS))

    def test_total_steps_follows(self, make_work: MakeWork, scores: str) -> None:
        """From the moment it closes, the run is as long as it will be."""
        work = make_work(1.2)
        loader = work.loader(epochs=5, gate="on")
        seen = work.epochs(loader, 3)
        total = loader.total_steps()
        assert sum(seen) + sum(work.epochs(loader, 2)) == total


class TestJudgement:
    """By what an epoch is judged."""

    @pytest.mark.parametrize("delay", [0, 12, BATCHES])
    @pytest.mark.parametrize("rows", [128, ROWS])
    def test_a_slow_start_is_no_reason(self, fresh: Work, delay: int, rows: int) -> None:
        """What compiles and tunes itself at the first scored batches, whenever they come."""
        fresh.score = 0.8 * BREAK_EVEN["fresh"]
        fresh.starts_slowly = True
        loader = fresh.loader(rows, epochs=6, gate="on", sift_delay=delay)
        assert fresh.epochs(loader, 5)[-1] == rows // 16
        assert not fresh.starts_slowly
        assert fresh.gate_notes == []

    def test_a_slow_start_hides_no_cost(self, fresh: Work) -> None:
        """Nor do first steps that take long to train make sifting look good."""
        fresh.score = 1.2 * BREAK_EVEN["fresh"]
        loader = fresh.loader(epochs=2, gate="on")
        epoch = iter(loader)
        fresh.train = 1000.0
        fresh.steps([next(epoch)], loader)
        fresh.train = TRAIN
        fresh.steps(epoch, loader)
        assert fresh.epochs(loader, 1) == [BATCHES]

    def test_a_look_at_a_batch_is_no_epoch(self, fresh: Work) -> None:
        """Batches that are scored and never trained on tell nothing of training."""
        fresh.score = 0.5 * BREAK_EVEN["fresh"]
        loader = fresh.loader(gate="on")
        for _ in range(5):
            next(iter(loader))
        assert fresh.epochs(loader, 2) == [SIFTED] * 2
        for _ in range(5):
            next(iter(loader))
        assert fresh.epochs(loader, 1) == [SIFTED]

    def test_short_epochs_are_judged_together(self, make_work: MakeWork, scores: str) -> None:
        """Until there are enough steps to tell: eight, after the nine of a warm-up if there is."""
        work = make_work(2)
        loader = work.loader(40, epochs=30, gate="on")
        expected = {"fresh": [3] * 6 + [5] * 2, "memory": [5, 3] + [5] * 6}
        assert work.epochs(loader, 8) == expected[scores]
        assert len(work.gate_notes) == 1

    @pytest.mark.parametrize(("score", "closes"), [(0.3, False), (0.7, True)])
    def test_a_falling_share_is_judged_by_what_is_to_come(
        self, fresh: Work, score: float, closes: bool
    ) -> None:
        """At 80 % kept a third of a step for scores is too much; at the 45 % to come it is not."""
        fresh.score = score
        loader = fresh.loader(epochs=5, gate="on", keep=0.9, keep_end=0.1)
        first, second = fresh.epochs(loader, 2)
        assert first == 33
        assert (second == BATCHES) == closes
        assert len(fresh.gate_notes) == closes

    def test_what_came_before_sifting_does_not_count(self, fresh: Work) -> None:
        """A delay of the run is no part of the epoch that is judged."""
        fresh.score = 1.05 * BREAK_EVEN["fresh"]
        loader = fresh.loader(epochs=9, gate="on", sift_delay=100)
        assert fresh.epochs(loader, 5) == [BATCHES, BATCHES, 30, SIFTED, BATCHES]


SAVES = dict(zip(FIGURES, (1000, 500, 500, 1000, 0, 100, 500, 60), strict=True))
COSTS = dict(zip(FIGURES, (1000, 500, 500, 1000, 0, 550, 500, 60), strict=True))
NOTHING = dict.fromkeys(FIGURES, 0.0)


class TestRanks:
    """Every rank is told what all of them measured, and decides the same."""

    @pytest.mark.parametrize(
        ("reports", "closes"),
        [
            ((COSTS,), True),
            ((SAVES,), False),
            ((SAVES, SAVES, SAVES), False),
            ((COSTS, SAVES, SAVES), True),
            ((COSTS, {**SAVES, "train_seconds": 950}), True),
            (({**SAVES, "train_seconds": 950}, SAVES), False),
            ((COSTS, {**COSTS, "score_seconds": 950}, SAVES), True),
            ((COSTS, NOTHING, NOTHING), True),
            (({**COSTS, "dropped": 0},), False),
            ((), False),
        ],
    )
    def test_the_slowest_decides(
        self, toy: Any, reports: tuple[dict[str, float], ...], closes: bool
    ) -> None:
        """All wait for it, and the wait is no training that is saved; in any order."""
        for ordered in itertools.permutations(reports):
            run = toy.sifted(scores="fresh", gate="on")._run
            gate: Gate = run._gate
            gate.decide(ordered)
            assert run._position.sifts is not closes

    def test_a_report_is_what_was_measured(self, fresh: Work) -> None:
        """Since the warm-up: eleven of an epoch's twenty steps, each from two scored batches."""
        fresh.load, fresh.score = 0.25, 3.0
        loader = fresh.loader(gate="on")
        assert loader._run._gate.report() == NOTHING
        fresh.epoch(loader)
        report = loader._run._gate.report()
        assert list(report) == list(FIGURES)
        expected = {"seen": 176, "kept": 88, "dropped": 88, "loaded": 176, "steps": 11}
        seconds = {"load_seconds": 44, "score_seconds": 66, "train_seconds": 11}
        assert report == {**expected, **seconds}
        assert loader._run._gate.report() == report

    def test_what_a_listener_takes_is_nobodys(self, make_work: MakeWork, scores: str) -> None:
        """A listener may evaluate the model: that is no training, nor loading."""
        work = make_work(0)
        work.load = 0.25

        def listen(_: object) -> None:
            work.now += 1000

        loader = work.loader(listener=listen, log_every=3, gate="off")
        work.epoch(loader)
        meter = loader.state_dict()["meter"]
        steps = SIFTED if scores == "fresh" else BATCHES
        times = (meter["load_seconds"], meter["score_seconds"], meter["train_seconds"])
        assert times == (0.25 * ROWS, 0, steps * TRAIN)

    def test_the_time_after_an_error_is_nobodys(self, fresh: Work) -> None:
        """A loop that catches it may take its time before it asks again."""
        loader, fresh.load = fresh.loader(gate="off"), 0.25
        batches = iter(loader)
        fresh.steps([next(batches)], loader)
        before = loader.state_dict()["meter"]
        fresh.load = float("nan")
        with pytest.raises(ValueError, match="no time"):
            next(batches)
        fresh.now += 1000
        fresh.load = 0.0
        next(batches)
        after = loader.state_dict()["meter"]
        assert after["load_seconds"] == before["load_seconds"]

    def test_off_reports_nothing(self, make_work: MakeWork) -> None:
        """And does not look at the time."""
        work = make_work(3)
        loader = work.loader(gate="off")
        work.epochs(loader, 2)
        assert loader._run._gate.report() == NOTHING


class TestState:
    """The decision, and what it follows from, survive."""

    @staticmethod
    def resumed(work: Work, loader: Any, **config: Any) -> Any:
        """Return a loader that goes on where another one is, as in a new process."""
        file = io.BytesIO()
        torch.save(loader.state_dict(), file)
        file.seek(0)
        second = work.loader(**config)
        second.load_state_dict(torch.load(file, weights_only=True))
        return second

    @pytest.mark.parametrize("gate", ["on", "warn", "off"])
    @pytest.mark.parametrize("steps", [0, 3])
    def test_a_closed_gate_stays_closed(
        self, make_work: MakeWork, scores: str, gate: str, steps: int
    ) -> None:
        """Saved between epochs or in one, whatever the gate is set to after; it is said once."""
        work = make_work(1.2)
        loader = work.loader(epochs=6, gate="on")
        work.epochs(loader, len(whole_first(scores)) + 1)
        work.steps(itertools.islice(loader, steps), loader)
        scored = work.scored
        second = self.resumed(work, loader, epochs=6, gate=gate)
        assert len(second) == BATCHES
        assert len(work.epoch(second)) == BATCHES - steps
        assert len(work.epoch(second)) == BATCHES
        assert work.scored == scored
        assert len(work.gate_notes) == 1

    def test_a_saved_epoch_is_judged_whole(self, make_work: MakeWork, scores: str) -> None:
        """What was measured before a checkpoint counts after it."""
        work = make_work(1.2)
        loader = work.loader(epochs=6, gate="on")
        work.epochs(loader, len(whole_first(scores)) - 1)
        work.steps(itertools.islice(loader, 18), loader)
        second = self.resumed(work, loader, epochs=6, gate="on")
        assert [len(work.epoch(second)) for _ in range(2)] == [2, BATCHES]

    @pytest.mark.parametrize("steps", [None, 1, 9])
    @pytest.mark.parametrize(
        "config", [{}, {"sift_delay": 10, "repeat_delay_per_epoch": True}], ids=["", "delay"]
    )
    def test_a_new_process_warms_up_again(
        self, fresh: Work, steps: int | None, config: dict[str, Any]
    ) -> None:
        """Its first scored batches are as slow as those of the first one were."""
        fresh.score = 0.8 * BREAK_EVEN["fresh"]
        config = {"epochs": 6, "gate": "on", **config}
        loader = fresh.loader(**config)
        length = len(fresh.epoch(loader))
        if steps is not None:
            fresh.steps(itertools.islice(loader, steps), loader)
        second = self.resumed(fresh, loader, **config)
        fresh.starts_slowly = True
        assert len(fresh.epoch(second)) == length - (steps or 0)
        assert fresh.epochs(second, 2) == [length] * 2

    def test_what_two_processes_measured_of_an_epoch_adds_up(self, fresh: Work) -> None:
        """Of twenty steps each, the first nine are its warm-up."""
        loader = fresh.loader(2 * ROWS, gate="on")
        fresh.steps(itertools.islice(loader, 20), loader)
        second = self.resumed(fresh, loader, rows=2 * ROWS, gate="on")
        fresh.epoch(second)
        report = second._run._gate.report()
        assert (report["steps"], report["kept"], report["seen"]) == (22, 22 * 8, 22 * 16)

    def test_a_warning_is_not_repeated(self, make_work: MakeWork, scores: str) -> None:
        """Also not by a process that goes on with the run."""
        work = make_work(2)
        loader = work.loader(epochs=9, gate="warn")
        work.epochs(loader, 3)
        assert len(work.gate_notes) == 1
        work.epochs(self.resumed(work, loader, epochs=9, gate="warn"), 2)
        assert len(work.gate_notes) == 1


def test_its_own_time_is_scoring(fresh: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it takes to look at the totals is charged to sifting."""
    loader = fresh.loader(gate="on")
    iter(loader)
    meter = loader._run._meter
    totals = meter.totals

    def slow_totals() -> Any:
        fresh.now += 7
        return totals()

    monkeypatch.setattr(meter, "totals", slow_totals)
    loader._run._gate.report()
    assert totals().score_seconds == 7
