"""Fuzzes the parsers for a given time, guided by coverage where atheris is installed.

    python -m tests.fuzz.campaign --seconds 3600 [--seed 1] [NAME ...]

The properties are those of the test suite. Each runs in a process of its own for an equal part of
the time; the first input that breaks it is printed and ends its part. Failing inputs come back in
the next normal test run, from Hypothesis' own database.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
MOST_INPUT = 4096
MOST_MEGABYTES = 4096
SECONDS_AN_INPUT = 120


def properties() -> dict[str, tuple[str, str]]:
    """Return module and function of every property, by the name it is called here."""
    found = {}
    for file in sorted(FOLDER.glob("test_*.py")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("def test_"):
                function = line.split("(")[0].removeprefix("def ")
                name = f"{file.stem.removeprefix('test_')}.{function.removeprefix('test_')}"
                found[name] = (f"tests.fuzz.{file.stem}", function)
    return found


class Counted:
    """Counts the inputs that a property is given, and those of them that made an example."""

    def __init__(self, check: Callable[[bytes], bytes | None]) -> None:
        self._check = check
        self.given = self.examples = 0

    def __call__(self, content: bytes) -> None:
        """Check the property for one input."""
        self.given += 1
        self.examples += self._check(content) is not None


def fuzz_one(name: str, seconds: float, seed: int, results: Path) -> None:
    """Fuzz one property in this process; what came of it is written to *results*."""
    began = time.monotonic()
    guided = importlib.util.find_spec("atheris") is not None
    check = _instrumented(name) if guided else _property(name)
    counted = Counted(check)

    def note(*, failed: bool) -> None:
        content = {
            "property": name,
            "guided": guided,
            "seconds": round(time.monotonic() - began),
            "inputs": counted.given,
            "examples": counted.examples,
            "failed": failed,
        }
        results.write_text(json.dumps(content), encoding="utf-8")

    def check_noted(content: bytes) -> None:
        try:
            counted(content)
        except BaseException:
            note(failed=True)
            raise
        if counted.given % 64 == 0:
            note(failed=False)

    note(failed=False)
    if guided:
        _with_atheris(check_noted, seconds, seed, results.parent)
        return
    draw = random.Random(seed)
    while time.monotonic() - began < seconds:
        check_noted(draw.randbytes(draw.randrange(MOST_INPUT)))
    note(failed=False)


def _property(name: str) -> Callable[[bytes], bytes | None]:
    import torch
    from hypothesis import settings

    torch.set_num_threads(1)
    settings.register_profile("campaign", deadline=None, database=None)
    settings.load_profile("campaign")
    module, function = properties()[name]
    check: Callable[[bytes], bytes | None]
    check = getattr(importlib.import_module(module), function).hypothesis.fuzz_one_input
    return check


def _instrumented(name: str) -> Callable[[bytes], bytes | None]:
    import atheris

    with atheris.instrument_imports(include=["sift_toolkit"], enable_loader_override=False):
        return _property(name)


def _with_atheris(check: Callable[[bytes], None], seconds: float, seed: int, folder: Path) -> None:
    import atheris

    options = {
        "max_total_time": int(seconds),
        "seed": seed,
        "max_len": MOST_INPUT,
        "rss_limit_mb": MOST_MEGABYTES,
        "malloc_limit_mb": MOST_MEGABYTES,
        "timeout": SECONDS_AN_INPUT,
        "print_final_stats": 1,
        "artifact_prefix": f"{folder}/",
    }
    arguments = [sys.argv[0], *(f"-{name}={value}" for name, value in options.items())]
    atheris.Setup(arguments, check)
    atheris.Fuzz()


def main() -> int:
    """Fuzz all properties that were asked for, one after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "names", nargs="*", help="as batches, or batches.a_knot_is_viewed_or_refused"
    )
    parser.add_argument("--seconds", type=float, default=600, help="for all together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--results", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        fuzz_one(given.one, given.seconds, given.seed, given.results)
        return 0
    chosen = [
        name
        for name in properties()
        if not given.names or any(name.startswith(asked) for asked in given.names)
    ]
    if not chosen:
        parser.error(f"there are {', '.join(properties())}")
    each = given.seconds / len(chosen)
    return max(_run(name, each, given.seed) for name in chosen)


def _run(name: str, seconds: float, seed: int) -> int:
    folder = Path(tempfile.mkdtemp(prefix="sift-fuzz-"))
    results, log = folder / "results.json", folder / "log.txt"
    options = ["--one", name, "--seconds", str(seconds), "--seed", str(seed)]
    command = [sys.executable, "-m", "tests.fuzz.campaign", *options, "--results", str(results)]
    with log.open("wb") as output:
        code = subprocess.run(
            command, stdout=output, stderr=subprocess.STDOUT, check=False, env={**os.environ}
        ).returncode
    told: dict[str, Any] = json.loads(results.read_text()) if results.is_file() else {}
    print(json.dumps({**told, "property": name, "seed": seed, "exit": code}), flush=True)
    if code:
        print(f"{name} failed; its last words, the rest in {log}:", flush=True)
        print(*log.read_text(errors="replace").splitlines()[-40:], sep="\n", flush=True)
    return int(code != 0)


if __name__ == "__main__":
    sys.exit(main())
