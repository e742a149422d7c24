"""The main job: twins on real data, launched as a SageMaker user launches them, on this machine.

Builds real `sagemaker.pytorch.PyTorch` estimators, runs their jobs with the real `train` of
sagemaker-training, plain and sifted in turn, reads their metrics back, and prints what was saved.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sift_toolkit import HostSession, SiftConfig, SiftJobError, sift_estimator
from sift_toolkit.client import (
    JobFigures,
    JobProgress,
    compare_twins,
    plot_twins,
    render_table,
)

HERE = Path(__file__).resolve().parent
LETTERS = HERE / "letters"

AWS_SCHEME = SiftConfig(keep=0.5, scores="fresh", log_every=25)
"""An evaluative forward pass over every sample, as AWS's smart sifting does it."""
BEST = SiftConfig(
    keep=0.7,
    keep_end=0.2,
    law="proportional",
    min_probability=0.15,
    log_every=25,
)
"""Losses of the training itself as scores; undecided samples first; ever fewer of them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the twins, print the table, draw the curves."""
    options = _options(arguments)
    arms = {
        "plain": BEST.plain_twin(),
        "sifted": BEST,
        "AWS's scheme": AWS_SCHEME,
    }
    figures: dict[str, list[JobFigures]] = {name: [] for name in arms}
    print(
        f"{options.repeats} x {len(arms)} training jobs on 16,000 letters, "
        f"{options.epochs} epochs each, on this machine, in turn."
    )
    try:
        for repeat in range(options.repeats):
            for name, config in arms.items():
                title = f"{name}, run {repeat + 1} of {options.repeats}"
                figures[name].append(run_job(title, config, options, seed=repeat))
    except SiftJobError as error:
        print(f"the demo stopped: {error}", file=sys.stderr)
        return 1
    plain = figures["plain"]
    rows = [
        compare_twins(plain, figures[name], label=label)
        for name, label in (
            ("sifted", "Letters, keep 0.7 -> 0.2, free scores"),
            ("AWS's scheme", "Letters, keep 0.5, AWS's scheme"),
        )
    ]
    print()
    print(render_table(rows))
    picture = plot_twins(plain, figures["sifted"], options.output / "curves.png")
    print(f"\nlearning curves: {picture}\njobs, logs, reports: {options.output / 'jobs'}")
    return 0


def run_job(
    title: str, config: SiftConfig, options: argparse.Namespace, *, seed: int
) -> JobFigures:
    """Launch one job and read its figures from its log."""
    with JobProgress(title) as progress:
        session = HostSession(options.output / "jobs", on_line=progress)
        estimator = sift_estimator(
            config,
            entry_point="letters.py",
            launcher="train",
            source_dir=str(LETTERS),
            role="SageMakerRole",
            sagemaker_session=session,
            hyperparameters={"epochs": options.epochs, "seed": seed},
        )
        estimator.fit({"letters": (LETTERS / "data").as_uri()}, logs=False)
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
