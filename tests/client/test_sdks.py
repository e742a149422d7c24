"""Which SDK is missing is said in words."""

from __future__ import annotations

import pytest

from sift_toolkit import SiftConfig, SiftJobError, sift_model_trainer
from sift_toolkit.client._sdks import module_of_sdk


def test_sdk_v3_beside_v2() -> None:
    """Under SDK v2 the trainer of SDK v3 says that, and what to use or install."""
    with pytest.raises(SiftJobError) as caught:
        sift_model_trainer(SiftConfig(keep=0.5), entry_point="train.py")
    said = str(caught.value)
    assert said.startswith("sift_model_trainer needs the SageMaker Python SDK v3, but v2 is")
    assert "use sift_estimator, or" in said
    assert said.endswith("pip install 'sift_toolkit[client-v3]'")


def test_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any SDK the message says what to install."""
    monkeypatch.setattr("sift_toolkit.client._sdks.installed", lambda _: None)
    with pytest.raises(SiftJobError, match=r"which is not installed: pip install .*client-v3"):
        sift_model_trainer(SiftConfig(keep=0.5), entry_point="train.py")


def test_a_module_that_is_ours_to_mend() -> None:
    """Another module that is missing is no missing SDK."""
    with pytest.raises(ModuleNotFoundError):
        module_of_sdk("sift_toolkit.client._no_such_module", 2, "this test")
