"""Whether what is to be released can be installed, imported and typed: run by `make release-check`.

Builds the sdist and the wheel, looks into both, installs the wheel with each extra into an empty
environment on each Python at hand, where pip finds no conflict, what the extra promises runs and a
user's project is typed, and has the source linted and typed for each Python that it says it runs
on. What is large to install is resolved only.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from release_contents import (
    PACKAGE,
    differences,
    digests,
    package_files,
    sdist_problems,
    source_version,
    version_problems,
    wheel_metadata,
    wheel_problems,
)
from release_trials import CONSUMER, TRIALS, VERSIONS, Trial

ROOT = Path(__file__).resolve().parents[1]


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
    archives = (sdist.name, wheel.name)
    problems = [
        *version_problems(source_version(tree), archives, wheel_metadata(wheel)),
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


def _try(trial: Trial, python: str, wheel: Path, folder: Path, *, installed: bool) -> None:
    """Install or resolve an extra, and do there what it promises."""
    environment = folder / "environment"
    _run([python, "-m", "venv", environment])
    own = environment / "bin" / "python"
    pip: list[str | Path] = [own, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    constraints = folder / "constraints.txt"
    constraints.write_text(_torch_pin(), encoding="utf-8")
    install: list[str | Path] = [*pip, "install", "--quiet", "--no-compile"]
    install += ["--constraint", constraints, *([] if installed else ["--dry-run"])]
    said = _run([*install, f"{wheel}{trial.requirement}"])
    if "yanked" in said:
        sys.exit(f"{trial.extra}: {said}")
    if installed:
        _run([*pip, "check"])
        # Warnings of the compiler are errors here, but not in what others have written.
        (package,) = (environment / "lib").glob(f"*/site-packages/{PACKAGE}")
        _run([own, "-W", "error::SyntaxWarning", "-m", "compileall", "-q", package])
        # Elsewhere, for here the package itself would be found.
        _run([own, "-c", trial.code], cwd=folder)
        if trial.extra == "cli":
            _say_version([environment / "bin" / "sift-toolkit", "--version"], folder)
        if not trial.extra:
            _say_version([own, "-c", f"import {PACKAGE} as its; print(its.__version__)"], folder)
            _type_consumer(own, folder)
    shutil.rmtree(environment)


def _say_version(command: Sequence[str | Path], folder: Path) -> None:
    version = source_version(ROOT)
    if version not in (said := _run(command, cwd=folder)).split():
        sys.exit(f"{' '.join(map(str, command))} says {said!r}, and the source {version!r}")


def _type_consumer(python: Path, folder: Path) -> None:
    """Have a user's project typed against what is installed, strictly and by no rules of ours."""
    (folder / "project.py").write_text(CONSUMER, encoding="utf-8")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file="]
    _run([*mypy, "--python-executable", python, "project.py"], cwd=folder)


def _torch_pin() -> str:
    """Return the pin of torch alone: the newest of all else is what a user gets today."""
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return next(line for line in pins if line.startswith("torch==")) + "\n"


def lint_options(version: str) -> list[str]:
    """Return how the source is linted for a Python.

    For a newer one than the oldest ruff also asks for what only newer ones understand (UP), and
    finds exceptions needless that the oldest needs (RUF100).
    """
    target = ["--target-version", f"py{version.replace('.', '')}"]
    return target if version == VERSIONS[0] else [*target, "--extend-ignore", "UP,RUF100"]


def _check_sources(python: str) -> None:
    """Lint and type for each Python, by what is installed for the interpreter *python*."""
    for version in VERSIONS:
        print(f"mypy and ruff for Python {version}", flush=True)
        mypy = [sys.executable, "-m", "mypy", "--python-version", version]
        _run([*mypy, "--python-executable", python], cwd=ROOT)
        ruff = [sys.executable, "-m", "ruff", "check", *lint_options(version)]
        _run([*ruff, "."], cwd=ROOT)


def main() -> None:
    """Check all of it, or what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pythons", nargs="*", default=VERSIONS, choices=VERSIONS)
    parser.add_argument("--extras", nargs="*", default=[trial.extra for trial in TRIALS])
    parser.add_argument("--large", action="store_true", help="install what is large, too")
    parser.add_argument(
        "--typed-with", default=sys.executable, help="a Python that has all extras of developers"
    )
    parser.add_argument("--no-sources", action="store_true", help="leave lint and types out")
    given = parser.parse_args()
    began = time.monotonic()
    pythons = pythons_at_hand(given.pythons)
    for version in sorted(set(given.pythons) - set(pythons)):
        print(f"Python {version} is not here: nothing is installed on it", flush=True)
    with tempfile.TemporaryDirectory(prefix="sift-release-") as name:
        folder = Path(name)
        _, wheel = _build(folder)
        print(f"{wheel.name}: built, the same from its sdist, holds what it should", flush=True)
        if not given.no_sources:
            _check_sources(given.typed_with)
        for version, python in pythons.items():
            for trial in TRIALS:
                if trial.extra in given.extras:
                    installed = given.large or not trial.is_large
                    _try(trial, python, wheel, folder, installed=installed)
                    done = "installs and runs" if installed else "can be resolved"
                    print(f"Python {version}: {PACKAGE}{trial.requirement} {done}", flush=True)
    print(f"all of it in {(time.monotonic() - began) / 60:.0f} minutes", flush=True)


if __name__ == "__main__":
    main()
