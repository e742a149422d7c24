"""A script that trains nothing, but reports what a training of its config would, and leaves a mark.

The scripts of jobs on this machine are copies of it.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from sift_toolkit.config import SiftConfig
from sift_toolkit.contract import JobTree
from sift_toolkit.testing import FakeJob


def main() -> None:
    """Report; wait where the channel says that this job is to be interrupted."""
    parser = argparse.ArgumentParser()
    for name in ("--epochs", "--seed"):
        parser.add_argument(name, type=int)
    given = parser.parse_args()
    config = SiftConfig.from_hyperparameters(JobTree.current().read_hyperparameters())
    assert config is not None
    assert config.seed == given.seed
    name = f"{config.law if config.sifts else 'plain'}-{given.epochs}-{given.seed}"
    marks = Path(os.environ["SM_CHANNEL_MARKS"])
    with (marks / "started").open("a") as started:
        started.write(f"{name}\n")
    if (marks / f"wait-{name}").exists():
        print("waiting", flush=True)
        time.sleep(600)
    if (marks / f"fail-{name}").exists():
        msg = f"{name} is not to be"
        raise ValueError(msg)
    better = 0.02 if config.needs_scores or (not config.sifts and given.epochs >= 4) else 0.0
    accuracy = 0.9 + better + 0.001 * given.seed
    job = FakeJob(config, epochs=given.epochs, rows=100, batch_size=10, accuracy=accuracy)
    print("\n".join(job.lines()))


if __name__ == "__main__":
    main()
