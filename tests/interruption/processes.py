"""Jobs in processes of this machine, each as `entry_points/train.py` would run it.

They are forked from a server that has torch imported and runs one thread, so a life begins in
milliseconds rather than the seconds that importing torch takes.
"""

from __future__ import annotations

import atexit
import json
import multiprocessing
import os
import shutil
import signal
import sys
from contextlib import AbstractContextManager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType

from sift_toolkit import SiftConfig
from sift_toolkit.config import SCRIPT_KEY
from sift_toolkit.contract import JobTree

HOOKS = Path(__file__).parent / "job" / "interrupted_hooks.py"
_PRELOADED = ["torch", "torch._dynamo", "torch.utils.data", "sift_toolkit.container._trainer"]
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def lay_out(base: Path, config: SiftConfig, **hyperparameters: object) -> JobTree:
    """Write the tree of a job that trains the hooks."""
    tree = JobTree(base)
    for folder in (tree.config_dir, tree.output_data_dir):
        folder.mkdir(parents=True)
    shutil.copytree(HOOKS.parent, tree.code_dir)
    values = {SCRIPT_KEY: HOOKS.name, **hyperparameters, **config.to_hyperparameters()}
    encoded = {key: json.dumps(value) for key, value in values.items()}
    tree.hyperparameters_file.write_text(json.dumps(encoded), encoding="utf-8")
    return tree


class ProcessLife(AbstractContextManager["ProcessLife"]):
    """A process that trains a job; leaving its `with` block ends it.

    Each begins as on a new machine: only the checkpoint folder is the one of before.
    """

    def __init__(self, tree: JobTree, *, step_seconds: float = 0) -> None:
        for folder in (tree.model_dir, tree.output_dir):
            shutil.rmtree(folder, ignore_errors=True)
        self._log = tree.base / "log.txt"
        self._log.unlink(missing_ok=True)
        environment = {**_ONE_THREAD, "STEP_SECONDS": str(step_seconds)}
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOADED)
        self._process: ForkServerProcess = context.Process(
            target=_train, args=(str(tree.base), str(self._log), environment), daemon=True
        )
        self._process.start()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.is_alive()

    def kill(self, number: signal.Signals) -> None:
        """Send a signal."""
        if self._process.pid is not None and self._process.is_alive():
            os.kill(self._process.pid, number)

    def wait(self, seconds: float) -> int:
        """Wait for its end, return its exit status as a shell has it."""
        self._process.join(seconds)
        code = self._process.exitcode
        assert code is not None, f"still running after {seconds} s"
        return 128 - code if code < 0 else code

    def logs(self) -> list[str]:
        """Return what it has printed."""
        return self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()


def _train(base: str, log: str, environment: dict[str, str]) -> None:
    """Do what `entry_points/train.py` does, in this process."""
    os.environ.update(environment, SAGEMAKER_BASE_DIR=base)
    os.chdir(JobTree(Path(base)).code_dir)
    with open(log, "w", buffering=1, encoding="utf-8") as file:  # noqa: PTH123 - as it is printed
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = ["train.py"]
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8")
    from sift_toolkit.container import train_entry

    try:
        train_entry()
    finally:
        # The report's last write; processes of `multiprocessing` end without.
        atexit._run_exitfuncs()
