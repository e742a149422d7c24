"""How what launches jobs shows itself: from what it holds, without asking AWS for anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sift_toolkit.config import SiftConfig
from sift_toolkit.display import pairs_table
from sift_toolkit.errors import SiftError

__all__ = ["ShownHandle", "job_name_of"]

_NAMES: Final = ("training_job_name", "name", "job_name")


def job_name_of(job: object) -> str | None:
    """Return the name of an SDK's job, of v2 or of v3, or of a job on this machine."""
    names = (getattr(job, attribute, None) for attribute in _NAMES)
    return next((name for name in names if isinstance(name, str)), None)


class ShownHandle:
    """What an estimator of SDK v2 and a trainer of SDK v3 show on a terminal and in a notebook."""

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {words}" for name, words in self._shown_pairs())
        return f"<{type(self).__name__}: {told}>"

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        table = pairs_table(type(self).__name__, self._shown_pairs())
        config = self._shown_config()
        return table if config is None else table + config._repr_html_()

    def _shown_pairs(self) -> Iterator[tuple[str, str]]:
        config = self._shown_config()
        yield "config", "none" if config is None else str(config)
        # Under v2 the estimator itself knows its machines, under v3 what is called compute.
        code = getattr(self, "source_code", None)
        if (
            script := getattr(self, "entry_point", getattr(code, "entry_script", None))
        ) is not None:
            yield "code", str(script)
        machines: Any = getattr(self, "compute", None) or self
        if (kind := getattr(machines, "instance_type", None)) is not None:
            yield "instances", f"{getattr(machines, 'instance_count', None) or 1} x {kind}"
        latest = getattr(self, "latest_training_job", None)
        yield "latest job", job_name_of(latest) or "none, for it has started none"

    def _shown_config(self) -> SiftConfig | None:
        """Return the config, None where there is none or it cannot be read: to look never fails."""
        try:
            config = getattr(self, "sift_config", None)
        except SiftError:
            return None
        return config if isinstance(config, SiftConfig) else None
