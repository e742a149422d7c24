"""Whether what is to be released can be installed, imported and typed: run by `make release-check`.

Builds the sdist and the wheel, looks into both, installs the wheel with each extra into an empty
environment on each Python at hand, and has it linted and typed for each Python that it says it
runs on. What is large to install is resolved only.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "sift_toolkit"
VERSIONS = ("3.10", "3.11", "3.12", "3.13")
"""The Pythons in the classifiers of pyproject.toml."""


@dataclasses.dataclass(frozen=True)
class Trial:
    """What an extra promises."""

    extra: str
    """Its name, empty for none."""
    code: str
    """Runs where it is installed."""
    resolved_only: bool = False
    """Too large to be installed for a look: pip only says what it would install."""

    @property
    def requirement(self) -> str:
        """As pip is told it, after the wheel's path."""
        return f"[{self.extra}]" if self.extra else ""


_LEAF = (
    f"import {PACKAGE}, {PACKAGE}.contract, {PACKAGE}.metrics, {PACKAGE}.report; "
    f"assert {PACKAGE}.SiftConfig(keep=0.5).kept_share == 0.5"
)
_CLIENT = f"from {PACKAGE} import compare, describe_request, keep_sweep, sift_tuner, watch"

TRIALS = (
    Trial("", _LEAF),
    Trial("client", f"{_CLIENT}; from {PACKAGE} import HostSession, sift_estimator"),
    Trial("client-v3", f"{_CLIENT}; from {PACKAGE} import sift_model_trainer"),
    Trial("cli", f"from {PACKAGE}.cli import main"),
    Trial("testing", f"from {PACKAGE}.testing import *"),
    Trial("container", "", resolved_only=True),
    Trial("demo", "", resolved_only=True),
    Trial("huggingface,container", "", resolved_only=True),
    Trial("lightning,container", "", resolved_only=True),
)


