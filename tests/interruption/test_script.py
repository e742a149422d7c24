"""The script of docs/checkpoints.md, as it stands there, taken away and started again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sift_toolkit.contract import JobTree

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "checkpoints.md").read_text(encoding="utf-8")
RUN = ROOT / "entry_points" / "run.py"
SLOW = "        optimizer.step()\n"


@pytest.fixture
def script(tmp_path: Path) -> str:
    """The page's script, with steps that take a while."""
    found = re.search(r"script: begin -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    text = found[1]
    assert text.count(SLOW) == 1
    return text.replace(SLOW, SLOW + "        __import__('time').sleep(0.02)\n")


def started(folder: Path, script: str) -> subprocess.Popen[str]:
    """Start the script in a job whose folder this is."""
    tree = JobTree(folder)
    tree.config_dir.mkdir(parents=True, exist_ok=True)
    tree.hyperparameters_file.write_text(json.dumps({}), encoding="utf-8")
    (folder / "train.py").write_text(script, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(RUN), "train.py"],
        cwd=folder,
        env={**os.environ, "SAGEMAKER_BASE_DIR": str(folder), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def trained(folder: Path, script: str) -> tuple[bytes, str]:
    """Run the script to its end, return the model and what was printed."""
    process = started(folder, script)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0, printed
    return (folder / "model.pt").read_bytes(), printed


def asked_to_end(folder: Path, script: str) -> tuple[int, str]:
    """Start the script, and ask it to end once it trains."""
    process = started(folder, script)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "progress=" in line:
            time.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            break
    rest, _ = process.communicate(timeout=120)
    return process.returncode, "".join(lines) + rest


def test_it_goes_on_where_it_was(tmp_path: Path, script: str) -> None:
    """SIGTERM saves the last step, and the next job ends with the same model, byte by byte."""
    whole, _ = trained(tmp_path / "whole", script)
    folder = tmp_path / "asked"
    status, printed = asked_to_end(folder, script)
    assert status == 143, printed
    assert "the job was asked to end: it ends after step" in printed
    assert JobTree(folder).read_failure() is None

    model, printed = trained(folder, script)

    assert "going on from the checkpoint of step" in printed
    assert model == whole


def test_without_the_marked_lines_it_is_a_script_like_any(tmp_path: Path, script: str) -> None:
    """One that does not ask for interruptions ends at once, as it would without the toolkit."""
    plain = "\n".join(line for line in script.splitlines() if not line.endswith("  #"))
    plain = plain.replace("import torch\n", "import torch\nfrom sift_toolkit import sift\n", 1)
    plain = plain.replace(
        "    for batch in loader", "for epoch in range(EPOCHS):\n    for batch in loader"
    )
    compile(plain, "train.py", "exec")
    status, printed = asked_to_end(tmp_path / "job", plain)

    assert status == 143, printed
    assert "asked to end" not in printed
    assert len([line for line in script.splitlines() if line.endswith("  #")]) == 10
