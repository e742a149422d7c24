"""A job's code as SDK v3 is told of it: staged, and in one archive where it is uploaded.

The SDK v3 is imported right here, which takes seconds: import this module on use only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sagemaker.core.training.configs import SourceCode as SdkSourceCode

from sift_toolkit.client._source import SourceCode
from sift_toolkit.client._staging import pack, stage

_ARCHIVE: Final = "sourcedir.tar.gz"
_REQUIREMENTS: Final = "requirements.txt"


def staged_code(code: SourceCode, above: Path, *, packed: bool, empty: bool) -> SdkSourceCode:
    """Lay out a job's code under a folder.

    Args:
        code: What the user gave.
        above: The folder, which is there.
        packed: Whether the code is one archive, or a folder.
        empty: Whether nothing is to be copied, for a request that nobody gets.
    """
    folder, archive = above / "code", above / _ARCHIVE
    if empty:
        folder.mkdir()
    else:
        stage(code, folder)
    if packed:
        pack(folder, archive)
    return SdkSourceCode(
        source_dir=str(archive if packed else folder),
        entry_script=code.program,
        # SDK v2 installs these by itself.
        requirements=_REQUIREMENTS if (folder / _REQUIREMENTS).is_file() else None,
        # Staging has left out what no job needs.
        ignore_patterns=None,
    )
