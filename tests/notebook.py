"""docs/notebook.py, run cell by cell in a mocked account, under whichever SDK is installed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit import SiftConfig
from sift_toolkit.testing import FakeJob, MockedAws, record_job

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebook.py"
IMPORT = "from sift_toolkit import sift_estimator as sift_job"
IMPORT_V3 = "from sift_toolkit import sift_model_trainer as sift_job"


def run_notebook(aws: MockedAws, text: str, folder: Path, patch: pytest.MonkeyPatch) -> Any:
    """Run all cells; jobs end as soon as they are launched. Return the last cell's names."""
    (folder / "src").mkdir()
    (folder / "src" / "train.py").write_text("print('training')\n", encoding="utf-8")
    patch.chdir(folder)
    # What the SDKs make a session from where they are given none.
    patch.setattr("boto3.DEFAULT_SESSION", aws.boto_session)
    names: dict[str, Any] = {}
    ended: set[str] = set()
    for cell in re.split(r"^# %%", text, flags=re.MULTILINE)[1:]:
        exec(compile(f"#{cell}", "notebook", "exec"), names)
        for request in aws.requests():
            if (name := request["TrainingJobName"]) not in ended:
                ended.add(name)
                config = SiftConfig.from_hyperparameters(request["HyperParameters"])
                assert config is not None
                record_job(aws.boto_session, name, FakeJob(config))
    return names


def check_notebook(aws: MockedAws, names: dict[str, Any], printed: str) -> None:
    """Hold what the notebook left to what it says it does."""
    sent = aws.requests()[0]
    assert names["request"]["HyperParameters"].keys() == sent["HyperParameters"].keys()
    assert names["facts"].status == "Completed"
    assert [job.label for job in names["comparison"].jobs] == [
        "plain",
        "keep=0.3",
        "keep=0.7",
        "keep=0.5",
    ]
    assert str(names["comparison"]) in printed
    tuned = aws.request("CreateHyperParameterTuningJob")["HyperParameterTuningJobConfig"]
    assert tuned["ParameterRanges"]["CategoricalParameterRanges"][0]["Name"] == "sagemaker_sift_law"
