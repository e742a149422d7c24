"""Fixtures for pytest; say ``pytest_plugins = ["sift_toolkit.testing.plugin"]`` to have them.

They are no plugin that pytest finds by itself: who has the toolkit installed for its jobs alone
pays nothing for it, and has no fixture that he did not ask for.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sift_toolkit.testing._mocked_aws import MockedAws, mocked_aws

__all__ = ["sift_aws", "sift_aws_account"]


@pytest.fixture(scope="module")
def sift_aws_account() -> Iterator[MockedAws]:
    """A mocked AWS account for all tests of a module, with what they made in it."""
    with mocked_aws() as account:
        yield account


@pytest.fixture
def sift_aws(sift_aws_account: MockedAws) -> MockedAws:
    """A mocked AWS account, empty but for its bucket; no call was made yet."""
    sift_aws_account.reset()
    return sift_aws_account
