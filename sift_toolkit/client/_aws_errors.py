"""AWS's errors as one sentence each: what it was, what to do about it, and what is left behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sift_toolkit.client._aws_faults import NO_REGION, OTHER, Fault, fault_of, fault_of_class
from sift_toolkit.errors import SiftJobError

_ENDED_BADLY: Final = frozenset({"FailedStatusError", "UnexpectedStatusException"})
"""What SDK v3 and v2 raise when the job they wait for has failed."""

_PREAMBLE: Final = re.compile(r"^.*?\bReason: |\. Check troubleshooting guide .*$", re.DOTALL)
_NAMES: Final = ("name", "training_job_name", "hyper_parameter_tuning_job_name")
_UPLOAD: Final = re.compile(r"^Failed to upload .* to (\S+): ")


@dataclass(frozen=True, slots=True)
class AwsTrouble:
    """An error of AWS, or of the way there, in words."""

    text: str
    """The cause, AWS's own words and the mend, without a full stop."""
    fault: Fault
    ended: bool = False
    """Whether it says that a job ended badly, rather than that a call failed."""


def aws_trouble(error: BaseException) -> AwsTrouble | None:
    """Put an error in words; None where it has nothing to do with AWS."""
    names = frozenset(base.__name__ for base in type(error).__mro__)
    if "ClientError" in names:
        return _answered(error)
    if "BotoCoreError" in names:
        fault = fault_of_class(names)
        return AwsTrouble(_sentence(fault, str(error), type(error).__name__), fault)
    if "Boto3Error" in names:
        return _upload_failed(error)
    if names & _ENDED_BADLY:
        return _ended(str(error))
    if isinstance(error, ValueError) and fault_of("", str(error)) is NO_REGION:
        return AwsTrouble(_sentence(NO_REGION, str(error)), NO_REGION)
    return None


@contextmanager
def aws_errors_in_words(
    task: str, left_behind: Callable[[AwsTrouble], str] = lambda _: ""
) -> Iterator[None]:
    """Turn errors of AWS into a SiftJobError that says what to do; all others pass as they are.

    Args:
        task: What could not be done, as "the session could not be made".
        left_behind: Says in whole sentences what has been done until then. Default: nothing.

    Raises:
        SiftJobError: AWS, or the way there, failed; the error itself is its cause.
    """
    try:
        yield
    except Exception as error:
        trouble = aws_trouble(error)
        if trouble is None:
            raise
        msg = f"{task}: {trouble.text}. {left_behind(trouble)}".rstrip()
        raise SiftJobError(msg) from error


@contextmanager
def explained_launch(
    kind: str, uploaded: Callable[[], Any], started: Callable[[], Any]
) -> Iterator[None]:
    """Turn errors of a launch, and of the wait for its job, into words that say what is left.

    Args:
        kind: What is launched: "training job" or "tuning job".
        uploaded: Returns the SDK's note of the code it uploaded last, None for none.
        started: Returns the SDK's job that was started last, None for none.

    Raises:
        SiftJobError: AWS, or the way there, failed; or the job that was waited for did.
    """
    code_before, job_before = uploaded(), started()
    try:
        yield
    except Exception as error:
        trouble = aws_trouble(error)
        if trouble is None:
            raise
        code, job = uploaded(), started()
        sent = "" if code is code_before else str(getattr(code, "s3_prefix", code))
        name = None if job is job_before else _name_of(job)
        raise SiftJobError(launch_message(kind, trouble, sent, name)) from error


def launch_message(kind: str, trouble: AwsTrouble, sent: str, started: str | None) -> str:
    """Say why a launch failed and how far it had come.

    Args:
        kind: "training job" or "tuning job".
        trouble: What went wrong.
        sent: Where the code was uploaded to; empty: it was not.
        started: Name of the job that was started; None: none was.
    """
    if started is not None:
        if trouble.ended:
            return f"{kind} {started!r} failed: {trouble.text}"
        return (
            f"{kind} {started!r} was started, but is not watched any more: {trouble.text}. "
            "The job itself goes on, and is charged for, until it ends or is stopped"
        )
    if not trouble.fault.outcome_known and sent:
        left = f"Its code is at {sent}; whether the job was started is not known: look for it"
    elif sent:
        left = f"No job was started; its code was uploaded to {sent}, where it stays"
    else:
        left = "No job was started, and no code was uploaded"
    return f"the {kind} could not be started: {trouble.text}. {left}"


def _name_of(job: Any) -> str:
    """The name of an SDK's job: of v2, or of v3."""
    names = (getattr(job, attribute, None) for attribute in _NAMES)
    return str(next(filter(None, names), job))


def _answered(error: Any, place: str = "") -> AwsTrouble:
    answer = error.response.get("Error", {})
    code, words = str(answer.get("Code", "")), str(answer.get("Message", ""))
    fault = fault_of(code, words)
    origin = f"{code} from {error.operation_name}{place}"
    return AwsTrouble(_sentence(fault, words, origin), fault)


def _upload_failed(error: BaseException) -> AwsTrouble:
    """Put boto3's own error in words: the answer of S3 is its context, the place in its text."""
    answer = error.__cause__ or error.__context__
    if not hasattr(answer, "operation_name"):
        return AwsTrouble(_sentence(OTHER, str(error), type(error).__name__), OTHER)
    place = _UPLOAD.search(str(error))
    return _answered(answer, f" to s3://{place[1]}" if place else "")


def _ended(message: str) -> AwsTrouble:
    reason = _PREAMBLE.sub("", message).strip()
    fault = fault_of("", reason)
    text = reason if fault is OTHER else _sentence(fault, reason)
    return AwsTrouble(text, fault, ended=True)


def _sentence(fault: Fault, words: str, origin: str = "") -> str:
    said = " ".join(words.split()).rstrip(".")
    details = f"{said} ({origin})" if said and origin else said or origin
    return f"{fault.cause}: {details}; {fault.mend}"
