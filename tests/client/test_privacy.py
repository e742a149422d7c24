"""What must never leave a job or a launch: credentials, and what is in the data."""

from __future__ import annotations

import struct
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit import HostSession, SiftConfig, sift_estimator
from sift_toolkit.client._source import SourceCode
from sift_toolkit.client._staging import stage

KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLETOKEN"
CREDENTIALS = (KEY, SECRET, TOKEN)
# Exact in 32 bits, and found by no accident.
VALUES = (31337.25, -74565.75)
WORDS = ("Wolfeschlegelstein", "Zyzzyva-4711")

HOOKS = """
    import json
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, Dataset

    class Rows(Dataset):
        def __init__(self, folder):
            self.rows = json.loads((folder / "rows.json").read_text())
        def __len__(self):
            return len(self.rows)
        def __getitem__(self, index):
            word, value, label = self.rows[index]
            return {"name": word, "value": torch.tensor([value]), "label": label}

    def epochs(job): return 2
    def model(job): return nn.Linear(1, 2)
    def train_data(job): return DataLoader(Rows(job.channel("training")), batch_size=4)
    def test_data(job): return train_data(job)
    def optimizer(model, job): return torch.optim.SGD(model.parameters(), lr=1e-9)
    def loss(model, batch):
        return nn.functional.cross_entropy(model(batch["value"]), batch["label"], reduction="none")
    def correct(model, batch):
        return model(batch["value"]).argmax(dim=1) == batch["label"]
"""


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that look like real ones, where boto3 finds them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)


def traces(contents: bytes) -> Iterator[str]:
    """Name every credential and every piece of data found in bytes."""
    for word in (*CREDENTIALS, *WORDS, *map(str, VALUES)):
        if word.encode() in contents:
            yield word
    for value in VALUES:
        for layout in ("<f", "<d"):
            if struct.pack(layout, value) in contents:
                yield f"{value} in binary"


def traces_below(folder: Path) -> dict[str, list[str]]:
    """Say what is found in which file below a folder, the data itself left out."""
    found = {
        path.relative_to(folder).as_posix(): list(traces(path.read_bytes()))
        for path in folder.rglob("*")
        if path.is_file() and path.name != "rows.json"
    }
    return {name: words for name, words in found.items() if words}


def write_data(folder: Path) -> None:
    """Write the rows of a channel, as JSON."""
    import json

    folder.mkdir()
    rows = [(WORDS[index % 2], VALUES[index % 2], index % 2) for index in range(24)]
    (folder / "rows.json").write_text(json.dumps(rows))


@pytest.mark.parametrize("scores", ["memory", "fresh"])
def test_a_job_keeps_quiet(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, scores: Any
) -> None:
    """No log, report, checkpoint, model or request of a job has a key or a row in it."""
    (tmp_path / "hooks.py").write_text(textwrap.dedent(HOOKS))
    write_data(tmp_path / "data")
    session = HostSession(tmp_path / "jobs")
    estimator = sift_estimator(
        SiftConfig(keep=0.5, scores=scores, log_every=1),
        entry_point=tmp_path / "hooks.py",
        launcher="train",
        role="any",
        sagemaker_session=session,
    )
    with caplog.at_level("DEBUG"):
        described = estimator.describe_request({"training": "file:///data"})
        estimator.fit({"training": f"file://{tmp_path / 'data'}"}, job_name="the-job")
    job = session.job("the-job")
    assert job.report_path.is_file()
    assert list(job.tree.checkpoints_dir.glob("sift_checkpoint*.pt"))
    assert any("train_loss" in line or "kept_share" in line for line in job.lines())

    assert traces_below(tmp_path / "jobs") == {}
    printed = capfd.readouterr()
    for told in (printed.out, printed.err, caplog.text, repr(described), repr(job.request)):
        assert list(traces(told.encode())) == []


def test_a_staged_source_keeps_quiet(user_code: Path, tmp_path: Path) -> None:
    """What is sent to S3 as code holds nothing of the launcher's environment or key files."""
    (user_code / ".aws").mkdir()
    (user_code / ".aws" / "credentials").write_text(f"aws_secret_access_key = {SECRET}\n")
    assert traces_below(user_code) == {".aws/credentials": [SECRET]}
    folder = tmp_path / "staged"
    stage(SourceCode(entry_point="train.py", source_dir=str(user_code), launcher="run"), folder)
    assert traces_below(folder) == {}


def test_traces_are_found(tmp_path: Path) -> None:
    """The search finds what it looks for: text, and numbers in tensors."""
    import torch

    torch.save({"rows": torch.tensor(VALUES)}, tmp_path / "checkpoint.pt")
    torch.save({"rows": torch.tensor(VALUES, dtype=torch.float64)}, tmp_path / "double.pt")
    (tmp_path / "log.txt").write_text(f"{WORDS[0]} {TOKEN}")
    found = traces_below(tmp_path)
    assert set(found) == {"checkpoint.pt", "double.pt", "log.txt"}
    assert found["log.txt"] == [TOKEN, WORDS[0]]
