"""sequence_loss: a language model's loss, one number a sequence."""

from __future__ import annotations

import pytest
import torch

from sift_toolkit.errors import SiftLossError
from sift_toolkit.sifting import sequence_loss


def test_it_is_the_mean_over_each_sequences_own_targets() -> None:
    """As if each sequence were alone in its batch, without its padding."""
    torch.manual_seed(0)
    logits = torch.randn(3, 6, 11)
    labels = torch.randint(0, 11, (3, 6))
    labels[1, 4:] = labels[2, 1:] = -100
    expected = [
        torch.nn.functional.cross_entropy(logits[row, :length], labels[row, :length])
        for row, length in enumerate((6, 4, 1))
    ]
    torch.testing.assert_close(sequence_loss(logits, labels), torch.stack(expected))


def test_a_sequence_without_targets_has_no_loss() -> None:
    """It gives 0 and no gradient, not NaN."""
    logits = torch.randn(2, 3, 5, requires_grad=True)
    labels = torch.tensor([[-100, -100, -100], [1, 2, -100]])
    losses = sequence_loss(logits, labels)
    assert losses[0] == 0
    losses.sum().backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert logits.grad[0].abs().sum() == 0


def test_another_index_can_be_ignored() -> None:
    """Such as the number of the padding word."""
    logits = torch.randn(1, 4, 5)
    padded = sequence_loss(logits, torch.tensor([[3, 1, 0, 0]]), ignore_index=0)
    alone = sequence_loss(logits[:, :2], torch.tensor([[3, 1]]))
    torch.testing.assert_close(padded, alone)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(dtype: torch.dtype) -> None:
    """The loss of a long sequence does not lose its digits."""
    logits = torch.randn(2, 300, 7)
    labels = torch.randint(0, 7, (2, 300))
    losses = sequence_loss(logits.to(dtype), labels)
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses, sequence_loss(logits, labels), atol=0.01, rtol=0)


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 3, 5), (2, 4)), ((2, 3, 5), (2,))])
def test_shapes_that_do_not_belong_together_are_refused(
    shapes: tuple[tuple[int, ...], ...],
) -> None:
    """Both shapes are shown, and what is needed."""
    logits, labels = (torch.zeros(shape) for shape in shapes)
    with pytest.raises(SiftLossError, match=r"logits of shape \(batch, length, words\).*got"):
        sequence_loss(logits, labels)
