"""A sifted loader that Accelerate's loops take for one of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from accelerate.state import GradientState
from torch import device, nn

from sift_toolkit.config import SiftConfig
from sift_toolkit.container._sift import job_sifting
from sift_toolkit.contract import JobTree
from sift_toolkit.integrations._prepared import plain_loader
from sift_toolkit.sifting import Batch, Loss, LossObject, SiftingDataloader, to_device

_GIVEN_KEY: Final = "given_in_epoch"


def sifted_shard(
    prepared: Any,
    *,
    model: nn.Module,
    loss: Loss | LossObject,
    epochs: int | None,
    config: SiftConfig | None,
    **options: Any,
) -> SiftedShard:
    """Return a prepared loader sifted as the job, or else *config*, asks."""
    followed, recorder = job_sifting(JobTree.current(), config)
    return SiftedShard(
        place=getattr(prepared, "device", None),
        sift_config=followed,
        orig_dataloader=plain_loader(prepared),
        loss_impl=loss,
        model=model,
        epochs=epochs,
        listener=recorder,
        on_note=recorder.note,
        **options,
    )


class SiftedShard(SiftingDataloader):
    """Places its batches on the device, and tells Accelerate which one is an epoch's last.

    Args:
        place: the device; None: batches stay where they are.
        sift_config: how to sift.
        given: all that a `SiftingDataloader` takes.
    """

    def __init__(self, *, place: device | None, sift_config: SiftConfig, **given: Any) -> None:
        super().__init__(sift_config=sift_config, **given)
        self._place = place
        self._is_exact = sift_config.selection == "quota" and sift_config.nonfinite != "drop"
        self._given = 0
        self._resumes = False
        self._gradient_state = GradientState()
        # Read by Accelerate from the loader that is under way.
        self.end_of_dataloader = False
        self.remainder = -1

    def __iter__(self) -> Iterator[Batch]:
        """Begin the next epoch, as `SiftingDataloader` does."""
        batches = super().__iter__()
        self._given = self._given if self._resumes else 0
        self._resumes = False
        return self._placed(batches)

    def _placed(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        self.end_of_dataloader = False
        self._gradient_state._add_dataloader(self)  # noqa: SLF001 - as Accelerate's loaders do
        try:
            for batch, is_last in self._with_end(batches):
                self.end_of_dataloader = is_last
                yield batch if self._place is None else to_device(batch, self._place)
        finally:
            self._gradient_state._remove_dataloader(self)  # noqa: SLF001 - see above

    def _with_end(self, batches: Iterator[Batch]) -> Iterator[tuple[Batch, bool]]:
        """Yield batches, and whether each is the last of the epoch."""
        length = self._exact_length()
        if length is None:
            yield from _one_ahead(batches)
            return
        for batch in batches:
            self._given += 1
            yield batch, self._given >= length

    def _exact_length(self) -> int | None:
        try:
            return len(self) if self._is_exact else None
        except TypeError:
            return None

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed to go on exactly here.

        Where the length is not known, the batch that was read ahead is not handed out again.
        """
        return {**super().state_dict(), _GIVEN_KEY: self._given}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where a saved loader was; iterate to do so.

        Raises:
            SiftStateError: the state is of another config, of other data or of another version.
        """
        # What this class saved beside is not part of the form that the loader's own state has.
        rest = {key: value for key, value in state.items() if key != _GIVEN_KEY}
        super().load_state_dict(rest)
        self._given = state.get(_GIVEN_KEY, 0)
        self._resumes = state["mid_epoch"]


def _one_ahead(batches: Iterator[Batch]) -> Iterator[tuple[Batch, bool]]:
    try:
        batch = next(batches)
    except StopIteration:
        return
    for following in batches:
        yield batch, False
        batch = following
    yield batch, True
