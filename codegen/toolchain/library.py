"""The shared library of an emitted project, for this computer: built once, and loaded.

``codegen.toolchain.host`` drives it.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
from pathlib import Path

from codegen import durable
from codegen.toolchain import run as toolchain

# No fused multiply-add, as in the project's CMakeLists.txt: the host learns the board's bits.
FLAGS = (
    "-std=c++17",
    "-O3",
    "-ffp-contract=off",
    "-fno-exceptions",
    "-fno-rtti",
    "-fPIC",
    "-shared",
)
SOURCES = (  # those that the project has
    "src/extractor.cpp",
    "src/weights.cpp",
    "src/head.cpp",
    "src/model.cpp",
    "src/network.cpp",
    "host/capi.cpp",
)
BUILD_TIMEOUT_S = 600.0
CACHE_PREFIX = "libtinyml-"

_log = logging.getLogger(__name__)


def build(project: Path, folder: Path) -> Path:
    """Build the shared library of an emitted ``project`` into ``folder``, unless it is there.

    Its name holds a digest of the sources, the flags and the compiler, so that processes may share
    ``folder``. Its own digest follows its last byte, where the loader does not look: one that is
    damaged, as by a power cut, would be a bus error in the middle of a run, and is built anew.

    Raises:
        ToolchainError: there is no C++ compiler, or it refused the project.
        OSError: naming the library; the disk is full.
    """
    compiler = toolchain.find("g++")
    library = folder / f"{CACHE_PREFIX}{_digest(project, compiler)}.so"
    if library.exists():
        if is_whole(library):
            return library
        _log.warning("%s: damaged; it is built anew", library)
    with durable.replacing(library) as unfinished:
        sources = [source for source in SOURCES if (project / source).exists()]
        command = [compiler, *FLAGS, "-I", "include", "-I", ".", *sources]
        toolchain.run([*command, "-o", str(unfinished.resolve())], project, BUILD_TIMEOUT_S)
        digest = hashlib.sha256(unfinished.read_bytes()).digest()
        with unfinished.open("ab") as file:
            file.write(digest)
    return library


def is_whole(library: Path) -> bool:
    """Whether the library ends in the digest of all bytes before it."""
    content = library.read_bytes()
    size = len(content) - hashlib.sha256().digest_size
    return hashlib.sha256(content[:size]).digest() == content[size:]


def load(library: Path) -> ctypes.CDLL:
    """The library with its functions declared, as host/capi.cpp defines them."""
    loaded = ctypes.CDLL(str(library.resolve()))
    pointer, integer = ctypes.c_void_p, ctypes.c_int32
    signatures: dict[str, tuple[object, list[object]]] = {
        "tinyml_describe": (None, [pointer]),
        "tinyml_create": (None, [pointer]),
        "tinyml_reset": (None, [pointer]),
        "tinyml_load_image": (integer, [integer, pointer, integer, integer, integer, pointer]),
        "tinyml_features": (None, [pointer, integer, pointer]),
        "tinyml_logits": (None, [pointer, pointer, integer, pointer]),
        "tinyml_predict": (None, [pointer, pointer, integer, pointer]),
        "tinyml_learn": (integer, [pointer, pointer, ctypes.c_uint8]),
        "tinyml_knob_name": (ctypes.c_char_p, [integer]),
        "tinyml_knob_least": (ctypes.c_float, [integer]),
        "tinyml_knob_most": (ctypes.c_float, [integer]),
        "tinyml_knob": (ctypes.c_float, [pointer, integer]),
        "tinyml_set_knob": (integer, [pointer, integer, ctypes.c_float]),
        "tinyml_state": (pointer, [pointer]),
        "tinyml_buffer_count": (integer, [pointer]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


def _digest(project: Path, compiler: str) -> str:
    """SHA-256 of what the library is made from, shortened."""
    version = toolchain.run([compiler, "--version"], project, BUILD_TIMEOUT_S)
    digest = hashlib.sha256("\0".join([version, *FLAGS, *SOURCES]).encode())
    for top in ("include", "runtime", "src", "host"):
        for path in sorted((project / top).rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                digest.update(f"\0{path.relative_to(project)}\0{len(content)}\0".encode())
                digest.update(content)
    return digest.hexdigest()[:32]
