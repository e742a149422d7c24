"""`describe_request`: what would be sent to AWS, before anything is."""

from __future__ import annotations

from typing import Any

from sift_toolkit.errors import SiftUsageError


def describe_request(
    job: Any, inputs: Any = None, *, job_name: str | None = None
) -> dict[str, Any]:
    """Return the CreateTrainingJob request of a job as a plain dict; no call, no upload.

    It is what `fit` (SDK v2) or `train` (SDK v3) would send, but for what only AWS or the clock
    knows: a job without a name ends in YYYY-MM-DD-HH-MM-SS-mmm, and a role or a default bucket
    given by no full name is in account 000000000000. Neither credentials nor a network are needed.

    Examples:
        >>> describe_request(estimator, {"training": "s3://bucket/data"})["HyperParameters"]

    Args:
        job: What `sift_estimator` or `sift_model_trainer` returned.
        inputs: The channels, as `fit` or `train` would be given them. Default: none.
        job_name: Default: made from the image, or from `base_job_name`.

    Raises:
        SiftRequestError: the request would be refused or misread.
        SiftUsageError: *job* is something else.
    """
    describe = getattr(job, "describe_request", None)
    if not callable(describe):
        msg = (
            "describe_request needs what sift_estimator or sift_model_trainer returned, got a "
            f"{type(job).__name__}"
        )
        raise SiftUsageError(msg)
    request: dict[str, Any] = describe(inputs=inputs, job_name=job_name)
    return request
