"""Which keys of a distribution the SDK reads."""

from __future__ import annotations

from typing import Any

import pytest

from sift_toolkit.client._distribution import added_hyperparameters, distribution_problems
from sift_toolkit.client._limits import SDK_HYPERPARAMETERS

ON = {"enabled": True}

GOOD: list[Any] = [
    None,
    {},
    {"torch_distributed": ON},
    {"torch_distributed": {"enabled": False}},
    {"pytorchddp": {"enabled": True, "custom_mpi_options": "-verbose"}},
    {"mpi": {"enabled": True, "processes_per_host": 8, "custom_mpi_options": "-x A=1"}},
    {"smdistributed": {"dataparallel": ON}},
    {
        "smdistributed": {"modelparallel": {"enabled": True, "parameters": {"partitions": 2}}},
        "mpi": ON,
    },
    {"torch_distributed": ON, "instance_groups": ["workers"]},
]


@pytest.mark.parametrize("distribution", GOOD)
def test_what_the_sdk_reads(distribution: object) -> None:
    """A distribution as the SDK's documentation has it is accepted."""
    assert distribution_problems(distribution) == []


@pytest.mark.parametrize(
    ("distribution", "hint"),
    [
        ({"torch_distribted": ON}, "did you mean 'torch_distributed'?"),
        ({"zzz": ON}, "it may hold 'torch_distributed'"),
        ({"torch_distributed": {"enabled": True, "enabeld": True}}, "did you mean 'enabled'?"),
        ({"torch_distributed": {}}, "lacks 'enabled': True"),
        ({"torch_distributed": {"enabled": "true"}}, "must be True or False, got 'true'"),
        ({"torch_distributed": True}, "such as {'enabled': True}, got True"),
        ({"smdistributed": {"dataparalel": ON}}, "did you mean 'dataparallel'?"),
        ({"smdistributed": {"dataparallel": {}}}, "lacks 'enabled': True"),
        ({"smdistributed": ON}, "has a key 'enabled'"),
        ({"smdistributed": True}, "must be a dict"),
        ({"multi_worker_mirrored_strategy": ON}, "which the SDK ignores"),
        ("torch_distributed", "must be a dict such as {'torch_distributed'"),
    ],
)
def test_what_it_would_ignore(distribution: object, hint: str) -> None:
    """A key the SDK ignores, or a value it trips over, is refused with the mend."""
    problems = distribution_problems(distribution)
    assert len(problems) == 1
    assert hint in problems[0]


def test_all_problems_at_once() -> None:
    """Each wrong key is named."""
    wrong = {"torch_distribted": ON, "mpi": {"processes": 2}}
    assert len(distribution_problems(wrong)) == 3


@pytest.mark.parametrize("wrong", [None, "mpi", {"zzz": ON}])
def test_nothing_is_added(wrong: object) -> None:
    """Without a strategy the SDK knows, no hyperparameter is added."""
    assert added_hyperparameters(wrong) == frozenset()


@pytest.mark.parametrize(
    ("distribution", "instance_type", "image_uri"),
    [
        ({"torch_distributed": ON}, "ml.g5.xlarge", "image"),
        ({"mpi": {"enabled": True, "processes_per_host": 2}}, "ml.g5.xlarge", "image"),
        ({"pytorchddp": ON}, "ml.p4d.24xlarge", "image"),
        ({"smdistributed": {"dataparallel": ON}}, "ml.p4d.24xlarge", "image"),
        (
            {"smdistributed": {"dataparallel": ON}, "torch_distributed": ON},
            "ml.p4d.24xlarge",
            "image",
        ),
        ({"parameter_server": ON}, "ml.g5.xlarge", "image"),
    ],
)
def test_what_the_sdk_adds(aws: Any, distribution: Any, instance_type: str, image_uri: str) -> None:
    """Every hyperparameter that the SDK adds for a distribution is known beforehand."""
    from sagemaker.pytorch import PyTorch

    estimator = PyTorch(
        entry_point="train.py",
        role="arn:aws:iam::123456789012:role/sift-tests",
        instance_type=instance_type,
        instance_count=1,
        image_uri=image_uri,
        distribution=distribution,
        sagemaker_session=aws.session,
    )
    added = set(estimator.hyperparameters()) - SDK_HYPERPARAMETERS
    assert added
    assert added <= added_hyperparameters(distribution)
