"""The files of a trial's folder, whoever wrote them: gone on from, or our error."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.client._staging import TRIAL_FILE
from sift_toolkit.client._trial_budget import affords
from sift_toolkit.client._trial_folder import TrialFolder
from sift_toolkit.client._trial_halving import next_jobs
from sift_toolkit.client._trial_plan import TrialJob
from sift_toolkit.client._trial_result import TrialResult
from tests.client.trials import arm_of, outcome_of, plan_of
from tests.fuzz.strange import JSON_VALUES, NUMBERS, changed_bytes, changed_tree, tried

PLAN = plan_of(arms=[arm_of(), arm_of("less", keep=0.3)], seeds=2, budget=9, budget_hours=9)
JOBS = [TrialJob(arm, seed) for arm in PLAN.arms for seed in PLAN.seeds]
SUBJECT = {"script": "a.py", "channels": {"x": "y"}}
OUTCOMES = {
    job.key: {"job": job.to_json(), "outcome": outcome_of(PLAN, job, 0.9 + 0.01 * place).to_json()}
    for place, job in enumerate(JOBS)
}
FIGURES = ("score", "passes", "training_seconds", "job_seconds", "kept_share")
_KEYS = st.sampled_from(sorted(OUTCOMES))


def _text(content: object) -> bytes:
    try:
        return json.dumps(content).encode()
    except ValueError:
        return b"[" * 3000


def _with(key: str, figures: dict[str, Any]) -> bytes:
    """Return the file of an outcome in which some figures are others."""
    content = json.loads(json.dumps(OUTCOMES[key]))
    content["outcome"] |= figures
    return _text(content)


@st.composite
def _outcome_files(draw: st.DrawFn) -> tuple[str, bytes]:
    key = draw(_KEYS)
    whole = OUTCOMES[key]
    return key, draw(
        st.one_of(
            changed_tree(whole, st.one_of(JSON_VALUES, NUMBERS)).map(_text),
            changed_bytes(_text(whole)),
            st.dictionaries(st.sampled_from(FIGURES), NUMBERS).map(lambda each: _with(key, each)),
        )
    )


def _go_on(folder: TrialFolder) -> None:
    """Do with what was read all that a trial does."""
    outcomes = folder.outcomes(PLAN)
    jobs = next_jobs(PLAN, outcomes)
    assert all(isinstance(affords(PLAN, outcomes, jobs[1:], job), bool) for job in jobs[:1])
    result = TrialResult.of(PLAN, outcomes)
    json.loads(result.to_json())
    for text in (str(result), result.to_html()):
        assert all(sign == "\n" or sign.isprintable() for sign in text)
    assert math.isfinite(result.spent.trainings)


@given(files=st.lists(_outcome_files(), min_size=1, max_size=4))
def test_outcomes_are_gone_on_from_or_refused(files: list[tuple[str, bytes]]) -> None:
    """Whatever outcomes say, there are next jobs and a verdict that can be shown, or our error."""
    with tempfile.TemporaryDirectory() as place:
        folder = TrialFolder(Path(place))
        there = {key: _text(whole) for key, whole in OUTCOMES.items()} | dict(files)
        (folder.path / "outcomes").mkdir()
        for key, content in there.items():
            (folder.path / "outcomes" / f"{key}.json").write_bytes(content)
        tried(lambda: _go_on(folder))


_PLANS = st.one_of(
    changed_tree({"version": 1, "subject": {**SUBJECT, "epochs": 20}, "plan": {}}).map(_text),
    changed_bytes(_text({"subject": SUBJECT})),
    JSON_VALUES.map(_text),
)
_LAUNCHES = st.one_of(
    changed_tree({"job": JOBS[0].to_json(), "name": "job-1"}).map(_text),
    changed_bytes(_text({"job": JOBS[0].to_json(), "name": "job-1"})),
)


@given(plan=_PLANS, launch=_LAUNCHES)
def test_a_plan_is_gone_on_from_or_refused(plan: bytes, launch: bytes) -> None:
    """Whatever the plan and the names of running jobs say, it is ours, or refused in words."""
    with tempfile.TemporaryDirectory() as place:
        folder = TrialFolder(Path(place))
        (folder.path / TRIAL_FILE).write_bytes(plan)
        (folder.path / "launched").mkdir()
        (folder.path / "launched" / f"{JOBS[0].key}.json").write_bytes(launch)
        tried(lambda: folder.begin(PLAN, SUBJECT))
        tried(lambda: folder.launched(PLAN))
