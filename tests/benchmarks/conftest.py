"""The benchmarks are scripts beside each other: their tests find them as they find themselves."""

import sys
from pathlib import Path

# At the end: what is installed comes first, whatever its name.
sys.path.append(str(Path(__file__).parents[2] / "benchmarks" / "learning"))
