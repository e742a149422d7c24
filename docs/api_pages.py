"""The pages of the API reference: each public name once, found in `__all__` without importing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SMART_SIFTING = "sift_toolkit.smart_sifting"
FACES = {
    "index": ("sift_toolkit", ["sift_toolkit"]),
    "client": ("Launching and comparing", ["sift_toolkit.client"]),
    "container": ("Inside the job", ["sift_toolkit.container"]),
    "sifting": ("The core", ["sift_toolkit.sifting"]),
    "integrations": (
        "Integrations",
        [
            f"sift_toolkit.integrations.{name}"
            for name in ("huggingface", "accelerate", "lightning")
        ],
    ),
    "smart_sifting": (
        "smart_sifting",
        [
            SMART_SIFTING,
            f"{SMART_SIFTING}.sift_config.sift_configs",
            f"{SMART_SIFTING}.dataloader.sift_dataloader",
            f"{SMART_SIFTING}.loss.abstract_sift_loss_module",
            f"{SMART_SIFTING}.data_model.data_model_interface",
            f"{SMART_SIFTING}.data_model.list_batch",
            f"{SMART_SIFTING}.data_model.tensor_batch",
            f"{SMART_SIFTING}.integrations.trainer",
            f"{SMART_SIFTING}.metrics.lightning",
        ],
    ),
    "testing": ("Testing kit", ["sift_toolkit.testing", "sift_toolkit.testing.plugin"]),
    "leaf": (
        "Metrics, report, contract",
        ["sift_toolkit.metrics", "sift_toolkit.report", "sift_toolkit.contract"],
    ),
}
"""Pages of the reference: title, and the modules whose public names stand there."""
INNER = frozenset(
    {
        "Listener",
        "Rewiring",
        "StatusBoard",
        "as_loss",
        "global_state",
        "rebuild",
        "set_global_state",
        "splits_samples",
        "to_device",
    }
)
"""Names of the core that only the package's own other parts are meant to use."""


def api_pages() -> Iterator[tuple[str, str]]:
    """Yield place and text of each page of the reference."""
    told: set[str] = set()
    for page, (title, modules) in FACES.items():
        parts = [f"# {title}\n"]
        for module in modules:
            names = [name for name in public_names(module) if home_of(module, name) not in told]
            told |= {home_of(module, name) for name in names}
            parts.append(_heading(module, title))
            parts += [f"::: {module}.{name}\n" for name in names]
        yield f"api/{page}.md", "\n".join(parts)


def public_names(module: str) -> list[str]:
    """Return a module's `__all__`, or what it defines under a name without an underscore."""
    body = _tree(module).body
    for node in body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names = [str(name) for name in ast.literal_eval(node.value)]
            return [name for name in names if name not in INNER]
    defined = [node.name for node in body if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    return [name for name in defined if not name.startswith("_")]


def home_of(module: str, name: str) -> str:
    """Return the full name of an object where it is defined, through all faces that pass it on."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                if (alias.asname or alias.name) == name and node.module.startswith("sift_toolkit"):
                    return home_of(node.module, alias.name)
    return f"{module}.{name}"


def _heading(module: str, title: str) -> str:
    """Return what stands above a module's names: its name and the first paragraph about it."""
    told = (ast.get_docstring(_tree(module)) or "").split("\n\n")[0]
    above = "" if title == module else f"## `{module}` {{ #{module} }}\n\n"
    return f"{above}{told}\n"


@cache
def _tree(module: str) -> ast.Module:
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))
