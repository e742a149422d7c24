"""The learning benchmark's scripts import each other by their bare names; so do these tests."""

from __future__ import annotations

import sys
from pathlib import Path

LEARNING = Path(__file__).parents[2] / "benchmarks" / "learning"

# Here, not in a fixture: test modules import them as they are collected. At the end: what is
# installed comes first, whatever its name.
sys.path.append(str(LEARNING))
