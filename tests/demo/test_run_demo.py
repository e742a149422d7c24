"""The demo: real jobs on a few of its letters, from the estimators to table and picture."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sift_toolkit.contract import JobTree
from sift_toolkit.metrics import KEPT_SHARE, VALIDATION_ACCURACY, read_series
from tests.script_module import loaded

DEMO = Path(__file__).parents[2] / "demo"
LETTERS_OF_EACH_PART = 640


@pytest.fixture
def run_demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """demo/run_demo.py on the first few letters, on a machine that knows nothing of AWS."""
    module = loaded(DEMO / "run_demo.py")
    few = tmp_path / "letters"
    (few / "data").mkdir(parents=True)
    shutil.copy(DEMO / "letters" / "letters.py", few)
    with np.load(DEMO / "letters" / "data" / "letters.npz") as arrays:
        np.savez(
            few / "data" / "letters.npz",
            **{name: arrays[name][:LETTERS_OF_EACH_PART] for name in arrays.files},
        )
    monkeypatch.setattr(module, "LETTERS", few)
    monkeypatch.setenv("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    return module


def test_the_arms(run_demo: ModuleType) -> None:
    """The plain twin comes first, and differs from the sifted job in nothing but the sifting."""
    plain, sifted, aws, shorter = run_demo.arms_of(20)

    assert plain.config == sifted.config.plain_twin() == shorter.config
    assert plain.epochs == sifted.epochs == aws.epochs == 20
    assert aws.config.scores == "fresh"
    # One epoch in full, then half of each: no less compute than that, and no whole epoch more.
    sifted_epochs = 1 + 19 * 0.5
    assert sifted_epochs <= shorter.epochs < sifted_epochs + 1


def test_it_starts_without_the_sdk() -> None:
    """No line of the SDK's stands above the demo's own: first it is told to be quiet."""
    script = str(DEMO / "run_demo.py")
    code = f"import runpy, sys; runpy.run_path({script!r}); print('sagemaker' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (said.stdout, said.stderr) == ("False\n", "")


def test_the_whole_demo(
    run_demo: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Twins are run, their table is printed, their curves are drawn where it says."""
    # Two ways to train will do: each job takes seconds.
    arms = run_demo.arms_of(2)[:2]
    monkeypatch.setattr(run_demo, "arms_of", lambda epochs: arms)
    output = tmp_path / "output"

    code = run_demo.main(["--epochs", "2", "--repeats", "1", "--output", str(output)])

    out = capsys.readouterr().out
    assert code == 0
    assert (output / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert f"learning curves: {output / 'curves.png'}" in out
    assert "sifted, free scores" in out[out.index("kept %") :]
    assert "\x1b" not in out
    series = [
        read_series(JobTree(base).log_lines()) for base in sorted((output / "jobs").iterdir())
    ]
    assert series[0][KEPT_SHARE][-1] == 1.0
    assert series[1][KEPT_SHARE][-1] < 0.8
    assert [len(each[VALIDATION_ACCURACY]) for each in series] == [2, 2]


def test_a_job_that_fails_stops_the_demo(
    run_demo: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason of the failed job is what the demo ends with."""
    with (run_demo.LETTERS / "letters.py").open("a") as hooks:
        hooks.write("\n\ndef model(job):\n    raise ValueError('no such width')\n")

    code = run_demo.main(["--epochs", "1", "--repeats", "1", "--output", str(tmp_path / "output")])

    assert code == 1
    assert "the demo stopped: " in (error := capsys.readouterr().err)
    assert "ValueError: no such width" in error
