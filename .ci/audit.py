"""Looks up known vulnerabilities of all that is installed in environments: run by `make audit`.

Where no service answers, nothing was looked up: that is said, and is no success.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "sift_toolkit"
SERVICES = ("pypi", "osv", "esms")
"""Where advisories are asked for; the next one where one does not answer."""
ACCEPTED: Mapping[str, str] = {}
"""Advisories that do not concern us, by their id, and why."""
VULNERABLE, UNKNOWN = 1, 2
_LAST_WORDS = 200


class Audit(NamedTuple):
    """What was found in an environment."""

    packages: int
    """Packages that were looked up."""
    skipped: list[str]
    """Names of those that no service knows."""
    findings: list[str]
    """A line for each vulnerability that is not accepted."""


def read_audit(report: Mapping[str, Any]) -> Audit:
    """Return what pip-audit's report says.

    Raises:
        ValueError: the service has not looked up most of the packages.
    """
    looked_up = [each for each in report["dependencies"] if "skip_reason" not in each]
    findings = [
        f"{each['name']} {each['version']}: {found['id']}, mended in "
        f"{', '.join(found['fix_versions']) or 'no version yet'}"
        for each in looked_up
        for found in each["vulns"]
        if ACCEPTED.keys().isdisjoint({found["id"], *found.get("aliases", ())})
    ]
    skipped = [each["name"] for each in report["dependencies"] if "skip_reason" in each]
    others = sorted(set(skipped) - {PACKAGE, PACKAGE.replace("_", "-")})
    if len(others) >= len(looked_up):
        # A mirror of the package index may answer, and have no advisories at all.
        msg = f"it knows {len(looked_up)} packages, and {len(others)} it does not"
        raise ValueError(msg)
    return Audit(len(looked_up), others, findings)


def told(environment: str, audit: Audit | None, why: Sequence[str]) -> tuple[int, list[str]]:
    """Return the exit code for an environment, and what is said of it.

    Args:
        environment: its name.
        audit: None: no service answered.
        why: what each of them said instead.
    """
    if audit is None:
        unknown = f"{environment}: NOT AUDITED, no vulnerability service answered from here:"
        return UNKNOWN, [unknown, *(f"  {words}" for words in why)]
    lines = [f"{environment}: {audit.packages} packages looked up"]
    if audit.skipped:
        lines.append(f"  not known to the service: {', '.join(audit.skipped)}")
    if not audit.findings:
        return 0, [*lines, "  no known vulnerability"]
    return VULNERABLE, [*lines, *(f"  {finding}" for finding in audit.findings)]


def _look_up(environment: Path) -> tuple[Audit | None, list[str]]:
    (packages,) = environment.glob("lib/python3*/site-packages")
    why = []
    for service in SERVICES:
        command = [sys.executable, "-m", "pip_audit", "--path", str(packages), "--format", "json"]
        command += ["--progress-spinner", "off", "--vulnerability-service", service]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        try:
            return read_audit(json.loads(answer.stdout)), why
        except json.JSONDecodeError:
            last = (answer.stderr.strip().splitlines() or ["it said nothing"])[-1]
            why.append(f"{service}: {last[:_LAST_WORDS]}")
        except ValueError as error:
            why.append(f"{service}: {error}")
    return None, why


def main() -> int:
    """Audit all environments; the worst exit code counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("environments", nargs="+", type=Path)
    codes = []
    for environment in parser.parse_args().environments:
        code, lines = told(environment.name, *_look_up(ROOT / environment))
        print("\n".join(lines), flush=True)
        codes.append(code)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
