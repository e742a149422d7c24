"""The way back: the training loop's losses become its mean loss, and scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from sift_toolkit.errors import SiftLossError
from sift_toolkit.sifting._batches import Batch
from sift_toolkit.sifting._engine import Refined
from sift_toolkit.sifting._meter import Meter
from sift_toolkit.sifting._returned import OutstandingBatches


class Reduced(NamedTuple):
    """What came of the losses of a batch."""

    mean: Tensor
    """No dimensions, with its gradient."""
    ids: Tensor | None
    """Shape (batch,), whose losses they were, where that is known."""
    losses: Tensor
    """Shape (batch,), a copy without its gradient."""
    values: Tensor | None
    """Shape (batch,), a copy of the user's own."""


class Reduction:
    """Knows which batches are with the training loop, and takes their losses back.

    Args:
        model: the one that is trained.
        meter: is told the losses.
        needs_values: whether the user's own values must come with losses that are remembered.
        note: is told, once, of losses that never came back.
    """

    def __init__(
        self,
        model: nn.Module,
        meter: Meter,
        *,
        needs_values: bool,
        note: Callable[[str], None],
    ) -> None:
        self._note = note
        self._has_noted = False
        self._goes_by_order = False
        self._model = model
        self._meter = meter
        self._needs_values = needs_values
        self._outstanding = OutstandingBatches()
        self.was_used = False
        """Whether losses ever came back."""
        self._is_checked = False

    def begin_epoch(self, *, whole_one_is_over: bool) -> None:
        """Forget all outstanding batches: their epoch is over, or their process gone.

        Args:
            whole_one_is_over: whether an epoch came to its end, so that nothing is outstanding in
                a training loop that hands back the losses of every batch.
        """
        missing = len(self._outstanding)
        if whole_one_is_over and self._goes_by_order and missing and not self._has_noted:
            self._has_noted = True
            self._note(
                f"the losses of {missing} batches never came back, so others may have been taken "
                "for theirs: call reduce() for every batch, or say which: reduce(losses, batch)"
            )
        self._outstanding.forget()

    def hand_out(self, refined: Refined) -> None:
        """Remember a batch whose losses may come back."""
        self._outstanding.hand_out(refined.batch, refined.rows, refined.weights, refined.ids)

    def take_back(self, losses: Tensor, batch: Batch | None, values: Tensor | None) -> Reduced:
        """Return the weighted mean of losses, and whose they are.

        Raises:
            SiftLossError: *losses* are not one a sample, on the model's device, or *values* are
                missing or not one a sample.
            SiftUsageError: no outstanding batch fits.
        """
        self._check(losses, values)
        handed = self._outstanding.take_back(losses.numel(), batch)
        if handed.ids is not None and self._needs_values and values is None:
            msg = 'value="own" with a memory needs reduce(losses, values=...), one a sample'
            raise SiftLossError(msg)
        self.was_used = True
        self._goes_by_order |= batch is None
        # Copies: a compiled step writes the losses of the next batch into the same memory.
        kept = losses.detach().clone()
        own = None if values is None else values.detach().clone()
        self._meter.add_training_losses(kept)
        if handed.weights is None:
            return Reduced(losses.mean(), handed.ids, kept, own)
        # At least in float32: losses under autocast may be in bfloat16.
        kind = torch.promote_types(losses.dtype, torch.float32)
        weights = handed.weights.to(losses.device, kind, non_blocking=True)
        return Reduced((losses * weights).mean(), handed.ids, kept, own)

    def _check(self, losses: object, values: Tensor | None) -> None:
        if not isinstance(losses, Tensor) or losses.ndim != 1:
            got = tuple(losses.shape) if isinstance(losses, Tensor) else type(losses).__name__
            msg = (
                f"reduce() needs one loss a sample, a tensor of shape (batch,), got {got}: "
                'compute the loss with reduction="none"'
            )
            raise SiftLossError(msg)
        if values is not None and values.shape != losses.shape:
            msg = (
                f"reduce() needs one value a sample, shape {tuple(losses.shape)} like the losses, "
                f"got {tuple(values.shape)}"
            )
            raise SiftLossError(msg)
        if not self._is_checked:
            self._check_device(losses)
            self._is_checked = True

    def _check_device(self, losses: Tensor) -> None:
        """Once is enough: walking over all parameters takes time."""
        devices = {parameter.device for parameter in self._model.parameters()}
        if devices and losses.device not in devices:
            msg = (
                f"the losses are on {losses.device}, the model is on "
                f"{', '.join(sorted(map(str, devices)))}: hand them back as the model made them"
            )
            raise SiftLossError(msg)

    def state_dict(self) -> dict[str, Any]:
        """Return what is outstanding."""
        return {"outstanding": self._outstanding.state_dict(), "was_used": self.was_used}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state; what was outstanding can come back until the next batch."""
        self._outstanding.load_state_dict(state["outstanding"])
        self.was_used = state["was_used"]
