"""Any script, run as python would run it, without the sift keys on its command line."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit import SiftConfig, SiftUsageError
from sift_toolkit.config import SCRIPT_KEY
from sift_toolkit.container._run_entry import run_entry, run_script, without_service_options
from sift_toolkit.contract import JobTree

MakeJob = Callable[..., JobTree]
WriteScript = Callable[..., Path]
RUN = Path(__file__).parents[2] / "entry_points" / "run.py"

OWN_OPTIONS = st.lists(
    st.tuples(
        st.sampled_from(["--lr", "--epochs", "-k"]), st.sampled_from(["0.1", "-1", "", "a b"])
    )
)
SERVICE_OPTIONS = st.lists(
    st.tuples(
        st.sampled_from(["--sagemaker_sift_keep", "--sagemaker_program", "--sagemaker_region"]),
        st.sampled_from(["0.5", "", "a=b", "train.py", "-1"]),
        st.booleans(),
    )
)


@pytest.fixture
def write_script(tmp_path: Path) -> WriteScript:
    """Write a script into a folder of its own."""

    def script(text: str, name: str = "src/train.py") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return script


@given(own=OWN_OPTIONS, service=SERVICE_OPTIONS, order=st.randoms())
def test_only_service_options_go(own: Any, service: Any, order: Any) -> None:
    """Whatever the order, all options of the user's stay in theirs, and no other does."""
    options = [([name, value], True) for name, value in own]
    ours = [
        ([f"{name}={value}"] if joined else [name, value], False) for name, value, joined in service
    ]
    for option in ours:
        options.insert(order.randint(0, len(options)), option)
    arguments = [word for words, _ in options for word in words]

    expected = [word for words, is_own in options if is_own for word in words]
    assert expected == without_service_options(arguments)


def test_an_option_without_a_value_takes_none_of_the_users() -> None:
    """A service option that came without its value does not swallow the option after it."""
    arguments = ["--sagemaker_job_name", "--epochs", "3", "--sagemaker_region"]
    assert without_service_options(arguments) == ["--epochs", "3"]


WHAT_A_SCRIPT_SEES = """
    import json, sys
    import __main__
    print(json.dumps({
        "argv": sys.argv[1:],
        "path": sys.path[0],
        "name": __name__,
        "file": __file__,
        "main": __main__.__file__,
        "heavy": sorted({"torch", "numpy", "sagemaker", "boto3"} & set(sys.modules)),
        "neighbour": __import__("beside").VALUE,
    }))
"""


def test_a_script_sees_what_it_would_see_alone(write_script: WriteScript) -> None:
    """Arguments, import path, names and modules are those of ``python train.py``."""
    script = write_script(WHAT_A_SCRIPT_SEES)
    write_script("VALUE = 7", "src/beside.py")
    write_script("VALUE = 'of the folder it was started from'", "beside.py")
    folder = script.parents[1]
    alone, through = (
        json.loads(
            subprocess.run(
                [sys.executable, *command, "src/train.py", "--lr", "0.1", *more],
                cwd=folder,
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        for command, more in (([], []), ([str(RUN)], ["--sagemaker_sift_keep", "0.5"]))
    )

    assert alone == through
    assert through["argv"] == ["--lr", "0.1"]
    assert through["neighbour"] == 7
    assert through["heavy"] == []


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        ("sys.exit(7)", 7, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit('no data')", 1, "no data"),
        ("raise ValueError('boom')", 1, "ValueError: boom"),
        ("", 0, ""),
    ],
)
def test_exit_codes_are_the_scripts(
    write_script: WriteScript, make_job: MakeJob, ending: str, code: int, said: str
) -> None:
    """A script's exit code and last words are those it has alone; an error is the reason."""
    script = write_script(f"import sys\n{ending}")
    tree = make_job()
    result = subprocess.run(
        [sys.executable, str(RUN), str(script)], capture_output=True, text=True, check=False
    )

    assert result.returncode == code
    assert said in result.stderr
    assert bool(tree.read_failure()) == bool(said)
    assert said in (tree.read_failure() or "")


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_script_may_spawn_processes(write_script: WriteScript, method: str) -> None:
    """A process that is spawned finds the script's own functions again."""
    script = write_script(
        f"""
        import multiprocessing, os, sys

        def work(number):
            return number * 2, sys.argv[1:]

        if __name__ == "__main__":
            os.chdir("/")
            with multiprocessing.get_context("{method}").Pool(1) as pool:
                print(pool.map(work, [21]))
        """
    )
    result = subprocess.run(
        [sys.executable, str(RUN), script.name, "--sagemaker_sift_keep", "0.5", "--lr", "1"],
        cwd=script.parent,
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout == "[(42, ['--lr', '1'])]\n"


@pytest.fixture
def _kept_environment() -> Iterator[None]:
    """Variables that a script is told are put back."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.usefixtures("kept_imports", "_kept_environment")
class TestRunEntry:
    """Which script is run, and what it is told."""

    def test_the_jobs_script(
        self,
        write_script: WriteScript,
        make_job: MakeJob,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The job names the script; a strict parser of its arguments meets only its own."""
        script = write_script(
            """
            import argparse
            parser = argparse.ArgumentParser()
            parser.add_argument("--lr", type=float)
            print(parser.parse_args())
            """
        )
        config = SiftConfig(keep=0.5).to_hyperparameters()
        make_job(**{SCRIPT_KEY: script.name}, lr=0.1, **config)
        monkeypatch.chdir(script.parent)
        options = [word for key, value in config.items() for word in (f"--{key}", str(value))]

        run_entry(["--lr", "0.1", *options])

        assert capsys.readouterr().out == f"{argparse.Namespace(lr=0.1)}\n"

    def test_it_is_told_what_the_job_says(
        self,
        write_script: WriteScript,
        make_job: MakeJob,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A launcher's own words for the job's values are not what the script sees."""
        script = write_script(
            "import os, sys\nprint(sys.argv[1:], os.environ['SM_HPS'], os.environ['SM_HP_AMP'])"
        )
        make_job(**{SCRIPT_KEY: script.name}, version="1.10", amp=True, sagemaker_job_name="job")
        monkeypatch.chdir(script.parent)

        # As SDK v3's driver writes them.
        run_entry(["--version", "1.1", "--amp", "true", "--sagemaker_job_name", "job"])

        words = ["--amp", "True", "--version", "1.10"]
        assert capsys.readouterr().out == f'{words} {{"amp":true,"version":"1.10"}} true\n'

    def test_the_first_argument_wins(
        self, write_script: WriteScript, make_job: MakeJob, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A script named on the command line is the one that is meant."""
        make_job(**{SCRIPT_KEY: "other.py"})

        run_entry([str(write_script("print('this one')")), "--sagemaker_x", "1"])

        assert capsys.readouterr().out == "this one\n"

    def test_outside_of_a_job(
        self, write_script: WriteScript, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Without a job a script can be tried all the same."""
        run_script(write_script("print('ran')"), [])

        assert capsys.readouterr().out == "ran\n"

    def test_a_script_that_is_not_there(self, make_job: MakeJob) -> None:
        """A script that does not exist is the reason of the failure."""
        tree = make_job(**{SCRIPT_KEY: "gone.py"})
        with pytest.raises(SiftUsageError, match=r"there is no file 'gone\.py'"):
            run_entry([])

        assert (tree.read_failure() or "").startswith("SiftUsageError: there is no file 'gone.py'")
