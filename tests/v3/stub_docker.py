"""A `docker` that runs the services of a compose file on this machine, in a mount namespace each.

It knows as much of Docker as SDK v3's local mode asks of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

_MOUNT = """
mount -t tmpfs none /opt/ml
while [ "$1" != -- ]; do mkdir -p "$1" "$2" && mount --bind "$1" "$2" || exit 70; shift 2; done
shift && exec "$@"
"""


def run(service: dict[str, Any]) -> int:
    """Run one service to its end; return its exit code."""
    mounts = [volume.removesuffix(":z").split(":") for volume in service["volumes"]]
    pairs = [path for pair in sorted(mounts, key=lambda pair: len(pair[1])) for path in pair]
    own_user = [] if os.geteuid() == 0 else ["--map-root-user"]
    variables = dict(variable.split("=", 1) for variable in service["environment"])
    return subprocess.run(
        [
            *("unshare", "--mount", *own_user, "bash", "-c", _MOUNT, "bash", *pairs, "--"),
            *service["entrypoint"],
        ],
        env={"PATH": os.environ["IMAGE_PATH"], "HOME": os.environ["HOME"], **variables},
        check=False,
    ).returncode


def main(arguments: list[str]) -> int:
    """Answer as docker does."""
    if arguments == ["compose", "version"]:
        sys.stdout.write("Docker Compose version v2.40.0\n")
        return 0
    assert arguments[:2] == ["compose", "-f"], arguments
    compose = yaml.safe_load(Path(arguments[2]).read_text(encoding="utf-8"))
    return max(run(service) for service in compose["services"].values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
