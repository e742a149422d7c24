"""Archives may be anybody's: nothing of them lands outside, or is followed there."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sift_toolkit import SiftJobError
from sift_toolkit.client._job_archive import _report_in
from sift_toolkit.client._local_failure import _failure_in
from sift_toolkit.contract import JobTree, _code, pack_artifacts
from sift_toolkit.contract._code import stage_code

SECRET = "secret of the host"


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """Return the head of a member."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, 0o4777
    return info


def packed(path: Path, *members: tarfile.TarInfo, content: bytes = b"intruder") -> Path:
    """Write an archive of members; files hold *content*."""
    with tarfile.open(path, "w:gz") as tar:
        for info in members:
            info.size = len(content) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a file that nobody may read or change, and room for a job's code beside it."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text(SECRET)
    return tmp_path


def outside(place: Path) -> dict[str, str]:
    """Return all files there but the archive and the unpacked code."""
    return {
        path.relative_to(place).as_posix(): path.read_text()
        for path in place.rglob("*")
        if path.is_file() and not path.is_symlink() and path.suffix != ".gz"
        if not path.is_relative_to(place / "code")
    }


ATTACKS: dict[str, list[tarfile.TarInfo]] = {
    "absolute name": [member("/tmp/sift-intruder")],
    "climbing name": [member("../intruder"), member("a/../../intruder")],
    "link to outside": [member("link", tarfile.SYMTYPE, "../outside/file")],
    "absolute link": [member("link", tarfile.SYMTYPE, "/etc/passwd")],
    "hard link to outside": [member("link", tarfile.LNKTYPE, "../outside/file")],
    "file through a link": [
        member("dir", tarfile.SYMTYPE, "../outside"),
        member("dir/file"),
    ],
    "file over a link": [member("link", tarfile.SYMTYPE, "target"), member("link")],
    "file through a link that stays inside": [
        member("a", tarfile.DIRTYPE),
        member("b", tarfile.SYMTYPE, "a"),
        member("/b/file"),
    ],
    "link through a link": [
        member("a", tarfile.DIRTYPE),
        member("here", tarfile.SYMTYPE, "."),
        member("link", tarfile.SYMTYPE, "here/../../outside/file"),
    ],
    "link that comes to lead outside": [
        member("link", tarfile.SYMTYPE, "later/../outside/file"),
        member("later", tarfile.SYMTYPE, "."),
    ],
    "hard link through a link": [
        member("here", tarfile.SYMTYPE, "."),
        member("link", tarfile.LNKTYPE, "here/file"),
    ],
    "device": [member("null", tarfile.CHRTYPE), member("disk", tarfile.BLKTYPE)],
    "pipe": [member("pipe", tarfile.FIFOTYPE)],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_archive_of_code_stays_inside(place: Path, attack: str) -> None:
    """Absolute and climbing names, links, devices and pipes: none leaves, none leads out."""
    archive = packed(place / "code.tar.gz", member("train.py"), *ATTACKS[attack])
    before = outside(place)
    stage_code(archive, place / "code")
    assert outside(place) == before == {"outside/file": SECRET}
    assert (place / "code" / "train.py").read_text() == "intruder"
    inside = (place / "code").resolve()
    for path in (place / "code").rglob("*"):
        assert path.resolve().is_relative_to(inside), path
        assert path.is_dir() or path.is_file() or path.is_symlink(), path
    assert not Path("/tmp/sift-intruder").exists()


def test_files_of_code_get_no_rights_of_others(place: Path) -> None:
    """Set-user bits and rights to write for all are dropped."""
    stage_code(packed(place / "code.tar.gz", member("train.py")), place / "code")
    assert (place / "code" / "train.py").stat().st_mode & 0o7022 == 0


def test_links_among_the_code_stay(place: Path) -> None:
    """A link of the user's own that stays inside works as it did."""
    archive = packed(
        place / "code.tar.gz",
        member("lib/file"),
        member("bin/link", tarfile.SYMTYPE, "../lib/file"),
        member("hard", tarfile.LNKTYPE, "lib/file"),
    )
    stage_code(archive, place / "code")
    for name in ("bin/link", "hard"):
        assert (place / "code" / name).read_text() == "intruder"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"",
        lambda whole: b"no archive at all" * 50,
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:40] + bytes(40) + whole[80:],
    ],
    ids=["empty", "noise", "half", "zeros"],
)
def test_an_archive_that_is_none_is_refused(place: Path, spoil: Callable[[bytes], bytes]) -> None:
    """Cut off, changed or of noise: our error, whatever Python makes of it."""
    archive = packed(place / "code.tar.gz", member("train.py"), content=os.urandom(2000))
    archive.write_bytes(spoil(archive.read_bytes()))
    with pytest.raises(SiftJobError, match=r"must be a folder or a \.tar\.gz"):
        stage_code(archive, place / "code")


