"""Metric definitions: the toolkit's and the user's together."""

from __future__ import annotations

import pytest

from sift_toolkit.client._definitions import metric_definition_problems, with_sift_metrics
from sift_toolkit.metrics import METRICS

OWN = {"Name": "f1", "Regex": "f1=([0-9.]+);"}


def only(problems: list[str]) -> str:
    """Return the one problem there is."""
    assert len(problems) == 1, problems
    return problems[0]


def test_none_is_lost() -> None:
    """All metrics of sifting come first, then the user's own in their order."""
    other = {"Name": "bleu", "Regex": "bleu=([0-9.]+);"}
    expected = [*(metric.definition for metric in METRICS), OWN, other]
    assert with_sift_metrics([OWN, other]) == expected


def test_none_is_doubled() -> None:
    """A definition of sifting that the user gives as well stands once."""
    assert with_sift_metrics([METRICS[0].definition]) == with_sift_metrics([])


def test_what_we_define_is_accepted() -> None:
    """The definitions of sifting keep to the API's limits."""
    assert metric_definition_problems(with_sift_metrics([OWN])) == []


def test_a_name_of_sifting_cannot_be_redefined() -> None:
    """A metric of the user's under a name of sifting would mix two things in one chart."""
    name = METRICS[0].definition["Name"]
    both = with_sift_metrics([{"Name": name, "Regex": "x=([0-9]+)"}])
    assert f"2 entries called {name!r}" in only(metric_definition_problems(both))


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ({"Name": "a", "Regex": "loss=[0-9]+"}, "exactly one group, around the number, got 0"),
        ({"Name": "a", "Regex": "(a|b)=([0-9]+)"}, "got 2"),
        ({"Name": "a", "Regex": "loss=([0-9]+"}, "no regular expression"),
        ({"Name": "a", "Regex": "([0-9])" + "x" * 494}, "1 to 500 characters"),
        ({"Name": "a", "Regex": ""}, "1 to 500 characters"),
        ({"Name": "n" * 256, "Regex": "([0-9])"}, "1 to 255 characters"),
        ({"Name": "", "Regex": "([0-9])"}, "1 to 255 characters"),
        ({"Name": 3, "Regex": "([0-9])"}, "must be a str"),
        ({"name": "a", "regex": "([0-9])"}, "must be {'Name': ..., 'Regex': ...}"),
        ({"Name": "a"}, "must be {'Name': ..., 'Regex': ...}"),
        ("a", "must be {'Name': ..., 'Regex': ...}"),
    ],
)
def test_what_is_wrong_with_one(definition: object, problem: str) -> None:
    """A definition that the API refuses, or that finds no number, is named by its place."""
    found = only(metric_definition_problems([OWN, definition]))
    assert found.startswith("metric_definitions[1]")
    assert problem in found


def test_groups_that_capture_nothing() -> None:
    """Groups that capture nothing do not count."""
    assert metric_definition_problems([{"Name": "a", "Regex": "(?:a|b)=([0-9]+)"}]) == []


def test_forty_at_most() -> None:
    """The metrics of sifting leave room for the rest of forty."""
    own = [{"Name": f"own{index}", "Regex": "([0-9])"} for index in range(40 - len(METRICS))]
    assert metric_definition_problems(with_sift_metrics(own)) == []
    too_many = with_sift_metrics([*own, OWN])
    assert "41 metric definitions" in only(metric_definition_problems(too_many))


@pytest.mark.parametrize("wrong", [{"f1": "f1=([0-9.]+)"}, "f1", 3])
def test_no_list(wrong: object) -> None:
    """Anything but a list is refused."""
    assert "must be a list" in only(metric_definition_problems(wrong))


def test_nothing_given() -> None:
    """No definitions are no problem."""
    assert metric_definition_problems(None) == []
