"""The demo's job as both SDKs' local modes run it, and what must come back of it."""

from __future__ import annotations

import re
import tarfile
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sift_toolkit import METRICS, SiftConfig
from sift_toolkit.metrics import (
    KEPT_SHARE,
    NAME_PREFIX,
    SAMPLES_SEEN,
    VALIDATION_ACCURACY,
    read_series,
)
from sift_toolkit.report import SiftReport

LETTERS = Path(__file__).resolve().parents[2] / "demo" / "letters"
DATA = LETTERS / "data"
SAMPLES = 16_000

CONFIG = SiftConfig(keep=0.5, scores="fresh", log_every=50)
EPOCHS = 2

OWN_SCRIPT = textwrap.dedent(
    """
    import argparse, os, types
    from pathlib import Path

    import torch
    import letters
    from sift_toolkit.container import sift

    # Strict: a key of sifting on the command line would end the job.
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--epochs", type=int, required=True)
    epochs = parser.parse_args().epochs
    torch.manual_seed(0)
    job = types.SimpleNamespace(
        hyperparameters={}, channel=lambda name: Path(os.environ[f"SM_CHANNEL_{name.upper()}"])
    )
    model = letters.model(job)
    optimizer = letters.optimizer(model, job)
    loader = sift(letters.train_data(job), model=model, loss=letters.loss, epochs=epochs)
    for _ in range(epochs):
        for batch in loader:
            optimizer.zero_grad()
            loader.reduce(letters.loss(model, batch)).backward()
            optimizer.step()
        with torch.no_grad():
            right = torch.cat([letters.correct(model, batch) for batch in letters.test_data(job)])
        loader.record(validation_accuracy=right.float().mean())
    torch.save(model.state_dict(), Path(os.environ["SM_MODEL_DIR"], "model.pt"))
    """
)
"""A user's own training, of the demo's model and data."""


def job_arguments(image: str) -> dict[str, Any]:
    """Return what every job in local mode is made with."""
    return {
        "role": "arn:aws:iam::123456789012:role/any",
        "instance_type": "local",
        "instance_count": 1,
        "image_uri": image,
        "hyperparameters": {"epochs": EPOCHS},
    }


def own_source(folder: Path) -> Path:
    """Write a user's source folder: a script of their own beside the demo's module."""
    folder.mkdir()
    (folder / "train.py").write_text(OWN_SCRIPT, encoding="utf-8")
    (folder / "letters.py").write_bytes((LETTERS / "letters.py").read_bytes())
    return folder


def log_lines(printed: str) -> list[str]:
    """Return a container's lines out of what the SDK printed: without colours and its name."""
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", printed)
    return [re.sub(r"^\S+ *\| ", "", line).strip() for line in plain.splitlines()]


def charted(lines: Iterable[str], definitions: Iterable[dict[str, str]]) -> dict[str, list[float]]:
    """Return what CloudWatch would chart of a log, by the metric definitions of a request."""
    found = {
        definition["Name"]: [
            float(match[1]) for line in lines if (match := re.search(definition["Regex"], line))
        ]
        for definition in definitions
    }
    return {name: values for name, values in found.items() if values}


def check_metrics(lines: list[str], definitions: Iterable[dict[str, str]]) -> None:
    """Hold the log of a job of `EPOCHS` epochs to what its config asked for."""
    series = read_series(lines)
    assert charted(lines, definitions) == {
        NAME_PREFIX + metric.name: values for metric, values in series.items()
    }
    assert set(series) == set(METRICS), "\n".join(lines)
    assert series[KEPT_SHARE][-1] == 0.5
    assert series[SAMPLES_SEEN][-1] == EPOCHS * SAMPLES
    assert len(series[VALIDATION_ACCURACY]) == EPOCHS
    # Of 26 letters; two epochs of this model reach about nine out of ten.
    assert series[VALIDATION_ACCURACY][-1] > 0.8


def check_report(text: str, lines: list[str]) -> None:
    """Hold a job's report to its log."""
    report = SiftReport.from_json(text, "the report")
    assert report.config == CONFIG.to_hyperparameters()
    for metric, values in read_series(lines).items():
        assert [value for _, value in report.series(metric.name)] == values


def members(archive: Path) -> dict[str, bytes]:
    """Return the files of a .tar.gz by their names."""
    with tarfile.open(archive) as tar:
        return {
            member.name.removeprefix("./"): file.read()
            for member in tar
            if (file := tar.extractfile(member))
        }
