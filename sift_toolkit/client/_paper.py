"""What `describe_request` runs the SDK's own code with: a session that asks and sends nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sagemaker import Session

from sift_toolkit.client._host_session import HostSession
from sift_toolkit.client._offline import NO_ACCOUNT, boto_session_without_aws, made_up_arn
from sift_toolkit.client._source import SourceCode
from sift_toolkit.client._staging import STAGED_PREFIX

_LOCAL_CODE: Final = f"file:///tmp/{STAGED_PREFIX}XXXXXXXX/code"


class PaperSession(Session):  # type: ignore[misc] # the SDK ships no types
    """Knows what another session was given, and nothing that one would have to ask for.

    A default bucket without a name, and a role without an account, are in account 000000000000.
    """

    def __init__(self, real: Any) -> None:
        self._real = real
        super().__init__(default_bucket_prefix=real.default_bucket_prefix, settings=real.settings)

    def _initialize(self, **_: Any) -> None:
        """Take over what is known, where the SDK makes its clients and looks for its defaults."""
        self._region_name = self._real.boto_region_name
        self.boto_session = boto_session_without_aws(self._region_name, "describe_request")
        self.sagemaker_config = self._real.sagemaker_config
        self.local_mode = self._real.local_mode
        self.config = self._real.config
        self.s3_resource = _NoUploads()

    def default_bucket(self) -> str:
        """Return the bucket's name if it is known, else one like the SDK's own."""
        if isinstance(self._real, HostSession):
            return self._real.default_bucket()
        given = (
            getattr(self._real, name, None)
            for name in ("_default_bucket", "_default_bucket_name_override")
        )
        return next(filter(None, given), f"sagemaker-{self._region_name}-{NO_ACCOUNT}")

    def expand_role(self, role: str) -> str:
        """Return *role* as an ARN, made up from a bare name."""
        return made_up_arn(role)


class _NoUploads:
    """Stands in for boto3's S3 resource, and drops what is uploaded."""

    def Object(self, *_: object) -> _NoUploads:  # noqa: N802 - boto3's name
        """Return an object that takes anything."""
        return self

    def upload_file(self, *_: object, **__: object) -> None:
        """Do nothing."""


def stand_in(code: SourceCode, folder: Path) -> tuple[str | None, str]:
    """Make an empty file where the job's code would be; return its source_dir and entry_point.

    The SDK packs that one, whatever the real code weighs, and wherever it would be cloned from.
    """
    whole = code.needs_staging or code.source_dir is not None
    program = folder / code.program
    program.parent.mkdir(parents=True, exist_ok=True)
    program.touch()
    return (str(folder), code.program) if whole else (None, str(program))


def described_code(address: str, code: SourceCode) -> str:
    """Return where a described job finds its code, of *address* with a stand-in for it."""
    if not address.startswith("file://"):
        return address
    if code.needs_staging:
        return _LOCAL_CODE
    return f"file://{code.source_dir or Path(code.entry_point).parent}"
