"""Fixtures that every room shares: real data."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from tinyml_nas.data.sample import Cifar10Sample

# The same examples in every run: a red test is red for everybody. Look for new ones with
# `pytest --hypothesis-profile default`.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

UNPACK = Path(__file__).parents[2] / "shared" / "data" / "unpack.py"


@pytest.fixture(scope="session")
def cifar10_root() -> Path:
    """Folder that holds ``cifar-10-batches-bin``: all of CIFAR-10, unpacked once into a cache.

    ``TINYML_NAS_TEST_DATA`` names a folder that already has it.
    """
    given = os.environ.get("TINYML_NAS_TEST_DATA")
    cache = Path.home() / ".cache" / "tinyml-nas" / "tests"
    root = Path(given) if given else cache
    if (root / "cifar-10-batches-bin" / "test_batch.bin").exists():
        return root
    if given or not UNPACK.exists():
        pytest.skip(f"all of CIFAR-10 is neither in {root} nor can {UNPACK} unpack it")
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / ".unpack.lock"):
        runpy.run_path(str(UNPACK))["unpack_cifar10"](root)
    return root


@pytest.fixture(scope="session")
def sample() -> Cifar10Sample:
    """The embedded sample of 6,000 images, which is always there."""
    return Cifar10Sample()


def pytest_addoption(parser: pytest.Parser) -> None:
    """``make golden`` rewrites what tests marked ``golden`` compare with."""
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether to write the golden file instead of comparing with it."""
    return bool(request.config.getoption("--update-golden"))
