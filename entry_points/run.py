"""Runs any training script in a sifted job, with the sift keys taken off its command line."""

import sys
from pathlib import Path

PACKAGE = Path(__file__).absolute().parents[1]
if (PACKAGE / "__init__.py").is_file():
    # Shipped with a job: sagemaker-training has its folder on the path, the driver of SDK v3 not.
    sys.path.insert(1, str(PACKAGE.parent))

from sift_toolkit.container import run_entry  # noqa: E402 - the path comes first

if __name__ == "__main__":
    run_entry(sys.argv[1:])
