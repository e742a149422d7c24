"""The name smart_sifting: ours where nobody else has it, AWS's own where it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "entry_points" / "run.py"
IMPORTS = "from smart_sifting.sift_config.sift_configs import RelativeProbabilisticSiftConfig as C"


def run(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, with folders in front of the import path."""
    before = f"import sys; sys.path[:0] = {[str(each) for each in path]!r}\n"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", before + code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def aws_own(tmp_path: Path) -> Path:
    """A folder with a package that stands for AWS's real one."""
    package = tmp_path / "site" / "smart_sifting" / "sift_config"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    (package / "sift_configs.py").write_text("RelativeProbabilisticSiftConfig = 'theirs'\n")
    return tmp_path / "site"


def test_nothing_has_the_name_before() -> None:
    """Installing this package takes no name that it does not own."""
    assert "No module named 'smart_sifting'" in run(f"import sift_toolkit\n{IMPORTS}").stderr


def test_the_alias_is_the_very_module() -> None:
    """Classes are the same ones by either name, and keep their own."""
    done = run(
        "from sift_toolkit.container import alias_smart_sifting as alias\n"
        "alias(); alias()\n"
        f"{IMPORTS}\n"
        "import smart_sifting, sift_toolkit.smart_sifting as ours\n"
        "from sift_toolkit.smart_sifting.sift_config import sift_configs as module\n"
        "import smart_sifting.sift_config.sift_configs as aliased\n"
        "assert smart_sifting is ours and aliased is module and C is "
        "module.RelativeProbabilisticSiftConfig\n"
        "print(C.__module__, module.__spec__.name, len([1 for each in sys.meta_path"
        " if 'Alias' in type(each).__name__]))"
    )
    name = "sift_toolkit.smart_sifting.sift_config.sift_configs"
    assert done.stdout == f"{name} {name} 1\n", done.stderr


def test_what_aws_has_and_we_have_not_is_an_import_error() -> None:
    """By the name that was asked for."""
    done = run(
        "from sift_toolkit.container import alias_smart_sifting\n"
        "alias_smart_sifting()\nimport smart_sifting.nothing"
    )
    assert "No module named 'smart_sifting.nothing'" in done.stderr


def test_aws_own_package_wins(aws_own: Path) -> None:
    """Where it is installed, all of it is imported from there."""
    done = run(
        "from sift_toolkit.container import alias_smart_sifting\n"
        f"alias_smart_sifting()\n{IMPORTS}\nprint(C)",
        aws_own,
    )
    assert done.stdout == "theirs\n", done.stderr


def test_ours_wins_when_told_so(aws_own: Path) -> None:
    """Also after a call that did not say so."""
    done = run(
        "from sift_toolkit.container import alias_smart_sifting as alias\n"
        f"alias(); alias(ours_first=True)\n{IMPORTS}\nprint(C.__module__)",
        aws_own,
    )
    assert done.stdout.startswith("sift_toolkit.smart_sifting"), done.stderr


def test_it_is_too_late_once_theirs_is_imported(aws_own: Path) -> None:
    """Half of either would be worse than none."""
    done = run(
        f"{IMPORTS}\n"
        "from sift_toolkit.container import alias_smart_sifting\n"
        "alias_smart_sifting(ours_first=True)",
        aws_own,
    )
    assert "SiftUsageError: smart_sifting was imported before" in done.stderr


def test_processes_that_a_script_starts_find_it_too(tmp_path: Path) -> None:
    """They begin with the script, as those of Lightning do, not with our entry point."""
    script = tmp_path / "script.py"
    script.write_text(
        "import subprocess, sys\n"
        "from smart_sifting.sift_config.sift_configs import SiftingBaseConfig as Config\n"
        "print(Config.__module__, flush=True)\n"
        "if len(sys.argv) == 1:\n"
        "    subprocess.run([sys.executable, __file__, 'again'], cwd='/', check=True)\n"
    )
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(tmp_path), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(RUN), str(script)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    ours = "sift_toolkit.smart_sifting.sift_config.sift_configs"
    assert done.stdout.split() == [ours, ours]
    assert list(tmp_path.glob("sift_toolkit-*")) == []
