"""A module of hooks: imported from its file, and held to what the trainer will call."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from sift_toolkit import SiftUsageError
from sift_toolkit.container._hooks import Hooks, hooks_of, load_hooks
from sift_toolkit.container._job import Job
from sift_toolkit.container._learning_rate import warm_cosine

WriteModule = Callable[..., Path]
ToyHooks = Callable[..., SimpleNamespace]

WHOLE = """
    import beside
    def epochs(job): return beside.EPOCHS
    def model(job): ...
    def train_data(job): ...
    def test_data(job): ...
    def loss(model, batch): ...
    def correct(model, batch): ...
    def optimizer(model, job): ...
"""


@pytest.fixture
def write_module(tmp_path: Path) -> WriteModule:
    """Write a module of hooks, and a neighbour it may import."""

    def module(text: str = WHOLE, name: str = "toy_letters.py") -> Path:
        (tmp_path / "beside.py").write_text("EPOCHS = 7")
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return module


@pytest.mark.usefixtures("kept_imports")
class TestLoadHooks:
    """From the file to the functions."""

    def test_a_module_is_imported_under_its_name(self, write_module: WriteModule) -> None:
        """Its neighbours are importable, and it can be imported again by its name."""
        hooks = load_hooks(write_module())

        assert hooks.epochs(None) == 7  # type: ignore[arg-type] # it looks at nothing
        assert sys.modules["toy_letters"].loss is hooks.loss

    def test_a_module_that_is_not_there(self, tmp_path: Path) -> None:
        """A file that does not exist is named."""
        with pytest.raises(SiftUsageError, match=r"there is no file .*gone\.py"):
            load_hooks(tmp_path / "gone.py")

    def test_a_name_that_is_taken(self, write_module: WriteModule) -> None:
        """A module called like one that is loaded could not be found again by its name."""
        with pytest.raises(SiftUsageError, match=r"cannot be called 'json\.py'.* rename it"):
            load_hooks(write_module(name="json.py"))

    def test_an_error_of_the_module_goes_on(self, write_module: WriteModule) -> None:
        """A module that cannot be imported fails with its own error."""
        with pytest.raises(ModuleNotFoundError, match="no_such_package"):
            load_hooks(write_module("import no_such_package"))


def test_spawned_workers_find_the_module(write_module: WriteModule) -> None:
    """A dataset defined among the hooks reaches workers that were spawned."""
    path = write_module(
        WHOLE
        + """
    class Squares:
        def __len__(self): return 4
        def __getitem__(self, index): return index ** 2
    """
    )
    script = path.parent / "main.py"
    script.write_text(
        textwrap.dedent(
            f"""
            from pathlib import Path
            from torch.utils.data import DataLoader
            from sift_toolkit.container._hooks import load_hooks

            if __name__ == "__main__":
                load_hooks(Path({str(path)!r}))
                from toy_letters import Squares
                loader = DataLoader(Squares(), num_workers=1, multiprocessing_context="spawn")
                print([int(batch) for batch in loader])
            """
        )
    )
    # Started elsewhere, so that nothing but the import path leads to the module.
    result = subprocess.run(
        [sys.executable, str(script)], cwd="/", capture_output=True, text=True, check=True
    )

    assert result.stdout == "[0, 1, 4, 9]\n"


class TestHooksOf:
    """Everything that is wrong is said at once."""

    def test_a_whole_module_is_fine(self, toy_hooks: ToyHooks) -> None:
        """Hooks are given back as they are, with the schedule that may be left out."""
        module = toy_hooks()
        hooks = hooks_of(module, "toy.py")

        assert hooks.loss is module.loss
        assert hooks.learning_rate_factor is warm_cosine

    def test_a_schedule_of_the_users_own(self, toy_hooks: ToyHooks) -> None:
        """A module may bring its schedule."""
        hooks = hooks_of(toy_hooks(learning_rate_factor=lambda progress: 1 - progress), "toy.py")

        assert hooks.learning_rate_factor(0.25) == 0.75

    def test_labels_may_be_left_out(self, toy_hooks: ToyHooks, make_job: Any) -> None:
        """Without them there are no classes; with them they are the module's own."""
        job = Job(make_job(), {})
        labels = torch.arange(3)

        assert hooks_of(toy_hooks(), "toy.py").class_labels(job) is None
        given = hooks_of(toy_hooks(class_labels=lambda job: labels), "toy.py")
        assert given.class_labels(job) is labels

    def test_all_missing_hooks_are_named(self) -> None:
        """An empty module is told all it lacks, with what each is given."""
        with pytest.raises(SiftUsageError) as caught:
            hooks_of(SimpleNamespace(), "toy.py")

        assert str(caught.value) == (
            "toy.py is no module of hooks: it lacks epochs(job), model(job), train_data(job), "
            "test_data(job), loss(model, batch), correct(model, batch), optimizer(model, job)"
        )

    def test_hooks_that_are_none(self, toy_hooks: ToyHooks) -> None:
        """Missing ones, those that are no functions and those that take something else."""
        module = toy_hooks(epochs=5, loss=lambda model, features, labels: None)
        del module.correct
        with pytest.raises(SiftUsageError) as caught:
            hooks_of(module, "toy.py")

        assert str(caught.value) == (
            "toy.py is no module of hooks: it lacks correct(model, batch); "
            "epochs must be a function of (job), got 5; "
            "loss must take (model, batch), it takes (model, features, labels)"
        )

    def test_what_a_script_has_in_its_place_is_shown_in_short(self, toy_hooks: ToyHooks) -> None:
        """A plain script has an optimizer where hooks have a function: many lines, printed."""
        plain = torch.optim.AdamW([torch.zeros(1, requires_grad=True)])
        with pytest.raises(SiftUsageError, match="optimizer must be a function of") as caught:
            hooks_of(toy_hooks(optimizer=plain), "toy.py")
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 300

    @pytest.mark.parametrize(
        "loss",
        [lambda *arguments: None, lambda net, rows, scale=1: None, max, "text".replace],
        ids=["any", "default", "no signature", "of C"],
    )
    def test_what_can_be_called_is_fine(
        self, toy_hooks: ToyHooks, loss: Callable[..., None]
    ) -> None:
        """Names of parameters are the user's own, and further ones may have defaults."""
        assert hooks_of(toy_hooks(loss=loss), "toy.py").loss is loss

    def test_the_protocol_is_what_is_checked(self) -> None:
        """Each hook is declared once: by its method, with its docstring."""
        hooks = [name for name in vars(Hooks) if not name.startswith("_")]

        assert hooks[-2:] == ["learning_rate_factor", "class_labels"]
        assert len(hooks) == 9
        assert all(getattr(Hooks, name).__doc__ for name in hooks)
