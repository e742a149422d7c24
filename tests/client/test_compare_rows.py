"""Jobs beside their twin: what is compared, and what is left out."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.client._compare_rows import ComparedJob, compare_jobs, twin_of
from sift_toolkit.client._job_facts import JobFacts
from sift_toolkit.client._job_figures import JobFigures
from sift_toolkit.config import SiftConfig
from sift_toolkit.errors import SiftUsageError

PLAIN = JobFacts(
    name="plain-1",
    status="Completed",
    elapsed_seconds=1000.0,
    billable_seconds=1000.0,
    instance_type="ml.g5.xlarge",
    instance_count=2,
    spot=False,
    config=SiftConfig(keep=0.5, enabled=False),
    figures=JobFigures(
        name="plain-1",
        kept_share=1.0,
        load_seconds=10.0,
        score_seconds=0.0,
        train_seconds=790.0,
        passes=3000.0,
        validation_accuracy=0.93,
    ),
)
SIFTED = dataclasses.replace(
    PLAIN,
    name="sifted-1",
    billable_seconds=600.0,
    config=SiftConfig(keep=0.5),
    figures=JobFigures(
        name="sifted-1",
        kept_share=0.5,
        load_seconds=10.0,
        score_seconds=90.0,
        train_seconds=400.0,
        passes=2500.0,
        validation_accuracy=0.925,
    ),
)
DIFFERENCES = (
    "saved_money",
    "cost_saved",
    "training_time_saved",
    "counted_saved",
    "accuracy_difference",
)


def sifted(**changes: Any) -> JobFacts:
    """Return the sifted job with some facts changed."""
    return dataclasses.replace(SIFTED, **changes)


def beside(job: JobFacts, twin: JobFacts = PLAIN, price: Any = None) -> ComparedJob:
    """Return *job* beside *twin*."""
    return compare_jobs({"twin": twin, "job": job}, price)[1]


def differences(job: ComparedJob) -> set[float | None]:
    """Return everything that compares a job with its twin."""
    return {getattr(job, name) for name in DIFFERENCES}


def test_a_sifted_job_beside_its_twin() -> None:
    """Savings are shares of the twin's, the accuracy differs in percentage points."""
    twin, job = compare_jobs({"plain": PLAIN, "sifted": SIFTED}, 1.8)
    assert (twin.is_twin, job.is_twin) == (True, False)
    assert differences(twin) == {None}
    assert twin.cost_money == pytest.approx(1.0)
    assert job.cost_money == pytest.approx(0.6)
    assert job.saved_money == pytest.approx(0.4)
    assert job.cost_saved == pytest.approx(0.4)
    assert job.training_time_saved == pytest.approx(1 - 500 / 800)
    assert job.counted_saved == pytest.approx(1 / 6)
    assert job.accuracy_difference == pytest.approx(-0.5)


def test_the_first_job_with_sifting_off_is_the_twin() -> None:
    """Order decides, wherever the twin stands; without one there is none."""
    assert twin_of({"a": SIFTED, "b": PLAIN, "c": PLAIN}) == "b"
    assert twin_of({"a": SIFTED}) is None


def test_the_twin_is_plain_training_in_full() -> None:
    """Of several, as in the folder of a trial, the one of most passes, where all tell."""
    short = dataclasses.replace(PLAIN, figures=dataclasses.replace(PLAIN.figures, passes=300.0))
    silent = dataclasses.replace(PLAIN, figures=JobFigures(name="plain-1"))
    assert twin_of({"short": short, "full": PLAIN, "again": PLAIN}) == "full"
    assert twin_of({"short": short, "silent": silent, "full": PLAIN}) == "short"


def test_a_file_that_ends_before_the_training_does_is_not_compared() -> None:
    """It may be the log of a job that still runs, or was stopped: half a training costs less."""
    for progress, is_compared in ((0.23, False), (1.0, True), (None, True)):
        figures = dataclasses.replace(SIFTED.figures, progress=progress)
        half = JobFacts(name="log", config=SIFTED.config, figures=figures)
        assert (differences(beside(half)) != {None}) is is_compared
        twin = dataclasses.replace(half, config=PLAIN.config)
        assert (differences(beside(SIFTED, twin)) != {None}) is is_compared


def test_a_twin_that_finished_is_better_than_one_that_did_not() -> None:
    """A plain job that failed does not keep the others from being compared to the next."""
    failed = dataclasses.replace(PLAIN, status="Failed")
    assert twin_of({"a": failed, "b": SIFTED, "c": PLAIN}) == "c"
    assert twin_of({"a": failed, "b": SIFTED}) == "a"


