"""`run`: a real job on this machine, streamed, summed up, with the job's own exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from sift_toolkit import SiftConfig
from sift_toolkit.report import SiftReport

Call = Callable[..., Result]

HOOKS = """
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset
    from sizes import ROWS

    def epochs(job): return int(job.hyperparameters["epochs"])
    def model(job): return nn.Linear(2, 2)
    def train_data(job):
        rows = torch.randn(ROWS, 2, generator=torch.Generator().manual_seed(0))
        return DataLoader(TensorDataset(rows, (rows[:, 0] > 0).long()), batch_size=8)
    def test_data(job): return train_data(job)
    def loss(model, batch):
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")
    def correct(model, batch): return model(batch[0]).argmax(dim=1) == batch[1]
    def optimizer(model, job): return torch.optim.SGD(model.parameters(), lr=0.1)
"""
# The SDK and boto3 are not there for the command; the job, a process of its own, has its own.
NO_SDK = """
import sys
for name in ("sagemaker", "boto3", "botocore", "torch"):
    sys.modules[name] = None
from sift_toolkit.cli import main
main()
"""
# Says who it is, starts somebody, and waits.
SLEEPER = """
    import os, subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("processes", os.getpid(), child.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def hooks(tmp_path: Path) -> Path:
    """A module of hooks, with one beside it."""
    folder = tmp_path / "hooks"
    folder.mkdir()
    (folder / "sizes.py").write_text("ROWS = 64\n")
    path = folder / "letters.py"
    path.write_text(textwrap.dedent(HOOKS))
    return path


def test_a_script(call: Call, script: Path, data: Path) -> None:
    """It gets its arguments, channel and variables; its log is shown, and what it reported."""
    answer = call(
        "run",
        str(script),
        *("--channel", f"training={data}"),
        *("--env", "LEVEL=1"),
        *("--hyperparameter", "note=it's fine"),
        *("-c", "keep=0.5"),
        "--",
        *("--epochs", "3"),
    )
    assert answer.exit_code == 0, answer.output
    assert "argv ['--epochs', '3', '--note', \"it's fine\"]" in answer.stdout
    assert "env 1 ['rows.csv']" in answer.stdout
    summary = answer.stdout[answer.stdout.index("\njob train-") :]
    assert ": Completed in 0:0" in summary
    assert "kept      50.0% of the samples seen" in summary
    assert "accuracy  75.00% on held-out data" in summary
    (folder,) = Path("sift-jobs").iterdir()
    assert str(folder.absolute()) in summary
    sent = json.loads((folder / "input/config/hyperparameters.json").read_text())
    assert SiftConfig.from_hyperparameters(sent) == SiftConfig(keep=0.5)
    assert (folder / "code" / "beside.py").is_file()


def test_json(call: Call, script: Path, data: Path) -> None:
    """The object stands alone on standard output, its keys are stable, the log is beside it."""
    answer = call("run", str(script), "--channel", f"training={data}", "--name", "a-job", "--json")
    outcome = json.loads(answer.stdout)
    assert set(outcome) == {
        *("job", "status", "exit_code", "failure_reason", "seconds", "folder", "log", "report"),
        *("model_dir", "metrics"),
    }
    assert outcome["job"] == "a-job"
    assert outcome["status"] == "Completed"
    assert outcome["exit_code"] == 0
    assert outcome["metrics"] == {"kept_share": 0.5, "validation_accuracy": 0.75}
    assert outcome["report"] is None
    assert Path(outcome["folder"]) == Path.cwd() / "sift-jobs" / "a-job"
    assert Path(outcome["log"]).read_text().count("[sift]") == 2
    assert "[sift] kept_share=0.5;" in answer.stderr


def test_quiet(call: Call, script: Path, data: Path) -> None:
    """The log can be left to its file."""
    answer = call("run", str(script), "--channel", f"training={data}", "--quiet")
    assert "argv" not in answer.stdout
    assert "Completed" in answer.stdout


def test_a_script_that_fails(call: Call, tmp_path: Path) -> None:
    """Its exit code becomes the launcher's 1, the reason is told, and the folder remembers."""
    script = tmp_path / "bad.py"
    script.write_text("raise RuntimeError('no such luck')\n")
    answer = call("run", str(script), "--output", "bad")
    assert answer.exit_code == 1
    assert "Failed in 0:0" in answer.stdout
    assert "it failed (exit code 1): RuntimeError: no such luck" in answer.stderr
    outcome = json.loads(Path("bad/sift_outcome.json").read_text())
    assert outcome["status"] == "Failed"
    assert outcome["failure_reason"] == "RuntimeError: no such luck"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["-c", "keep=2"], "keep must be a number above 0 to 1 or None, got 2"),
        (["-c", "kep=0.5"], "no field is called 'kep', did you mean 'keep'?"),
        (["--", "--verbose"], "'--verbose' has no value"),
        (["--channel", "x=s3://a/b"], "a folder or file of this machine, got 's3://a/b'"),
        (["--hyperparameter", "sagemaker_program=x"], "'sagemaker_program'] is reserved"),
        (["--hyperparameter", "a=1", "--", "-a", "2"], "--hyperparameter 'a' is given more than"),
        (["--channel", "training=nowhere"], "channel 'training' points to"),
        (["--channel", "a=.", "--channel", "a=."], "--channel 'a' is given more than once"),
        (["--env", "A B=1"], "environment has a name 'A B'"),
        (["--name", "a_b"], "a job name is 1 to 63 letters"),
        (["--alone", "--source-dir", "."], "--source-dir or --alone"),
    ],
)
def test_what_is_refused(call: Call, script: Path, arguments: list[str], problem: str) -> None:
    """Nothing runs, the exit code is 2, and the problem is named."""
    answer = call("run", str(script), *arguments)
    assert answer.exit_code == 2, answer.output
    assert problem in answer.stderr
    assert not Path("sift-jobs").exists()


