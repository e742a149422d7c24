"""AWS's three nested config classes, and what they say as a `SiftConfig`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from sift_toolkit.config import SiftConfig
from sift_toolkit.smart_sifting._exceptions import SiftConfigValidationException

__all__ = [
    "LossConfig",
    "RelativeProbabilisticSiftConfig",
    "SiftConfigValidationException",
    "SiftingBaseConfig",
    "sift_config_of",
]

_AnyConfig = TypeVar("_AnyConfig", bound="_Checked")


class _Checked:
    """Checks its fields when it is made."""

    _rules: ClassVar[Mapping[str, str]]
    """What each field must be, in words."""

    def __post_init__(self) -> None:
        problems = [
            f"{type(self).__name__}: {name} must be {rule}, got {getattr(self, name)!r}"
            for name, rule in self._rules.items()
            if not _HOLDS[rule](getattr(self, name))
        ]
        if problems:
            raise SiftConfigValidationException(problems)


@dataclass
class SiftingBaseConfig(_Checked):
    """When sifting starts.

    Raises:
        SiftConfigValidationException: a value is of a wrong type or out of bounds.
    """

    sift_delay: int = 1000
    """Training steps on all data before sifting starts."""
    repeat_delay_per_epoch: bool = False
    """Whether each epoch starts with them again."""

    _rules: ClassVar[Mapping[str, str]] = {
        "sift_delay": "a whole number from 0",
        "repeat_delay_per_epoch": "True or False",
    }


@dataclass
class LossConfig(_Checked):
    """What all sifting by losses shares.

    Raises:
        SiftConfigValidationException: as `SiftingBaseConfig`, which may be given as a dict.
    """

    sift_config: SiftingBaseConfig

    _rules: ClassVar[Mapping[str, str]] = {"sift_config": "a SiftingBaseConfig or a dict"}

    def __post_init__(self) -> None:
        self.sift_config = _made(SiftingBaseConfig, self.sift_config)
        super().__post_init__()


@dataclass
class RelativeProbabilisticSiftConfig(_Checked):
    """Keep a sample with the chance ``percentile(loss) ** beta_value``.

    On average that keeps ``1 / (1 + beta_value)`` of all samples: ``beta_value=0.5`` keeps two
    thirds, 1 a half, 3 a quarter.

    Raises:
        SiftConfigValidationException: as `LossConfig`, which may be given as a dict.
    """

    beta_value: float
    """Above 0; the greater, the fewer samples are kept."""
    loss_history_length: int
    """Losses that the percentile is taken over."""
    loss_based_sift_config: LossConfig

    _rules: ClassVar[Mapping[str, str]] = {
        "beta_value": "a number above 0",
        "loss_history_length": "a whole number from 1",
        "loss_based_sift_config": "a LossConfig or a dict",
    }

    def __post_init__(self) -> None:
        self.loss_based_sift_config = _made(LossConfig, self.loss_based_sift_config)
        super().__post_init__()

    def to_sift_config(self) -> SiftConfig:
        """Return what this config says, in this package's terms."""
        start = self.loss_based_sift_config.sift_config
        return SiftConfig(
            beta_value=float(self.beta_value),
            law="percentile",
            loss_history_length=self.loss_history_length,
            sift_delay=start.sift_delay,
            repeat_delay_per_epoch=start.repeat_delay_per_epoch,
            scores="fresh",
        )


def sift_config_of(config: RelativeProbabilisticSiftConfig | Mapping[str, Any]) -> SiftConfig:
    """Return what a config of AWS's says, in this package's terms.

    Args:
        config: one of AWS's, or the nested dict of one.

    Raises:
        SiftConfigValidationException: a key is missing or unknown, a value of a wrong type.
    """
    made = _made(RelativeProbabilisticSiftConfig, config)
    if not isinstance(made, RelativeProbabilisticSiftConfig):
        msg = f"sift_config must be a RelativeProbabilisticSiftConfig or a dict, got {config!r}"
        raise SiftConfigValidationException([msg])
    return made.to_sift_config()


def _made(kind: type[_AnyConfig], given: Any) -> Any:
    """Return *given*, a dict as a config of that kind; anything else is judged by who asked."""
    if not isinstance(given, Mapping):
        return given
    fields = dataclasses.fields(kind)  # type: ignore[arg-type] # each kind is a dataclass
    needed = [each.name for each in fields if each.default is dataclasses.MISSING]
    problems = [f"{kind.__name__}: {name} is missing" for name in needed if name not in given]
    names = [each.name for each in fields]
    problems += [
        f"{kind.__name__} has no {name!r}; it has {', '.join(names)}"
        for name in given
        if name not in names
    ]
    if problems:
        raise SiftConfigValidationException(problems)
    return kind(**given)


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_above_0(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return 0 < value < math.inf


_HOLDS: dict[str, Callable[[object], bool]] = {
    "a whole number from 0": lambda value: _is_whole(value, 0),
    "a whole number from 1": lambda value: _is_whole(value, 1),
    "a number above 0": _is_above_0,
    "True or False": lambda value: isinstance(value, bool),
    "a SiftingBaseConfig or a dict": lambda value: isinstance(value, SiftingBaseConfig),
    "a LossConfig or a dict": lambda value: isinstance(value, LossConfig),
}
"""Whether a value is what a rule says."""
