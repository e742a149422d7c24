"""Machines, network, keys and addresses that the API would refuse."""

from __future__ import annotations

from typing import Any

import pytest

from sift_toolkit.client._resources import resource_problems

ENOUGH: dict[str, object] = {"instance_type": "ml.m5.xlarge", "instance_count": 1}
GOOD: dict[str, object] = {
    **ENOUGH,
    "subnets": ["subnet-0a", "subnet-0b"],
    "security_group_ids": ["sg-0a"],
    "output_kms_key": "alias/mine",
    "volume_kms_key": "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "output_path": "s3://bucket",
    "code_location": "s3://bucket/code",
    "checkpoint_s3_uri": "s3://bucket/checkpoints/",
    "keep_alive_period_in_seconds": 600,
}


def problems_of(**arguments: object) -> list[str]:
    """Return what is wrong with arguments that are otherwise enough."""
    return resource_problems({**ENOUGH, **arguments}, local=False)


def only(problems: list[str]) -> str:
    """Return the one problem there is."""
    assert len(problems) == 1, problems
    return problems[0]


def test_good() -> None:
    """A job of its own VPC, keys, folders and warm pool is accepted, and one without any."""
    assert resource_problems(ENOUGH, local=False) == []
    assert resource_problems(GOOD, local=False) == []


def test_deferred(pipeline_variable: Any) -> None:
    """What a pipeline fills in is left alone."""
    later = {**dict.fromkeys(GOOD, pipeline_variable), "subnets": [pipeline_variable]}
    assert resource_problems(later, local=False) == []


@pytest.mark.parametrize("name", ["instance_type", "instance_count"])
def test_instances_are_required(name: str) -> None:
    """A job names its instances, one by one or in groups."""
    without = {key: value for key, value in ENOUGH.items() if key != name}
    assert f"{name} is required" in only(resource_problems(without, local=False))
    assert resource_problems({"instance_groups": ["group"]}, local=False) == []


@pytest.mark.parametrize("other", ["use_spot_instances", "instance_groups"])
def test_warm_pools(other: str) -> None:
    """A warm pool excludes spot instances and groups of instances."""
    assert other in only(problems_of(keep_alive_period_in_seconds=1, **{other: [1]}))
    assert problems_of(keep_alive_period_in_seconds=0, **{other: [1]}) == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"subnets": ["subnet-1"]}, "subnets needs security_group_ids too"),
        ({"security_group_ids": ["sg-1"]}, "security_group_ids needs subnets too"),
        ({"subnets": [], "security_group_ids": ["sg-1"]}, "subnets must be a list of 1 to 16"),
        ({"subnets": "subnet-1", "security_group_ids": ["sg-1"]}, "1 to 16 ids, got 'subnet-1'"),
        ({"subnets": ["a"], "security_group_ids": ["sg-1"] * 6}, "a list of 1 to 5 ids"),
        ({"subnets": ["a b"], "security_group_ids": ["sg-1"]}, "subnets has 'a b'"),
        ({"subnets": ["a"], "security_group_ids": ["s" * 33]}, "1 to 32 letters"),
        ({"subnets": [1], "security_group_ids": ["sg-1"]}, "subnets has 1"),
    ],
)
def test_wrong_networks(arguments: dict[str, object], problem: str) -> None:
    """A VPC is subnets and security groups together, each within the API's bounds."""
    assert problem in only(problems_of(**arguments))


@pytest.mark.parametrize("name", ["output_kms_key", "volume_kms_key"])
@pytest.mark.parametrize("key", ["", "a key", "k" * 2049, 3])
def test_wrong_keys(name: str, key: object) -> None:
    """A key that is no id, ARN or alias is named."""
    assert f"{name} must be the id" in only(problems_of(**{name: key}))


def test_key_of_disks_that_encrypt_themselves() -> None:
    """Instances with disks of their own take no key for the volume; one for the output is fine."""
    arguments: dict[str, object] = {"instance_type": "ml.g5.xlarge", "volume_kms_key": "alias/mine"}
    assert "leave the key out" in only(problems_of(**arguments))
    assert problems_of(**{**arguments, "instance_type": "ml.m5.xlarge"}) == []
    assert problems_of(instance_type="ml.g5.xlarge", output_kms_key="alias/mine") == []


@pytest.mark.parametrize("name", ["checkpoint_s3_uri", "code_location", "output_path"])
@pytest.mark.parametrize("address", ["bucket/a", "file:///a", "s3:/a", "s3://" + "a" * 1020, 3])
def test_wrong_addresses(name: str, address: object) -> None:
    """What is no address in S3 is named."""
    assert f"{name} must be an address such as 's3://" in only(problems_of(**{name: address}))


@pytest.mark.parametrize("path", ["file:///models", ""])
def test_output_of_local_jobs(path: str) -> None:
    """A local job may write to this machine, or keep the model where the SDK puts it."""
    assert resource_problems({**ENOUGH, "output_path": path}, local=True) == []
    assert "output_path" in only(problems_of(output_path=path))
