"""Groups of equal losses, exact for few samples and from a histogram for many."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sift_toolkit.sifting import _ties
from sift_toolkit.sifting._history import percentile_intervals
from sift_toolkit.sifting._ties import tied_losses

MANY = 1 << 18


@given(st.lists(st.sampled_from([-1.5, -0.0, 0.0, 0.5, 0.5, 2.0, torch.inf, torch.nan])))
def test_few_samples_are_ranked_exactly(values: list[float]) -> None:
    """Every sample's interval is the one that sorting gives; what is not finite has no group."""
    losses = torch.tensor(values, dtype=torch.float32)
    ties = tied_losses(losses)
    known = losses.isfinite()
    assert (ties.groups >= 0).tolist() == known.tolist()
    groups = ties.groups[known].long()
    low, high = percentile_intervals(losses[known], losses[known]) if known.any() else (groups,) * 2
    assert torch.equal(ties.losses[groups], losses[known])
    torch.testing.assert_close(ties.low[groups], low.double())
    torch.testing.assert_close(ties.high[groups], high.double())
    assert ties.median == (float(losses[known].median()) if known.any() else 0.0)


def many(losses: Tensor) -> Tensor:
    """Return the losses, and so often again that they are many."""
    return losses.repeat(-(-MANY // losses.numel()))


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_many_samples_are_ranked_to_a_hundredth(scale: float) -> None:
    """Of losses of any size and either sign, in the right order, none of them a bad tie."""
    torch.manual_seed(0)
    losses = torch.randn(MANY) * scale
    ties = tied_losses(losses)
    low, high = percentile_intervals(losses, losses)
    groups = ties.groups.long()
    assert ((ties.low[groups] <= low) & (high <= ties.high[groups])).all()
    assert float((ties.high - ties.low).max()) < 0.01
    torch.testing.assert_close(ties.losses[groups], losses, rtol=0.005, atol=0)
    assert (ties.losses.diff() > 0).all()
    assert (ties.high > ties.low).all()


def test_many_samples_that_are_not_finite_belong_to_no_group() -> None:
    """Neither NaN nor an infinity of either sign; the others share out the whole."""
    losses = many(torch.tensor([1.0, torch.nan, torch.inf, -torch.inf, 2.0, -3.0]))
    ties = tied_losses(losses)
    assert ties.groups[:6].tolist() == [1, -1, -1, -1, 2, 0]
    torch.testing.assert_close(ties.high, torch.tensor([1 / 3, 2 / 3, 1.0], dtype=torch.float64))


@pytest.mark.parametrize("count", [0, 5, MANY])
def test_nothing_known_is_no_group(count: int) -> None:
    """A memory that knows nothing, of any size."""
    ties = tied_losses(torch.full((count,), torch.nan))
    assert [part.numel() for part in ties] == [count, 0, 0, 0]


def test_equal_losses_are_one_group() -> None:
    """All of many samples too."""
    ties = tied_losses(torch.full((MANY,), 0.25))
    assert (ties.low.tolist(), ties.high.tolist()) == ([0.0], [1.0])


def test_a_constant_of_the_module_says_what_many_is() -> None:
    """These tests are of both ways."""
    assert _ties._EXACT_UP_TO < MANY
