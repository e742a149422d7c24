"""Asking AWS again: when, how often, and what is said meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, UnauthorizedSSOTokenError
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.client._watch_patience import Patience, pause_after
from sift_toolkit.errors import SiftJobError


def refused(code: str) -> ClientError:
    """Return AWS's answer with an error code."""
    return ClientError({"Error": {"Code": code, "Message": "words"}}, "DescribeTrainingJob")


THROTTLED = refused("ThrottlingException")
EXPIRED = refused("ExpiredTokenException")
LOST = EndpointConnectionError(endpoint_url="https://api.sagemaker")


class Asking:
    """A patience whose pauses take no time, and everything it did."""

    def __init__(self, *, renewals: Iterable[bool] = ()) -> None:
        self.pauses: list[float] = []
        self.said: list[str] = []
        self.renewed = 0
        self._renewals = iter(renewals)
        self.patience = Patience(
            "job", renew=self._renew, say=self.said.append, sleep=self.pauses.append, poll_seconds=4
        )

    def _renew(self) -> bool:
        self.renewed += 1
        return next(self._renewals, True)

    def ask(self, *errors: Exception) -> str:
        """Ask until the errors are used up."""
        return self.patience.ask(failing(*errors))


def failing(*errors: Exception) -> Callable[[], str]:
    """Return a call that fails with each error once, then answers."""
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return call


def test_an_answer_is_passed_on() -> None:
    """Where nothing is wrong nothing is said and nobody waits."""
    asking = Asking()
    assert asking.ask() == "answer"
    assert (asking.pauses, asking.said, asking.renewed) == ([], [], 0)


@pytest.mark.parametrize("error", [THROTTLED, LOST, refused("InternalFailure")])
def test_what_passes_is_waited_out(error: Exception) -> None:
    """Throttling, faults of AWS and a lost network: ever longer pauses, said once."""
    asking = Asking()
    assert asking.ask(error, error, error) == "answer"
    assert asking.pauses == [4, 8, 16]
    assert len(asking.said) == 2
    assert "Trying again; the job goes on" in asking.said[0]
    assert asking.said[1] == "job: AWS answers again"


def test_another_trouble_is_said_too() -> None:
    """What changes is told: the network comes back, and AWS throttles."""
    asking = Asking()
    asking.ask(LOST, THROTTLED, THROTTLED)
    assert ["could not be reached" in line for line in asking.said] == [True, False, False]
    assert "throttled" in asking.said[1]


def test_pauses_begin_anew_with_each_question() -> None:
    """After an answer the next trouble is a first one."""
    asking = Asking()
    asking.ask(THROTTLED, THROTTLED)
    asking.ask(THROTTLED)
    assert asking.pauses == [4, 8, 4]


def test_expired_credentials_are_renewed_at_once() -> None:
    """With fresh credentials the question is put again without a pause and without a word."""
    asking = Asking()
    assert asking.ask(EXPIRED) == "answer"
    assert (asking.pauses, asking.said, asking.renewed) == ([], [], 1)


@pytest.mark.parametrize("error", [EXPIRED, UnauthorizedSSOTokenError()])
def test_credentials_that_stay_expired_are_waited_for(error: Exception) -> None:
    """Somebody may sign in again: it is said, and looked for with each try."""
    asking = Asking()
    assert asking.ask(error, error, error) == "answer"
    assert asking.renewed == 3
    assert asking.pauses == [8, 16]
    assert "the credentials have expired" in asking.said[0]
    assert "sign in again" in asking.said[0]


def test_credentials_that_cannot_be_renewed_end_it() -> None:
    """Keys that were given to a session stay expired."""
    asking = Asking(renewals=[False])
    with pytest.raises(SiftJobError, match=r"'job' could not be looked at: the credentials have"):
        asking.ask(EXPIRED)
    assert asking.pauses == []


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", "Unheard"])
def test_what_will_not_pass_ends_it(code: str) -> None:
    """An error that asking again does not mend is one sentence, and AWS's own error its cause."""
    asking = Asking()
    error = refused(code)
    with pytest.raises(SiftJobError, match=r"could not be looked at.* charged for") as caught:
        asking.ask(error)
    assert caught.value.__cause__ is error
    assert asking.pauses == []


def test_after_an_hour_it_gives_up() -> None:
    """Nobody is waited for for ever."""
    asking = Asking()
    with pytest.raises(SiftJobError, match="throttled"):
        asking.ask(*[THROTTLED] * 1000)
    assert 3600 <= sum(asking.pauses) < 3600 + 300


def test_other_errors_pass() -> None:
    """A mistake of ours or of the caller's is no trouble with AWS."""
    asking = Asking()
    with pytest.raises(ZeroDivisionError):
        asking.ask(ZeroDivisionError())


@given(failures=st.integers(1, 10_000), poll=st.floats(0.01, 1000))
def test_pauses_grow_to_five_minutes(failures: int, poll: float) -> None:
    """A pause is never shorter than the one before or than a poll, and has an end."""
    pause = pause_after(failures, poll)
    assert poll <= pause <= max(300.0, poll)
    assert pause <= pause_after(failures + 1, poll)
