"""Fixtures that every room shares: real data."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from tinyml_nas.data.sample import Cifar10Sample

# The same examples in every run, however busy the machine: a red test is red for everybody. Look for new ones
# with `pytest --hypothesis-profile default`.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")

ROOT = Path(__file__).parents[1]
UNPACK = ROOT.parent / "shared" / "data" / "unpack.py"


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


SHARING = ("tests/tinyml_nas/pipeline", "tests/tinyml_nas/quantization", "tests/scenarios")
"""Folders whose files share what takes long to make: whole runs, converted networks, built programs."""


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a file run in one process, as do those of a folder that shares fixtures."""
    for item in items:
        place = item.path.relative_to(ROOT).as_posix()
        shared = next((folder for folder in SHARING if place.startswith(folder)), place)
        item.add_marker(pytest.mark.xdist_group(shared))


def pytest_addoption(parser: pytest.Parser) -> None:
    """``make golden`` rewrites what tests marked ``golden`` compare with."""
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether to write the golden file instead of comparing with it."""
    return bool(request.config.getoption("--update-golden"))
