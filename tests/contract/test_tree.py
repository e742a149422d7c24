"""The tree of a job, seen from inside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit.contract import JobTree, decode_hyperparameters
from sift_toolkit.errors import SiftJobError

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture
def tree(tmp_path: Path) -> JobTree:
    """A tree of which nothing exists yet."""
    return JobTree(tmp_path / "ml")


def given_hyperparameters(tree: JobTree, content: object) -> None:
    tree.config_dir.mkdir(parents=True)
    text = content if isinstance(content, str) else json.dumps(content)
    tree.hyperparameters_file.write_text(text, encoding="utf-8")


class TestCurrent:
    """Which job this process belongs to."""

    def test_variable_moves_it(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """SAGEMAKER_BASE_DIR says where the job's tree is."""
        monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))

        assert JobTree(tmp_path) == JobTree.current()

    def test_default_is_sagemakers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the variable the tree is where SageMaker puts it."""
        monkeypatch.delenv("SAGEMAKER_BASE_DIR", raising=False)

        assert JobTree(Path("/opt/ml")) == JobTree.current()


class TestPaths:
    """Where things are."""

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("hyperparameters_file", "input/config/hyperparameters.json"),
            ("resources_file", "input/config/resourceconfig.json"),
            ("channels_file", "input/config/inputdataconfig.json"),
            ("data_dir", "input/data"),
            ("code_dir", "code"),
            ("model_dir", "model"),
            ("output_data_dir", "output/data"),
            ("failure_file", "output/failure"),
            ("checkpoints_dir", "checkpoints"),
        ],
    )
    def test_are_sagemakers(self, tree: JobTree, name: str, expected: str) -> None:
        """Every folder and file is where SageMaker documents it."""
        assert tree.base / expected == getattr(tree, name)

    def test_naming_creates_nothing(self, tree: JobTree) -> None:
        """Asking for a path leaves the disk alone."""
        assert tree.model_dir.parent == tree.base
        assert not tree.base.exists()


class TestHyperparameters:
    """What the job was told."""

    def test_outside_a_job_there_are_none(self, tree: JobTree) -> None:
        """A process outside a job sees no job and no hyperparameters, without an error."""
        assert not tree.exists
        assert {} == tree.read_hyperparameters() == tree.user_hyperparameters()

    def test_raw_values_stay_as_they_are(self, tree: JobTree) -> None:
        """The file's own strings come back undecoded."""
        given_hyperparameters(tree, {"lr": "0.1", "name": '"x"'})

        assert tree.exists
        assert tree.read_hyperparameters() == {"lr": "0.1", "name": '"x"'}

    def test_users_own_are_decoded_and_alone(self, tree: JobTree) -> None:
        """The user's hyperparameters are decoded; those of SageMaker are not among them."""
        given_hyperparameters(
            tree,
            {
                "lr": "0.1",
                "name": "plain text",
                "sagemaker_program": '"train.py"',
                "_tuning_objective_metric": "loss",
            },
        )

        assert tree.user_hyperparameters() == {"lr": 0.1, "name": "plain text"}

    @pytest.mark.parametrize("content", ["", "{", "[1]", '"text"'])
    def test_a_broken_file_is_named(self, tree: JobTree, content: str) -> None:
        """A file that holds no JSON object is an error that names the file."""
        given_hyperparameters(tree, content)

        with pytest.raises(SiftJobError, match=r"hyperparameters\.json must hold a JSON object"):
            tree.read_hyperparameters()

    @given(st.dictionaries(st.text(), JSON_VALUES, max_size=4))
    def test_decoding_undoes_json(self, values: dict[str, object]) -> None:
        """Any JSON value comes back as it was before it was encoded."""
        encoded = {key: json.dumps(value) for key, value in values.items()}

        assert values == decode_hyperparameters(encoded)

    @given(st.text())
    def test_decoding_never_fails(self, text: str) -> None:
        """Text that is no JSON stays text."""
        try:
            expected = json.loads(text)
        except ValueError:
            expected = text

        # A NaN, which JSON text may say, equals nothing: compared by its look.
        assert repr({"key": expected}) == repr(decode_hyperparameters({"key": text}))

    def test_values_that_are_no_strings_stay(self) -> None:
        """A launcher that wrote real JSON values is read as well."""
        assert decode_hyperparameters({"a": 1, "b": None}) == {"a": 1, "b": None}


class TestFailure:
    """Why a job failed."""

    def test_is_cut_as_sagemaker_cuts_it(self, tree: JobTree) -> None:
        """Of a long reason the first 1024 characters are kept."""
        tree.write_failure("é" * 2000)

        assert tree.read_failure() == "é" * 1024

    def test_the_first_reason_stays(self, tree: JobTree) -> None:
        """A later failure does not hide the one that caused it."""
        tree.write_failure("the cause")
        tree.write_failure("a consequence")

        assert tree.read_failure() == "the cause"

    def test_none_without_a_file(self, tree: JobTree) -> None:
        """A job that wrote no reason has none."""
        assert tree.read_failure() is None

    def test_none_if_blank(self, tree: JobTree) -> None:
        """White space is no reason."""
        tree.write_failure(" \n")

        assert tree.read_failure() is None


class TestChannels:
    """The data a job was given."""

    def test_are_the_folders_there(self, tree: JobTree) -> None:
        """Each folder of the data is a channel; files beside them are none."""
        for name in ("training", "test"):
            (tree.data_dir / name).mkdir(parents=True)
        (tree.data_dir / "training-manifest").touch()

        assert {"test": tree.data_dir / "test", "training": tree.data_dir / "training"} == (
            tree.channels()
        )
        assert tree.data_dir / "test" == tree.channel("test")

    def test_a_missing_one_names_the_others(self, tree: JobTree) -> None:
        """Asking for a channel that is not there tells which are, and what to do."""
        (tree.data_dir / "train").mkdir(parents=True)

        with pytest.raises(SiftJobError, match=r"no channel 'training'; it has 'train'.*fit\("):
            tree.channel("training")

    def test_none_at_all(self, tree: JobTree) -> None:
        """A job without data says that it has none at all."""
        with pytest.raises(SiftJobError, match="it has none at all"):
            tree.channel("training")


class TestLog:
    """What a job printed."""

    def test_last_lines(self, tree: JobTree) -> None:
        """The end of the log comes back as one text, without a line end."""
        tree.base.mkdir()
        tree.log_file.write_text("a\nb\nc\n", encoding="utf-8")

        assert list(tree.log_lines()) == ["a", "b", "c"]
        assert tree.last_lines(2) == "b\nc"
