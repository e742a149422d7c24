"""Running a notebook from top to bottom, in a kernel of its own, as a user's Jupyter would."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT: Final = Path(__file__).resolve().parents[2]
LIMIT_SECONDS: Final = 300
"""What a notebook may take altogether."""


class NotebookError(Exception):
    """A notebook did not run to its end."""


def execute(
    source: Path, folder: Path, environment: Mapping[str, str], limit: float = LIMIT_SECONDS
) -> Any:
    """Run a notebook and return it with its outputs.

    Args:
        source: The notebook, which stays as it is.
        folder: An empty one to run it in; what it writes goes there.
        environment: Variables for it, beside this process's own without AWS's.
        limit: Seconds that it may take altogether.

    Raises:
        NotebookError: a cell failed, or it took too long; it holds what the reader would see.
    """
    place = folder / "notebooks"
    place.mkdir(parents=True)
    # What notebooks read lies where it does in the repository.
    (folder / "demo").symlink_to(ROOT / "demo")
    notebook = nbformat.read(source, as_version=4)
    end = time.monotonic() + limit
    client = NotebookClient(
        notebook,
        timeout_func=lambda _: max(1, int(end - time.monotonic())),
        kernel_name="python3",
        record_timing=False,
        startup_timeout=int(limit),
        resources={"metadata": {"path": str(place)}},
    )
    try:
        client.execute(env={**_own_environment(), **environment})
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise NotebookError(_seen(notebook, error)) from error
    return notebook


def _seen(notebook: Any, error: Exception) -> str:
    """Return an error, and the last outputs: SageMaker's SDK has its own way of tracebacks."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())][-3:]
    texts = (output.get("text") or output.get("data", {}).get("text/plain") for output in outputs)
    return "\n".join([*filter(None, texts), str(error)])


def problems(notebook: Any, folder: Path) -> Iterator[str]:
    """Name what a reader should not find in the outputs of a notebook.

    Args:
        notebook: As it came from `execute`.
        folder: Where it ran.
    """
    places = {str(folder), str(ROOT), str(Path.home()), sys.prefix}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            said = str(output)
            if output.output_type == "error":
                yield f"cell {cell.id!r} shows an error: {output.ename}: {output.evalue}"
            if output.get("name") == "stderr":
                yield f"cell {cell.id!r} warns: {output.text}"
            yield from (f"cell {cell.id!r} shows {place!r}" for place in places if place in said)


def _own_environment() -> dict[str, str]:
    """Return this process's variables, but for accounts of AWS that a test has no business in."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    programs = os.pathsep.join([str(Path(sys.executable).parent), own.get("PATH", "")])
    return {
        **own,
        "PATH": programs,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
    }
