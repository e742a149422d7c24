"""Which members of an archive may be unpacked: files, folders and links that stay inside.

Python's own data filter asks the file system where a link leads, and has been led astray by chains
of long links. Here nothing is unpacked through a link, and a link climbs only from where it lies:
where each member ends up can be told by names alone. Both have to agree.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import PurePosixPath
from typing import Final

UNREADABLE: Final = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError)
"""What reading bytes that are no archive, or the half of one, may raise."""

_UP: Final = ".."


class SafeMembers:
    """Decides about the members of one archive, in their order."""

    def __init__(self) -> None:
        self._links: set[PurePosixPath] = set()

    def keep(self, member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
        """Return what of *member* may be unpacked into *folder*, None if nothing.

        A filter as `tarfile.TarFile.extractall` takes it.
        """
        # The data filter takes an absolute name for one from the folder on.
        place = PurePosixPath(member.name.lstrip("/"))
        if _UP in place.parts or not self._links.isdisjoint((place, *place.parents)):
            return None
        if (member.issym() or member.islnk()) and not self._stays_inside(member, place):
            return None
        try:
            kept = tarfile.data_filter(member, folder)
        except tarfile.FilterError:
            return None
        if member.issym():
            self._links.add(place)
        return kept

    def _stays_inside(self, member: tarfile.TarInfo, place: PurePosixPath) -> bool:
        target = PurePosixPath(member.linkname)
        if target.is_absolute():
            return False
        climbs = 0
        while climbs < len(target.parts) and target.parts[climbs] == _UP:
            climbs += 1
        # A climb after a step down would start from wherever a link on the way leads.
        if _UP in target.parts[climbs:]:
            return False
        if member.issym():
            return climbs <= len(place.parent.parts)
        return climbs == 0 and self._links.isdisjoint((target, *target.parents))
