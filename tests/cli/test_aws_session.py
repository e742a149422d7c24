"""The session that jobs are looked up with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from sift_toolkit import SiftConfig, SiftJobError
from sift_toolkit.cli._aws_session import session_of
from sift_toolkit.testing import FakeJob, MockedAws

Call = Callable[..., Result]


def test_session(sift_aws: MockedAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A region or a profile makes a session; without either boto3's own will do."""
    assert session_of(None, None) is None
    assert session_of("eu-west-1", None).region_name == "eu-west-1"
    config = tmp_path / "config"
    config.write_text("[profile other]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert session_of(None, "other").region_name == "eu-north-1"
    with pytest.raises(SiftJobError, match="nobody"):
        session_of(None, "nobody")


def test_fake_log_file(tmp_path: Path, call: Call) -> None:
    """A log is a job wherever it came from."""
    log = tmp_path / "job.log"
    log.write_text("\n".join(FakeJob(SiftConfig(keep=0.5)).lines()))
    answer = call("describe", str(log))
    assert answer.exit_code == 0
    assert "kept          66.7% of the samples seen" in answer.stdout
