"""A job on two hosts: two containers, torchrun and gloo, DistributedDataParallel."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import boto3
import pytest

from sift_toolkit import METRICS, sift_estimator
from sift_toolkit.metrics import SAMPLES_KEPT, SAMPLES_SEEN, VALIDATION_ACCURACY, read_series
from tests.docker.demo_job import (
    CONFIG,
    DATA,
    LETTERS,
    SAMPLES,
    job_arguments,
    log_lines,
    members,
)

EPOCHS = 4
BATCH_SIZE = 128
"""Of all ranks together."""

SCRIPT = textwrap.dedent(
    """
    import argparse, hashlib, os
    from pathlib import Path

    import numpy
    import torch
    from torch import distributed, nn
    from torch.nn.parallel import DistributedDataParallel
    from torch.utils.data import DataLoader, DistributedSampler, TensorDataset
    from sift_toolkit.container import sift

    def part(name):
        with numpy.load(Path(os.environ["SM_CHANNEL_LETTERS"], "letters.npz")) as arrays:
            features = torch.from_numpy(arrays[f"{name}_features"]).float()
            labels = torch.from_numpy(arrays[f"{name}_labels"]).long()
        return TensorDataset((features - 7.5) / 4, labels)

    def loss(model, batch):
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")

    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    rank, ranks = distributed.get_rank(), distributed.get_world_size()
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(16, 256), nn.ReLU(), nn.Linear(256, 26))
    model = DistributedDataParallel(plain)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    data = part("train")
    loader = sift(
        DataLoader(
            data,
            batch_size=arguments.batch_size // ranks,
            sampler=DistributedSampler(data, seed=0),
        ),
        model=model,
        loss=loss,
        epochs=arguments.epochs,
    )
    steps = 0
    for epoch in range(arguments.epochs):
        loader.set_epoch(epoch)
        for batch in loader:
            optimizer.zero_grad()
            loader.reduce(loss(model, batch)).backward()
            optimizer.step()
            steps += 1
        features, labels = part("test").tensors
        with torch.no_grad():
            right = plain(features).argmax(dim=1) == labels
        loader.record(validation_accuracy=right.float().mean())
    digest = hashlib.sha256()
    for value in plain.state_dict().values():
        digest.update(value.numpy().tobytes())
    print(f"RANK {rank} of {ranks} made {steps} steps to {digest.hexdigest()}", flush=True)
    if rank == 0:
        torch.save(plain.state_dict(), Path(os.environ["SM_MODEL_DIR"], "model.pt"))
    distributed.destroy_process_group()
    """
)
"""A user's own distributed training, by hand."""

_ENDED = re.compile(r"RANK (\d+) of (\d+) made (\d+) steps to (\w+)")


def run_script(image: str, folder: Path, capfd: pytest.CaptureFixture[str], hosts: int) -> str:
    """Run the script's job on so many hosts; return what the SDK printed."""
    source = folder / "source"
    source.mkdir(parents=True)
    (source / "train.py").write_text(SCRIPT, encoding="utf-8")
    hyperparameters = {"epochs": EPOCHS, "batch-size": BATCH_SIZE}
    job = {"entry_point": "train.py", "source_dir": source, "hyperparameters": hyperparameters}
    return run(image, folder, capfd, hosts, **job)


def run(image: str, folder: Path, capfd: pytest.CaptureFixture[str], hosts: int, **job: Any) -> str:
    """Run a job on so many hosts; return what the SDK printed."""
    from sagemaker.local import LocalSession

    folder.mkdir(exist_ok=True)
    session = LocalSession(boto3.Session(region_name="us-west-2"))
    session.config = {"local": {"local_code": True, "container_root": str(folder)}}
    arguments: dict[str, Any] = {**job_arguments(image), "instance_count": hosts, **job}
    estimator = sift_estimator(
        CONFIG,
        distribution={"torch_distributed": {"enabled": True}},
        output_path=f"file://{folder / 'output'}",
        sagemaker_session=session,
        **arguments,
    )
    estimator.fit({"letters": DATA.as_uri()})
    return capfd.readouterr().out


@pytest.mark.point("3b")
def test_two_hosts(image: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """SDK v2, two hosts under torchrun and gloo: as many steps, one model, metrics once."""
    alone = read_series(log_lines(run_script(image, tmp_path / "one", capfd, hosts=1)))
    printed = run_script(image, tmp_path / "two", capfd, hosts=2)
    lines = log_lines(printed)
    ended = sorted(match.groups() for line in lines if (match := _ENDED.search(line)))
    assert [(rank, ranks) for rank, ranks, *_ in ended] == [("0", "2"), ("1", "2")]
    # As many steps on both, of the same model.
    assert ended[0][2:] == ended[1][2:]
    # One host reports, each metric as often as on its own.
    assert (
        len({line.split("|")[0] for line in printed.splitlines() if "[sift] epoch=" in line}) == 1
    )
    series = read_series(lines)
    assert set(series) == set(METRICS)
    assert len(series[VALIDATION_ACCURACY]) == EPOCHS
    # It counts the samples of its own rank.
    assert series[SAMPLES_SEEN][-1] == alone[SAMPLES_SEEN][-1] / 2 == EPOCHS * SAMPLES / 2
    assert series[SAMPLES_KEPT][-1] == alone[SAMPLES_KEPT][-1] / 2
    # Other samples are chosen out of smaller batches: the same accuracy, not the same bits.
    assert series[VALIDATION_ACCURACY][-1] == pytest.approx(
        alone[VALIDATION_ACCURACY][-1], abs=0.03
    )
    assert set(members(tmp_path / "two" / "output" / "model.tar.gz")) == {"model.pt"}
    print(f"accuracy {series[VALIDATION_ACCURACY][-1]:.4f}, {alone[VALIDATION_ACCURACY][-1]:.4f}")


@pytest.mark.point("3b")
def test_the_demo_on_two_hosts(
    image: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """SDK v2, the demo's own job on two hosts: metrics once, the same model on both."""
    job = {"entry_point": "letters.py", "source_dir": LETTERS, "launcher": "train"}
    printed = run(image, tmp_path / "demo", capfd, hosts=2, **job)
    reporting = {line.split("|")[0] for line in printed.splitlines() if "[sift] epoch=" in line}
    assert len(reporting) == 1
    series = read_series(log_lines(printed))
    epochs = job_arguments(image)["hyperparameters"]["epochs"]
    assert series[SAMPLES_SEEN][-1] == epochs * SAMPLES / 2
    # There are 26 letters: guessing would get 0.04.
    assert series[VALIDATION_ACCURACY][-1] > 0.8
    # The trainer compares the models of its processes at the end.
    assert "different models" not in printed
    assert set(members(tmp_path / "demo" / "output" / "model.tar.gz")) == {"model.pt"}
