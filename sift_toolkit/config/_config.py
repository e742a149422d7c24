"""SiftConfig: every dial of sifting, declared once."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sift_toolkit.config import _wire
from sift_toolkit.config._fields import Choice, Count, Flag, Number, config_field, rule_problems
from sift_toolkit.config._shown import config_html
from sift_toolkit.errors import SiftConfigError

_SHARE = Number(0, 1)
_SHARE_ABOVE_0 = Number(0, 1, above=True, optional=True)
_DIALS = frozenset({"keep", "beta_value", "keep_end"})
_DIALS_AGREE = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class SiftConfig:
    """How a job sifts its training data. Immutable; every problem is reported at once.

    Give `keep` (the share of samples kept) or `beta_value` (AWS's dial), which are two names of
    one thing: ``keep = 1 / (1 + beta_value)``.

    Raises:
        SiftConfigError: a field is missing, out of bounds or contradicts another one.
    """

    keep: float | None = config_field(
        None, _SHARE_ABOVE_0, "share of the samples kept, 1 keeps all; this or `beta_value`"
    )
    beta_value: float | None = config_field(
        None,
        Number(0, math.inf, optional=True),
        "the same dial as AWS has it: keep = 1 / (1 + beta)",
    )
    keep_end: float | None = config_field(
        None, _SHARE_ABOVE_0, "where the share falls to, linearly in the data seen; None: constant"
    )
    law: Literal["percentile", "proportional", "random"] = config_field(
        "proportional",
        Choice(("percentile", "proportional", "random")),
        "chance of a sample: proportional to `value`, its loss percentile ** beta (AWS), or the "
        "same for all: the baseline that tells what choosing by losses is worth",
    )
    value: Literal["learnability", "gradient", "loss", "own"] = config_field(
        "learnability",
        Choice(("learnability", "gradient", "loss", "own")),
        "what a proportional chance follows: q (1 - q) + 0.02 with q = exp(-loss), the loss in "
        "units of twice its median while that is above 1; 1 - exp(-loss); the loss; or the second "
        "tensor your loss returns",
    )
    scores: Literal["auto", "fresh", "memory"] = config_field(
        "auto",
        Choice(("auto", "fresh", "memory")),
        "where losses come from: an extra forward pass over each batch, or the last known loss "
        "of each sample",
    )
    staleness: float = config_field(
        1.0,
        _SHARE,
        "memory, proportional chances: they grow with the visits since a sample was last chosen, "
        "to the power of this, and with `value` to the power of 1 + half of this; 0: not at all, "
        "and with `value` as it is",
    )
    score_every: int = config_field(
        1, Count(1), "fresh scores: one batch in so many is scored, the others are drawn at random"
    )
    rescore_every: int = config_field(
        8,
        Count(1),
        "memory: visits after which a sample never chosen is chosen for certain; above 255: never",
    )
    selection: Literal["quota", "bernoulli"] = config_field(
        "quota",
        Choice(("quota", "bernoulli")),
        "exactly the right number out of each batch, or AWS's coin per sample",
    )
    loss_history_length: int = config_field(
        1000, Count(1), "fresh scores: losses the percentile is taken over"
    )
    sift_delay: int = config_field(0, Count(0), "training steps on all data before sifting starts")
    repeat_delay_per_epoch: bool = config_field(
        default=False, rule=Flag(), help_text="the delay again in every epoch"
    )
    min_probability: float = config_field(0.0, _SHARE, "floor under every sample's chance")
    correction: float = config_field(
        0.0, _SHARE, "exponent of the weights (keep / chance): 0 none, 1 an unbiased gradient"
    )
    anneal: float = config_field(0.0, _SHARE, "share of the training, at its end, on all data")
    high_loss_cap: float | None = config_field(
        None,
        _SHARE_ABOVE_0,
        "loss percentile above which samples count as mislabelled; None: no cap",
    )
    class_floor: float = config_field(
        0.5,
        _SHARE,
        "where `labels` are given: the least share of its fair number, keep * its rows, that each "
        "class keeps; 0: no guarantee, 1: exactly its fair number",
    )
    gate: Literal["off", "warn", "on"] = config_field(
        "warn",
        Choice(("off", "warn", "on")),
        "when an epoch's sifting took more time than it saved: nothing, one warning, or no more "
        "sifting from the next epoch on",
    )
    nonfinite: Literal["keep", "drop", "raise"] = config_field(
        "keep",
        Choice(("keep", "drop", "raise")),
        "what happens to a sample whose loss is NaN or Inf",
    )
    leftover: Literal["auto", "flush", "carry", "drop"] = config_field(
        "auto",
        Choice(("auto", "flush", "carry", "drop")),
        "rows that fill no batch at the end of an epoch; auto: carry if the loader drops its last "
        "batch, else flush",
    )
    seed: int = config_field(0, Count(0), "seed of the selection")
    log_every: int = config_field(50, Count(1), "training steps between metric lines")
    enabled: bool = config_field(
        default=True, rule=Flag(), help_text="False: the plain twin, same script, same metrics"
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and type(value) is not float:
                # numpy's float64 is a float, but none that a state may hold to be loaded safely.
                object.__setattr__(self, field.name, float(value))
        broken = rule_problems(self, dataclasses.fields(self))
        problems = [*broken.values()]
        if not broken.keys() & _DIALS:
            problems += self._contradictions()
        if problems:
            raise SiftConfigError(problems)

    def _contradictions(self) -> list[str]:
        """Hold the dials against each other, once each of them is sound."""
        problems = []
        if self.keep is None and self.beta_value is None:
            problems.append(
                "keep or beta_value is required: keep is the share of samples kept, "
                "beta_value the same dial as keep = 1 / (1 + beta_value)"
            )
        elif self.keep is not None and self.beta_value is not None:
            implied = 1 / (1 + self.beta_value)
            if not math.isclose(self.keep, implied, rel_tol=_DIALS_AGREE):
                problems.append(
                    f"keep={self.keep!r} and beta_value={self.beta_value!r} disagree: that "
                    f"beta_value keeps {implied:g}; give one of them"
                )
        if not problems and self.keep_end is not None and self.keep_end > self.kept_share:
            problems.append(
                f"keep_end={self.keep_end!r} must not be above the share kept at the start, "
                f"{self.kept_share:g}"
            )
        return problems

    def __repr__(self) -> str:
        """What was given, which is what is sent; all else is at its default."""
        given = (
            f"{field.name}={value!r}"
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        )
        return f"SiftConfig({', '.join(given)})"

    def _repr_html_(self) -> str:
        return config_html(self)

    @property
    def kept_share(self) -> float:
        """Share of samples kept at the start, from whichever dial was given."""
        if self.keep is not None:
            return self.keep
        assert self.beta_value is not None
        return 1 / (1 + self.beta_value)

    @property
    def sifts(self) -> bool:
        """Whether anything may be dropped at any time."""
        end = self.kept_share if self.keep_end is None else self.keep_end
        return self.enabled and end < 1

    @property
    def needs_scores(self) -> bool:
        """Whether what is kept depends on losses."""
        return self.sifts and self.law != "random"

    @property
    def needs_own_values(self) -> bool:
        """Whether the user's loss must return values of its own."""
        return self.law == "proportional" and self.value == "own"

    def plain_twin(self) -> SiftConfig:
        """Return the same config with sifting off: the job to compare a sifted job with."""
        return dataclasses.replace(self, enabled=False)

    def to_hyperparameters(self) -> dict[str, object]:
        """Return flat hyperparameters: what differs from the defaults, and the wire's version."""
        given = {
            field.name: value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        }
        return _wire.pack(given)

    @classmethod
    def from_hyperparameters(cls, hyperparameters: Mapping[str, object]) -> SiftConfig | None:
        """Read a config back from all of a job's hyperparameters, however often JSON-encoded.

        Returns:
            The config, or None where no hyperparameter speaks of sifting.

        Raises:
            SiftConfigError: an unknown key, a wrong value, or a version newer than this package.
        """
        unpacked = _wire.unpack(hyperparameters, dataclasses.fields(cls))
        if unpacked is None:
            return None
        try:
            config = cls(**unpacked.given)
        except SiftConfigError as error:
            raise SiftConfigError([*unpacked.problems, *error.problems]) from None
        if unpacked.problems:
            raise SiftConfigError(unpacked.problems)
        return config
