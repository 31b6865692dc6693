"""The compilers that stages may call, each known by what it says of its version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from codegen.boards.board import Board
from codegen.toolchain import run as toolchain
from codegen.toolchain.host import HostModel
from codegen.toolchain.target import Linked, linked
from tinyml_nas.store.digest import Json

VERSION_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class HostCompiler:
    """This computer's C++ compiler; ``folder`` keeps what it built, for all runs."""

    version: str
    folder: Path

    def content_id(self) -> Json:
        """The version: what lies in the folder is known by its sources."""
        return self.version

    def model(self, project: Path) -> HostModel:
        """The program of a generated project, ready to be driven.

        Raises:
            ToolchainError: the compiler refused the project.
        """
        # Never inside the project: its folder belongs to the store.
        return HostModel(project, self.folder)


@dataclass(frozen=True)
class TargetCompiler:
    """The boards' C++ compiler."""

    version: str

    def link(self, project: Path, board: Board, folder: Path) -> Linked:
        """Build the firmware of a project in ``folder`` and measure it.

        Raises:
            ToolchainError: the compiler refused the project, or it does not fit the board.
        """
        return linked(project, board, folder)


def host_compiler(folder: Path) -> HostCompiler:
    """This computer's compiler.

    Raises:
        ToolchainError: it is not installed.
    """
    return HostCompiler(_version("g++"), folder)


def target_compiler() -> TargetCompiler | None:
    """The boards' compiler, None where it or CMake is not installed."""
    try:
        toolchain.find("cmake")
        return TargetCompiler(_version("arm-none-eabi-g++"))
    except toolchain.ToolchainError:
        return None


def _version(compiler: str) -> str:
    command = [toolchain.find(compiler), "--version"]
    return toolchain.run(command, Path(), VERSION_TIMEOUT_S).splitlines()[0]