def test_no_script(call: Call) -> None:
    """A script that is not there is click's own usage error."""
    answer = call("run", "nowhere.py")
    assert answer.exit_code == 2
    assert "'nowhere.py' does not exist" in answer.stderr


def test_an_earlier_jobs_folder(call: Call, script: Path, data: Path) -> None:
    """A folder that is not empty is no place for a job: nothing in it is lost."""
    Path("taken").mkdir()
    Path("taken/mine").touch()
    answer = call("run", str(script), "--channel", f"training={data}", "--output", "taken")
    assert answer.exit_code == 2
    assert "is not empty" in answer.stderr
    assert [path.name for path in Path("taken").iterdir()] == ["mine"]


def test_a_python_without_what_jobs_need(call: Call, script: Path, tmp_path: Path) -> None:
    """An interpreter without sagemaker-training is refused with the mend."""
    import venv

    venv.create(tmp_path / "bare", symlinks=True)
    answer = call("run", str(script), "--python", str(tmp_path / "bare/bin/python"))
    assert answer.exit_code == 2
    assert "has no sagemaker-training" in answer.stderr


@pytest.mark.parametrize(("config", "is_told"), [(["-c", "keep=0.5"], True), ([], False)])
def test_a_script_that_does_not_sift(call: Call, config: list[str], is_told: bool) -> None:
    """That is told where a config was given: no sift(), or hooks that are run as a script."""
    Path("plain.py").write_text("print('trains')\n")
    answer = call("run", "plain.py", "--alone", *config)
    assert answer.exit_code == 0
    assert ("A module of hooks needs --hooks" in answer.stderr) == is_told


def test_alone(call: Call, script: Path, data: Path) -> None:
    """With --alone its neighbours stay behind."""
    call("run", str(script), "--channel", f"training={data}", "--alone", "--output", "out")
    assert Path("out/code/train.py").is_file()
    assert not Path("out/code/beside.py").exists()


def test_a_folder_above(call: Call, script: Path, data: Path) -> None:
    """With --source-dir a folder above goes along, and the script runs from there."""
    call(
        *("run", str(script), "--channel", f"training={data}", "--output", "out"),
        *("--source-dir", str(script.parents[1])),
    )
    assert Path("out/code/src/train.py").is_file()
    assert "argv []" in Path("out/sift_job.log").read_text()


def test_a_script_outside_of_its_folder(call: Call, script: Path) -> None:
    """A --source-dir that the script does not lie in is refused."""
    Path("other").mkdir()
    answer = call("run", str(script), "--source-dir", "other")
    assert answer.exit_code == 2
    assert "does not lie in" in answer.stderr


def test_earlier_jobs_do_not_go_along(call: Call, data: Path) -> None:
    """The folders of jobs that ran beside the script, with links to data, are not its code."""
    Path("train.py").write_text("print('trains')\n")
    for name in ("first", "second"):
        call("run", "train.py", "--channel", f"training={data}", "--name", name)
    code = Path("sift-jobs/second/code")
    assert (code / "train.py").is_file()
    assert not (code / "sift-jobs" / "first").exists()


def test_hooks_without_any_sdk(hooks: Path, tmp_path: Path) -> None:
    """A module of hooks really trains, by a command that can import no SDK, boto3 or torch."""
    command = [sys.executable, "-c", NO_SDK, "run", str(hooks), "--hooks", "--json"]
    options = ["-c", "keep=0.5", "-c", "scores=fresh", "-c", "log_every=2", "--output", "out"]
    answer = subprocess.run(
        [*command, *options, "--checkpoints", "kept", "--", "--epochs", "2"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    outcome = json.loads(answer.stdout)
    assert outcome["metrics"]["kept_share"] == 0.5
    assert outcome["metrics"]["training_steps"] == 2 * 64 / 2 / 8
    assert SiftReport.read(Path(outcome["report"])).config["sagemaker_sift_keep"] == 0.5
    assert (Path(outcome["model_dir"]) / "model.pt").is_file()
    assert list((tmp_path / "kept").iterdir())


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals_end_the_job(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Ctrl-C, a polite kill and a closed terminal end the job and all that it started."""
    script = tmp_path / "sleeper.py"
    script.write_text(textwrap.dedent(SLEEPER))
    process = subprocess.Popen(
        [sys.executable, "-m", "sift_toolkit.cli", "run", "sleeper.py", "--alone"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert process.stdout is not None
    line = next(line for line in process.stdout if line.startswith("processes "))
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == code
    (folder,) = (tmp_path / "sift-jobs").iterdir()
    assert json.loads((folder / "sift_outcome.json").read_text())["status"] == "Stopped"
    for text in line.split()[1:]:
        wait_until_gone(int(text))


def wait_until_gone(process: int) -> None:
    """Wait until a process has ended; a zombie that nobody asks about counts as ended."""
    for _ in range(600):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    pytest.fail(f"process {process} still runs")


def test_handlers_are_put_back(call: Call, script: Path, data: Path) -> None:
    """After a job signals do what they did before."""
    before: Any = signal.getsignal(signal.SIGTERM)
    call("run", str(script), "--channel", f"training={data}", "--quiet")
    assert signal.getsignal(signal.SIGTERM) is before
