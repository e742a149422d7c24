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
    import argparse, os
    from pathlib import Path

    import numpy
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset
    from sift_toolkit.container import sift

    def part(name):
        with numpy.load(Path(os.environ["SM_CHANNEL_LETTERS"], "letters.npz")) as arrays:
            features = torch.from_numpy(arrays[f"{name}_features"]).float()
            labels = torch.from_numpy(arrays[f"{name}_labels"]).long()
        return TensorDataset((features - 7.5) / 4, labels)

    def loss(model, batch):
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")

    # Strict: a key of sifting on the command line would end the job.
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--epochs", type=int, required=True)
    epochs = parser.parse_args().epochs
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 256), nn.ReLU(), nn.Linear(256, 26))
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    plain = DataLoader(part("train"), batch_size=128, shuffle=True)
    loader = sift(plain, model=model, loss=loss, epochs=epochs)
    for _ in range(epochs):
        for batch in loader:
            optimizer.zero_grad()
            loader.reduce(loss(model, batch)).backward()
            optimizer.step()
        features, labels = part("test").tensors
        with torch.no_grad():
            right = model(features).argmax(dim=1) == labels
        loader.record(validation_accuracy=right.float().mean())
    torch.save(model.state_dict(), Path(os.environ["SM_MODEL_DIR"], "model.pt"))
    """
)
"""A user's own training of the demo's data."""


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
    """Write a user's source folder."""
    folder.mkdir()
    (folder / "train.py").write_text(OWN_SCRIPT, encoding="utf-8")
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
    # There are 26 letters: guessing would get 0.04.
    assert series[VALIDATION_ACCURACY][-1] > 0.5


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
