"""The user's loss: every form it may have, and every mistake named."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from sift_toolkit import SiftLossError
from sift_toolkit.sifting._loss import as_loss, check_scores

MODEL = nn.Linear(3, 4)
BATCH = (torch.ones(5, 3), torch.tensor([0, 1, 2, 3, 0]))
COUNT = 5


def per_sample(model: nn.Module, batch: Any) -> Tensor:
    """Return the cross entropy of each sample."""
    features, labels = batch
    return functional.cross_entropy(model(features), labels, reduction="none")


class AwsLoss:
    """AWS's form, with its optional third argument."""

    def loss(self, model: nn.Module, transformed_batch: Any, original_batch: Any = None) -> Tensor:
        """Return the cross entropy of each sample; both batches are there."""
        assert original_batch is transformed_batch
        return per_sample(model, transformed_batch)


class CallableLoss:
    """A callable object that keeps a torch loss in an attribute `loss`."""

    def __init__(self) -> None:
        self.loss = nn.CrossEntropyLoss(reduction="none")

    def __call__(self, model: nn.Module, batch: Any) -> Tensor:
        """Return the cross entropy of each sample."""
        features, labels = batch
        result: Tensor = self.loss(model(features), labels)
        return result


class ModuleLoss(nn.Module):
    """A module that calls another one `loss`."""

    def __init__(self) -> None:
        super().__init__()
        self.loss = nn.CrossEntropyLoss(reduction="none")

    def forward(self, model: nn.Module, batch: Any) -> Tensor:
        """Return the cross entropy of each sample."""
        features, labels = batch
        result: Tensor = self.loss(model(features), labels)
        return result


class TestForms:
    """What may be given as a loss."""

    @pytest.mark.parametrize(
        "loss",
        [per_sample, AwsLoss(), CallableLoss(), ModuleLoss(), lambda m, b: per_sample(m, b)],
        ids=["function", "AWS's object", "callable with a torch loss", "module", "lambda"],
    )
    def test_it_becomes_a_function_of_model_and_batch(self, loss: Any) -> None:
        """Functions, callable objects and objects with a method `loss` give the same losses."""
        assert torch.equal(as_loss(loss)(MODEL, BATCH), per_sample(MODEL, BATCH))

    def test_a_function_stays_itself(self) -> None:
        """Nothing is wrapped that need not be."""
        assert as_loss(per_sample) is per_sample

    @pytest.mark.parametrize("loss", [None, "cross_entropy", torch.ones(3)])
    def test_anything_else_is_refused(self, loss: Any) -> None:
        """What is neither callable nor has a method is refused, with the forms there are."""
        with pytest.raises(SiftLossError, match=r"must be a function \(model, batch\) -> one loss"):
            as_loss(loss)

    @pytest.mark.parametrize("loss", [AwsLoss, CallableLoss, nn.CrossEntropyLoss])
    def test_a_class_is_not_its_object(self, loss: Any) -> None:
        """A class in place of its object is refused with the call that was forgotten."""
        with pytest.raises(SiftLossError, match=rf"got the class .*: give {loss.__name__}\(\)"):
            as_loss(loss)


