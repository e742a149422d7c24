"""What several jobs are made from: an estimator, a trainer, or a function that makes such a one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftRequestError

__all__ = ["job_factory", "made_problems"]


def job_factory(
    job: Any, config: SiftConfig | None
) -> tuple[Callable[[SiftConfig], Any], SiftConfig | None]:
    """Return what makes the jobs, and the config they have in common.

    Args:
        job: What `sift_estimator` or `sift_model_trainer` returned, or a function that returns such
            a one for a config.
        config: What the jobs have in common; None: the config of *job*, of a function nothing.

    Raises:
        SiftRequestError: *job* is neither.
    """
    if callable(job):
        return job, config
    own = getattr(job, "sift_config", None)
    if not isinstance(own, SiftConfig):
        problem = (
            "a sweep needs what sift_estimator or sift_model_trainer returned, or a function that "
            f"returns such a one for a config, got {job!r}"
        )
        raise SiftRequestError([problem])
    return lambda _: job, own if config is None else config


def made_problems(label: str, made: Any) -> list[str]:
    """Name why what was made for a label cannot be one of several jobs."""
    if not isinstance(getattr(made, "sift_config", None), SiftConfig):
        return [f"the function given for the jobs returned no sift estimator for {label}: {made!r}"]
    if getattr(made.sagemaker_session, "checkpoints", None) is not None:
        problem = (
            "the jobs of a sweep cannot run on a HostSession with checkpoints, where each would go "
            "on from what the one before saved: make the session without"
        )
        return [problem]
    return []
