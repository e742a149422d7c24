"""Which engine a loader gets, and why; and the engine itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from torch import Tensor

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftConfigError, SiftUsageError
from sift_toolkit.sifting._engine import Engine
from sift_toolkit.sifting._fresh import FreshEngine
from sift_toolkit.sifting._labels import Labels, check_labels
from sift_toolkit.sifting._memory import MemoryEngine
from sift_toolkit.sifting._memory_store import MOST_VISITS
from sift_toolkit.sifting._rebuild import why_no_memory
from sift_toolkit.sifting._wiring import Extent, Wiring


class EngineChoice(NamedTuple):
    """An engine's name and the reason for it."""

    name: str
    reason: str


def choose_engine(
    config: SiftConfig, loader: object, epochs: int | None, labels: Labels | None = None
) -> EngineChoice:
    """Return which engine serves *loader*.

    Args:
        config: `scores` asks for one, or leaves it open.
        loader: the user's.
        epochs: epochs of the training, None if unknown.
        labels: by sample id they need a memory, as a function of a batch they rule it out.

    Raises:
        SiftConfigError: memory was asked for and cannot be had.
        SiftUsageError: the engine cannot use labels of that kind.
    """
    if not config.sifts:
        return EngineChoice("fresh", "nothing is sifted and so nothing is scored")
    by_batch = labels is not None and not isinstance(labels, Tensor)
    if by_batch and config.scores == "auto":
        return EngineChoice("fresh", "labels are a function of a batch, which must be loaded first")
    choice = _engine_for(config, loader, epochs)
    if by_batch and choice.name == "memory":
        msg = (
            'labels as a function of a batch cannot be had with scores="memory", which chooses '
            "samples before they are loaded: give a tensor with the label of each sample of the "
            'dataset, or use scores="fresh"'
        )
        raise SiftUsageError(msg)
    if isinstance(labels, Tensor) and choice.name == "fresh":
        msg = (
            "labels as a tensor are found by sample id, and fresh scores know no ids (scores are "
            f"fresh because {choice.reason}): give labels as a function (batch) -> tensor of "
            "shape (rows,)"
        )
        raise SiftUsageError(msg)
    return choice


def _engine_for(config: SiftConfig, loader: object, epochs: int | None) -> EngineChoice:
    """Return which engine serves *loader*, labels left aside."""
    obstacle = why_no_memory(loader)
    if config.scores == "memory" and obstacle is not None:
        problem = f'scores="memory" cannot be had: {obstacle}; use scores="fresh" or "auto"'
        raise SiftConfigError([problem])
    if config.scores == "memory" and epochs == 1 and config.needs_scores:
        reason = "the config asks for it, but in one epoch no sample is seen twice: all are kept"
        return EngineChoice("memory", reason)
    if config.scores != "auto":
        return EngineChoice(config.scores, "the config asks for it")
    if obstacle is not None:
        return EngineChoice("fresh", obstacle)
    if not config.needs_scores:
        return EngineChoice("memory", "the samples have ids: what is passed over is never loaded")
    if epochs == 1:
        return EngineChoice("fresh", "in one epoch no sample is seen twice")
    return EngineChoice("memory", "the samples have ids and are seen more than once")


def crowded_quota(config: SiftConfig) -> str | None:
    """Return in words that a memory's quota is too small to choose anything, None if it is not."""
    end = config.kept_share if config.keep_end is None else config.keep_end
    never = config.rescore_every > MOST_VISITS
    needed = 0.0 if never else 1 / (config.rescore_every + 1)
    if not config.needs_scores or end > needed:
        return None
    return (
        f"keep={end:g} leaves no choice: rescore_every={config.rescore_every} alone asks for "
        f"{needed:.0%} of the samples in each epoch; raise rescore_every"
    )


def build_engine(name: str, wiring: Wiring) -> Engine:
    """Return the engine called *name*, and note a config that defeats it."""
    if name != "memory":
        if isinstance(wiring.labels, Tensor) and wiring.config.sifts:
            # A run that turned to fresh scores: one that begins with them refuses such labels.
            wiring.note(
                "labels are not used from here on: they are by sample id, and fresh scores know "
                "no ids; give labels as a function of a batch"
            )
        return FreshEngine(wiring)
    crowded = crowded_quota(wiring.config)
    if crowded is not None:
        wiring.note(crowded)
    return MemoryEngine(wiring)


def check_arguments(config: object, loader: object, epochs: object, labels: object = None) -> None:
    """Refuse arguments of the wrong kind, before they fail somewhere inside.

    Raises:
        SiftUsageError: one is; all that are, are named, save that labels are judged last.
    """
    problems = []
    if not isinstance(config, SiftConfig):
        problems.append(f"sift_config must be a SiftConfig, got {config!r}")
    if not isinstance(loader, Iterable):
        problems.append(f"orig_dataloader must be iterable, got {loader!r}")
    is_count = isinstance(epochs, int) and not isinstance(epochs, bool) and epochs > 0
    if epochs is not None and not is_count:
        problems.append(f"epochs must be a whole number from 1 or None, got {epochs!r}")
    if problems:
        raise SiftUsageError("; ".join(problems))
    check_labels(labels, loader)


def check_schedule(config: SiftConfig, extent: Extent) -> None:
    """Refuse a schedule that could not be followed, before any training.

    Raises:
        SiftConfigError: the share of the run's data that came by is needed and cannot be known.
    """
    needs = [name for name in ("keep_end", "anneal") if getattr(config, name)]
    if not needs or extent.run_rows is not None:
        return
    missing = "`epochs`" if extent.epochs is None else "a loader with a known number of rows"
    raise SiftConfigError([f"{name} needs {missing}" for name in needs])
