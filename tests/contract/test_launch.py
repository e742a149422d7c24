"""Running real jobs with the real `train` of sagemaker-training."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import venv
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from sift_toolkit.contract import JobDescription, JobResult, JobTree, launch, read_outcome
from sift_toolkit.contract._launch import failure_reason
from sift_toolkit.errors import SiftJobError

Describe = Callable[..., JobDescription]
HasGone = Callable[[int], bool]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Where the job's tree goes."""
    return tmp_path / "ml"


def output_of(result: JobResult) -> Any:
    """What the script of a test wrote as JSON, which must have worked."""
    assert result.failure is None, "\n".join(result.tree.log_lines())
    return json.loads((result.tree.output_data_dir / "out.json").read_text(encoding="utf-8"))


TELL = """
    import json, os, pathlib, sys
    def tell(value):
        pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "out.json").write_text(json.dumps(value))
"""


def test_the_contract_as_the_script_sees_it(describe: Describe, base: Path, tmp_path: Path) -> None:
    """A script finds arguments, SM_* variables, channels and folders as on SageMaker."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "rows.csv").write_text("1,2", encoding="utf-8")
    values = {"lr": 0.1, "name": "two words", "deep": {"a": [1, None]}, "flag": True}
    script = TELL + (
        "    rows = pathlib.Path(os.environ['SM_CHANNEL_TRAINING'], 'rows.csv').read_text()\n"
        "    tell([dict(os.environ), sys.argv[1:], os.getcwd(), rows])"
    )
    job = describe(
        script,
        hyperparameters={
            **{key: json.dumps(value) for key, value in values.items()},
            "plain": "not JSON",
            "sagemaker_sift_keep": "0.5",
        },
        channels={"training": data},
        environment={"MINE": "1"},
    )

    result = launch(job, base)
    variables, arguments, folder, rows = output_of(result)

    assert result.exit_code == 0
    assert variables["SM_HP_LR"] == "0.1"
    assert variables["MINE"] == "1"
    assert variables["TRAINING_JOB_NAME"] == "a-job"
    assert variables["SM_MODEL_DIR"] == str(result.tree.model_dir)
    assert rows == "1,2"
    assert folder == str(result.tree.code_dir)
    # An empty entry is the folder one is in: there `train` would take `code` for a package.
    assert "" not in variables["PYTHONPATH"].split(os.pathsep)
    assert arguments[arguments.index("--name") + 1] == "two words"
    assert "--sagemaker_sift_keep" not in arguments
    expected = {**values, "plain": "not JSON"}
    assert json.loads(variables["SM_HPS"]) == result.tree.user_hyperparameters() == expected


def test_nothing_of_the_launcher_leaks(
    describe: Describe, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the launcher's variables, nor its module path, nor its folder reach the script."""
    for folder in ("on_path", "here"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"found_{folder}.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "on_path"))
    monkeypatch.setenv("SM_FOO", "1")
    monkeypatch.setenv("SAGEMAKER_FOO", "1")
    monkeypatch.chdir(tmp_path / "here")
    find = "[bool(importlib.util.find_spec(name)) for name in ('found_on_path', 'found_here')]"
    script = TELL + f"    import importlib.util\n    tell([list(os.environ), {find}])"

    names, found = output_of(launch(describe(script), base))

    assert not {"SM_FOO", "SAGEMAKER_FOO"} & set(names)
    assert found == [False, False]


def test_a_failing_script(describe: Describe, base: Path) -> None:
    """A script that raises is a failed job with a reason, not an error of the launcher."""
    result = launch(describe("raise ValueError('boom')"), base)

    assert result.exit_code == 1
    assert result.failure is not None
    assert "ExecuteUserScriptError" in result.failure
    assert "ValueError: boom" in result.tree.last_lines()


def test_the_scripts_own_reason_wins(describe: Describe, base: Path) -> None:
    """What the script writes to the failure file is the reason, cut to what SageMaker returns."""
    script = """
        import os, pathlib, sys
        path = pathlib.Path(os.environ["SM_OUTPUT_DIR"], "failure")
        path.write_text("no data\\n" + "x" * 2000)
        sys.exit(7)
    """
    result = launch(describe(script), base)

    assert result.failure is not None
    assert result.failure.startswith("no data\nxxx")
    assert len(result.failure) == 1024


def test_a_killed_script(describe: Describe, base: Path) -> None:
    """A script that is killed, as for want of memory, is a failure that names the signal."""
    result = launch(describe("import os; os.kill(os.getpid(), 9)"), base)

    assert result.exit_code == 1
    assert result.failure is not None
    assert "ExitCode -9" in result.failure


def test_a_killed_train(describe: Describe, base: Path) -> None:
    """Where `train` itself is killed nobody writes a reason: the signal and the log's end are."""
    result = launch(describe("import os; print('last words'); os.kill(os.getppid(), 9)"), base)

    assert result.exit_code == 128 + signal.SIGKILL
    assert result.failure is not None
    assert result.failure.startswith("train was ended by SIGKILL; last lines of its log:")
    assert len(result.failure) <= 1024


@pytest.mark.parametrize(
    ("exit_code", "expected"),
    [
        (2, "train ended with exit code 2"),
        (128 + 15, "train was ended by SIGTERM"),
        (128 + 99, "train was ended by signal 99"),
    ],
)
def test_a_reason_nobody_wrote(base: Path, exit_code: int, expected: str) -> None:
    """Without a failure file the way it ended and as much of the log's end as fits are told."""
    tree = JobTree(base)
    base.mkdir()
    tree.log_file.write_text("first\n" + "x" * 1500 + "\nlast\n", encoding="utf-8")

    reason = failure_reason(tree, exit_code)

    assert reason.startswith(f"{expected}; last lines of its log:\nxxx")
    assert reason.endswith("x\nlast")
    assert len(reason) == 1024


def test_lines_log_and_times(describe: Describe, base: Path) -> None:
    """Every line goes to the callback and to the log; start and duration are the job's own."""
    lines: list[str] = []
    before = datetime.now(timezone.utc)

    result = launch(
        describe("import time; time.sleep(0.2); print('hello')"), base, on_line=lines.append
    )

    assert "hello" in lines
    assert list(result.tree.log_lines()) == lines
    assert result.log_path == base / "sift_job.log"
    assert before <= result.started
    assert result.ended - result.started == timedelta(seconds=result.seconds)
    assert result.seconds > 0.2


def test_checkpoints_outlive_the_job(describe: Describe, tmp_path: Path) -> None:
    """A second job finds what the first one saved, if they share a folder for checkpoints."""
    script = TELL + (
        "    path = pathlib.Path(os.environ['SAGEMAKER_BASE_DIR'], 'checkpoints', 'epoch')\n"
        "    tell(path.read_text() if path.exists() else None)\n"
        "    path.write_text('7')"
    )
    job = describe(script, checkpoints=tmp_path / "kept")

    found = [output_of(launch(job, tmp_path / name)) for name in ("first", "second")]

    assert found == [None, "7"]


def test_nothing_is_installed(describe: Describe, source: Path, base: Path) -> None:
    """A requirements.txt installs nothing into the environment shared with the launcher."""
    job = describe("print('ran')")
    (source / "requirements.txt").write_text("no-such-package-anywhere==1", encoding="utf-8")
    lines: list[str] = []

    result = launch(job, base, on_line=lines.append)

    assert result.failure is None
    assert lines[0].startswith("sift_toolkit: requirements.txt is left out")
    assert list(result.tree.log_lines()) == lines


def test_an_interrupt_ends_the_script(describe: Describe, base: Path, has_gone: HasGone) -> None:
    """Ctrl-C while the job runs ends the script too, and goes on to the caller."""
    process_ids: list[int] = []

    def take(line: str) -> None:
        if line.startswith("script "):
            process_ids.append(int(line.split()[1]))
            raise KeyboardInterrupt

    script = "import os, time; print('script', os.getpid()); time.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        launch(describe(script), base, on_line=take)

    assert has_gone(process_ids[0])
    assert read_outcome(JobTree(base))["status"] == "Stopped"


@pytest.mark.parametrize(
    ("script", "status", "reason"),
    [
        ("pass", "Completed", None),
        ("raise SystemExit('no such luck')", "Failed", "ExecuteUserScriptError:"),
    ],
)
def test_the_folder_remembers_the_end(
    describe: Describe, base: Path, script: str, status: str, reason: str | None
) -> None:
    """Whoever launched the job; while it runs the folder says that it does."""
    seen: list[object] = []
    tell = "print('running', flush=True); "

    def look(_: str) -> None:
        seen.append(read_outcome(JobTree(base))["status"])

    result = launch(describe(tell + script), base, on_line=look)

    assert set(seen) == {"InProgress"}
    outcome = read_outcome(result.tree)
    assert outcome["status"] == status
    assert (outcome["failure_reason"] or "").startswith(reason or "")
    assert outcome["failure_reason"] == result.failure
    assert outcome["seconds"] == result.seconds


def test_a_real_interrupt_ends_the_script(
    describe: Describe, base: Path, source: Path, has_gone: HasGone
) -> None:
    """A SIGINT to the launching process, as a terminal sends it, leaves no orphan."""
    describe("import os, time; print('script', os.getpid()); time.sleep(60)")
    launcher = f"""
        import json, pathlib
        from sift_toolkit.contract import JobDescription, launch
        launch(
            JobDescription(name="a", hyperparameters={{
                "sagemaker_program": "train.py", "sagemaker_submit_directory": {str(source)!r},
            }}),
            pathlib.Path({str(base)!r}),
            on_line=lambda line: print(line, flush=True),
        )
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(launcher)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("script "))
        os.kill(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=15)

    assert "KeyboardInterrupt" in errors
    assert has_gone(int(line.split()[1]))


def test_without_sagemaker_training(describe: Describe, base: Path, tmp_path: Path) -> None:
    """An interpreter without sagemaker-training is told how to get it; nothing is laid out."""
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)

    with pytest.raises(SiftJobError, match=r'pip install "sift_toolkit\[container\]"'):
        launch(describe(), base, python=tmp_path / "bare" / "bin" / "python")

    assert not base.exists()


def test_a_python_that_is_none(describe: Describe, base: Path) -> None:
    """A path that leads to no interpreter is named."""
    with pytest.raises(SiftJobError, match="'/no/python' is no program"):
        launch(describe(), base, python="/no/python")
