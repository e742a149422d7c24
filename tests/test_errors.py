"""The exceptions: one tree, each also the builtin a caller expects, all able to travel."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

from sift_toolkit import errors
from sift_toolkit.errors import (
    SiftBatchError,
    SiftConfigError,
    SiftError,
    SiftJobError,
    SiftLossError,
    SiftRankError,
    SiftRequestError,
    SiftStateError,
    SiftSweepError,
    SiftUsageError,
)

BUILTINS = {
    SiftConfigError: ValueError,
    SiftRequestError: ValueError,
    SiftJobError: RuntimeError,
    SiftSweepError: RuntimeError,
    SiftBatchError: TypeError,
    SiftLossError: ValueError,
    SiftStateError: ValueError,
    SiftUsageError: RuntimeError,
    SiftRankError: RuntimeError,
}
WITH_PROBLEMS = (SiftConfigError, SiftRequestError)


def example(kind: type[SiftError]) -> SiftError:
    """Return an error of a kind as the package raises it."""
    return kind(["first", "second"]) if kind in WITH_PROBLEMS else kind("what went wrong")


@pytest.mark.parametrize("kind", BUILTINS)
def test_an_error_is_ours_and_the_builtin(kind: type[SiftError]) -> None:
    """Each error is caught as SiftError and as the builtin a caller would expect."""
    assert issubclass(kind, SiftError)
    assert issubclass(kind, BUILTINS[kind])


def test_the_tree_is_whole() -> None:
    """Every public class of the module is the root or listed under its builtin."""
    classes = [each for each in vars(errors).values() if inspect.isclass(each)]
    ours = {each.__name__ for each in classes if issubclass(each, SiftError)}
    public = {name for name in ours if not name.startswith("_")}
    assert public == {kind.__name__ for kind in BUILTINS} | {"SiftError"} == set(errors.__all__)


@pytest.mark.parametrize("kind", BUILTINS)
def test_the_module_draws_the_tree(kind: type[SiftError]) -> None:
    """The module's docstring shows each error with its builtin."""
    assert f"{kind.__name__} ({BUILTINS[kind].__name__})" in (errors.__doc__ or "")


@pytest.mark.parametrize("kind", BUILTINS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_crosses_process_boundaries(kind: type[SiftError], protocol: int) -> None:
    """An error raised in a worker or a job arrives whole: class, text, problems and notes."""
    error = example(kind)
    for back in (pickle.loads(pickle.dumps(error, protocol)), copy.deepcopy(error)):
        assert type(back) is kind
        assert str(back) == str(error)
        assert back.args == error.args
        assert vars(back) == vars(error)


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        (SiftConfigError, "invalid SiftConfig"),
        (SiftRequestError, "refused training job request"),
    ],
)
def test_problems_are_told_one_by_one(
    kind: type[SiftConfigError | SiftRequestError], heading: str
) -> None:
    """One problem stands on the line of the heading, several on a line each."""
    assert str(kind(["first"])) == f"{heading}: first"
    assert str(kind(["first", "second"])) == f"{heading}, 2 problems:\n  - first\n  - second"


@pytest.mark.parametrize("kind", WITH_PROBLEMS)
def test_problems_are_kept_one_by_one(kind: type[SiftConfigError | SiftRequestError]) -> None:
    """`problems` holds what was found, in order, and cannot be changed from outside."""
    found = ["first", "second"]
    error = kind(found)
    found.clear()
    assert error.problems == ("first", "second")


def test_a_message_is_its_text() -> None:
    """Errors of one problem say just that."""
    assert str(SiftBatchError("a batch of type str")) == "a batch of type str"


def test_what_was_launched_travels_along() -> None:
    """A sweep's error carries the names of its jobs, whichever way it goes."""
    names = {"plain": "job-a"}
    error = SiftSweepError("one failed", names)
    names.clear()
    for back in (error, pickle.loads(pickle.dumps(error))):
        assert back.launched == {"plain": "job-a"}
        assert str(back) == "one failed"
    assert SiftSweepError("none was launched").launched == {}