@pytest.mark.parametrize("status", ["InProgress", "Stopping", "Stopped", "Failed"])
def test_only_finished_jobs_are_compared(status: str) -> None:
    """What a job that did not finish cost and reached says nothing about sifting."""
    assert differences(beside(sifted(status=status), price=1.0)) == {None}
    twin = dataclasses.replace(PLAIN, status=status)
    assert differences(beside(SIFTED, twin, price=1.0)) == {None}
    assert beside(sifted(status=status), price=3.6).cost_money == pytest.approx(1.2)


def test_files_are_compared_by_what_they_tell() -> None:
    """Reports and logs have no bill, but seconds, passes and an accuracy."""
    plain, job = (
        JobFacts(name=facts.name, config=facts.config, figures=facts.figures)
        for facts in (PLAIN, SIFTED)
    )
    row = beside(job, plain, price=1.0)
    assert (row.cost_money, row.cost_saved) == (None, None)
    assert row.training_time_saved == pytest.approx(0.375)
    assert row.accuracy_difference == pytest.approx(-0.5)


def test_instances_count() -> None:
    """Half the seconds on twice the instances saves nothing."""
    row = beside(sifted(billable_seconds=500.0, instance_count=4))
    assert row.cost_saved == pytest.approx(0.0)


def test_other_instances_are_compared_by_money_only() -> None:
    """Seconds of different machines are no common measure; one price for both would be a guess."""
    job = sifted(instance_type="ml.p4d.24xlarge")
    assert beside(job).cost_saved is None
    assert beside(job, price=1.0).cost_money is None
    row = beside(job, price={"ml.g5.xlarge": 1.8, "ml.p4d.24xlarge": 3.6})
    assert row.cost_saved == pytest.approx(1 - 1.2)
    assert row.saved_money == pytest.approx(-0.2)
    assert beside(job, price={"ml.g5.xlarge": 1.8}).cost_saved is None


def test_instance_groups_of_several_types_have_no_price() -> None:
    """Billable seconds are not told for each group."""
    mixed = sifted(instance_type=None)
    row = beside(mixed, dataclasses.replace(PLAIN, instance_type=None), price=1.0)
    assert (row.cost_money, row.cost_saved) == (None, None)


@pytest.mark.parametrize("price", [0, -1.0, math.nan, math.inf, "1.41", True, {"ml.x": 0}, [1.0]])
def test_a_price_is_a_positive_number(price: Any) -> None:
    """A price that is none is refused, as it was given."""
    with pytest.raises(SiftUsageError, match="price_per_hour must be a positive number"):
        compare_jobs({"a": PLAIN}, price)


MEASURED = st.none() | st.just(0.0) | st.floats(1e-3, 1e9)
FIGURES = st.builds(
    JobFigures,
    name=st.just("job"),
    kept_share=st.none() | st.floats(0, 1),
    load_seconds=MEASURED,
    score_seconds=MEASURED,
    train_seconds=MEASURED,
    passes=MEASURED,
    validation_accuracy=st.none() | st.floats(0, 1),
)
FACTS = st.builds(
    JobFacts,
    name=st.just("job"),
    status=st.sampled_from(["Completed", "Failed", "InProgress", "Stopped", None]),
    billable_seconds=MEASURED,
    instance_type=st.sampled_from(["ml.a", "ml.b", None]),
    instance_count=st.none() | st.integers(1, 8),
    config=st.sampled_from([SiftConfig(keep=0.5), SiftConfig(keep=0.5, enabled=False), None]),
    hyperparameters_known=st.booleans(),
    figures=FIGURES,
)


@given(
    jobs=st.dictionaries(st.text(), FACTS, min_size=1, max_size=4),
    price=st.none() | st.floats(0.01, 100) | st.just({"ml.a": 1.0}),
)
def test_any_jobs_are_compared(jobs: dict[str, JobFacts], price: Any) -> None:
    """Whatever is missing, each job has its row in order, at most one is the twin, all is finite.

    What is not known leaves a gap in that row alone.
    """
    rows = compare_jobs(jobs, price)
    assert [row.label for row in rows] == [*jobs]
    assert sum(row.is_twin for row in rows) == any(job.sifting_off for job in jobs.values())
    for row in rows:
        assert all(value is None or math.isfinite(value) for value in differences(row))
        if row.is_twin or row.facts.status not in {"Completed", None}:
            assert differences(row) == {None}
