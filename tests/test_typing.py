"""What a user's type checker says of code that uses the installed package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import textwrap
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

JOB = """
    from __future__ import annotations

    from collections.abc import Iterable

    import torch
    from sift_toolkit import SiftConfig, SiftingDataloader, sift
    from torch import Tensor, nn
    from torch.utils.data import DataLoader, TensorDataset

    Batch = list[Tensor]


    def losses(model: nn.Module, batch: Batch) -> Tensor:
        features, labels = batch
        return nn.functional.cross_entropy(model(features), labels, reduction="none")


    def train(data: DataLoader[tuple[Tensor, ...]], model: nn.Module) -> float:
        loader = sift(data, model=model, loss=losses, epochs=2)
        kept: float = 0.0
        for batch in loader:
            loss: Tensor = loader.reduce(losses(model, batch))
            kept += float(loss) * len(batch[0])
        loader.record(validation_accuracy=0.5)
        state: dict[str, object] = loader.state_dict()
        loader.load_state_dict(state)
        steps: int = loader.total_steps(2)
        return kept / steps


    def by_hand(data: Iterable[Batch], model: nn.Module, config: SiftConfig) -> SiftingDataloader:
        return SiftingDataloader(
            sift_config=config, orig_dataloader=data, loss_impl=losses, model=model, epochs=1
        )


    share: float = SiftConfig(beta_value=1).kept_share
    rows = TensorDataset(torch.zeros(4, 2), torch.zeros(4, dtype=torch.int64))
    train(DataLoader(rows), nn.Linear(2, 2))
"""

LAUNCH = """
    from __future__ import annotations

    from sift_toolkit import (
        HostSession,
        SiftConfig,
        SiftError,
        compare,
        describe_request,
        keep_sweep,
        sift_estimator,
        watch,
    )

    config = SiftConfig(keep=0.5, scores="memory")
    twin: SiftConfig = config.plain_twin()
    session = HostSession("jobs", on_line=print)
    estimator = sift_estimator(
        config, entry_point="train.py", launcher="run", role="any", sagemaker_session=session
    )
    request: dict[str, object] = describe_request(estimator)
    try:
        estimator.fit({"training": "file://data"})
    except SiftError as error:
        print(error)
    comparison = compare({"plain": "job-a", "sifted": estimator}, price_per_hour=1.41)
    records: list[dict[str, str | float | int | bool | None]] = comparison.records()
    text: str = comparison.to_html(plot=False)
    status: str | None = watch(estimator).status
"""

WRONG = """
    from sift_toolkit import METRICS, SiftConfig, compare

    SiftConfig(keep="half")  # arg-type
    SiftConfig(keep=0.5, scores="both")  # arg-type
    SiftConfig(keep=0.5, kepp_end=0.2)  # call-arg
    SiftConfig(keep=0.5).seed = 3  # misc
    rows: int = compare(["a"]).to_html()  # assignment
    line: int = METRICS[0].line(1.0)  # assignment
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that finds this package as an installed one, and all else that is here."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    interpreter = folder / "bin" / "python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run([interpreter, "-c", ask], capture_output=True, text=True, check=True)
    packages = Path(answer.stdout.strip())
    shutil.copytree(ROOT / "sift_toolkit", packages / "sift_toolkit")
    (packages / "all_else.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return interpreter


def said_of(text: str, python: Path, folder: Path) -> list[str]:
    """Have a module of a project of its own type-checked, strictly; return what was said."""
    (folder / "project.py").write_text(textwrap.dedent(text), encoding="utf-8")
    # No configuration of ours: what a user has is his own.
    (folder / "mypy.ini").write_text("[mypy]\nstrict = True\n", encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini"]
    command += ["--python-executable", str(python), "--cache-dir", str(python.parent / "cache")]
    result = subprocess.run(
        [*command, "--no-error-summary", "project.py"],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    return result.stdout.splitlines()


@pytest.mark.parametrize("text", [JOB, LAUNCH], ids=["job", "launch"])
def test_right_uses_pass(python: Path, tmp_path: Path, text: str) -> None:
    """A project of a user's is typed against the installed package, strictly, without a word."""
    assert said_of(text, python, tmp_path) == []


def test_wrong_uses_are_told(python: Path, tmp_path: Path) -> None:
    """What would fail at run time is an error in the editor, each on its line."""
    lines = enumerate(textwrap.dedent(WRONG).splitlines(), start=1)
    expected = {number: line.partition("# ")[2] for number, line in lines if "# " in line}
    said = "\n".join(said_of(WRONG, python, tmp_path))
    errors = re.findall(r"^project\.py:(\d+): error: .*\[([a-z-]+)\]", said, re.MULTILINE)
    assert {int(number): kind for number, kind in errors} == expected


def test_the_mark_is_what_it_takes(python: Path, tmp_path: Path) -> None:
    """Without py.typed a checker knows nothing of the package: so the tests above see the mark."""
    other = tmp_path / "environment"
    shutil.copytree(python.parents[1], other, symlinks=True, ignore=shutil.ignore_patterns("cache"))
    (mark,) = other.rglob("sift_toolkit/py.typed")
    mark.unlink()
    (said, *_) = said_of("import sift_toolkit", other / "bin" / "python", tmp_path)
    assert "missing library stubs or py.typed marker" in said
