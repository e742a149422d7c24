"""A job's hyperparameters, whoever sent them: read, or refused in words of ours."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sift_toolkit import SiftConfig
from sift_toolkit.config import HYPERPARAMETER_PREFIX, QUOTED_KEY, SCRIPT_KEY, VERSION_KEY, key_of
from sift_toolkit.container._command_line import command_line, tell_hyperparameters
from sift_toolkit.container._script import script_of
from sift_toolkit.contract import JobTree
from tests.fuzz.strange import JSON_VALUES, TEXT, changed_bytes, tried

FIELDS = [key_of(name) for name in SiftConfig.__dataclass_fields__]
KEYS = st.one_of(
    st.sampled_from([*FIELDS, VERSION_KEY, SCRIPT_KEY, QUOTED_KEY]),
    TEXT.map(HYPERPARAMETER_PREFIX.__add__),
    TEXT,
)


def _encoded(value: object) -> str:
    # Numbers beyond Python's own limit of digits cannot be written, only read.
    try:
        return json.dumps(value)
    except ValueError:
        return "1" * 5000


VALUES = st.one_of(
    JSON_VALUES, JSON_VALUES.map(_encoded), JSON_VALUES.map(_encoded).map(json.dumps)
)
HYPERPARAMETERS = st.dictionaries(KEYS, VALUES, max_size=5)
WHOLE = json.dumps(
    {
        **{
            key: json.dumps(value)
            for key, value in SiftConfig(keep=0.5, keep_end=0.2, seed=7)
            .to_hyperparameters()
            .items()
        },
        QUOTED_KEY: '["name"]',
        "name": json.dumps(r'"it\u0027s"'),
        SCRIPT_KEY: '"train.py"',
    }
).encode()


@given(hyperparameters=HYPERPARAMETERS)
def test_a_config_is_read_or_refused(hyperparameters: dict[str, object]) -> None:
    """Whatever stands in hyperparameters: a config, none, or our error in few words."""
    config = tried(lambda: SiftConfig.from_hyperparameters(hyperparameters))
    if isinstance(config, SiftConfig):
        assert SiftConfig.from_hyperparameters(config.to_hyperparameters()) == config


def read_file(folder: Path, content: bytes) -> None:
    """Read a hyperparameters file by every way a job does."""
    tree = JobTree(folder)
    tree.config_dir.mkdir(parents=True, exist_ok=True)
    tree.hyperparameters_file.write_bytes(content)
    for read in (
        tree.user_hyperparameters,
        lambda: script_of(tree),
        lambda: SiftConfig.from_hyperparameters(tree.read_hyperparameters()),
        lambda: tell_hyperparameters(tree.user_hyperparameters(), {}),
        lambda: command_line(tree.user_hyperparameters()),
    ):
        tried(read)


@given(
    content=st.one_of(
        changed_bytes(WHOLE), st.binary(max_size=60), HYPERPARAMETERS.map(_encoded).map(str.encode)
    )
)
def test_a_file_is_read_or_refused(content: bytes) -> None:
    """Whatever the file holds, be it no JSON, no text or nested without end."""
    with tempfile.TemporaryDirectory() as folder:
        read_file(Path(folder), content)
