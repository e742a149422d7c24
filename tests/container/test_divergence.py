"""A loss that stays NaN ends the trainer's run; a script of the user's own is only told."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from sift_toolkit import SiftConfig, SiftLossError
from sift_toolkit.container._divergence import STEPS, Divergence, DivergenceNote
from sift_toolkit.container._recorder import MetricRecorder
from sift_toolkit.report import Observation
from sift_toolkit.sifting import Listener


def see(divergence: Divergence, *losses: float) -> None:
    """Take some steps."""
    for loss in losses:
        divergence.see(torch.tensor(loss))


class TestDivergence:
    """The trainer's own run."""

    @pytest.mark.parametrize("loss", [math.nan, math.inf])
    @pytest.mark.parametrize("finite", [0, 1, 30, STEPS])
    def test_losses_that_are_lost_for_good(self, finite: int, loss: float) -> None:
        """The run ends in words, at the latest after twice the steps."""
        divergence = Divergence(nn.Linear(1, 1))
        see(divergence, *[1.0] * finite)
        with pytest.raises(SiftLossError, match=f"last {STEPS} training steps were all NaN or inf"):
            see(divergence, *[loss] * (2 * STEPS + 1))

    def test_one_finite_loss_is_hope(self) -> None:
        """Some that are not finite end nothing."""
        divergence = Divergence(nn.Linear(1, 1))
        for _ in range(10):
            see(divergence, 1.0, *[math.nan] * (STEPS - 1))

    def test_a_loss_that_is_not_finite_is_under_way(self) -> None:
        """No checkpoint is to be written then; with the next finite one, again."""
        divergence = Divergence(nn.Linear(1, 1))
        assert not divergence.is_under_way
        told = []
        for loss in (1.0, math.nan, 2.0):
            see(divergence, loss)
            told.append(divergence.is_under_way)
        assert told == [False, True, False]

    @pytest.mark.parametrize("value", [math.nan, -math.inf])
    def test_a_step_that_loses_the_weights(self, value: float) -> None:
        """Its loss may be finite: no checkpoint then, and no model in the end."""
        model = nn.Linear(2, 2)
        divergence = Divergence(model)
        see(divergence, 1.0)
        divergence.refuse_lost_weights()
        assert not divergence.is_under_way
        with torch.no_grad():
            model.weight[1, 0] = value
        assert divergence.is_under_way
        with pytest.raises(SiftLossError, match="weights are NaN or infinite: lower the learning"):
            divergence.refuse_lost_weights()

    def test_weights_that_are_not_trained(self) -> None:
        """They may be infinite on purpose; those that are not made yet are nobody's loss."""
        mask = nn.Parameter(torch.tensor(-math.inf), requires_grad=False)
        layers = nn.ModuleList([nn.Linear(1, 1), nn.LazyLinear(1)])
        layers.register_parameter("mask", mask)
        divergence = Divergence(layers)
        divergence.refuse_lost_weights()
        assert not divergence.is_under_way

    def test_it_holds_no_graph(self) -> None:
        """Losses are remembered without what they were computed from."""
        divergence = Divergence(nn.Linear(1, 1))
        divergence.see(torch.ones((), requires_grad=True) * 2)
        assert not divergence._losses[0].requires_grad


class TestDivergenceNote:
    """A script that calls sift()."""

    @pytest.fixture
    def notes(self) -> list[str]:
        """What was said."""
        return []

    @staticmethod
    def observe(note: Listener, steps: int, loss: float | None, nonfinite: int = 0) -> None:
        """Tell of a step."""
        values = {"training_steps": float(steps), "nonfinite_losses": float(nonfinite)}
        note(Observation(values=values if loss is None else {**values, "train_loss": loss}))

    def test_it_is_said_once(self, notes: list[str]) -> None:
        """With the step since when, and that nothing is stopped."""
        note = DivergenceNote(notes.append)
        self.observe(note, 50, 1.0)
        for steps in range(100, 600, 50):
            self.observe(note, steps, None)

        assert len(notes) == 1
        assert notes[0].startswith("no training loss has been finite since step 50: the model may")

    def test_a_loss_that_comes_back(self, notes: list[str]) -> None:
        """Two intervals without a finite loss are not for good."""
        note = DivergenceNote(notes.append)
        for steps, loss in enumerate([1.0, None, None, 1.0, None, None, 1.0], start=1):
            self.observe(note, steps, loss)
        assert notes == []

    def test_a_script_that_hands_no_losses_back(self, notes: list[str]) -> None:
        """Nobody knows its losses; with scores that are not finite, the model's are known."""
        note = DivergenceNote(notes.append)
        for steps in range(1, 9):
            self.observe(note, steps, None)
        assert notes == []
        for steps in range(9, 15):
            self.observe(note, steps, None, nonfinite=steps)
        assert len(notes) == 1

    def test_observations_without_steps(self, notes: list[str]) -> None:
        """The user's own values and the end of an epoch say nothing of losses."""
        note = DivergenceNote(notes.append)
        self.observe(note, 50, 1.0)
        for _ in range(9):
            self.observe(note, 50, None)
            note(Observation(values={"training_steps": 60.0, "validation_accuracy": 0.5}))
        assert notes == []


def test_a_job_says_it_among_its_notes(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever records a job's metrics watches its losses."""
    recorder = MetricRecorder(SiftConfig(keep=0.5), None)
    for steps, loss in enumerate([1.0, None, None, None], start=1):
        TestDivergenceNote.observe(recorder, steps, loss)

    assert "[sift] note: no training loss has been finite since step 1" in capsys.readouterr().out
