"""What ``pyproject.toml`` cannot say: ``conf/`` lies beside the package, and is installed inside it."""

from __future__ import annotations

from setuptools import find_namespace_packages, setup

setup(
    packages=[
        *find_namespace_packages(include=["codegen*", "scenarios*", "tinyml_nas*"]),
        "tinyml_nas.conf",
    ],
    package_dir={"tinyml_nas.conf": "conf"},
)
