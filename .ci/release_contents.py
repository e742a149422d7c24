"""What a wheel and an sdist must hold, and must not."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

PACKAGE = "sift_toolkit"


def package_files(root: Path) -> list[str]:
    """Return what the wheel is made of, as it is called in there."""
    files = [path.relative_to(root).as_posix() for path in (root / PACKAGE).rglob("*.py")]
    files += [f"{PACKAGE}/{path.relative_to(root)}" for path in root.glob("entry_points/*.py")]
    return sorted([*files, f"{PACKAGE}/py.typed"])


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


def source_version(root: Path) -> str:
    """Return the version, from the one place where it stands."""
    text = (root / PACKAGE / "_version.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__.*"(.+)"$', text, re.MULTILINE)
    assert found is not None
    return found[1]


def version_problems(version: str, names: Iterable[str], metadata: str) -> Iterator[str]:
    """Name what is of another version than the source.

    Args:
        version: the source's.
        names: of the archives.
        metadata: the wheel's own.
    """
    for name in names:
        if not name.startswith((f"{PACKAGE}-{version}-", f"{PACKAGE}-{version}.tar")):
            yield f"{name} is not of version {version}"
    if f"\nVersion: {version}\n" not in metadata:
        yield f"the wheel's METADATA is not of version {version}"


def wheel_metadata(wheel: Path) -> str:
    """Return the METADATA of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return archive.read(name).decode()


def digests(archive: Path) -> dict[str, str]:
    """Return what is in a wheel, by name, in short."""
    with zipfile.ZipFile(archive) as wheel:
        return {
            name: hashlib.sha256(wheel.read(name)).hexdigest() for name in sorted(wheel.namelist())
        }


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Return the names of what two wheels do not have alike."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
