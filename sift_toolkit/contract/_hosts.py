"""Whether the hosts of a job can be found: asked for a minute, not for a quarter of an hour.

`train` of sagemaker-training looks its hosts up for up to 15 minutes, torchrun its first host for
10: whoever asks here before can say in a minute, and in words, which name is not known. Standard
library only, and nothing of this package: an image may take this file alone.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

PATIENCE_SECONDS: Final = 60.0
"""For which a host may be unknown: hosts of one job do not start in the same second."""

_PAUSE_SECONDS: Final = 0.5


def hosts_of(resources_file: Path) -> list[str]:
    """Return the names of a job's hosts; none where there is no such file, or it names none.

    Args:
        resources_file: `resourceconfig.json` of the job.
    """
    try:
        hosts = json.loads(resources_file.read_text(encoding="utf-8")).get("hosts", [])
    except (OSError, ValueError, AttributeError, RecursionError):
        return []
    return [host for host in hosts if isinstance(host, str)] if isinstance(hosts, list) else []


def why_unknown(
    hosts: Sequence[str],
    *,
    seconds: float = PATIENCE_SECONDS,
    look_up: Callable[[str], object] = lambda host: socket.getaddrinfo(host, None),
) -> str | None:
    """Return in a sentence which of *hosts* have no address; None as soon as all have one.

    Args:
        hosts: names or addresses, looked up at the same time.
        seconds: to go on looking; a resolver that does not answer at all costs no more.
        look_up: raises OSError for a name that has no address.
    """
    deadline = time.monotonic() + seconds
    searches = [_Search(host, look_up, deadline) for host in dict.fromkeys(hosts)]
    for search in searches:
        search.known.wait(max(0.0, deadline - time.monotonic()))
    unknown = [search for search in searches if not search.known.is_set()]
    if not unknown:
        return None
    names = ", ".join(repr(search.host) for search in unknown)
    return (
        f"no address is known for {names}, {len(unknown)} of the job's {len(searches)} hosts, "
        f"after {seconds:.0f} s ({unknown[0].answer}): a host has not started, or its name "
        "service does not know it"
    )


class _Search:
    """Looks up one host until it is known; on a thread, for a resolver cannot be interrupted."""

    def __init__(self, host: str, look_up: Callable[[str], object], deadline: float) -> None:
        self.host = host
        self.known = threading.Event()
        self.answer = "no answer"
        self._look_up = look_up
        self._deadline = deadline
        threading.Thread(target=self._search, name=f"look up {host}", daemon=True).start()

    def _search(self) -> None:
        while True:
            try:
                self._look_up(self.host)
            except (OSError, UnicodeError) as error:
                self.answer = str(error)
            else:
                self.known.set()
                return
            if time.monotonic() + _PAUSE_SECONDS > self._deadline:
                return
            time.sleep(_PAUSE_SECONDS)
