"""Which SageMaker SDK is installed: there can be only one of them in an environment."""

from __future__ import annotations

import importlib
from importlib import metadata
from types import ModuleType
from typing import Final

from sift_toolkit.errors import SiftJobError

_EXTRAS: Final = {2: "client", 3: "client-v3"}
_FUNCTIONS: Final = {2: "sift_estimator", 3: "sift_model_trainer"}
_DISTRIBUTIONS: Final = {2: "sagemaker", 3: "sagemaker-train"}


def module_of_sdk(name: str, version: int, speaker: str) -> ModuleType:
    """Import a module of ours that needs an SDK, which takes seconds.

    Args:
        name: The module, by its full name.
        version: Which SDK it needs: 2 or 3.
        speaker: Who asks for it, as "sift_estimator": begins the message.

    Raises:
        SiftJobError: that SDK is not installed; the message says what to install.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        # The other SDK has a package of the same name, without the module or the class.
        if (error.name or "").split(".")[0] != "sagemaker":
            raise
        raise SiftJobError(_missing(version, speaker)) from error


def _missing(version: int, speaker: str) -> str:
    need = f"{speaker} needs the SageMaker Python SDK v{version}"
    install = f"pip install 'sift_toolkit[{_EXTRAS[version]}]'"
    other = 5 - version
    found = installed(other)
    if found is None:
        return f"{need}, which is not installed: {install}"
    return (
        f"{need}, but v{other} is installed ({found}), and the two exclude each other: use "
        f"{_FUNCTIONS[other]}, or, in an environment of its own, {install}"
    )


def installed(version: int) -> str | None:
    """Return the distribution of an SDK with its version, None where it is not installed."""
    name = _DISTRIBUTIONS[version]
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
    if version == 2 and not found.startswith("2."):
        return None
    return f"{name} {found}"
