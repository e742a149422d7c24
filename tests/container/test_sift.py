"""One line in a script serves both twins, inside a job and outside of one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from sift_toolkit import (
    SiftConfig,
    SiftConfigError,
    SiftingDataloader,
    SiftLossError,
    SiftUsageError,
    sift,
)
from sift_toolkit.config import VERSION_KEY, key_of
from sift_toolkit.contract import JobTree
from sift_toolkit.metrics import KEPT_SHARE, METRICS, PROGRESS, Metric, read_lines, read_series
from sift_toolkit.report import LOSS_PERCENTILES, REPORT_FILE, SiftReport

MakeJob = Callable[..., JobTree]
Loader = DataLoader[Any]
EPOCHS = 3
OFTEN = SiftConfig(keep=0.5, log_every=2)


@pytest.fixture
def train(
    toy_loader: Callable[[], Loader], toy_loss: Callable[..., Tensor], toy_model: nn.Module
) -> Callable[..., SiftingDataloader]:
    """Train the toy model for three epochs with whatever sift() makes of its arguments."""

    def training(**arguments: Any) -> SiftingDataloader:
        loader = sift(
            **{
                "dataloader": toy_loader(),
                "model": toy_model,
                "loss": toy_loss,
                "epochs": EPOCHS,
                **arguments,
            }
        )
        for _ in range(EPOCHS):
            for batch in loader:
                loader.reduce(toy_loss(toy_model, batch)).backward()
        return loader

    return training


@pytest.fixture
def series(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[Metric, list[float]]]:
    """Read all metrics printed since the last time."""
    return lambda: read_series(capsys.readouterr().out.splitlines())


def test_the_config_comes_from_the_job(
    make_job: MakeJob, train: Callable[..., SiftingDataloader], series: Callable[[], Any]
) -> None:
    """What the client sent is followed: half of the samples are trained on."""
    make_job(**SiftConfig(keep=0.5, scores="fresh").to_hyperparameters(), lr=0.1)
    train()

    assert series()[KEPT_SHARE][-1] == 0.5


def test_the_command_line_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
    make_job: MakeJob,
    train: Callable[..., SiftingDataloader],
    series: Callable[[], Any],
) -> None:
    """The hyperparameters file is read, never the command line."""
    make_job(**SiftConfig(keep=1.0).to_hyperparameters())
    monkeypatch.setattr(sys, "argv", ["train.py", "--sagemaker_sift_keep", "0.1"])
    train()

    assert series()[KEPT_SHARE][-1] == 1.0


def test_twins_report_the_same_metrics(
    make_job: MakeJob, train: Callable[..., SiftingDataloader], series: Callable[[], Any]
) -> None:
    """One script, two jobs: what the sifted one reports, the plain one does too."""
    reported = []
    for name, config in (("sifted", OFTEN), ("plain", OFTEN.plain_twin())):
        make_job(name, **config.to_hyperparameters())
        train().record(validation_accuracy=0.9)
        reported.append(series())
    sifted, plain = reported

    assert set(sifted) == set(plain) == set(METRICS)
    assert sifted[KEPT_SHARE][-1] < 1.0
    assert set(plain[KEPT_SHARE]) == {1.0}
    assert sifted[PROGRESS][-1] == plain[PROGRESS][-1] == 1.0


@pytest.mark.parametrize("hyperparameters", [OFTEN.plain_twin().to_hyperparameters(), {"lr": 1}])
def test_batches_pass_through_where_nothing_is_sifted(
    make_job: MakeJob,
    toy_loader: Callable[[], Loader],
    toy_loss: Callable[..., Tensor],
    toy_model: nn.Module,
    hyperparameters: dict[str, object],
) -> None:
    """The plain twin, and a job that never heard of sifting, get the loader's own batches."""
    make_job(**hyperparameters)
    batches = list(toy_loader())
    passed = list(sift(batches, model=toy_model, loss=toy_loss))

    assert [id(batch) for batch in batches] == [id(batch) for batch in passed]


def test_a_job_without_a_config_says_so(
    make_job: MakeJob,
    train: Callable[..., SiftingDataloader],
    read_report: Callable[[JobTree], SiftReport],
) -> None:
    """A job that trains on all data because no config came has it in its report."""
    tree = make_job(lr=0.1)
    train()

    report = read_report(tree)
    assert "no sift config came with this job: training on all data" in report.notes
    assert report.last("kept_share") == 1.0


