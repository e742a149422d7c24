"""`doctor`: what is here, what works, what to install; no network, no credentials shown."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from sift_toolkit.cli import _doctor_account, _doctor_docker, _doctor_machine
from sift_toolkit.cli._doctor_account import provider_of
from sift_toolkit.cli._doctor_verdicts import PLACES, sdk_of, verdicts
from sift_toolkit.testing import MockedAws

Call = Callable[..., Result]

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAHUSHHUSH", "AWS_SECRET_ACCESS_KEY": "hush-hush"}


@pytest.fixture(autouse=True)
def _no_network_and_no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is configured, and whoever asks the network fails."""

    def refuse(*address: object, **_: object) -> None:
        pytest.fail(f"the network was asked for {address}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "DOCKER_HOST", *KEYS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Put programs of one's own on the path, and nothing but them."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def add(name: str, script: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return add


def facts(**changes: Any) -> dict[str, Any]:
    """What is found on a machine where everything works, but for some changes."""
    sound: dict[str, Any] = {
        "versions": {
            **dict.fromkeys(_doctor_machine.PACKAGES, "1.0"),
            "sagemaker": "2.257.7",
            "sagemaker-train": None,
        },
        "machine": {"compiler": "/usr/bin/cc"},
        "accelerators": {"devices": [], "problem": None},
        "docker": {
            "engine": "27.0",
            "engine_problem": None,
            "compose": "Docker Compose version v2.27.0",
            "compose_for_sdk_v2": True,
        },
        "aws": {
            "region": "us-west-2",
            "credentials": "keys",
            "problem": None,
            "identity": None,
        },
    }
    return {part: {**values, **changes.get(part, {})} for part, values in sound.items()}


class TestCommand:
    """The command as a whole, on this machine."""

    def test_this_machine(self, call: Call) -> None:
        """It names each package with its version, and where jobs can run."""
        answer = call("doctor", "--require", "host")
        assert answer.exit_code == 0, answer.output
        assert f"python        {sys.version.split()[0]} at {sys.executable}" in answer.stdout
        for place in PLACES.values():
            assert place in answer.stdout
        assert f"  yes  {PLACES['host']}" in answer.stdout

    def test_json(self, call_json: Callable[..., Any]) -> None:
        """The keys are stable."""
        content = call_json("doctor")
        assert set(content) == {
            *("versions", "machine", "accelerators", "docker", "aws", "sdk", "works"),
        }
        assert set(content["works"]) == set(PLACES)
        assert content["works"]["host"] == {"works": True, "missing": []}
        assert content["versions"]["torch"] is not None
        assert content["machine"]["disk_free_bytes"] > 0
        assert content["aws"]["credentials"] is None

    def test_what_is_required_and_missing(self, call: Call) -> None:
        """--require makes an exit code of what does not work here."""
        assert call("doctor", "--require", "host", "--require", "sagemaker").exit_code == 1
        assert call("doctor").exit_code == 0

    def test_credentials_are_never_shown(self, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        """They are found, and where; what they are is nobody's business."""
        for name, value in KEYS.items():
            monkeypatch.setenv(name, value)
        for arguments in ([], ["--json"]):
            text = call("doctor", *arguments).output
            assert "environment variables" in text
            assert not any(value in text for value in KEYS.values())


class TestVerdicts:
    """What works is decided from facts alone."""

    @pytest.mark.parametrize("versions", [{}, {"sagemaker": None, "sagemaker-train": "1.27.0"}])
    def test_everything_works(self, versions: dict[str, Any]) -> None:
        """Where nothing is missing all three work, with either SDK."""
        assert [verdict.missing for verdict in verdicts(facts(versions=versions))] == [()] * 3

    @pytest.mark.parametrize(
        ("changes", "place", "words"),
        [
            ({"versions": {"torch": None}}, "host", "torch is not installed: pip install"),
            ({"accelerators": {"problem": "torch broke"}}, "host", "torch broke"),
            ({"versions": {"sagemaker-training": None}}, "host", "sagemaker-training is not"),
            ({"versions": {"sagemaker": None}}, "local", "no SageMaker SDK: pip install"),
            ({"versions": {"sagemaker": None}}, "sagemaker", "no SageMaker SDK: pip install"),
            ({"docker": {"engine_problem": "no engine"}}, "local", "no engine"),
            ({"docker": {"compose": None}}, "local", "no Docker Compose"),
            ({"docker": {"compose_for_sdk_v2": False}}, "local", "SDK v2 does not know Docker"),
            ({"aws": {"region": None}}, "local", "no region is set"),
            ({"aws": {"region": None}}, "sagemaker", "no region is set"),
            ({"aws": {"credentials": None}}, "sagemaker", "no AWS credentials"),
            ({"aws": {"problem": "expired"}}, "sagemaker", "do not work: expired"),
        ],
    )
    def test_what_is_missing(self, changes: dict[str, Any], place: str, words: str) -> None:
        """Each gap is named where it matters, with its mend, and alone."""
        found = {verdict.place: verdict for verdict in verdicts(facts(**changes))}
        (missing,) = found[place].missing
        assert words in missing
        assert not found[place].works

    def test_a_compiler(self) -> None:
        """Where sagemaker-training must be built and cannot be, both are told."""
        changed = facts(versions={"sagemaker-training": None}, machine={"compiler": None})
        (missing,) = verdicts(changed)[0].missing
        assert missing.endswith("install gcc)")

    def test_compose_5_is_enough_for_v3(self) -> None:
        """Only SDK v2 looks for 'v2' in Compose's version."""
        versions = {"sagemaker": None, "sagemaker-train": "1.27.0"}
        changed = facts(versions=versions, docker={"compose_for_sdk_v2": False})
        assert all(verdict.works for verdict in verdicts(changed))

    @pytest.mark.parametrize(
        ("versions", "expected"),
        [
            ({"sagemaker": "2.257.7"}, "v2"),
            ({"sagemaker": "3.27.0", "sagemaker-train": "1.27.0"}, "v3"),
            ({"sagemaker-train": "1.27.0"}, "v3"),
            ({}, None),
        ],
    )
    def test_sdk(self, versions: dict[str, str | None], expected: str | None) -> None:
        """The SDK is told by what is installed of it."""
        assert sdk_of(versions) == expected


class TestAccount:
    """Where credentials would come from."""

    @pytest.mark.parametrize(
        ("environment", "profile", "expected"),
        [
            ({}, {}, None),
            (KEYS, {"role_arn": "arn"}, "environment variables"),
            ({"AWS_ACCESS_KEY_ID": "alone"}, {}, None),
            ({}, {"aws_access_key_id": "a", "aws_secret_access_key": "b"}, "keys (profile 'me')"),
            ({}, {"role_arn": "arn", "source_profile": "x"}, "a role to assume (profile 'me')"),
            ({}, {"sso_session": "corp"}, "IAM Identity Center (sso) (profile 'me')"),
            ({}, {"credential_process": "ask"}, "a credential process (profile 'me')"),
            ({"AWS_WEB_IDENTITY_TOKEN_FILE": "f"}, {}, "a web identity (environment variables)"),
            (
                {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"},
                {},
                "the container's role (environment variables)",
            ),
        ],
    )
    def test_provider(
        self, environment: dict[str, str], profile: dict[str, str], expected: str | None
    ) -> None:
        """In botocore's order: variables, then the profile, then the container."""
        assert provider_of(environment, "me", profile) == expected

    def test_a_profile_of_the_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Region and provider come from AWS's own files, by the profile in use."""
        (tmp_path / "config").write_text("[profile me]\nregion = eu-west-1\n")
        (tmp_path / "credentials").write_text(
            "[me]\naws_access_key_id = a\naws_secret_access_key = b\n"
        )
        monkeypatch.setenv("AWS_PROFILE", "me")
        found = _doctor_account.account(online=False)
        assert found["region"] == "eu-west-1"
        assert found["credentials"] == "keys (profile 'me')"
        assert found["problem"] is None

    def test_a_profile_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is said in botocore's words."""
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        assert "nobody" in _doctor_account.account(online=False)["problem"]

    def test_nothing_configured(self) -> None:
        """Offline nobody can know whether the machine has a role; that is said."""
        found = _doctor_account.account(online=False)
        assert found["region"] is found["credentials"] is None
        assert "--online" in found["problem"]

    def test_without_boto3(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without boto3 nothing is known, which is no error."""
        monkeypatch.setitem(sys.modules, "botocore.session", None)
        assert "not installed" in _doctor_account.account(online=False)["problem"]

    def test_online(self, sift_aws: MockedAws, monkeypatch: pytest.MonkeyPatch) -> None:
        """AWS is asked who the credentials belong to, and they are not shown."""
        for name, value in KEYS.items():
            monkeypatch.setenv(name, value)
        found = _doctor_account.account(online=True)
        assert found["credentials"] == "env"
        assert found["identity"].startswith("arn:aws:")
        assert found["problem"] is None

    def test_online_without_credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the machine has none either, that is the answer."""
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        assert "there are none" in _doctor_account.account(online=True)["problem"]


class TestDocker:
    """What there is of Docker is asked of the programs themselves."""

    def test_none(self, programs: Callable[[str, str], None]) -> None:
        """Without a docker program the mend is to install it."""
        found = _doctor_docker.docker(online=False)
        assert found["engine"] is found["compose"] is None
        assert "install Docker" in found["engine_problem"]

    def test_an_engine_that_answers(self, programs: Callable[[str, str], None]) -> None:
        """Engine and Compose tell their versions."""
        programs("docker", 'case "$1" in info) echo 27.0;; compose) echo "Compose v2.27";; esac')
        assert _doctor_docker.docker(online=False) == {
            "engine": "27.0",
            "engine_problem": None,
            "compose": "Compose v2.27",
            "compose_for_sdk_v2": True,
        }

    def test_compose_5(self, programs: Callable[[str, str], None]) -> None:
        """SDK v2 would not know it, unless there is a docker-compose too."""
        programs("docker", 'case "$1" in compose) echo "Compose v5.0";; *) exit 1;; esac')
        found = _doctor_docker.docker(online=False)
        assert found["compose"] == "Compose v5.0"
        assert found["compose_for_sdk_v2"] is False
        assert "does not answer" in found["engine_problem"]
        programs("docker-compose", "echo docker-compose 1.29.2")
        assert _doctor_docker.docker(online=False)["compose_for_sdk_v2"] is True

    def test_an_engine_elsewhere(
        self, programs: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An engine on another machine is asked only online."""
        programs("docker", "echo 27.0")
        monkeypatch.setenv("DOCKER_HOST", "tcp://far:2375")
        assert "without --online" in _doctor_docker.docker(online=False)["engine_problem"]
        assert _doctor_docker.docker(online=True)["engine"] == "27.0"


class TestMachine:
    """What this machine has."""

    def test_torch_is_asked_in_a_process_of_its_own(self) -> None:
        """Its devices are told; where there are none the list is empty."""
        found = _doctor_machine.accelerators(has_torch=True)
        assert found["problem"] is None
        assert isinstance(found["devices"], list)

    def test_without_torch_nobody_is_asked(self) -> None:
        """No torch is no problem of the devices."""
        assert _doctor_machine.accelerators(has_torch=False)["problem"] is None

    def test_a_broken_torch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A torch that cannot be imported is told with its own last words."""
        broken = "import sys; sys.exit('libcuda.so is missing')"
        monkeypatch.setattr(_doctor_machine, "_ASK_TORCH", broken)
        problem = _doctor_machine.accelerators(has_torch=True)["problem"]
        assert problem == "torch cannot be imported: libcuda.so is missing"

    def test_versions(self) -> None:
        """What is not installed has no version."""
        found = _doctor_machine.versions()
        assert set(found) == set(_doctor_machine.PACKAGES)
        assert found["sift_toolkit"]
        assert _doctor_machine._version("no-such-package-at-all") is None
