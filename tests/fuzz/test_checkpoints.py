"""Checkpoint files, whoever wrote them: a checkpoint to go on from, or our error."""

from __future__ import annotations

import functools
import io
import random
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.container import Checkpoints
from sift_toolkit.container._checkpoint import is_whole, load_safely
from sift_toolkit.container._checkpoint_folder import CheckpointFolder
from sift_toolkit.sifting._rng import kept_global_state
from tests.fuzz.strange import JSON_VALUES, File, changed_bytes, changed_tree, tried

RUN = {"epochs": 3}
NAME = f"sift_checkpoint_{1:012d}.pt"


@functools.cache
def whole() -> bytes:
    """Return a valid checkpoint's file."""
    with tempfile.TemporaryDirectory() as folder, kept_global_state():
        # What is drawn must be the same wherever an input is tried again.
        torch.manual_seed(0)
        random.seed(0)
        checkpoints = Checkpoints(folder, run=RUN)
        checkpoints.due()
        model = torch.nn.Linear(2, 2)
        optimizer = torch.optim.Adam(model.parameters())
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()
        content = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "words": "x"}
        assert checkpoints.save(content)
        return (Path(folder) / NAME).read_bytes()


@functools.cache
def _members() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@functools.cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = torch.load(io.BytesIO(whole()), weights_only=True)
    # Long lists of random states would take every change there is.
    content["own"]["random"]["python"][1] = content["own"]["random"]["python"][1][:3]
    content["own"]["random"].pop("numpy", None)
    return content


def _packed(members: dict[str, bytes], method: int) -> File:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return File(file.getvalue())


@st.composite
def repacked(draw: st.DrawFn) -> File:
    """A file whose checksums are right, and whose members are not."""
    members = dict(_members())
    names = sorted(name for name in members if not name.endswith(".data/serialization_id"))
    # Where the objects are described, more is to be broken than in the numbers.
    pickled = next(name for name in names if name.endswith("data.pkl"))
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.one_of(st.just(pickled), st.sampled_from(names)))
        if draw(st.integers(0, 9)):
            members[name] = draw(changed_bytes(members.get(name, b"")))
        else:
            members.pop(name, None)
    return _packed(members, draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])))


def read(content: bytes) -> None:
    """Go on from a checkpoint by every way there is."""
    with tempfile.TemporaryDirectory() as folder, kept_global_state():
        file = Path(folder) / NAME
        file.write_bytes(content)
        for go_on in (
            lambda: load_safely(file),
            lambda: CheckpointFolder(Path(folder)).read(lambda _: None),
            lambda: Checkpoints(folder, run=RUN).load(),
        ):
            tried(go_on)


@given(content=st.one_of(st.deferred(lambda: changed_bytes(whole())), st.binary(max_size=99)))
def test_bytes_are_read_or_refused(content: bytes) -> None:
    """A file cut off, flipped or of noise is torn or refused; nothing else comes of it."""
    read(content)


# Torch says so of a pickle whose first byte was changed.
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@given(content=repacked())
def test_archives_are_read_or_refused(content: bytes) -> None:
    """A file that is whole by its checksums may hold anything: it is read or refused."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / NAME
        file.write_bytes(content)
        if is_whole(file):
            read(content)


TENSORS = st.sampled_from(
    [
        torch.zeros(0),
        torch.zeros(3),
        torch.zeros(5056, dtype=torch.uint8),
        torch.full((2, 2), torch.nan),
        torch.tensor(7),
    ]
)


@given(content=st.deferred(lambda: changed_tree(_content(), st.one_of(JSON_VALUES, TENSORS))))
def test_contents_are_gone_on_from_or_refused(content: object) -> None:
    """A file of plain values in another form than ours: gone on from, or refused in words."""
    file = io.BytesIO()
    torch.save(content, file)
    read(file.getvalue())
