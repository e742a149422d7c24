"""SDK v3's own look at a job's role, before anything is sent, and its refusal in words.

The SDK v3 is imported right here, which takes seconds: import this module on use only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sagemaker.core.helper.iam_role_resolver import RoleValidationError

from sift_toolkit.errors import SiftJobError


@contextmanager
def role_refusals_in_words() -> Iterator[None]:
    """Turn SDK v3's refusal of a role, a page of remedies, into one sentence.

    Where the caller may have IAM simulate what a role may do, SDK v3 refuses any role that lacks
    what jobs in a VPC need, or that may write its metrics to SageMaker's own charts only.

    Raises:
        SiftJobError: SDK v3 refuses the role.
    """
    try:
        yield
    except RoleValidationError as error:
        said = " ".join(str(error).split("\n\n")[0].split()).rstrip(".")
        msg = (
            f"SDK v3 refuses the role before it asks SageMaker: {said}; give the role these, or, "
            "where it has all that the job needs (docs/iam.md), set the environment variable "
            "SAGEMAKER_VALIDATE_ROLE=false. No job was started, and no code was uploaded"
        )
        raise SiftJobError(msg) from error
