"""One job that SDK v2 and SDK v3 both launch: its arguments, its script, and what it must see.

The SDKs cannot be in one environment, so each has its own test that holds it to this.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from typing import Any

from sift_toolkit import SiftConfig

CONFIG = SiftConfig(keep=0.5, scores="memory")
PLAIN: dict[str, Any] = {
    "epochs": 3,
    "lr": 1e-05,
    "version": "1.10",
    "amp": True,
    "resume": None,
    "layers": [64, 32],
    "name": 'plain "quoted" \u00fc \u4e2d $HOME `x` \\',
}
"""Hyperparameters without an apostrophe."""

PLAIN_WIRE = {
    "epochs": "3",
    "lr": "1e-05",
    "version": '"1.10"',
    "amp": "true",
    "resume": "null",
    "layers": "[64, 32]",
    "name": r'"plain \"quoted\" \u00fc \u4e2d $HOME `x` \\"',
    "sagemaker_sift_keep": "0.5",
    "sagemaker_sift_scores": '"memory"',
    "sagemaker_sift_script": '"train.py"',
    "sagemaker_sift_version": "1",
}
"""What they are in the request, with the config and the script."""

HYPERPARAMETERS: dict[str, Any] = {
    **PLAIN,
    "note": "it's fine; rm -rf '$HOME'",
    "words": ["don't", "\u2019"],
    "table": {"key": "a'b"},
    "batch-size": 8,
}

SCRIPT = textwrap.dedent(
    """
    import argparse, json, os, sys

    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("epochs", "lr", "version", "amp", "resume", "layers", "name", "note", "words",
                 "table", "batch-size"):
        parser.add_argument("--" + name, required=True)
    variables = ("SM_HPS", "SM_USER_ARGS", "SM_HP_NOTE", "SM_HP_VERSION", "SM_HP_AMP", "LEVEL")
    seen = {
        "parsed": vars(parser.parse_args()),
        "variables": {name: os.environ[name] for name in variables},
        "hyperparameters": json.loads(os.environ["SM_TRAINING_ENV"])["hyperparameters"],
    }
    print("SEEN " + json.dumps(seen))
    """
)

ENVIRONMENT = {"LEVEL": 'it\'s "1" $HOME \u00fc'}

PARSED = {
    "epochs": "3",
    "lr": "1e-05",
    "version": "1.10",
    "amp": "True",
    "resume": "",
    "layers": "[64, 32]",
    "name": PLAIN["name"],
    "note": HYPERPARAMETERS["note"],
    "words": "[\"don't\", '\u2019']",
    "table": "key=a'b",
    "batch_size": "8",
}


def seen_in(lines: Iterable[str]) -> dict[str, Any]:
    """Return what the script printed into a job's log."""
    (line,) = [line for line in lines if line.startswith("SEEN ")]
    seen: dict[str, Any] = json.loads(line.removeprefix("SEEN "))
    return seen


def check_seen(lines: Iterable[str]) -> None:
    """Hold a job's log to what the script must see."""
    seen = seen_in(lines)
    assert seen["parsed"] == PARSED
    assert seen["hyperparameters"] == HYPERPARAMETERS
    variables = seen["variables"]
    assert json.loads(variables.pop("SM_HPS")) == HYPERPARAMETERS
    words = json.loads(variables.pop("SM_USER_ARGS"))
    assert dict(zip(words[::2], words[1::2], strict=True)) == {
        f"--{name.replace('_', '-')}": value for name, value in PARSED.items()
    }
    assert variables == {
        "SM_HP_NOTE": HYPERPARAMETERS["note"],
        "SM_HP_VERSION": "1.10",
        "SM_HP_AMP": "true",
        **ENVIRONMENT,
    }
