"""Checkpoints: what lets a training go on where it was, in the trainer and in a user's script."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

import torch

from sift_toolkit.container._agreement import Agreement
from sift_toolkit.container._checkpoint_checks import check_pace, refuse_company, step_of
from sift_toolkit.container._checkpoint_folder import CheckpointFolder, own_folder
from sift_toolkit.container._interruption import EXIT_CODE, interruption
from sift_toolkit.container._processes import Processes, alone
from sift_toolkit.container._random_state import random_state, set_random_state
from sift_toolkit.container._recorder import print_note, recorders_in
from sift_toolkit.container._same_run import another_run, differences, identity
from sift_toolkit.contract import JobTree
from sift_toolkit.outside import damage_in_words
from sift_toolkit.report import SiftReport

DEFAULT_MINUTES: Final = 5.0
"""Work that an instance taken away without a word may cost."""

_SECONDS: Final = 60.0

_NOTHING, _SAVE, _END = 0, 1, 2
"""What a process may wish for after a step; of several wishes the greatest counts."""


class Checkpoints:
    """Saves a training as it goes, and finds it again in the next job.

    Call `load` once model, optimizer and loader are made, `due` after each training step, and
    `save` when it says so. Outside of a job, where no *folder* is given, nothing is saved.

    Args:
        folder: where checkpoints are kept; default: the job's, which outlives it if it was
            launched with a `checkpoint_s3_uri`.
        every_minutes: time between two; 0: none by the time.
        every_steps: training steps between two; default: none by steps.
        run: what must be the same where a checkpoint is gone on from, such as
            ``{"epochs": 20}``. The job's hyperparameters always must.
        processes: those that train together: they save at the same step, all in the first one's
            file. Default: there is one.
        clock: replaced in tests.

    Raises:
        SiftJobError: nothing can be written to the folder.
        SiftUsageError: an argument is not what it should be, or this is one of several processes.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        every_minutes: float = DEFAULT_MINUTES,
        every_steps: int | None = None,
        run: Mapping[str, object] | None = None,
        processes: Processes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        check_pace(every_minutes, every_steps)
        if processes is None:
            refuse_company()
        self._processes = processes or alone()
        self._agreement = Agreement(self._processes, clock)
        self._ends = False
        tree = JobTree.current()
        self._tree = tree
        place = folder if folder is not None or not tree.exists else own_folder(tree)
        self._folder = None if place is None else CheckpointFolder(Path(place))
        self._run = identity(run or {}, tree.user_hyperparameters())
        self._every_seconds = every_minutes * _SECONDS
        self._every_steps = every_steps
        self._clock = clock
        self._step = 0
        self._saved_at = clock()
        self._saved_step = 0
        self._cannot_write = False
        self._others: list[Any] = []
        if self._folder is not None and self._processes.is_first:
            self._folder.check()

    @property
    def step(self) -> int:
        """Training steps made, those before a checkpoint included."""
        return self._step

    @property
    def interrupted(self) -> bool:
        """Whether the job was asked to end: `save` as soon as you can.

        Known where ``launcher="train"`` or ``launcher="run"`` started the script, and the image
        forwards SIGTERM. Once this or `due` was asked, SIGTERM alone ends the process no more.
        """
        if self._processes.size == 1:
            self._ends |= interruption.received
        return self._ends

    def due(self) -> bool:
        """Say whether to `save` now; to be called once after each training step."""
        self._step += 1
        wish = _END if interruption.received else _SAVE if self._is_time() else _NOTHING
        granted = self._agreement.of(wish)
        self._ends |= granted == _END
        return granted > _NOTHING or self._is_step()

    def _is_time(self) -> bool:
        passed = self._clock() - self._saved_at
        return self._folder is not None and 0 < self._every_seconds <= passed

    def _is_step(self) -> bool:
        if self._folder is None or self._every_steps is None:
            return False
        return self._step - self._saved_step >= self._every_steps

    def save(self, content: Mapping[str, Any], own: Collection[str] = ()) -> bool:
        """Save *content*, and with it random states and reports; say whether that went well.

        It does not where the disk is full, say: then the checkpoint before stays, a note tells, and
        training goes on. Where the job was asked to end, the process ends after this.

        Args:
            content: tensors, plain values and their containers, such as the `state_dict` of model,
                optimizer, scheduler and loader, and the number of the epoch.
            own: keys of what each of several processes has of its own.

        Raises:
            SiftStateError: it holds objects that would be refused when it is loaded.
            SystemExit: with code 143, the checkpoint written: the job was asked to end.
        """
        is_saved = self._folder is not None and self._write(self._folder, content, own)
        self.pass_over()
        return is_saved

    def pass_over(self) -> None:
        """Do all that `save` does, but save.

        Raises:
            SystemExit: with code 143: the job was asked to end.
        """
        # From here: what saving takes is no time of training.
        self._saved_at, self._saved_step = self._clock(), self._step
        # All wait for the first one's file here: whoever ends takes the others with it.
        self._ends |= bool(self._processes.greatest([int(interruption.received)])[0])
        if self._ends:
            self._note(f"the job was asked to end: it ends after step {self._step}")
            raise SystemExit(EXIT_CODE)

    def load(self) -> dict[str, Any] | None:
        """Return the newest content that was saved whole, None if there is none.

        The global random states of torch, Python and numpy become those saved with it, and the
        job's reports go on where they were: call it last before training.

        Raises:
            SiftStateError: there are checkpoints, but of another run, of a newer version, or none
                that is whole.
        """
        if self._folder is None:
            return None
        saved = self._processes.from_first(self._read(self._folder))
        if saved is None:
            return None
        with damage_in_words(f"the checkpoint in {str(self._folder)!r} cannot be gone on from"):
            return self._go_on_from(saved)

    def _go_on_from(self, saved: Mapping[str, Any]) -> dict[str, Any]:
        content = dict(saved["content"])
        self._step = self._saved_step = step_of(saved)
        self._saved_at = self._clock()
        self._continue_reports(saved["reports"])
        self._note(f"going on from the checkpoint of step {self._step}")
        if saved["torch"] != torch.__version__:
            self._note(
                f"it was saved with torch {saved['torch']}, this is {torch.__version__}: the end "
                "may not be the same to the bit"
            )
        own = self._processes.own_of([saved["own"], *self._others])
        self._others = []
        set_random_state(own["random"])
        return {**content, **own["content"]}

    def _read(self, folder: CheckpointFolder) -> dict[str, Any] | None:
        """Return what the first process finds; what the others had of their own is kept aside."""
        saved = folder.read(self._note) if self._processes.is_first else None
        if saved is None:
            return None
        with damage_in_words(f"the checkpoint in {str(folder)!r} cannot be gone on from"):
            if changed := differences(saved["run"], self._run):
                raise another_run(str(folder), changed)
            self._others = list(saved.pop("others"))
        return saved

    def _write(
        self, folder: CheckpointFolder, content: Mapping[str, Any], own: Collection[str]
    ) -> bool:
        mine = {"random": random_state(), "content": {key: content[key] for key in own}}
        gathered = self._processes.to_first(mine)
        if not self._processes.is_first:
            return True
        reports = {name: each.report.to_json() for name, each in self._recorders().items()}
        everything = {
            "step": self._step,
            "torch": str(torch.__version__),
            "run": self._run,
            "reports": reports,
            "content": {key: value for key, value in content.items() if key not in own},
            "own": mine,
            "others": gathered[1:],
        }
        try:
            folder.write(self._step, everything)
        except OSError as error:
            if not self._cannot_write:
                self._note(
                    f"the checkpoint of step {self._step} cannot be written: "
                    f"{error.strerror or error}; the one before is kept, training goes on"
                )
            self._cannot_write = True
            return False
        if self._cannot_write:
            self._note(f"checkpoints can be written again: step {self._step} is saved")
            self._cannot_write = False
        return True

    def _recorders(self) -> dict[str, Any]:
        return dict(recorders_in(self._tree.output_data_dir))

    def _continue_reports(self, saved: Mapping[str, str]) -> None:
        for name, recorder in self._recorders().items():
            if name in saved:
                recorder.go_on_from(SiftReport.from_json(saved[name], "the report saved"))

    def _note(self, words: str) -> None:
        if not self._processes.is_first:
            return
        recorder = next(iter(self._recorders().values()), None)
        if recorder is None:
            print_note(words)
        else:
            recorder.note(words)
