"""A loss that turns NaN or infinite for good: said, and where the run is ours, ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from sift_toolkit.errors import SiftLossError
from sift_toolkit.metrics import NONFINITE_LOSSES, TRAIN_LOSS, TRAINING_STEPS
from sift_toolkit.report import Observation

STEPS: Final = 100
"""Training steps in a row without a finite loss after which a run has nothing left to learn: a
step with such a loss turns the weights into NaN, and those every loss after it."""

_OBSERVATIONS: Final = 3

_MEND: Final = (
    "lower the learning rate, clip gradients, or look for such values in the data; training again "
    "from an older checkpoint may do too"
)


class Divergence:
    """Ends a training that has had no finite loss for `STEPS` steps, and up to twice as many.

    Args:
        model: whose weights are looked at where they are to be kept.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._losses: list[Tensor] = []

    @property
    def is_under_way(self) -> bool:
        """Whether the last loss or a weight is not finite: not a place to go on from.

        A step whose loss is finite may be the one that loses the weights. Waits for the device.
        """
        last = self._losses[-1:]
        return bool(last and not torch.isfinite(last[0])) or self._has_lost_weights()

    def refuse_lost_weights(self) -> None:
        """Keep a model that is of no use from being saved as a trained one.

        Raises:
            SiftLossError: weights are NaN or infinite.
        """
        if self._has_lost_weights():
            msg = f"the training is over, and the model's weights are NaN or infinite: {_MEND}"
            raise SiftLossError(msg)

    def _has_lost_weights(self) -> bool:
        return any(
            not bool(torch.isfinite(weight).all())
            for weight in self._model.parameters()
            # What is not trained may be infinite on purpose.
            if weight.requires_grad and not is_lazy(weight)
        )

    def see(self, loss: Tensor) -> None:
        """Take the loss of one step, of no dimensions; waits for the device every `STEPS` steps.

        Raises:
            SiftLossError: there is no way back.
        """
        self._losses.append(loss.detach())
        if len(self._losses) <= STEPS:
            return
        last = self._losses.pop()
        hopeless = not bool(torch.isfinite(torch.stack(self._losses)).any())
        self._losses = [last]
        if hopeless:
            msg = (
                f"the losses of the last {STEPS} training steps were all NaN or infinite, so the "
                f"model's weights are lost: {_MEND}"
            )
            raise SiftLossError(msg)


class DivergenceNote:
    """Says once that a script's own training has had no finite loss for a while; never ends it.

    Args:
        note: is told.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._had_loss = False
        self._last_steps = 0.0
        self._since: float | None = None
        self._without = 0
        self._has_noted = False

    def __call__(self, observation: Observation) -> None:
        """Take the next observation of the run."""
        values = observation.values
        steps = values.get(TRAINING_STEPS.name, 0.0)
        # Values of the user's measuring come without steps between; so may the end of an epoch.
        if NONFINITE_LOSSES.name not in values or steps <= self._last_steps:
            return
        before, self._last_steps = self._last_steps, steps
        if TRAIN_LOSS.name in values:
            self._had_loss, self._since, self._without = True, None, 0
            return
        if not self._had_loss and not values[NONFINITE_LOSSES.name]:
            # Perhaps a script that never hands its losses back.
            return
        self._since = before if self._since is None else self._since
        self._without += 1
        if self._without >= _OBSERVATIONS and not self._has_noted:
            self._has_noted = True
            self._note(
                f"no training loss has been finite since step {self._since:.0f}: the model may be "
                "lost to NaN; the training goes on, for it is the script's own"
            )
