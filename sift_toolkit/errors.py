"""Everything this package raises on purpose, as one tree.

SiftError
    SiftConfigError (ValueError)      a SiftConfig or its hyperparameters are wrong
    SiftRequestError (ValueError)     a training job request is wrong, found before any AWS call
    SiftJobError (RuntimeError)       a job failed, or the place it runs in lacks something
        SiftSweepError (RuntimeError) of several jobs one failed, or could not be launched
    SiftBatchError (TypeError)        a batch cannot be viewed as samples
    SiftLossError (ValueError)        the user's loss is not one finite number a sample
    SiftStateError (ValueError)       a saved state does not belong to this loader
    SiftUsageError (RuntimeError)     calls in an order that cannot work
    SiftRankError (RuntimeError)      another rank failed, ended, or is out of step
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = [
    "SiftBatchError",
    "SiftConfigError",
    "SiftError",
    "SiftJobError",
    "SiftLossError",
    "SiftRankError",
    "SiftRequestError",
    "SiftStateError",
    "SiftSweepError",
    "SiftUsageError",
]


class SiftError(Exception):
    """Root of all errors raised by sift_toolkit."""


class _ProblemsError(SiftError, ValueError):
    """Reports every problem found, not only the first."""

    _heading = "invalid"

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return f"{self._heading}: {self.problems[0]}"
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        return f"{self._heading}, {len(self.problems)} problems:{lines}"


class SiftConfigError(_ProblemsError):
    """A SiftConfig, or the hyperparameters that carry one, are wrong; `problems` holds them all."""

    _heading = "invalid SiftConfig"


class SiftRequestError(_ProblemsError):
    """A training job request is wrong, found before any AWS call; `problems` holds them all."""

    _heading = "refused training job request"


class SiftJobError(SiftError, RuntimeError):
    """A job ended badly, or the machine lacks what the job needs."""


class SiftSweepError(SiftJobError):
    """Of several jobs launched together one failed, or could not be launched.

    `launched` holds the names of the jobs that were, by label: those of them that run go on.
    """

    def __init__(self, message: str, launched: Mapping[str, str] | None = None) -> None:
        self.launched = dict(launched or {})
        super().__init__(message, self.launched)

    def __str__(self) -> str:
        return str(self.args[0])


class SiftBatchError(SiftError, TypeError):
    """A batch cannot be viewed as samples along one dimension."""


class SiftLossError(SiftError, ValueError):
    """The user's loss did not return one number a sample."""


class SiftStateError(SiftError, ValueError):
    """A saved state does not belong to the loader it is loaded into."""


class SiftUsageError(SiftError, RuntimeError):
    """Calls were made in an order that cannot work."""


class SiftRankError(SiftError, RuntimeError):
    """Another rank of the training has failed or ended, or does not do what this one does."""
