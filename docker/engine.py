"""A Docker engine to test with: the one that works here, or a private one that is ended again.

A private engine keeps its images in a folder of ours, and leaves the machine's network settings
alone: no packet filter rules, no forwarding, no bridge but those of its own networks.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE = Path(__file__).resolve().parent
STATE = HERE.parent / "build" / "docker"
"""What is kept from one run to the next; git ignores it."""

# Programs, and the packages of Debian that have them.
_PACKAGES: Final = {
    "dockerd": "docker.io",
    "iptables": "iptables",
    "docker-compose": "docker-compose",
    "debootstrap": "debootstrap",
}
_ADDRESSES: Final = "base=10.213.0.0/16,size=24"
_PATIENCE_SECONDS: Final = 60
_LINES_SHOWN: Final = 15


@dataclass(frozen=True)
class Engine:
    """A Docker engine that answers."""

    environment: Mapping[str, str]
    """Variables with which `docker` and whatever calls it find the engine."""
    private: bool
    """Whether it is ours, and has no network for builds."""


@contextmanager
def engine(*, keep: bool = False) -> Iterator[Engine]:
    """Find a working engine, or start a private one and end it afterwards.

    Args:
        keep: Leave a private one running: `python docker/engine.py stop` ends it.
    """
    if answers({}):
        if not _has_compose():
            install_missing("docker-compose")
        yield Engine({}, private=False)
        return
    install_missing("dockerd", "iptables", "docker-compose")
    private = _Private(STATE / "engine")
    started = private.start()
    try:
        yield Engine(private.environment, private=True)
    finally:
        if started and not keep:
            private.stop()


def answers(environment: Mapping[str, str]) -> bool:
    """Whether there is an engine where these variables, or the machine's own, point to."""
    client = _client(environment)
    return client is not None and not _quiet([client, "info"], environment)


def client_that_builds(environment: Mapping[str, str]) -> str:
    """Return a docker client with BuildKit, which a client that came by itself may lack."""
    candidates = ("/usr/bin/docker", _client(environment))
    for client in candidates:
        if client is None or not Path(client).exists():
            continue
        version = subprocess.check_output(
            [client, "version", "--format", "{{.Client.Version}}"],
            env={**os.environ, **environment},
            text=True,
        )
        # Up to here it was part of the client.
        built_in = int(version.split(".")[0]) < 23
        if built_in or not _quiet([client, "buildx", "version"], environment):
            return client
    sys.exit("no docker client here has buildx, which the image is built with: install it")


def install_missing(*programs: str) -> None:
    """Install, by apt and as root, those programs that are not here."""
    packages = [_PACKAGES[name] for name in programs if shutil.which(name) is None]
    if not packages:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(
            f"missing here: {', '.join(packages)}; install them, or run this as root on Debian, "
            "which installs what a private engine needs unless one answers to `docker info`"
        )
    print("installing", *packages, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "--quiet"], install):
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


class _Private:
    """An engine of our own; whoever asks for it from one checkout gets the same.

    Args:
        folder: Where its images and its log are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A socket's path has at most 107 characters, which a checkout's folder may use up.
        digest = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
        self._runtime = Path("/run") / f"sift-docker-{digest}"
        self._pid_file = self._runtime / "docker.pid"
        self.environment = {
            "DOCKER_HOST": f"unix://{self._runtime / 'docker.sock'}",
            # Debian's client first: the one of the engine's own package.
            "PATH": os.pathsep.join(["/usr/bin", os.environ["PATH"]]),
        }

    def start(self) -> bool:
        """Start it and wait until it answers; return whether that was needed."""
        if answers(self.environment):
            return False
        if os.geteuid() != 0:
            sys.exit("no Docker engine answers here, and only root can start one")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._runtime.mkdir(exist_ok=True)
        with (self._folder / "dockerd.log").open("w") as log:
            daemon = subprocess.Popen(
                self._command(), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        for _ in range(10 * _PATIENCE_SECONDS):
            if answers(self.environment):
                return True
            if daemon.poll() is not None:
                break
            time.sleep(0.1)
        lines = (self._folder / "dockerd.log").read_text().splitlines()[-_LINES_SHOWN:]
        sys.exit("\n".join(["the Docker engine did not start:", *lines]))

    def stop(self) -> None:
        """End it, and wait until it is gone."""
        if not answers(self.environment):
            return
        os.kill(int(self._pid_file.read_text()), signal.SIGTERM)
        for _ in range(10 * _PATIENCE_SECONDS):
            if not self._pid_file.exists():
                break
            time.sleep(0.1)
        shutil.rmtree(self._runtime, ignore_errors=True)

    def _command(self) -> list[str]:
        return [
            "dockerd",
            f"--data-root={self._folder / 'data'}",
            f"--exec-root={self._runtime / 'exec'}",
            f"--pidfile={self._pid_file}",
            f"--host={self.environment['DOCKER_HOST']}",
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
            "--ip-masq=false",
            "--bridge=none",
            f"--default-address-pool={_ADDRESSES}",
        ]


def _has_compose() -> bool:
    """Whether there is the plugin that SDK v2 knows: it looks for these two letters."""
    answer = subprocess.run(
        ["docker", "compose", "version"], capture_output=True, text=True, check=False
    )
    return answer.returncode == 0 and "v2" in answer.stdout


def _client(environment: Mapping[str, str]) -> str | None:
    return shutil.which("docker", path=environment.get("PATH"))


def _quiet(command: list[str], environment: Mapping[str, str]) -> int:
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, check=False
    ).returncode


def main() -> None:
    """`start` an engine and say where it is, or `stop` the private one."""
    if sys.argv[1:] == ["stop"]:
        _Private(STATE / "engine").stop()
    elif sys.argv[1:] == ["start"]:
        with engine(keep=True) as running:
            for name, value in running.environment.items():
                print(f"export {name}={value}")
    else:
        sys.exit("usage: python docker/engine.py start|stop")


if __name__ == "__main__":
    main()