class TestScores:
    """What a loss may return."""

    @pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.int64, torch.bool])
    def test_losses_are_floats_on_the_cpu(self, dtype: torch.dtype) -> None:
        """Losses of any real dtype become 32-bit floats."""
        scores = check_scores(torch.ones(COUNT, dtype=dtype), COUNT, needs_own=False)
        assert scores.losses.dtype == torch.float32
        assert scores.losses.tolist() == [1] * COUNT
        assert scores.own is None

    def test_scores_are_a_copy_without_a_graph(self) -> None:
        """What is remembered is not the user's tensor, and needs no gradient."""
        losses = torch.ones(COUNT, requires_grad=True)
        scores = check_scores(losses, COUNT, needs_own=False)
        assert not scores.losses.requires_grad
        scores.losses.zero_()
        assert losses.tolist() == [1] * COUNT

    def test_values_of_ones_own_come_second(self) -> None:
        """A second tensor is taken where it is needed."""
        result = (torch.zeros(COUNT), torch.arange(COUNT))
        scores = check_scores(result, COUNT, needs_own=True)
        assert scores.own is not None
        assert scores.own.tolist() == [0, 1, 2, 3, 4]

    def test_values_nobody_needs_are_left(self) -> None:
        """A loss that returns a second tensor may be used where none is needed."""
        result = (torch.zeros(COUNT), "anything")
        assert check_scores(result, COUNT, needs_own=False).own is None

    def test_losses_that_are_not_finite_pass(self) -> None:
        """NaN and infinities are for the config's policy, not for this check."""
        scores = check_scores(torch.tensor([math.nan, math.inf]), 2, needs_own=False)
        assert not bool(scores.losses.isfinite().any())

    @pytest.mark.parametrize(
        "losses", [[], [0.0, -1.5], [3e38, 3e38], [-3e38, -3e38, 3e38], [1e-45, 0.0]]
    )
    def test_finite_losses_need_no_mask(self, losses: list[float]) -> None:
        """Where all losses are finite nothing is told, even if their sum is no 32-bit float."""
        scores = check_scores(torch.tensor(losses), len(losses), needs_own=False)
        assert scores.finite is None

    @pytest.mark.parametrize("bad", [[math.nan], [math.inf], [-math.inf], [math.inf, -math.inf]])
    def test_losses_that_are_not_finite_are_told(self, bad: list[float]) -> None:
        """The mask has the rows with a finite loss, also where infinities would cancel."""
        losses = torch.tensor([*bad, 3e38, 0.0])
        scores = check_scores(losses, losses.numel(), needs_own=False)
        assert scores.finite is not None
        assert scores.finite.tolist() == [False] * len(bad) + [True, True]

    def test_a_loss_too_large_for_32_bits_is_not_finite(self) -> None:
        """What counts is the loss as it is kept, not as the user computed it."""
        scores = check_scores(torch.tensor([1e39, 1.0], dtype=torch.float64), 2, needs_own=False)
        assert scores.finite is not None
        assert scores.finite.tolist() == [False, True]

    def test_values_are_finite_or_told_too(self) -> None:
        """A row needs a finite loss and a finite value of the user's own."""
        losses = torch.tensor([1.0, math.nan, 3e38])
        for own, finite in (
            ([3e38, 3e38, 3e38], [True, False, True]),
            ([math.inf, 2.0, 3.0], [False, False, True]),
        ):
            scores = check_scores((losses, torch.tensor(own)), 3, needs_own=True)
            assert scores.finite is not None
            assert scores.finite.tolist() == finite
        large = torch.full((3,), 3e38)
        assert check_scores((large, large), 3, needs_own=True).finite is None
        own_only = check_scores((large, torch.tensor([0.0, 0.0, math.nan])), 3, needs_own=True)
        assert own_only.finite is not None
        assert own_only.finite.tolist() == [True, True, False]

    def test_values_nobody_needs_make_no_row_bad(self) -> None:
        """A second tensor that is not asked for may hold anything."""
        result = (torch.zeros(2), torch.full((2,), math.nan))
        assert check_scores(result, 2, needs_own=False).finite is None

    def test_an_empty_batch_has_no_losses(self) -> None:
        """A batch of no samples has an empty loss, and a wrong one is still named."""
        assert check_scores(torch.empty(0), 0, needs_own=False).losses.tolist() == []
        with pytest.raises(SiftLossError, match="does the loss see the batch it was given"):
            check_scores(torch.empty(3), 0, needs_own=False)


class TestMistakes:
    """The likely mistakes, each with its mend."""

    @pytest.mark.parametrize(
        ("shape", "mistake"),
        [
            ((), 'it was already averaged; compute it with reduction="none"'),
            ((COUNT, 1), "take the mean over all dimensions but the first"),
            ((COUNT, 7, 3), "take the mean over all dimensions but the first"),
            ((COUNT * 7,), "samples and their parts are mixed in one dimension; reshape it"),
            ((7, COUNT), "the samples stand in dimension 1; move them to the first one"),
            ((3,), "does the loss see the batch it was given?"),
            ((0,), "does the loss see the batch it was given?"),
        ],
    )
    def test_wrong_shapes(self, shape: tuple[int, ...], mistake: str) -> None:
        """A wrong shape is shown beside the right one, with what probably went wrong."""
        with pytest.raises(SiftLossError) as caught:
            check_scores(torch.ones(shape), COUNT, needs_own=False)
        assert str(caught.value).startswith(
            "the loss must have shape (5,), one number for each sample (dimension 0 of the "
            f"batch's first tensor), got {shape}: {mistake}"
        )

    @pytest.mark.parametrize(
        "result", [0.5, None, [torch.ones(COUNT)], {"loss": torch.ones(COUNT)}]
    )
    def test_no_tensor(self, result: object) -> None:
        """Numbers, lists and a model's whole output are no losses."""
        with pytest.raises(
            SiftLossError, match=f"the loss must be a tensor .*, got {type(result).__name__}"
        ):
            check_scores(result, COUNT, needs_own=False)

    def test_three_tensors(self) -> None:
        """A tuple that is not a pair is no loss either."""
        with pytest.raises(SiftLossError, match="got tuple"):
            check_scores((torch.ones(COUNT),) * 3, COUNT, needs_own=False)

    def test_missing_values(self) -> None:
        """A config that follows the user's own values needs a loss that returns them."""
        with pytest.raises(
            SiftLossError, match=r'value="own" needs a loss that returns two tensors'
        ):
            check_scores(torch.ones(COUNT), COUNT, needs_own=True)

    def test_wrong_values(self) -> None:
        """The second tensor is held to the same shape, and called by its name."""
        with pytest.raises(SiftLossError, match=r"the second tensor must have shape \(5,\)"):
            check_scores((torch.ones(COUNT), torch.ones(())), COUNT, needs_own=True)

    @pytest.mark.parametrize("needs_own", [False, True])
    def test_another_device(self, needs_own: bool) -> None:
        """A loss that is not where the model is was moved, which costs a wait a batch."""
        here, there = torch.ones(COUNT), torch.ones(COUNT, device="meta")
        result = (here, there) if needs_own else there
        name = "second tensor" if needs_own else "loss"
        with pytest.raises(
            SiftLossError, match=f"the {name} is on meta, the model on cpu: return it"
        ):
            check_scores(result, COUNT, needs_own=needs_own, devices=[torch.device("cpu")])
