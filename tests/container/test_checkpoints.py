"""Checkpoints in a user's script: when they are due, what they bring back, what they refuse."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sift_toolkit import SiftConfig, SiftJobError, SiftStateError, SiftUsageError
from sift_toolkit.container import Checkpoints, _recorder
from sift_toolkit.container._interruption import interruption
from sift_toolkit.container._recorder import MetricRecorder
from sift_toolkit.contract import JobTree
from sift_toolkit.report import Observation, SiftReport

MakeJob = Callable[..., JobTree]
NoRoom = Callable[[], AbstractContextManager[None]]

OF_TORCHRUN = {"RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "7777"}


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Seconds that pass when a test says so."""
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for checkpoints."""
    return tmp_path / "checkpoints"


@pytest.fixture
def new_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on this is another process of the job: what it recorded is gone."""
    return lambda: monkeypatch.setattr(_recorder, "_reports", {})


@contextmanager
def asked_to_end() -> Iterator[None]:
    """SIGTERM comes, once there is somebody who asks."""
    with interruption.noticed():
        assert not interruption.received
        signal.raise_signal(signal.SIGTERM)
        yield


def names_in(folder: Path) -> list[str]:
    """Return the names of all files in a folder."""
    return sorted(path.name for path in folder.iterdir())


class TestDue:
    """When a script is told to save."""

    def test_by_the_time(self, folder: Path, clock: Clock) -> None:
        """So many minutes after the last one was written, however long that took."""
        checkpoints = Checkpoints(folder, every_minutes=2, clock=clock)
        due = []
        for clock.now in (60.0, 119.0, 120.0, 150.0):
            due.append(checkpoints.due())
        clock.now = 160.0
        checkpoints.save({})
        for clock.now in (240.0, 279.0, 280.0):
            due.append(checkpoints.due())

        assert due == [False, False, True, True, False, False, True]

    def test_by_steps(self, folder: Path) -> None:
        """Exactly every so many steps."""
        checkpoints = Checkpoints(folder, every_minutes=0, every_steps=3)
        saved = []
        for step in range(1, 10):
            if checkpoints.due():
                checkpoints.save({})
                saved.append(step)

        assert saved == [3, 6, 9]
        assert checkpoints.step == 9

    def test_never_by_the_time(self, folder: Path, clock: Clock) -> None:
        """Zero minutes turn it off."""
        checkpoints = Checkpoints(folder, every_minutes=0, clock=clock)
        clock.now = 1e9
        assert not checkpoints.due()

    def test_asked_to_end(self, folder: Path) -> None:
        """At once, with the step that was under way."""
        checkpoints = Checkpoints(folder)
        assert not checkpoints.due()
        assert not checkpoints.interrupted
        with asked_to_end():
            assert checkpoints.interrupted
            assert checkpoints.due()
            with pytest.raises(SystemExit) as end:
                checkpoints.save({"epoch": 3})

        assert end.value.code == 143
        assert Checkpoints(folder).load() == {"epoch": 3}

    @pytest.mark.parametrize("minutes", [-1, "5", None, True, float("nan"), float("inf")])
    def test_minutes_that_are_none(self, folder: Path, minutes: Any) -> None:
        """Nothing is guessed."""
        with pytest.raises(SiftUsageError, match=r"minutes .* must be a number from 0, got"):
            Checkpoints(folder, every_minutes=minutes)

    @pytest.mark.parametrize("steps", [0, -1, 1.5, "5", True])
    def test_steps_that_are_none(self, folder: Path, steps: Any) -> None:
        """Nothing is guessed."""
        with pytest.raises(SiftUsageError, match=r"steps .* must be a whole number from 1, got"):
            Checkpoints(folder, every_steps=steps)


