"""For your own tests: a mocked account, requests held against limits, jobs that never ran.

Fixtures for pytest are in `sift_toolkit.testing.plugin`. Importing this package imports neither
boto3 nor moto nor pytest: each name is resolved on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sift_toolkit.testing._fake_job import FakeJob
    from sift_toolkit.testing._mocked_aws import MockedAws, mocked_aws
    from sift_toolkit.testing._recorded_job import record_job
    from sift_toolkit.testing._request_model import request_violations

__all__ = ["FakeJob", "MockedAws", "mocked_aws", "record_job", "request_violations"]

_HOME = {
    "FakeJob": "sift_toolkit.testing._fake_job",
    "MockedAws": "sift_toolkit.testing._mocked_aws",
    "mocked_aws": "sift_toolkit.testing._mocked_aws",
    "record_job": "sift_toolkit.testing._recorded_job",
    "request_violations": "sift_toolkit.testing._request_model",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
