"""The way back: whose losses they are, and what is kept of them."""

from __future__ import annotations

import torch
from torch import nn

from sift_toolkit.sifting._engine import Refined
from sift_toolkit.sifting._meter import Meter
from sift_toolkit.sifting._reduction import Reduction


def test_losses_may_be_written_over_by_the_next_step() -> None:
    """Steps that leave their losses in one place, as replayed CUDA graphs do, are told apart."""
    meter = Meter()
    reduction = Reduction(nn.Identity(), meter, needs_values=True, note=lambda _: None)
    losses, values, kept = torch.empty(4), torch.empty(4), []
    for step in range(2):
        batch = torch.zeros(4)
        reduction.hand_out(Refined(batch, 4, None, torch.arange(4)))
        losses.fill_(step + 1.0)
        values.fill_(step + 3.0)
        kept.append(reduction.take_back(losses, None, values))
    assert [each.losses.tolist() for each in kept] == [[1.0] * 4, [2.0] * 4]
    assert [each.values.tolist() for each in kept if each.values is not None] == [
        [3.0] * 4,
        [4.0] * 4,
    ]
    assert meter.observe({}).values["train_loss"] == 1.5


def test_a_saved_queue_holds_its_own_rows_only() -> None:
    """Ids that are a view of a whole epoch's are saved without the rest of it."""
    reduction = Reduction(nn.Identity(), Meter(), needs_values=False, note=lambda _: None)
    epoch = torch.arange(1000)
    reduction.hand_out(Refined(torch.zeros(4), 4, None, epoch[8:12]))
    ((_, _, ids),) = reduction.state_dict()["outstanding"]["queue"]
    assert ids.tolist() == [8, 9, 10, 11]
    assert ids.untyped_storage().nbytes() == 4 * 8