def pythons_at_hand(
    versions: Iterable[str], environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the interpreter of each version that is there: on the path, or among pyenv's."""
    pyenv = Path(environment.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = {}
    for version in versions:
        name = f"python{version}"
        places = [shutil.which(name, path=environment.get("PATH"))]
        places += map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/{name}"), reverse=True))
        for place in filter(None, places):
            # One of pyenv's own may say that this version is not switched on.
            asked = [place, "-c", "import venv, ensurepip"]
            if not subprocess.run(asked, capture_output=True, check=False).returncode:
                found[version] = place
                break
    return found


def wheel_problems(names: Sequence[str], package: Iterable[str]) -> Iterator[str]:
    """Name what a wheel lacks, and what it should not have.

    Args:
        names: of all that is in it.
        package: the files that it must have, as the wheel calls them.
    """
    wanted = set(package)
    info = {name for name in names if ".dist-info/" in name}
    yield from (f"{name} is missing" for name in sorted(wanted - set(names)))
    yield from (f"{name} should not be there" for name in sorted(set(names) - wanted - info))
    for part in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"):
        if not any(name.endswith(f".dist-info/{part}") for name in info):
            yield f"{part} is missing"


def package_files(root: Path) -> list[str]:
    """Return what the wheel is made of, as it is called in there."""
    files = [path.relative_to(root).as_posix() for path in (root / PACKAGE).rglob("*.py")]
    files += [f"{PACKAGE}/{path.relative_to(root)}" for path in root.glob("entry_points/*.py")]
    return sorted([*files, f"{PACKAGE}/py.typed"])


def digests(archive: Path) -> dict[str, str]:
    """Return what is in a wheel, by name, in short."""
    with zipfile.ZipFile(archive) as wheel:
        return {
            name: hashlib.sha256(wheel.read(name)).hexdigest() for name in sorted(wheel.namelist())
        }


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Return the names of what two wheels do not have alike."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def sdist_problems(names: Sequence[str], package: Iterable[str]) -> Iterator[str]:
    """Name what an sdist lacks to be built from, and what should not be in it.

    Args:
        names: of its files, without the folder that they are in.
        package: the files of the wheel that is built from it.
    """
    entry_points = f"{PACKAGE}/entry_points/"
    sources = {name.replace(entry_points, "entry_points/", 1) for name in package}
    needed = sources | {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "setup.py"}
    yield from (f"{name} is missing" for name in sorted(needed - set(names)))
    made = re.compile(rf"{PACKAGE}\.egg-info/.*|setup\.cfg|tests/.*\.py")
    yield from (
        f"{name} should not be there"
        for name in sorted(set(names) - needed)
        if not made.fullmatch(name)
    )


def _run(command: Sequence[str | Path], **options: object) -> str:
    """Run a command; what it says is shown where it fails."""
    result = subprocess.run(  # type: ignore[call-overload] # options are subprocess' own
        [str(word) for word in command], capture_output=True, text=True, check=False, **options
    )
    if result.returncode:
        sys.exit(f"failed: {' '.join(map(str, command))}\n{result.stdout}{result.stderr}")
    said: str = result.stdout + result.stderr
    return said


def _build(folder: Path) -> tuple[Path, Path]:
    """Build, look into both archives, and return the sdist and the wheel."""
    # The same times in both wheels, so that they can be compared.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1767225600"}
    tree = folder / "tree"
    _copy_tracked(tree)
    build = [sys.executable, "-m", "build"]
    _run([*build, "--outdir", folder / "dist", tree], env=environment)
    _run([*build, "--wheel", "--outdir", folder / "straight", tree], env=environment)
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    (wheel,) = (folder / "dist").glob("*.whl")
    (straight,) = (folder / "straight").glob("*.whl")
    _run([sys.executable, "-m", "twine", "check", "--strict", sdist, wheel])
    with tarfile.open(sdist) as tar:
        names = [name.partition("/")[2] for name in tar.getnames() if tar.getmember(name).isfile()]
    package = package_files(tree)
    problems = [
        *(f"wheel: {each}" for each in wheel_problems(list(digests(wheel)), package)),
        *(f"sdist: {each}" for each in sdist_problems(names, package)),
        *(
            f"{name} is another one in the wheel built from the sdist"
            for name in differences(digests(wheel), digests(straight))
        ),
    ]
    if problems:
        sys.exit("\n".join(problems))
    return sdist, wheel


def _copy_tracked(tree: Path) -> None:
    """Copy what git knows: what lies around here must not get into a release."""
    listed = _run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            target = tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)


def _try(trial: Trial, python: str, wheel: Path, folder: Path) -> None:
    """Install or resolve an extra, and do there what it promises."""
    environment = folder / "environment"
    _run([python, "-m", "venv", environment])
    own = environment / "bin" / "python"
    pip: list[str | Path] = [own, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    constraints = folder / "constraints.txt"
    constraints.write_text(_torch_pin(), encoding="utf-8")
    install: list[str | Path] = [
        *pip,
        "install",
        "--quiet",
        "--no-compile",
        "--constraint",
        constraints,
    ]
    if trial.resolved_only:
        install.append("--dry-run")
    said = _run([*install, f"{wheel}{trial.requirement}"])
    if "yanked" in said:
        sys.exit(f"{trial.extra}: {said}")
    if not trial.resolved_only:
        _run([*pip, "check"])
        # Elsewhere, for here the package itself would be found.
        _run([own, "-W", "error::SyntaxWarning", "-c", trial.code], cwd=folder)
        if trial.extra == "cli":
            _run([environment / "bin" / "sift-toolkit", "--version"], cwd=folder)
    shutil.rmtree(environment)


def _torch_pin() -> str:
    """Return the pin of torch alone: the newest of all else is what a user gets today."""
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return next(line for line in pins if line.startswith("torch==")) + "\n"


def _check_sources() -> None:
    for version in VERSIONS:
        print(f"mypy and ruff for Python {version}", flush=True)
        _run([sys.executable, "-m", "mypy", "--python-version", version], cwd=ROOT)
        target = f"py{version.replace('.', '')}"
        _run([sys.executable, "-m", "ruff", "check", "--target-version", target, "."], cwd=ROOT)


def main() -> None:
    """Check all of it, or what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pythons", nargs="*", default=VERSIONS, choices=VERSIONS)
    parser.add_argument("--extras", nargs="*", default=[trial.extra for trial in TRIALS])
    parser.add_argument("--no-sources", action="store_true", help="leave lint and types out")
    given = parser.parse_args()
    pythons = pythons_at_hand(given.pythons)
    for version in sorted(set(given.pythons) - set(pythons)):
        print(f"Python {version} is not here: nothing is installed on it", flush=True)
    with tempfile.TemporaryDirectory(prefix="sift-release-") as name:
        folder = Path(name)
        _, wheel = _build(folder)
        print(f"{wheel.name}: built, the same from its sdist, holds what it should", flush=True)
        if not given.no_sources:
            _check_sources()
        for version, python in pythons.items():
            for trial in TRIALS:
                if trial.extra in given.extras:
                    _try(trial, python, wheel, folder)
                    done = "can be resolved" if trial.resolved_only else "installs and imports"
                    print(f"Python {version}: {PACKAGE}{trial.requirement} {done}", flush=True)


if __name__ == "__main__":
    main()
