"""What the parts of one run share: the user's arguments, and state that several of them move."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from torch import Generator
from torch.distributed import ProcessGroup

from sift_toolkit.config import SiftConfig
from sift_toolkit.sifting._batches import Batch, Pad
from sift_toolkit.sifting._labels import Labels
from sift_toolkit.sifting._layout import Layout
from sift_toolkit.sifting._meter import Meter
from sift_toolkit.sifting._ranks import Ranks
from sift_toolkit.sifting._schedule import EpochShape, Position
from sift_toolkit.sifting._scoring import Scorer
from sift_toolkit.sifting._source import shape_of


@dataclasses.dataclass
class Extent:
    """How much data there is, as far as that is known."""

    shape: EpochShape | None
    """Of an epoch, that of the rank with the least data; None: not known without reading."""
    epochs: int | None
    """Epochs of the run, None if unknown."""
    own_shape: EpochShape | None = dataclasses.field(init=False)
    """Of an epoch of this rank's data."""

    def __post_init__(self) -> None:
        self.own_shape = self.shape

    @property
    def run_rows(self) -> int | None:
        """Rows of all epochs together, None if unknown."""
        return self.shape.rows_given * self.epochs if self.shape and self.epochs else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wiring:
    """What the parts of one run share."""

    config: SiftConfig
    """How to sift."""
    loader: Iterable[Batch]
    """The user's, any iterable of batches."""
    scorer: Scorer
    """Gives each sample its loss."""
    layout: Layout
    """Where the samples are in a batch."""
    pad: Pad | None
    """Joins rows of batches whose tensors differ in their trailing sizes."""
    note: Callable[[str], None]
    """Is told decisions in words."""
    ranks: Ranks
    """The processes that train together."""
    shares_samples: bool | None
    """Whether ids mean the same samples on all ranks; None: as the sampler suggests."""
    extent: Extent
    generator: Generator
    """Randomness of the selection."""
    position: Position
    """How far the run has come."""
    meter: Meter
    """Counts and times."""
    labels: Labels | None = None
    """The user's, by sample id or as a function of a batch; None: there are no classes."""


def wire(
    config: SiftConfig,
    loader: Iterable[Batch],
    *,
    epochs: int | None,
    scorer: Scorer,
    layout: Layout,
    pad: Pad | None,
    note: Callable[[str], None],
    process_group: ProcessGroup | None = None,
    shares_samples: bool | None = None,
    labels: Labels | None = None,
) -> Wiring:
    """Return what the parts of a run that begins share."""
    return Wiring(
        config=config,
        loader=loader,
        scorer=scorer,
        layout=layout,
        pad=pad,
        note=note,
        ranks=Ranks(process_group, note),
        shares_samples=shares_samples,
        extent=Extent(shape_of(loader), epochs),
        generator=Generator().manual_seed(config.seed),
        position=Position(),
        meter=Meter(note=note),
        labels=labels,
    )
