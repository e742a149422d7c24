"""Fetching the learning benchmark's data: what is read, checked and said, without any download."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import fetch
import numpy as np
import pytest
from fetch import FetchError, Source

ARRAYS = {"labels": np.arange(3, dtype=np.uint8)}


def source_of(arrays: fetch.Arrays, sha256: str | None = None) -> Source:
    """Return a source that needs no package."""
    digest = fetch.content_sha256(arrays) if sha256 is None else sha256
    return Source("made-up", lambda folder: None, lambda folder: arrays, digest)


class TestFetch:
    """Writing a packed file."""

    def test_what_is_written_is_recognised(self, tmp_path: Path) -> None:
        """A fetched file holds the arrays and is not fetched again."""
        source, path = source_of(ARRAYS), tmp_path / "data" / "made-up.npz"
        assert not fetch.is_there(source, path)
        fetch.fetch(source, path)
        assert fetch.is_there(source, path)
        with np.load(path) as archive:
            assert archive["labels"].tolist() == [0, 1, 2]

    def test_other_content_is_refused(self, tmp_path: Path) -> None:
        """Arrays of another digest are not written, and both digests are said."""
        path = tmp_path / "made-up.npz"
        with pytest.raises(FetchError, match=r"expected 00ff"):
            fetch.fetch(source_of(ARRAYS, "00ff"), path)
        assert not path.exists()

    @pytest.mark.parametrize("kept", [0, 40])
    def test_a_torn_file_is_fetched_again(self, tmp_path: Path, kept: int) -> None:
        """A file that cannot be read is as good as none."""
        source, path = source_of(ARRAYS), tmp_path / "made-up.npz"
        fetch.fetch(source, path)
        path.write_bytes(path.read_bytes()[:kept])
        assert not fetch.is_there(source, path)

    def test_a_package_without_its_files_is_said(self, tmp_path: Path) -> None:
        """A package that has changed its layout is told from one that cannot be had."""
        source = source_of(ARRAYS)._replace(convert=fetch.fashion)
        with pytest.raises(FetchError, match="does not hold what it used to"):
            fetch.fetch(source, tmp_path / "made-up.npz")


class TestCommand:
    """Programs that fetch and unpack."""

    def test_a_missing_program_is_named(self, tmp_path: Path) -> None:
        """What is not installed is said by name."""
        with pytest.raises(FetchError, match="no-such-program is not installed"):
            fetch.command("no-such-program", folder=tmp_path)

    def test_a_failure_comes_with_what_was_said(self, tmp_path: Path) -> None:
        """The command and its own words stand in the message."""
        with pytest.raises(FetchError, match=r"`ls nothing-here` failed:\n.*nothing-here"):
            fetch.command("ls", "nothing-here", folder=tmp_path)


class TestReaders:
    """What is made of the packages' files."""

    def test_fashion(self, tmp_path: Path) -> None:
        """Images and labels are what stands behind the headers."""
        folder = tmp_path / "usr/share/datasets/fashion-mnist"
        folder.mkdir(parents=True)
        for prefix in ("train", "t10k"):
            images, labels = bytes(16) + bytes([7]) * 784, bytes(8) + bytes([3])
            (folder / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
            (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
        arrays = fetch.fashion(tmp_path)
        assert arrays["train_images"].shape == (1, 28, 28)
        assert (arrays["test_images"] == 7).all()
        assert arrays["test_labels"].tolist() == [3]

    def test_mnist(self, tmp_path: Path) -> None:
        """Rounded fractions become the grey values that they were."""
        folder = tmp_path / "package/src/digits"
        folder.mkdir(parents=True)
        grey = [round(value / 255, 3) for value in range(256)] + [0] * 528
        for digit in range(10):
            (folder / f"{digit}.json").write_text(json.dumps({"data": grey}))
        arrays = fetch.mnist(tmp_path)
        assert arrays["images"][4].flatten()[:256].tolist() == list(range(256))
        assert arrays["labels"].tolist() == list(range(10))

    def test_wordnet(self, tmp_path: Path) -> None:
        """Definitions become numbers by frequency; licence and examples are left out."""
        folder = tmp_path / "usr/share/wordnet"
        folder.mkdir(parents=True)
        (folder / "data.noun").write_text(
            "  1 This software and database is being provided to you\n"
            '00001740 03 n 01 entity 0 000 | a thing; a being; "an example"  \n'
        )
        (folder / "data.verb").write_text("00001740 43 v 01 rain 0 000 | a fall  \n")
        arrays = fetch.wordnet(tmp_path)
        assert arrays["labels"].tolist() == [0, 40]
        assert arrays["tokens"][:, :5].tolist() == [[1, 4, 1, 2, 0], [1, 3, 0, 0, 0]]


def test_each_source_has_a_digest_of_its_own() -> None:
    """No set is taken unseen."""
    digests = [source.sha256 for source in fetch.SOURCES]
    assert len(set(digests)) == len(digests)
    assert all(len(digest) == 64 for digest in digests)