def test_outside_of_a_job(
    train: Callable[..., SiftingDataloader],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Any,
) -> None:
    """On a laptop the script runs as it is: metrics are printed, nothing is written."""
    train()

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "[sift] note: no sift config was given, and there is no job: training on all data"
    )
    assert (KEPT_SHARE, 1.0) in list(read_lines(lines))
    assert list(tmp_path.iterdir()) == []


def test_a_config_of_the_script(
    train: Callable[..., SiftingDataloader], series: Callable[[], Any]
) -> None:
    """Outside of a job a config can be given."""
    train(config=SiftConfig(keep=0.25, scores="fresh"))

    assert series()[KEPT_SHARE][-1] == 0.25


def test_the_jobs_config_wins_aloud(
    make_job: MakeJob,
    train: Callable[..., SiftingDataloader],
    read_report: Callable[[JobTree], SiftReport],
) -> None:
    """A script with a config of its own still is the plain twin where the job says so."""
    tree = make_job(**OFTEN.plain_twin().to_hyperparameters())
    train(config=SiftConfig(keep=0.25, scores="fresh"))

    report = read_report(tree)
    assert report.last("kept_share") == 1.0
    assert report.config[key_of("keep")] == OFTEN.keep
    assert report.notes[0].startswith(
        "the sift config that came with the job is followed, not the script's own: SiftConfig("
    )


@pytest.mark.parametrize("config", [{"keep": 0.5}, 0.5])
def test_a_config_that_is_none_is_refused(
    train: Callable[..., SiftingDataloader], config: object
) -> None:
    """A config in another shape is refused in words."""
    with pytest.raises(SiftUsageError, match=r"config must be a SiftConfig, got (\{'keep': )?0\.5"):
        train(config=config)


def test_a_newer_config_is_refused_in_words(
    make_job: MakeJob, train: Callable[..., SiftingDataloader]
) -> None:
    """An old image tells what a newer client has to do, instead of training on wrong terms."""
    make_job(**{**OFTEN.to_hyperparameters(), VERSION_KEY: 99})

    with pytest.raises(SiftConfigError, match=r"a newer sift_toolkit .* update the image"):
        train()


def test_a_broken_config_is_refused(
    make_job: MakeJob, train: Callable[..., SiftingDataloader]
) -> None:
    """Unknown keys and wrong values are named, all at once."""
    make_job(**OFTEN.to_hyperparameters(), **{key_of("keeep"): 1, key_of("seed"): -1})

    with pytest.raises(SiftConfigError, match=r"(?s)sagemaker_sift_keeep.*seed must be"):
        train()


def test_a_loss_in_the_shape_of_aws(
    make_job: MakeJob,
    train: Callable[..., SiftingDataloader],
    series: Callable[[], Any],
    toy_loss: Callable[..., Tensor],
) -> None:
    """An object with AWS's `loss` method does what the function does."""

    class ToyLoss:
        def loss(self, model: nn.Module, transformed_batch: Any, original_batch: Any) -> Tensor:
            assert original_batch is transformed_batch
            return toy_loss(model, transformed_batch)

    make_job(**SiftConfig(keep=0.5, scores="fresh").to_hyperparameters())
    train(loss=ToyLoss())

    assert series()[KEPT_SHARE][-1] == 0.5


def test_a_loss_that_is_none_is_refused(train: Callable[..., SiftingDataloader]) -> None:
    """What cannot be called is refused before any training."""
    with pytest.raises(SiftLossError, match="the loss must be a function"):
        train(loss="cross entropy")


def test_what_is_scored_can_be_chosen(
    make_job: MakeJob,
    train: Callable[..., SiftingDataloader],
    toy_loss: Callable[..., Tensor],
) -> None:
    """A scoring model and a transform of its batches take part in scoring, not in training."""
    make_job(**SiftConfig(keep=0.5, scores="fresh").to_hyperparameters())
    scorer = nn.Linear(4, 3)
    scored = []

    def loss(model: nn.Module, batch: list[Tensor]) -> Tensor:
        scored.append((model is scorer, float(batch[0].abs().max())))
        return toy_loss(model, batch)

    train(
        loss=loss,
        scoring_model=scorer,
        scoring_transform=lambda batch: [torch.zeros_like(batch[0]), batch[1]],
    )

    assert set(scored) == {(True, 0.0)}


