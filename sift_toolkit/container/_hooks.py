"""The user's hooks module: what the complete trainer needs to know, as plain functions."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast

from torch import Tensor, nn
from torch.optim import Optimizer

from sift_toolkit.contract import JobTree
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.sifting import Batch

_MODULE_NAME: Final = "sift_hooks"


@dataclass(frozen=True)
class Job:
    """What hooks are told of the job they run in."""

    tree: JobTree
    hyperparameters: Mapping[str, Any]
    """The user's own, with their types; the toolkit's and the SDK's left out."""

    def channel(self, name: str) -> Path:
        """Return the folder of an input channel.

        Raises:
            SiftJobError: the job has no such channel.
        """
        return self.tree.channel(name)


class Hooks(Protocol):
    """The functions of a hooks module. All are needed."""

    def epochs(self, job: Job) -> int:
        """Return how many epochs to train."""
        ...

    def model(self, job: Job) -> nn.Module:
        """Return the model, on any device."""
        ...

    def train_data(self, job: Job) -> Iterable[Batch]:
        """Return the loader of the training data."""
        ...

    def test_data(self, job: Job) -> Iterable[Batch]:
        """Return the loader of the held-out data."""
        ...

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return one loss a sample, shape (batch,)."""
        ...

    def correct(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return which samples the model gets right, bool, shape (batch,)."""
        ...

    def optimizer(self, model: nn.Module, job: Job) -> Optimizer:
        """Return the optimizer, its learning rate the peak of the schedule."""
        ...


def load_hooks(path: Path) -> Hooks:
    """Import a hooks module from its file.

    Its folder comes first on `sys.path`, as it would for a script.

    Raises:
        SiftUsageError: the file does not exist or lacks hooks; all of them are named.
    """
    if not path.is_file():
        msg = f"the hooks module {str(path)!r} does not exist"
        raise SiftUsageError(msg)
    sys.path[0:0] = [str(path.parent.resolve())]
    spec = importlib.util.spec_from_file_location(_MODULE_NAME, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Data loader workers started by spawn find the module by its name.
    sys.modules[_MODULE_NAME] = module
    spec.loader.exec_module(module)
    needed = [name for name in vars(Hooks) if not name.startswith("_")]
    missing = [name for name in needed if not callable(getattr(module, name, None))]
    if missing:
        msg = f"{path.name} lacks the hooks {', '.join(missing)}; all of them: {', '.join(needed)}"
        raise SiftUsageError(msg)
    return cast("Hooks", module)
