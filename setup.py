"""Puts entry_points/ inside the wheel; everything else stands in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["sift_toolkit", "sift_toolkit.*"]),
        "sift_toolkit.entry_points",
    ],
    package_dir={"sift_toolkit.entry_points": "entry_points"},
)
