"""What `log_batch_data` shows: all data that is scored, and all that is given out.

As warnings: Python shows no less of a script that configures no logging, and it was asked for.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from torch import Tensor, nn

from sift_toolkit.sifting import Batch, Loss
from sift_toolkit.smart_sifting.dataloader._transform_layout import Scored

_logger: Final = logging.getLogger("sift_toolkit.smart_sifting")


def warn_of_content() -> None:
    """Say once, where everybody sees it, that data goes into the log."""
    _logger.warning(
        "log_batch_data=True: the content of your training data is written to this log, where "
        "everybody who may read the job's log can read it"
    )


def logged(loss: Loss) -> Loss:
    """Return *loss*, with each batch it is given to score in the log, and its losses."""

    def scored(model: nn.Module, batch: Any) -> Tensor | tuple[Tensor, Tensor]:
        result = loss(model, batch)
        given = batch.original if isinstance(batch, Scored) else batch
        _logger.warning("scored: %r, losses: %r", given, result)
        return result

    return scored


def log_given_out(batch: Batch) -> Batch:
    """Return a batch, with its content in the log."""
    _logger.warning("given out: %r", batch)
    return batch
