"""The sift config: fields, defaults, bounds, hyperparameter keys, and the way there and back."""

from sift_toolkit.config._config import SiftConfig
from sift_toolkit.config._fields import help_of, rule_of
from sift_toolkit.config._wire import (
    HYPERPARAMETER_PREFIX,
    QUOTED_KEY,
    SCRIPT_KEY,
    VERSION_KEY,
    key_of,
)

__all__ = [
    "HYPERPARAMETER_PREFIX",
    "QUOTED_KEY",
    "SCRIPT_KEY",
    "VERSION_KEY",
    "SiftConfig",
    "help_of",
    "key_of",
    "rule_of",
]
