"""Estimators, sweeps and facts as a terminal and a notebook show them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sift_toolkit import SiftConfig, sift_estimator
from sift_toolkit.client import JobFacts, JobFigures, Sweep, compare_twins
from sift_toolkit.client._job_source import JobSources
from sift_toolkit.client._shown_handle import ShownHandle, job_name_of
from sift_toolkit.testing import FakeJob, MockedAws
from tests.html_page import Page

HOSTILE = "<script>alert('&')</script>"
CONFIG = SiftConfig(keep=0.5)


@pytest.fixture
def estimator(aws: MockedAws, job_arguments: dict[str, Any]) -> Any:
    """An estimator that has launched nothing."""
    return sift_estimator(CONFIG, **job_arguments)


def test_an_estimator(estimator: Any, aws: MockedAws) -> None:
    """It shows its config, code, machines and latest job, and asks AWS for nothing."""
    before = len(aws.requests())
    page = Page(estimator._repr_html_())
    assert page.open == []
    assert {"SiftPyTorch", str(CONFIG), "train.py", "keep"} <= set(page.words)
    assert "none, for it has started none" in page.words
    assert repr(estimator) == str(estimator)
    told = f"<SiftPyTorch: config {CONFIG}, code train.py, instances 1 x "
    assert repr(estimator).startswith(told)
    assert len(aws.requests()) == before


def test_its_latest_job(estimator: Any) -> None:
    """After the launch it names the job."""
    estimator.fit(wait=False, job_name="the-job")
    assert "latest job the-job" in repr(estimator)


def test_what_cannot_be_read_is_no_error() -> None:
    """To look at a handle never fails: a config of a newer version is none."""

    class Broken(ShownHandle):
        @property
        def sift_config(self) -> SiftConfig | None:
            return SiftConfig.from_hyperparameters({"sagemaker_sift_version": 99})

    assert repr(Broken()) == ("<Broken: config none, latest job none, for it has started none>")
    assert Page(Broken()._repr_html_()).open == []


@pytest.mark.parametrize("attribute", ["training_job_name", "name", "job_name"])
def test_the_name_of_a_job(attribute: str) -> None:
    """Every SDK calls it something else."""
    job = type("Job", (), {attribute: "x"})()
    assert job_name_of(job) == "x"
    assert job_name_of(None) is None


def test_a_sweep(estimator: Any) -> None:
    """Each job has a line with its label, its name and its config."""
    sweep = Sweep({"plain": estimator}, {"plain": HOSTILE})
    assert str(sweep) == f"Sweep of 1 jobs\n  plain  {HOSTILE}, {CONFIG}"
    page = Page(sweep._repr_html_())
    assert page.open == []
    assert page.words[-3:] == ["plain", HOSTILE, str(CONFIG)]


def test_twins() -> None:
    """A table of what the text says, line by line."""
    run = JobFigures(name="x", kept_share=0.5, validation_accuracy=0.9)
    twins = compare_twins([run], [run], label=HOSTILE)
    page = Page(twins._repr_html_())
    assert page.open == []
    assert {"data kept", "50.0%", "90.00%"} <= set(page.words)
    assert repr(twins) == f"<TwinComparison {HOSTILE} (1 x plain, 1 x sifted)>"


def test_facts(tmp_path: Path) -> None:
    """A job's facts are text on a terminal, a table and charts in a notebook."""
    file = tmp_path / "report.json"
    FakeJob(CONFIG).report().write(file)
    facts = JobSources().facts(file)
    assert str(facts).splitlines()[0] == str(file)
    assert "  kept          66.7% of the samples seen" in str(facts).splitlines()
    page = Page(facts._repr_html_())
    assert page.open == []
    assert page.tags.count("svg") == 2
    bad = JobFacts(name=HOSTILE, failure_reason=HOSTILE, figures=JobFigures(name="x"))
    assert "script" not in Page(bad._repr_html_()).tags
    assert repr(bad) == f"<JobFacts of {HOSTILE}: status not known>"