def test_a_name_of_a_file_and_a_folder_is_refused(place: Path) -> None:
    """What contradicts itself cannot be unpacked, and is said to."""
    archive = packed(place / "code.tar.gz", member("a/file"), member("a"))
    with pytest.raises(SiftJobError, match="a file and a folder of one name"):
        stage_code(archive, place / "code")


def test_an_archive_that_unpacks_to_gigabytes_is_refused(place: Path) -> None:
    """A small file that says it holds far more than code is refused before a byte is written."""
    bomb = member("zeros")
    bomb.size = _code._MOST_BYTES + 1
    with tarfile.open(place / "code.tar.gz", "w:gz") as tar:
        tar.addfile(member("train.py"))
        tar.fileobj.write(bomb.tobuf())  # type: ignore[union-attr] # it is open
    with pytest.raises(SiftJobError, match="put data into a channel"):
        stage_code(place / "code.tar.gz", place / "code")
    assert not (place / "code" / "zeros").exists()


def test_an_archive_of_countless_files_is_refused(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So are more files than code has."""
    monkeypatch.setattr(_code, "_MOST_MEMBERS", 10)
    members = [member(f"{number}.py") for number in range(11)]
    with pytest.raises(SiftJobError, match="put data into a channel"):
        stage_code(packed(place / "code.tar.gz", *members), place / "code")


def test_the_reason_in_an_output_archive_is_read_in_part(place: Path) -> None:
    """What a local job left may be huge, a link, torn or not there: its error is still told."""
    archive = place / "output.tar.gz"
    assert _failure_in(packed(archive, member("failure"), content=b"why " * 9999)) == (
        ("why " * 9999)[:1024].strip()
    )
    assert _failure_in(packed(archive, member("other"))) is None
    assert _failure_in(packed(archive, member("failure", tarfile.SYMTYPE, "/etc/passwd"))) is None
    assert _failure_in(packed(archive, member("failure", tarfile.FIFOTYPE))) is None
    archive.write_bytes(archive.read_bytes()[:30])
    assert _failure_in(archive) is None


def test_what_a_job_leaves_holds_nothing_that_its_links_lead_to(place: Path) -> None:
    """A link in a model's or output's folder is packed as a link, a pipe is not waited for."""
    tree = JobTree(place / "job")
    for folder in (tree.model_dir, tree.output_dir):
        folder.mkdir(parents=True)
        (folder / "file").symlink_to(place / "outside" / "file")
        (folder / "folder").symlink_to(place / "outside")
        os.mkfifo(folder / "pipe")
    model = pack_artifacts(tree, place / "artifacts")
    for archive in (model, model.with_name("output.tar.gz")):
        with tarfile.open(archive) as tar:
            kinds = {each.name: each.type for each in tar.getmembers()}
        links = {"file": tarfile.SYMTYPE, "folder": tarfile.SYMTYPE}
        assert kinds == {**links, "pipe": tarfile.FIFOTYPE}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_report_in_an_archive_is_read_and_nothing_is_written(
    place: Path, attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found by its name alone, as a file; nothing of the archive comes onto this machine."""
    monkeypatch.chdir(place)
    hostile = [*ATTACKS[attack], member("sift_report.json", tarfile.SYMTYPE, "/etc/passwd")]
    archive = packed(place / "output.tar.gz", *hostile, member("../data/sift_report.json"))
    before = set(place.rglob("*"))
    with archive.open("rb") as stream:
        assert _report_in(stream) == b"intruder"
    assert set(place.rglob("*")) == before
