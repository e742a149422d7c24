"""The training image for the tests, built without an image registry: base, wheels, image."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from engine import STATE, Engine, client_that_builds, install_missing

ROOT: Final = Path(__file__).resolve().parents[1]
TAG: Final = "sift-toolkit-test:latest"
SUITE: Final = "bookworm"
"""The Debian whose python3 is the python that the wheels are made for."""
BASE_TAG: Final = f"sift-toolkit-base:{SUITE}"

_WHEELS: Final = STATE / "wheels"
_PACKAGES: Final = "ca-certificates,python3,python3-venv"
# What a container never reads.
_LEFT_OUT: Final = ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache/apt")


def build(engine: Engine, base: str | None) -> str:
    """Build the image, or find that it is up to date; return its tag.

    Args:
        engine: Where.
        base: An image to build on, pulled if it is not there. Default: one of our own, which needs
            no registry.
    """
    base = base or _base(engine)
    _fill_wheels()
    (version,) = re.findall(
        r'^__version__ = "(.+)"$', (ROOT / "sift_toolkit" / "_version.py").read_text(), re.MULTILINE
    )
    print(f"building {TAG} on {base}", flush=True)
    subprocess.run(
        [
            *(client_that_builds(engine.environment), "build", "--quiet"),
            *("--file", "docker/Dockerfile", "--tag", TAG),
            *("--build-arg", f"BASE={base}", "--build-arg", f"VERSION={version}"),
            # The wheels are all there.
            *("--network", "none", "."),
        ],
        cwd=ROOT,
        env={**os.environ, **engine.environment, "DOCKER_BUILDKIT": "1"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return TAG


def _base(engine: Engine) -> str:
    """Make the smallest Debian with Python, out of the machine's own package mirror."""
    environment = {**os.environ, **engine.environment}
    docker = client_that_builds(engine.environment)
    known = subprocess.run(
        [docker, "image", "inspect", BASE_TAG], env=environment, capture_output=True, check=False
    )
    if known.returncode == 0:
        return BASE_TAG
    install_missing("debootstrap")
    folder = STATE / "rootfs"
    shutil.rmtree(folder, ignore_errors=True)
    print(f"making {BASE_TAG}", flush=True)
    try:
        bootstrap = ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", SUITE]
        subprocess.run([*bootstrap, str(folder), _mirror()], stdout=subprocess.DEVNULL, check=True)
        for left_out in _LEFT_OUT:
            shutil.rmtree(folder / left_out, ignore_errors=True)
        with subprocess.Popen(
            ["tar", "-C", str(folder), "-c", "."], stdout=subprocess.PIPE
        ) as packed:
            subprocess.run(
                [docker, "import", "-", BASE_TAG],
                env=environment,
                stdin=packed.stdout,
                stdout=subprocess.DEVNULL,
                check=True,
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return BASE_TAG


def _mirror() -> str:
    """Return the address that this machine has Debian from."""
    sites = subprocess.check_output(
        [
            *("apt-get", "indextargets", "--format", "$(SITE)"),
            *("Created-By: Packages", "Origin: Debian"),
        ],
        text=True,
    ).split()
    if not sites:
        sys.exit("this machine has no Debian mirror: build on an image, make docker-test BASE=...")
    return sites[0]


def _fill_wheels() -> None:
    """Collect the wheels of all that the image holds, once for each list of requirements."""
    requirements, constraints = ROOT / "docker" / "requirements.txt", ROOT / "constraints.txt"
    wanted = hashlib.sha256(requirements.read_bytes() + constraints.read_bytes()).hexdigest()
    # Beside the folder: the image must not change with it.
    mark = _WHEELS.with_suffix(".json")
    if mark.is_file() and json.loads(mark.read_text()) == wanted:
        return
    shutil.rmtree(_WHEELS, ignore_errors=True)
    print("collecting wheels", flush=True)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "-qq"),
            *("--wheel-dir", str(_WHEELS)),
            *("--requirement", str(requirements), "--constraint", str(constraints)),
        ],
        check=True,
    )
    mark.write_text(json.dumps(wanted))
