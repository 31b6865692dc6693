"""What ``pyproject.toml`` cannot say: ``conf/`` lies beside the package, and is installed inside it."""

from __future__ import annotations

from tempfile import TemporaryDirectory

from setuptools import find_namespace_packages, setup

# A folder for each build: setuptools would pack modules that an older one left in build/ as well.
with TemporaryDirectory() as fresh:
    setup(
        packages=[
            *find_namespace_packages(include=["codegen*", "scenarios*", "tinyml_nas*"]),
            "tinyml_nas.conf",
        ],
        package_dir={"tinyml_nas.conf": "conf"},
        options={"build": {"build_base": fresh}},
    )
