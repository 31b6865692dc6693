"""Marks of tests that need more than Python: what is missing is named where they are skipped."""

from __future__ import annotations

import shutil

import pytest

from codegen.toolchain.run import PACKAGES

MISSING = [name for name in PACKAGES if shutil.which(name) is None]


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip where one of ``programs`` is not installed."""
    missing = [name for name in programs if name in MISSING]
    return pytest.mark.skipif(
        bool(missing),
        reason=f"not installed: {', '.join(missing)}; `make test` installs them where it is root",
    )


needs_cmake = needs("cmake")
needs_arm_compiler = needs("arm-none-eabi-g++")
needs_board_tools = needs(*PACKAGES)
