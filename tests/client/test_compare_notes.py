"""What a comparison says in words."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sift_toolkit.client._compare_notes import notes_of
from sift_toolkit.client._compare_rows import compare_jobs
from sift_toolkit.client._job_facts import JobFacts
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.config import SiftConfig

FIGURES = JobFigures(
    name="job",
    progress=1.0,
    kept_share=1.0,
    load_seconds=1.0,
    score_seconds=1.0,
    train_seconds=1.0,
    counted_cost=1.0,
    passes=1.0,
    validation_accuracy=0.9,
)
PLAIN = JobFacts(
    name="plain",
    status="Completed",
    stage="Completed",
    billable_seconds=10.0,
    instance_type="ml.a",
    instance_count=1,
    spot=False,
    config=SiftConfig(keep=0.5, enabled=False),
    figures=FIGURES,
)
SIFTED = dataclasses.replace(PLAIN, config=SiftConfig(keep=0.5))


def notes(price: Any = None, **jobs: JobFacts) -> list[str]:
    """Return the notes of jobs beside a finished twin, without the last one, on the columns."""
    found = notes_of(compare_jobs({"twin": PLAIN, **jobs}, price), price)
    assert found[-1].startswith("Cost: billable seconds")
    return [*found[:-1]]


def but(**changes: Any) -> JobFacts:
    """Return the sifted job with some facts changed."""
    return dataclasses.replace(SIFTED, **changes)


def reported(**changes: Any) -> JobFigures:
    """Return the figures of all metrics but some."""
    return dataclasses.replace(FIGURES, **changes)


def test_the_twin_is_named() -> None:
    """Where nothing is missing there is nothing more to say."""
    assert notes(job=SIFTED) == ["Compared to twin, which has sifting off."]


def test_a_twin_known_by_its_log() -> None:
    """Where no config is known it is said that the log made the twin."""
    log = JobFacts(name="log", figures=FIGURES)
    (note, *_) = notes_of(compare_jobs({"log": log, "job": SIFTED}), None)
    assert note == "Compared to log, which kept every sample."


def test_no_twin() -> None:
    """Without a twin it is said that there is none, and how to get one."""
    (note, *_) = notes_of(compare_jobs({"job": SIFTED}), None)
    assert note.startswith("No job here has sifting off")
    assert "enabled=False" in note


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (but(status="InProgress"), "job: not compared, for it is InProgress: cost and accuracy"),
        (but(failure_reason="Error:\n  \x1b[31mout of memory."), "failed, saying Error: [31mout"),
        (but(failure_reason="x" * 2000), "x" * 290 + "x" * 7 + "...."),
        (but(stage="MaxRuntimeExceeded"), "was stopped by its time limit (MaxRuntimeExceeded)"),
        (but(notes=("the log could not be read: no",)), "job: the log could not be read: no."),
        (but(spot=True), "job: it ran on spot instances and its twin did not, so the cost saved"),
        (
            but(instance_type="ml.b"),
            "ran on ml.b, the twin on ml.a; to compare the cost give price_per_hour={type: price}",
        ),
        (but(figures=JobFigures(name="job")), "job: no metric of sifting was reported."),
        (
            but(status="InProgress", figures=JobFigures(name="job")),
            "job: no metric of sifting was reported yet.",
        ),
        (
            but(figures=reported(validation_accuracy=None, counted_cost=None)),
            "job: not reported: counted cost, validation accuracy (a script reports it with",
        ),
        (but(figures=reported(kept_share=None)), "job: not reported: kept share."),
        (but(status=None, figures=reported(progress=0.4)), "the file ends at 40% of the training"),
        (
            but(status=None, figures=reported(progress=0.4)),
            "job: not compared, for it ends before the training does, or ended it early",
        ),
        (but(source="CloudWatch"), "Metrics of job are from CloudWatch, which keeps one number"),
    ],
)
def test_what_is_said_of_a_job(job: JobFacts, said: str) -> None:
    """Each gap in the table has its reason, in one line without control characters."""
    found = notes(job=job)
    assert any(said in note for note in found), found
    assert all(note.isprintable() for note in found)


def test_a_twin_that_has_not_finished() -> None:
    """Jobs that wait for their twin are told apart from those that wait for themselves."""
    running = dataclasses.replace(PLAIN, status="InProgress")
    found = notes_of(compare_jobs({"twin": running, "job": SIFTED}), None)
    assert "job: not compared, for its twin twin is InProgress." in found


def test_a_twin_on_spot() -> None:
    """A job that saved less than the table says, or nothing, because its twin ran on spot."""
    spot = dataclasses.replace(PLAIN, spot=True)
    found = notes_of(compare_jobs({"twin": spot, "job": SIFTED}), None)
    assert any("its twin ran on spot instances and it did not" in note for note in found)


def test_columns_that_are_not_there_are_not_explained() -> None:
    """Of jobs on this machine nothing is billed; without a twin nothing is saved of it."""
    on_aws = notes_of(compare_jobs({"twin": PLAIN, "job": SIFTED}), None)[-1]
    assert on_aws.startswith("Cost: billable seconds")
    assert on_aws.endswith("Saved: of the twin's.")
    alone = dataclasses.replace(SIFTED, billable_seconds=None)
    assert notes_of(compare_jobs({"job": alone}), None)[-1].startswith("Training: seconds")
    assert "twin's" not in notes_of(compare_jobs({"job": alone}), None)[-1]
    silent = JobFacts(name="job", figures=JobFigures(name="job"))
    assert not any("Saved" in note for note in notes_of(compare_jobs({"job": silent}), None))


def test_jobs_that_share_a_note_share_its_line() -> None:
    """What holds for several jobs is said once."""
    silent = but(figures=JobFigures(name="job"))
    assert "a, b: no metric of sifting was reported." in notes(a=silent, b=silent)


def test_prices() -> None:
    """A price that fits no job, or more than one type of instance, is said to be left out."""
    other = but(instance_type="ml.b")
    assert any(note.startswith("Left out: the cost in money") for note in notes(1.0, job=other))
    assert "job: price_per_hour has no price for ml.b." in notes({"ml.a": 1.0}, job=other)
    assert not any("Left out" in note for note in notes(1.0, job=SIFTED))
