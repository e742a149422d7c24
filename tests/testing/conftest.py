"""The fixtures that users have, in one mocked account a module."""

from __future__ import annotations

from sift_toolkit.testing.plugin import sift_aws, sift_aws_account

__all__ = ["sift_aws", "sift_aws_account"]
