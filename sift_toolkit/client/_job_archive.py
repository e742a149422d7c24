"""The sift_report.json of a job on AWS, out of the archive of its output data in S3."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sift_toolkit.client._aws_errors import aws_trouble
from sift_toolkit.contract import OUTPUT_ARCHIVE
from sift_toolkit.errors import SiftStateError
from sift_toolkit.report import REPORT_FILE, SiftReport

if TYPE_CHECKING:
    from sift_toolkit.client._aws_access import AwsAccess

__all__ = ["archived_report", "output_address"]

_MOST_BYTES: Final = 1 << 30
"""Of an archive: nobody waits an hour for a page because a job kept its pictures in there too."""
_MOST_REPORT_BYTES: Final = 256 << 20


def output_address(description: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return bucket and key of a job's output archive; None: it has none in S3."""
    path = (description.get("OutputDataConfig") or {}).get("S3OutputPath")
    parts = urlsplit(path or "")
    if parts.scheme != "s3":
        return None
    folder = PurePosixPath(parts.path.lstrip("/")) / description["TrainingJobName"]
    return parts.netloc, str(folder / "output" / OUTPUT_ARCHIVE)


def archived_report(
    access: AwsAccess, description: Mapping[str, Any]
) -> tuple[SiftReport | None, str | None]:
    """Return the report that a job left, or in words why it cannot be had.

    The archive is read as it comes, up to the report; nothing of it is written anywhere. One call,
    GetObject.
    """
    address = output_address(description)
    if address is None:
        return None, "its output is not in S3, so only its metrics are shown"
    place = f"its report, in s3://{address[0]}/{address[1]}, could not be read"
    try:
        answer = access.s3.get_object(Bucket=address[0], Key=address[1])
        with answer["Body"] as body:
            if answer["ContentLength"] > _MOST_BYTES:
                gibibytes = answer["ContentLength"] / (1 << 30)
                return None, f"{place}: the archive has {gibibytes:.1f} GiB; give the file itself"
            text = _report_in(body)
        if text is None:
            return None, f"{place}: there is no {REPORT_FILE} in it"
        return SiftReport.from_json(text, REPORT_FILE), None
    except (tarfile.TarError, zlib.error, EOFError, SiftStateError) as error:
        return None, f"{place}: {error}"
    except Exception as error:
        trouble = aws_trouble(error)
        if trouble is None:
            raise
        return None, f"{place}: {trouble.text}"


def _report_in(stream: Any) -> bytes | None:
    """Return the report in a stream of an archive."""
    with tarfile.open(fileobj=stream, mode="r|gz") as archive:
        for member in archive:
            # SageMaker packs the folder itself or what is in it: by its name alone.
            if PurePosixPath(member.name).name != REPORT_FILE or not member.isfile():
                continue
            if member.size > _MOST_REPORT_BYTES:
                msg = f"the report has {member.size:,} bytes, which is no report"
                raise SiftStateError(msg)
            content = archive.extractfile(member)
            assert content is not None
            return content.read()
    return None
