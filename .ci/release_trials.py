"""What is tried of a release: each extra, on each Python, and a project that uses it."""

from __future__ import annotations

import dataclasses

from release_contents import PACKAGE

VERSIONS = ("3.10", "3.11", "3.12", "3.13")
"""The Pythons in the classifiers of pyproject.toml."""


@dataclasses.dataclass(frozen=True)
class Trial:
    """What an extra promises."""

    extra: str
    """Its name, empty for none."""
    code: str
    """Runs where it is installed."""
    is_large: bool = False
    """Unless asked for, pip only says what it would install."""

    @property
    def requirement(self) -> str:
        """As pip is told it, after the wheel's path."""
        return f"[{self.extra}]" if self.extra else ""


_LEAF = (
    f"import {PACKAGE}, {PACKAGE}.contract, {PACKAGE}.metrics, {PACKAGE}.report; "
    f"assert {PACKAGE}.SiftConfig(keep=0.5).kept_share == 0.5"
)
_CONTAINER = f"from {PACKAGE} import SiftingDataloader, sift; import {PACKAGE}.container"
_CLIENT = f"from {PACKAGE} import compare, describe_request, keep_sweep, sift_tuner, watch"

_OF_DEVELOPERS = [
    "bench",
    "dev",
    "dev-integrations",
    "dev-v3",
    "docs",
    "fuzz",
    "notebooks",
    "release",
]

TRIALS = (
    Trial("", _LEAF),
    Trial("client", f"{_CLIENT}; from {PACKAGE} import HostSession, sift_estimator"),
    Trial("client-v3", f"{_CLIENT}; from {PACKAGE} import sift_model_trainer"),
    Trial("cli", f"from {PACKAGE}.cli import main"),
    Trial("testing", f"from {PACKAGE}.testing import *"),
    Trial("container", _CONTAINER, is_large=True),
    Trial("demo", f"{_CONTAINER}; {_CLIENT}; import matplotlib", is_large=True),
    Trial("huggingface,container", f"import {PACKAGE}.integrations.huggingface", is_large=True),
    Trial("lightning,container", f"import {PACKAGE}.integrations.lightning", is_large=True),
    # That there is something to install.
    *(Trial(extra, _LEAF, is_large=True) for extra in _OF_DEVELOPERS),
)

CONSUMER = f"""
from {PACKAGE} import SiftConfig

share: float = SiftConfig(keep=0.5).kept_share
twin: SiftConfig = SiftConfig(keep=0.5, law="random").plain_twin()
"""
"""A project of a user's, which is typed against the installed wheel."""