def test_batches_of_different_width_are_padded(make_job: MakeJob) -> None:
    """`pad` brings what is kept of batches of different widths into one batch."""
    make_job(**SiftConfig(keep=0.5).to_hyperparameters())
    batches = [torch.rand(4, width) for width in (3, 5)]

    def pad(tensors: Any) -> list[Tensor]:
        width = max(tensor.shape[1] for tensor in tensors)
        return [nn.functional.pad(tensor, (0, width - tensor.shape[1])) for tensor in tensors]

    class Batches(list[Tensor]):
        batch_size = 4

    loader = sift(
        Batches(batches), model=nn.Identity(), loss=lambda model, batch: batch.mean(dim=1), pad=pad
    )

    assert [tuple(batch.shape) for batch in loader] == [(4, 5)]


def test_the_report_holds_what_a_page_needs(
    make_job: MakeJob,
    train: Callable[..., SiftingDataloader],
    process_ends: Callable[[], None],
    read_report: Callable[[JobTree], SiftReport],
) -> None:
    """Kept share over time, losses kept and dropped, where time went, and what was decided."""
    tree = make_job(**OFTEN.to_hyperparameters())
    train()
    process_ends()

    report = read_report(tree)
    shares = [value for _, value in report.series("kept_share")]
    assert len(shares) > EPOCHS
    assert shares == sorted(shares, reverse=True)
    assert {"load_seconds", "score_seconds", "train_seconds"} <= set(report.observations[-1].values)
    for losses in ("kept_losses", "dropped_losses"):
        over_time = [each for at in report.observations if (each := getattr(at, losses))]
        assert over_time
        assert {len(each) for each in over_time} == {len(LOSS_PERCENTILES)}
    assert any(note.startswith("scores: memory, because") for note in report.notes)


@pytest.mark.parametrize("scores", ["fresh", "memory"])
def test_the_report_tells_what_was_kept_of_each_class(
    make_job: MakeJob,
    train: Callable[..., SiftingDataloader],
    toy_loader: Callable[[], Loader],
    process_ends: Callable[[], None],
    read_report: Callable[[JobTree], SiftReport],
    scores: Literal["fresh", "memory"],
) -> None:
    """With labels, each epoch ends with the rows of each class, seen and chosen, and the share."""
    tree = make_job(**SiftConfig(keep=0.5, scores=scores, class_floor=1.0).to_hyperparameters())
    of_all = torch.cat([labels for _, labels in toy_loader()])
    train(labels=of_all if scores == "memory" else lambda batch: batch[1])
    process_ends()

    report = read_report(tree)
    assert sum(each.classes is not None for each in report.observations) == EPOCHS
    classes = report.classes
    assert classes is not None
    assert list(classes.labels) == [0, 1, 2]
    assert list(classes.seen) == (EPOCHS * of_all.bincount()).tolist()
    kept = KEPT_SHARE.name
    # A floor of 1 keeps of each class what is kept of all, but for the rows of a class in a window.
    assert classes.kept_shares == pytest.approx([report.last(kept)] * 3, abs=0.1)
    written = json.loads((tree.output_data_dir / REPORT_FILE).read_text(encoding="utf-8"))
    entry = written["observations"][-1]["classes"]
    assert entry["kept_shares"] == classes.kept_shares
    assert all(isinstance(label, int) for label in entry["labels"])


def test_neither_log_nor_report_hold_data(
    monkeypatch: pytest.MonkeyPatch,
    make_job: MakeJob,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is in a batch, and what is secret in the environment, is nowhere in what is written."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    tree = make_job(**OFTEN.to_hyperparameters(), api_token="hush-hush")
    batches = [
        {"value": torch.full((8,), 31337.25), "text": [f"patient-{number}"] * 8}
        for number in range(12)
    ]
    loader = sift(batches, model=nn.Identity(), loss=lambda model, batch: torch.rand(8))
    for _ in loader:
        loader.reduce(torch.rand(8, requires_grad=True))

    report = "".join(path.read_text() for path in tree.output_data_dir.iterdir())
    for written in (capsys.readouterr().out, report):
        assert "kept_share" in written
        assert not any(secret in written for secret in ("31337", "patient", "hush"))


def test_a_batch_may_be_a_list_of_samples(toy_model: nn.Module) -> None:
    """batch_format_index reaches the loader."""
    batches = [[torch.full((4,), float(row)) for row in range(8)]]
    loader = sift(
        batches,
        model=toy_model,
        loss=lambda _, batch: torch.stack(batch)[:, 0],
        config=SiftConfig(keep=0.5, scores="fresh"),
        batch_format_index=0,
    )
    assert [len(batch) for batch in loader] == [4]
