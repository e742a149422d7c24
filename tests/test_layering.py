"""The house rules that a machine can hold: who imports whom, and how code and tests look."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sift_toolkit"
MODULES = sorted(PACKAGE.rglob("*.py"))
TEST_FILES = sorted((ROOT / "tests").rglob("*.py"))

MOST_LINES = 260
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}

LEAF = {"config", "metrics", "report", "contract", "display", "errors", "outside"}
EVERYTHING = {"*"}


class Layer(NamedTuple):
    """What the modules of a layer may import besides the standard library and themselves."""

    inside: set[str]
    """Layers of this package."""
    outside: set[str]
    """Other packages."""


# The arrows of the design; a part of the package that stands in no row fails the test.
LAYERS = {
    "": Layer(EVERYTHING, set()),
    "_version": Layer(set(), set()),
    "config": Layer({"display", "errors", "outside"}, set()),
    "display": Layer(set(), set()),
    "errors": Layer(set(), set()),
    "metrics": Layer(set(), set()),
    "outside": Layer({"errors", "metrics"}, set()),
    "report": Layer({"display", "errors", "metrics", "outside"}, set()),
    "contract": Layer(LEAF, set()),
    "client": Layer(LEAF, {"sagemaker", "boto3", "botocore", "rich", "matplotlib", "pandas"}),
    "sifting": Layer(LEAF, {"torch"}),
    "container": Layer(LEAF | {"sifting"}, {"torch", "sagemaker_training"}),
    "smart_sifting": Layer(LEAF | {"sifting", "container", "integrations"}, {"torch"}),
    "integrations": Layer(
        LEAF | {"sifting", "container"}, {"torch", "transformers", "lightning", "accelerate"}
    ),
    "testing": Layer(LEAF, {"boto3", "botocore", "moto", "pytest"}),
    "cli": Layer(EVERYTHING, {"boto3", "botocore", "click"}),
}


def layer_of(module: Path) -> str:
    """Return the part of the package that a file belongs to; empty for the package's face."""
    first = module.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py").removeprefix("__init__")


def tree_of(file: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def imports_of(file: Path) -> Iterator[str]:
    """Yield the dotted name of everything a file imports, wherever in it."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            # `from sift_toolkit import metrics` names a layer too.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def breaches_of(layer: str, imported: str) -> bool:
    """Whether a layer may not import a dotted name."""
    top, _, rest = imported.partition(".")
    allowed = LAYERS[layer]
    if top == "sift_toolkit":
        inside = rest.partition(".")[0]
        return not (inside == layer or allowed.inside is EVERYTHING or inside in allowed.inside)
    return top not in sys.stdlib_module_names and top not in allowed.outside


def name_of(file: Path) -> str:
    """Return a file's path inside the repository."""
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("module", MODULES, ids=name_of)
class TestModule:
    """What holds for every module of the package."""

    def test_it_imports_only_what_its_layer_may(self, module: Path) -> None:
        """Imports follow the arrows of the design, those inside functions included."""
        layer = layer_of(module)
        assert layer in LAYERS, f"sift_toolkit/{layer} stands in no row of LAYERS"
        assert [name for name in imports_of(module) if breaches_of(layer, name)] == []

    def test_it_says_what_it_is_for(self, module: Path) -> None:
        """A module begins with a docstring."""
        assert ast.get_docstring(tree_of(module))

    def test_it_is_one_idea(self, module: Path) -> None:
        """A file fits a few screens."""
        assert len(module.read_text(encoding="utf-8").splitlines()) <= MOST_LINES

    def test_it_is_named_for_its_idea(self, module: Path) -> None:
        """No module is a drawer for whatever fits nowhere else."""
        assert NAMELESS.isdisjoint(
            part.strip("_") for part in module.relative_to(PACKAGE).with_suffix("").parts
        )

    def test_it_works_on_the_oldest_python(self, module: Path) -> None:
        """Modules that annotate anything do so lazily."""
        tree = tree_of(module)
        annotates = any(
            isinstance(node, ast.FunctionDef | ast.AnnAssign) for node in ast.walk(tree)
        )
        assert not annotates or "__future__.annotations" in imports_of(module)


class TestLayers:
    """The rules above can fail."""

    @pytest.mark.parametrize(
        ("layer", "imported"),
        [
            ("client", "torch.nn"),
            ("client", "sift_toolkit.sifting.SiftingDataloader"),
            ("client", "sift_toolkit.container"),
            ("sifting", "sift_toolkit.container._sift"),
            ("sifting", "sift_toolkit.client"),
            ("sifting", "numpy"),
            ("container", "sagemaker.session"),
            ("container", "sift_toolkit.client.HostSession"),
            ("config", "torch"),
            ("config", "sift_toolkit.sifting"),
            ("contract", "sagemaker_training"),
            ("", "torch"),
            ("testing", "sift_toolkit.client"),
            ("testing", "torch"),
            ("cli", "sagemaker"),
        ],
    )
    def test_what_a_layer_may_not_import(self, layer: str, imported: str) -> None:
        """The imports that the design forbids are breaches."""
        assert breaches_of(layer, imported)

    @pytest.mark.parametrize(
        ("layer", "imported"),
        [
            ("client", "sift_toolkit.contract.launch"),
            ("client", "sagemaker.pytorch.PyTorch"),
            ("sifting", "torch.nn.functional"),
            ("sifting", "sift_toolkit.sifting._loss.Loss"),
            ("container", "sift_toolkit.sifting"),
            ("config", "json.loads"),
        ],
    )
    def test_what_a_layer_may_import(self, layer: str, imported: str) -> None:
        """The imports that the design draws are no breaches."""
        assert not breaches_of(layer, imported)


@pytest.mark.parametrize("file", TEST_FILES, ids=name_of)
def test_every_test_states_a_fact(file: Path) -> None:
    """Each test function has a docstring, and its file too."""
    tree = tree_of(file)
    assert ast.get_docstring(tree)
    silent = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test") and not ast.get_docstring(node)
    ]
    assert silent == []
