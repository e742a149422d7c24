"""Which image a job gets, and where the SDK would take the wrong one."""

from __future__ import annotations

from typing import Any

import pytest

from sift_toolkit.client import _limits
from sift_toolkit.client._images import (
    image_problems,
    image_warnings,
    training_instance_types,
    training_versions,
)

VERSIONS = {
    "2.9": ("py312",),
    "2.9.1": ("py312",),
    "2.10": ("py312", "py313"),
    "2.10.0": ("py312", "py313"),
}
TYPES = frozenset({"ml.g5.xlarge", "ml.m5.xlarge"})
GOOD: dict[str, object] = {
    "framework_version": "2.9.1",
    "py_version": "py312",
    "instance_type": "ml.g5.xlarge",
}


def problems_of(**arguments: object) -> list[str]:
    """Return what is wrong with arguments that are otherwise good."""
    return image_problems({**GOOD, **arguments}, VERSIONS, TYPES)


def only(problems: list[str]) -> str:
    """Return the one problem there is."""
    assert len(problems) == 1, problems
    return problems[0]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"framework_version": "2.10", "py_version": "py313"},
        {"instance_type": "local"},
        {"instance_type": "local_gpu"},
        {"instance_type": None},
    ],
)
def test_good(arguments: dict[str, object]) -> None:
    """A version with an image, on a known instance or on none, is accepted."""
    assert problems_of(**arguments) == []
    assert image_warnings({**GOOD, **arguments}, TYPES) == []


@pytest.mark.parametrize("version", ["2.13.0", "2.9.2", "1", 2.9])
def test_version_without_an_image(version: object) -> None:
    """A version the SDK has no image for is answered with the newest it has, not the last."""
    problem = only(problems_of(framework_version=version))
    assert f"{version!r} has no image in this SDK" in problem
    assert "is '2.10.0' with 'py312' or 'py313'" in problem
    assert "image_uri" in problem


def test_python_without_an_image() -> None:
    """A Python version that the framework's images do not have is answered with those they have."""
    problem = only(problems_of(framework_version="2.10", py_version="py310"))
    assert problem.endswith("py_version 'py312' or 'py313', got 'py310'")


@pytest.mark.parametrize("missing", ["framework_version", "py_version"])
def test_no_image_at_all(missing: str) -> None:
    """Without an image of the user's own both versions are needed."""
    assert "needs framework_version and py_version" in only(problems_of(**{missing: None}))
    assert problems_of(**{missing: None}, image_uri="mine:1") == []


def test_deferred(pipeline_variable: Any) -> None:
    """What a pipeline fills in is left alone."""
    assert problems_of(instance_type=pipeline_variable) == []
    assert problems_of(framework_version=pipeline_variable) == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"instance_type": "ml.trn1.2xlarge"},
        {"distribution": {"smdistributed": {"modelparallel": {"enabled": True}}}},
    ],
)
def test_images_of_other_lists(arguments: dict[str, object]) -> None:
    """For Trainium and model parallelism the SDK has lists of its own, which are left to it."""
    assert problems_of(framework_version="1.13.1", py_version="py310", **arguments) == []


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("g5.xlarge", "did you mean 'ml.g5.xlarge'"),
        ("ml.q5.xlarge", "did you"),
        ("1", "reads like"),
    ],
)
def test_unknown_instance_gets_the_cpu_image(kind: str, hint: str) -> None:
    """An instance type that would get the wrong image is refused, unless an image is given."""
    problem = only(problems_of(instance_type=kind))
    assert "the image for CPUs" in problem
    assert hint in problem
    assert problems_of(instance_type=kind, image_uri="mine:1") == []
    assert "none that" in only(image_warnings({"instance_type": kind, "image_uri": "m"}, TYPES))


def test_unknown_instance_with_the_right_image() -> None:
    """One that reads like a newer GPU is only warned of: it may be newer than botocore."""
    arguments = {**GOOD, "instance_type": "ml.g5.xxlarge"}
    assert image_problems(arguments, VERSIONS, TYPES) == []
    assert "did you mean 'ml.g5.xlarge'" in only(image_warnings(arguments, TYPES))


class TestSdk:
    """What the SDK itself says."""

    def test_versions(self) -> None:
        """The SDK's list is read whole: short and exact versions, each with its Python."""
        from sagemaker import image_uris

        versions = training_versions(image_uris.config_for_framework("pytorch"))
        assert versions["2.8"] == versions["2.8.0"] == ("py312",)
        for version, pythons in versions.items():
            if not version.startswith(("2.7", "2.8")):
                continue
            for python in pythons:
                image = image_uris.retrieve(
                    "pytorch",
                    "us-west-2",
                    version=version,
                    py_version=python,
                    instance_type="ml.g5.xlarge",
                    image_scope="training",
                )
                assert f":{version}-gpu-{python}" in image

    def test_processor_of_each_instance_type(self) -> None:
        """The SDK takes the GPU image where our pattern says so, of all types there are."""
        from sagemaker.image_uris import _processor

        types = training_instance_types()
        assert "ml.g5.xlarge" in types
        for kind in types:
            processor = _processor(kind, ["cpu", "gpu", "trn", "inf"])
            assert (processor == "gpu") == (_limits.GPU_INSTANCE.fullmatch(kind) is not None)
            assert (processor in {"trn", "inf"}) == (
                _limits.NEURON_INSTANCE.fullmatch(kind) is not None
            )

    def test_volume_keys(self) -> None:
        """The instances that take no key for the volume are those the SDK knows of."""
        from sagemaker.utils import instance_supports_kms

        for kind in training_instance_types():
            assert instance_supports_kms(kind) == (_limits.LOCAL_STORAGE.fullmatch(kind) is None)
