"""The user's hooks module: what the complete trainer needs to know, as plain functions."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final, Protocol, cast

from torch import Tensor, nn
from torch.optim import Optimizer

from sift_toolkit.container._job import Job
from sift_toolkit.container._learning_rate import warm_cosine
from sift_toolkit.container._script import existing_script, import_beside
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.outside import shown
from sift_toolkit.sifting import Batch, Labels


class Hooks(Protocol):
    """The functions of a hooks module. All but the last two are needed."""

    def epochs(self, job: Job) -> int:
        """Return how many epochs to train."""
        ...

    def model(self, job: Job) -> nn.Module:
        """Return the model, on any device."""
        ...

    def train_data(self, job: Job) -> Iterable[Batch]:
        """Return the loader of the training data.

        In a job of several processes that of this one's part: with a `DistributedSampler` of
        `job.processes` and `job.rank`, or of a dataset that is the part already.
        """
        ...

    def test_data(self, job: Job) -> Iterable[Batch]:
        """Return the loader of the held-out data, the same on all processes: they share it out."""
        ...

    def loss(self, model: nn.Module, batch: Batch) -> Tensor | tuple[Tensor, Tensor]:
        """Return one loss a sample, shape (batch,); with ``value="own"`` also one value each.

        Call *model* itself: in a job of several processes it is wrapped, and averages gradients.
        """
        ...

    def correct(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return which samples the model gets right, bool, shape (batch,)."""
        ...

    def optimizer(self, model: nn.Module, job: Job) -> Optimizer:
        """Return the optimizer, its learning rate the peak of the schedule."""
        ...

    def learning_rate_factor(self, progress: float) -> float:
        """Return the share of the peak learning rate at *progress*, from 0 to 1 over the run.

        May be left out: then a short rise, and half a cosine to 0.
        """
        ...

    def class_labels(self, job: Job) -> Labels | None:
        """Return the class of each training sample, of which then none disappears.

        A tensor of whole numbers by position in the dataset, or, for fresh scores, a function
        ``(batch) -> tensor`` of shape (rows,). May be left out: then there are no classes.
        """
        ...


def _no_labels(job: Job) -> None:
    """Return what stands for the hook `class_labels` where it is left out: nothing."""


_DEFAULTS: Final[Mapping[str, Callable[..., Any]]] = {
    "learning_rate_factor": warm_cosine,
    "class_labels": _no_labels,
}


def load_hooks(script: Path) -> Hooks:
    """Import a hooks module from its file, its neighbours importable as for a script.

    Raises:
        SiftUsageError: the file does not exist, lacks hooks or has some that are none; the message
            names all of them.
    """
    path = existing_script(script)
    import_beside(path)
    return hooks_of(_import(path), path.name)


def hooks_of(module: object, name: str) -> Hooks:
    """Return the hooks among the attributes of *module*, with the defaults of those left out.

    Raises:
        SiftUsageError: some are missing or cannot be called as they will be.
    """
    needed = {
        hook: list(inspect.signature(method).parameters)[1:]
        for hook, method in vars(Hooks).items()
        if inspect.isfunction(method) and not hook.startswith("_")
    }
    given = dict(_DEFAULTS)
    given |= {hook: getattr(module, hook) for hook in needed if hasattr(module, hook)}
    problems = [*_missing(needed, given), *_unfit(needed, given)]
    if problems:
        msg = f"{name} is no module of hooks: {'; '.join(problems)}"
        raise SiftUsageError(msg)
    return cast("Hooks", SimpleNamespace(**given))


def _missing(needed: Mapping[str, list[str]], given: Mapping[str, object]) -> Iterator[str]:
    missing = [
        f"{hook}({', '.join(parameters)})"
        for hook, parameters in needed.items()
        if hook not in given
    ]
    if missing:
        yield f"it lacks {', '.join(missing)}"


def _unfit(needed: Mapping[str, list[str]], given: Mapping[str, object]) -> Iterator[str]:
    for hook, function in given.items():
        wanted = ", ".join(needed[hook])
        if not callable(function):
            yield f"{hook} must be a function of ({wanted}), got {shown(function)}"
        elif not _takes(function, needed[hook]):
            yield f"{hook} must take ({wanted}), it takes {inspect.signature(function)}"


def _takes(function: Callable[..., Any], parameters: list[str]) -> bool:
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions written in C do not tell
        return True
    try:
        signature.bind(*parameters)
    except TypeError:
        return False
    return True


def _import(path: Path) -> ModuleType:
    # Under its own name, by which workers that were spawned import it again.
    name = path.stem
    if name in sys.modules:
        msg = (
            f"a hooks module cannot be called {path.name!r}, for {sys.modules[name]!r} has that "
            "name: rename it"
        )
        raise SiftUsageError(msg)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
