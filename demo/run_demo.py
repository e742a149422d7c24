"""The main job: twins on real data, launched as a SageMaker user launches them, on this machine.

Builds real `sagemaker.pytorch.PyTorch` estimators, runs their jobs with the real `train` of
sagemaker-training, plain and sifted in turn, reads their metrics back, and prints what was saved.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import sift_toolkit
from sift_toolkit import SiftConfig, SiftJobError
from sift_toolkit.client import (
    JobFigures,
    JobProgress,
    compare_twins,
    plot_twins,
    render_table,
)

HERE = Path(__file__).resolve().parent
LETTERS = HERE / "letters"

AWS_SCHEME = SiftConfig(keep=0.5, law="percentile", scores="fresh", log_every=25)
"""An evaluative forward pass over every sample, as AWS's smart sifting does it."""
BEST = SiftConfig(keep=0.5, log_every=25)
"""Losses of the training itself as scores; undecided samples first, in turns."""


class Arm(NamedTuple):
    """One way to train, and what the table calls it."""

    label: str
    config: SiftConfig
    epochs: int


def arms_of(epochs: int) -> list[Arm]:
    """Return the plain twin first, then what is compared with it.

    The last one is the baseline that counts: plain training, its schedule decayed to no less
    compute than the sifted job's.
    """
    kept = (1 + (epochs - 1) * BEST.kept_share) / epochs
    plain = BEST.plain_twin()
    return [
        Arm("plain", plain, epochs),
        Arm("sifted, free scores", BEST, epochs),
        Arm("sifted, AWS's scheme", AWS_SCHEME, epochs),
        Arm("plain, fewer epochs", plain, math.ceil(kept * epochs)),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the twins, print the table, draw the curves."""
    options = _options(arguments)
    # They announce each job, setting and font; here the progress lines say what happens. The SDK
    # does so as soon as it is imported, so nothing above may import it.
    for announcer in ("sagemaker", "sagemaker.config", "matplotlib"):
        logging.getLogger(announcer).setLevel(logging.WARNING)
    arms = arms_of(options.epochs)
    figures: dict[str, list[JobFigures]] = {arm.label: [] for arm in arms}
    print(
        f"{options.repeats} x {len(arms)} SageMaker training jobs on 16,000 letters, "
        f"{options.epochs} epochs, on this machine, in turn."
    )
    try:
        for repeat in range(options.repeats):
            for arm in arms:
                title = f"{arm.label} ({repeat + 1}/{options.repeats})"
                figures[arm.label].append(run_job(title, arm, options.output, seed=repeat))
    except SiftJobError as error:
        print(f"the demo stopped: {error}", file=sys.stderr)
        return 1
    plain, *others = figures.values()
    rows = [
        compare_twins(plain, runs, label=arm.label)
        for arm, runs in zip(arms[1:], others, strict=True)
    ]
    print()
    print(render_table(rows))
    picture = plot_twins(plain, others[0], options.output / "curves.png")
    print(f"\nlearning curves: {picture}\njobs, logs, reports: {options.output / 'jobs'}")
    return 0


def run_job(title: str, arm: Arm, output: Path, *, seed: int) -> JobFigures:
    """Launch one job and read its figures from its log."""
    with JobProgress(title) as progress:
        session = sift_toolkit.HostSession(output / "jobs", on_line=progress)
        estimator = sift_toolkit.sift_estimator(
            arm.config,
            entry_point="letters.py",
            launcher="train",
            source_dir=str(LETTERS),
            role="SageMakerRole",
            sagemaker_session=session,
            hyperparameters={"epochs": arm.epochs, "seed": seed},
        )
        estimator.fit({"letters": (LETTERS / "data").as_uri()})
    job = session.job(estimator.latest_training_job.name)
    return JobFigures.from_lines(job.lines(), name=title, seconds=job.seconds)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20, help="epochs of each job")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each twin")
    parser.add_argument(
        "--output", type=Path, default=Path("demo-output"), help="folder for jobs and picture"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
