"""Runs any training script in a sifted job, with the sift keys taken off its command line."""

import sys

from sift_toolkit.container import run_entry

if __name__ == "__main__":
    run_entry(sys.argv[1:])
