"""What the SDK uploads on the way to a job, kept in a folder instead of S3."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST_BUCKET: Final = "sift-host"
"""The default bucket of a HostSession; no such bucket exists."""

_S3: Final = "s3://"


@dataclass(frozen=True)
class HostUploads:
    """Stands in for boto3's S3 resource, as far as the SDK uses it to send code and data."""

    folder: Path

    def Object(self, bucket: str, key: str) -> HostObject:  # noqa: N802 - boto3's name
        """Return the object called *key* in *bucket*, whether it is there or not."""
        return HostObject(self.folder / bucket / key)

    def find(self, address: str) -> Path | None:
        """Return the file or folder that was uploaded to an `s3://` address, None if none was."""
        if not address.startswith(_S3):
            return None
        path = (self.folder / address.removeprefix(_S3)).resolve()
        return path if path.exists() and self.folder.resolve() in path.parents else None


@dataclass(frozen=True)
class HostObject:
    """One uploaded object, a file."""

    path: Path

    def upload_file(self, Filename: str, **_: object) -> None:  # noqa: N803 - boto3's name
        """Copy a local file here; what else boto3 can be told has no meaning on this machine."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Filename, self.path)