class TestLoad:
    """What comes back."""

    def test_what_was_saved(self, folder: Path) -> None:
        """The content, and the number of the step."""
        checkpoints = Checkpoints(folder)
        for _ in range(5):
            checkpoints.due()
        assert checkpoints.save({"weights": torch.ones(2), "epoch": 1})

        again = Checkpoints(folder)
        content = again.load()
        assert content is not None
        assert content["weights"].tolist() == [1, 1]
        assert content["epoch"] == 1
        assert again.step == 5

    def test_nothing_yet(self, folder: Path) -> None:
        """A first start has nothing to go on from."""
        assert Checkpoints(folder).load() is None

    def test_random_numbers_go_on(self, folder: Path) -> None:
        """Those drawn after a checkpoint are drawn again."""

        def draws() -> list[float]:
            legacy = float(np.random.rand())  # noqa: NPY002 - the state that users draw from
            return [float(torch.rand(())), random.random(), legacy]

        Checkpoints(folder).save({})
        first = draws()
        draws()
        Checkpoints(folder).load()

        assert draws() == first

    def test_steps_are_counted_on(self, folder: Path) -> None:
        """Every third step means that of the whole run."""
        first = Checkpoints(folder, every_minutes=0, every_steps=3)
        for _ in range(4):
            if first.due():
                first.save({})
        second = Checkpoints(folder, every_minutes=0, every_steps=3)
        second.load()

        assert [second.due() for _ in range(3)] == [False, False, True]

    def test_another_torch_is_noted(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It may end in other bits, which is no reason to lose the work."""
        with monkeypatch.context() as patch:
            patch.setattr(torch, "__version__", "2.6.0")
            Checkpoints(folder).save({})
        Checkpoints(folder).load()

        printed = capsys.readouterr().out
        assert f"saved with torch 2.6.0, this is {torch.__version__}: the end may not" in printed

    def test_a_torn_one_is_noted(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The one before is used, and the log says so."""
        checkpoints = Checkpoints(folder)
        for epoch in (1, 2):
            checkpoints.due()
            checkpoints.save({"epoch": epoch})
        newest = folder / names_in(folder)[-1]
        newest.write_bytes(newest.read_bytes()[:-1])

        assert Checkpoints(folder).load() == {"epoch": 1}
        assert "was cut off or changed: sift_checkpoint_000000000001.pt is used" in (
            capsys.readouterr().out
        )


class TestRefusals:
    """What a checkpoint is not for."""

    def test_another_run(self, folder: Path, make_job: MakeJob) -> None:
        """What the script says of it and the job's hyperparameters, all at once."""
        make_job(width=8)
        Checkpoints(folder, run={"epochs": 3}).save({})
        make_job(width=16)
        with pytest.raises(SiftStateError) as refused:
            Checkpoints(folder, run={"epochs": 4}).load()

        assert "belongs to another run: epochs: 3 there, 4 here; hyperparameter 'width' is" in str(
            refused.value
        )

    def test_a_folder_that_cannot_be_written(self, folder: Path) -> None:
        """It is said when the script starts, not when the first hours are over."""
        folder.touch()
        with pytest.raises(SiftJobError, match="checkpoints cannot be kept in"):
            Checkpoints(folder)

    def test_several_processes(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each would write over the others' files."""
        for name, value in {**OF_TORCHRUN, "WORLD_SIZE": "2"}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SiftUsageError, match="Checkpoints are those of one process: save"):
            Checkpoints(folder)

    def test_what_could_not_be_loaded(self, folder: Path) -> None:
        """It is said when it is saved."""
        with pytest.raises(SiftStateError, match="keep tensors and plain values in it"):
            Checkpoints(folder).save({"path": Path("a")})


class TestFullDisk:
    """A training of days does not end for want of room."""

    def test_it_goes_on(
        self, folder: Path, no_room: NoRoom, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The one before stays, it is said once, and said again when there is room."""
        checkpoints = Checkpoints(folder)
        assert checkpoints.save({"epoch": 1})
        before = names_in(folder)
        capsys.readouterr()
        with no_room():
            for _ in range(3):
                checkpoints.due()
                assert not checkpoints.save({"epoch": 2})
        assert names_in(folder) == before
        assert Checkpoints(folder).load() == {"epoch": 1}
        assert checkpoints.save({"epoch": 3})

        note, failed = "[sift] note:", "cannot be written: File too large"
        notes = [line for line in capsys.readouterr().out.splitlines() if "written" in line]
        assert notes == [
            f"{note} the checkpoint of step 1 {failed}; the one before is kept, training goes on",
            f"{note} checkpoints can be written again: step 3 is saved",
        ]

    def test_it_is_tried_again_later(self, folder: Path, no_room: NoRoom) -> None:
        """Not at each step: a write that fails may take as long as one that does not."""
        checkpoints = Checkpoints(folder, every_minutes=0, every_steps=2)
        with no_room():
            due = [checkpoints.due() and (checkpoints.save({}), True)[1] for _ in range(4)]

        assert due == [False, True, False, True]

    def test_who_is_asked_to_end_ends(self, folder: Path, no_room: NoRoom) -> None:
        """Also where the last checkpoint finds no room."""
        checkpoints = Checkpoints(folder)
        with asked_to_end(), no_room(), pytest.raises(SystemExit):
            checkpoints.save({})


class TestInAJob:
    """Where a script is part of a job, and where it is not."""

    def test_the_jobs_folder(self, make_job: MakeJob) -> None:
        """Without a word checkpoints go where they outlive the job."""
        tree = make_job()
        Checkpoints().save({"epoch": 1})

        assert names_in(tree.checkpoints_dir) == ["sift_checkpoint_000000000000.pt"]
        assert Checkpoints().load() == {"epoch": 1}

    def test_outside_of_a_job(self, clock: Clock) -> None:
        """The same script can be tried on a laptop, and leaves nothing there."""
        checkpoints = Checkpoints(every_steps=1, clock=clock)
        clock.now = 1e9

        assert checkpoints.load() is None
        assert not checkpoints.due()
        assert not checkpoints.save({"epoch": 1})
        assert not JobTree.current().base.exists()

    def test_the_report_goes_on(
        self,
        make_job: MakeJob,
        new_process: Callable[[], None],
        read_report: Callable[[JobTree], SiftReport],
    ) -> None:
        """What came before the checkpoint is in it, what came after it is not."""
        config = SiftConfig(keep=0.5)
        tree = make_job()
        first = MetricRecorder(config, tree.output_data_dir)
        first.note("scores: fresh, because")
        first(Observation(values={"training_steps": 1}))
        Checkpoints().save({})
        first(Observation(values={"training_steps": 2}))
        first.note("lost")

        new_process()
        second = MetricRecorder(config, tree.output_data_dir)
        second.note("scores: fresh, because")
        second.note("of the new process")
        Checkpoints().load()
        second(Observation(values={"training_steps": 2}))
        second.write()

        report = read_report(tree)
        assert [each.values["training_steps"] for each in report.observations] == [1, 2]
        assert report.notes == [
            "scores: fresh, because",
            "of the new process",
            "going on from the checkpoint of step 0",
        ]

    def test_no_hyperparameter_is_kept(self, make_job: MakeJob, folder: Path) -> None:
        """A secret among them does not get into the bucket by way of a checkpoint."""
        make_job(api_token="hush-hush")  # the secret that is planted
        Checkpoints(folder).save({})

        content = (folder / names_in(folder)[0]).read_bytes()
        assert b"api_token" in content
        assert b"hush" not in content
