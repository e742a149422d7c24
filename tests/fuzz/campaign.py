"""Fuzzes the parsers for a given time: `make fuzz SECONDS=3600`.

    python -m tests.fuzz.campaign --seconds 3600 [--seed 1] [NAME ...] > fuzz.out
    python -m tests.fuzz.campaign --table fuzz.out

The properties are those of the test suite. Each runs in processes of its own for an equal part of
the time: half of it Hypothesis draws the examples, half of it libFuzzer does, guided by the code
they reach, where atheris is installed. What breaks a property is printed and ends its part. The
last line has the sums.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
DRAWN, GUIDED = "hypothesis", "atheris"
_EXAMPLES_A_ROUND = 100
_EXAMPLES_BETWEEN_NOTES = 20
MOST_INPUT = 8192
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


class Tally:
    """What came of fuzzing one property, written to a file as it goes."""

    def __init__(self, name: str, engine: str, seed: int, file: Path) -> None:
        self._began = time.monotonic()
        self._told = {"property": name, "engine": engine, "seed": seed}
        self._file = file
        self.examples = 0
        self.write(failed=False)

    @property
    def seconds(self) -> float:
        """Time since the start, imports left out."""
        return time.monotonic() - self._began

    def write(self, *, failed: bool) -> None:
        """Write what is known by now."""
        told = {**self._told, "seconds": round(self.seconds), "examples": self.examples}
        self._file.write_text(json.dumps({**told, "failed": failed}), encoding="utf-8")

    def counted(self, check: Callable[..., None]) -> Callable[..., None]:
        """Return *check*, each call of which is an example."""

        @functools.wraps(check)
        def counting(*arguments: Any, **named: Any) -> None:
            self.examples += 1
            if self.examples % _EXAMPLES_BETWEEN_NOTES == 0:
                self.write(failed=False)
            check(*arguments, **named)

        return counting


def fuzz_one(name: str, engine: str, seconds: float, seed: int, results: Path) -> None:
    """Fuzz one property in this process; what came of it is written to *results*."""
    with _instrumented() if engine == GUIDED else contextlib.nullcontext():
        test = _property(name)
    tally = Tally(name, engine, seed, results)
    test.hypothesis.inner_test = tally.counted(test.hypothesis.inner_test)
    try:
        if engine == GUIDED:
            _guided(test, seconds, seed, results.parent)
        else:
            _generated(test, seconds, seed, tally)
    except BaseException:
        tally.write(failed=True)
        raise
    tally.write(failed=False)


def _property(name: str) -> Any:
    import torch
    from hypothesis import HealthCheck, settings

    torch.set_num_threads(1)
    settings.register_profile(
        "campaign",
        deadline=None,
        database=None,
        max_examples=_EXAMPLES_A_ROUND,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("campaign")
    module, function = properties()[name]
    return getattr(importlib.import_module(module), function)


def _generated(test: Any, seconds: float, seed: int, tally: Tally) -> None:
    """Let Hypothesis draw examples, with another seed each round."""
    from hypothesis import seed as seeded

    number = seed * 1_000_000
    while tally.seconds < seconds:
        seeded(number)(test)()
        number += 1


def _instrumented() -> Any:
    import atheris

    return atheris.instrument_imports(include=["sift_toolkit"], enable_loader_override=False)


def _guided(test: Any, seconds: float, seed: int, folder: Path) -> None:
    """Let libFuzzer change bytes that examples are drawn from, by the code they reach."""
    import atheris

    options = {
        "max_total_time": int(seconds),
        "seed": seed,
        "max_len": MOST_INPUT,
        "len_control": 0,
        "rss_limit_mb": MOST_MEGABYTES,
        "malloc_limit_mb": MOST_MEGABYTES,
        "timeout": SECONDS_AN_INPUT,
        "artifact_prefix": f"{folder}/",
    }
    arguments = [sys.argv[0], *(f"-{name}={value}" for name, value in options.items())]
    atheris.Setup(arguments, lambda content: test.hypothesis.fuzz_one_input(content) and None)
    atheris.Fuzz()


def main() -> int:
    """Fuzz all properties that were asked for, one after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "names", nargs="*", help="as batches, or batches.a_knot_is_viewed_or_refused"
    )
    parser.add_argument("--seconds", type=float, default=600, help="for all together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="make a table of what a campaign has printed"
    )
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    parser.add_argument("--results", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.table:
        print("\n".join(table(given.table.read_text(encoding="utf-8").splitlines())))
        return 0
    if given.one:
        fuzz_one(given.one, given.engine, given.seconds, given.seed, given.results)
        return 0
    chosen = [
        name
        for name in properties()
        if not given.names or any(name.startswith(asked) for asked in given.names)
    ]
    if not chosen:
        parser.error(f"there are {', '.join(properties())}")
    engines = [DRAWN, GUIDED] if importlib.util.find_spec("atheris") else [DRAWN]
    each = given.seconds / len(chosen) / len(engines)
    parts = [_run(name, engine, each, given.seed) for name in chosen for engine in engines]
    failed = [f"{part['property']} ({part['engine']})" for part in parts if part["exit"]]
    total = {key: sum(part.get(key, 0) for part in parts) for key in ("seconds", "examples")}
    print(json.dumps({"properties": len(chosen), **total, "failed": failed}), flush=True)
    return int(bool(failed))


def table(lines: Iterable[str]) -> list[str]:
    """Return the lines of a table in Markdown: of each property its examples by either engine."""
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for line in lines:
        if line.startswith("{") and "engine" in (part := json.loads(line)):
            rows.setdefault(part["property"], {})[part["engine"]] = part
    told = [
        "| property | seconds | drawn | guided | broken |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for name, parts in rows.items():
        seconds = sum(part.get("seconds", 0) for part in parts.values())
        examples = [parts.get(engine, {}).get("examples", 0) for engine in (DRAWN, GUIDED)]
        broken = ", ".join(engine for engine, part in parts.items() if part["exit"]) or "no"
        told.append(f"| {name} | {seconds} | {examples[0]:,} | {examples[1]:,} | {broken} |")
    return told


def _run(name: str, engine: str, seconds: float, seed: int) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="sift-fuzz-"))
    results, log = folder / "results.json", folder / "log.txt"
    command = [sys.executable, "-m", "tests.fuzz.campaign", "--one", name, "--engine", engine]
    command += ["--seconds", str(seconds), "--seed", str(seed), "--results", str(results)]
    with log.open("wb") as output:
        code = subprocess.run(
            command, stdout=output, stderr=subprocess.STDOUT, check=False
        ).returncode
    told: dict[str, Any] = json.loads(results.read_text()) if results.is_file() else {}
    told |= {"property": name, "engine": engine, "exit": code}
    print(json.dumps(told), flush=True)
    if code:
        print(f"{name} failed; its last words, the rest in {log}:", flush=True)
        print(*log.read_text(errors="replace").splitlines()[-40:], sep="\n", flush=True)
    return told


if __name__ == "__main__":
    sys.exit(main())
