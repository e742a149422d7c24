"""What the SDK's local mode leaves on this machine: a compose file with the session's AWS keys."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

COMPOSE_FILE: Final = "docker-compose.yaml"
_PREFIX: Final = "sift-local-"


@contextmanager
def without_leftovers(session: Any) -> Iterator[Path]:
    """Remove what a local job leaves beside its results, whether it succeeds or fails.

    The SDK writes the session's keys into docker-compose.yaml in a temporary folder, and leaves it
    there. So that it can be told from those of other jobs, this one gets a folder of its own. A
    model that stays in there, as with local code and no output path, is kept.

    Yields:
        That folder.
    """
    before = session.config
    local = dict((before or {}).get("local") or {})
    above = local.get("container_root")
    # Docker on a Mac cannot mount what a link leads to.
    root = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=above)).resolve()
    session.config = {**(before or {}), "local": {**local, "container_root": str(root)}}
    try:
        yield root
    finally:
        # In Studio the SDK goes its own way.
        used = Path(session.config["local"]["container_root"])
        session.config = before
        _discard(root)
        if used != root:
            _discard_compose_files(used)


def _discard(root: Path) -> None:
    _discard_compose_files(root)
    # What the containers saw lies there too, the model unpacked; the results have been moved.
    if not any(root.glob("*/compressed_artifacts/*")):
        shutil.rmtree(root, ignore_errors=True)


def _discard_compose_files(root: Path) -> None:
    for file in root.glob(f"*/{COMPOSE_FILE}"):
        file.unlink(missing_ok=True)
