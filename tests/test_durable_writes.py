"""Every file that outlives a process is put in its place by ``codegen.durable``: the tree is searched."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("codegen", "scenarios", "tinyml_nas", "benchmarks", "tools")

EXEMPT = {
    "codegen/durable.py": "it is the one way",
    "codegen/emit/folder.py": "fills a tree aside; what moves it is tested step by step",
    "codegen/emit/emitter.py": "fills a tree aside",
    "codegen/emit/network.py": "fills a tree aside",
    "codegen/emit/module.py": "rewrites that tree, still aside",
    "codegen/toolchain/library.py": "adds to a library that is still aside",
    "codegen/toolchain/target.py": "the files of an emulated program, in a folder that is removed",
    "codegen/link/logs.py": "a log that grows: synced, and renamed when the stream ends",
    "tinyml_nas/search/archive.py": "adds line by line, each synced and with its checksum",
    "tinyml_nas/config/reserve.py": "says who holds a lock; nobody reads it once he is gone",
    "tinyml_nas/data/download.py": "fills a file aside",
    "tinyml_nas/pipeline/withdraw.py": "moves an older delivery out of the way; writes nothing",
    "tinyml_nas/store/inspect.py": "moves an entry out of the way and removes it; writes nothing",
    "benchmarks/counting/__init__.py": "in a folder that is removed",
    "benchmarks/emulated.py": "in a folder that is removed",
    "tools/make_photos.py": "a folder that is made anew from a data set",
    "tools/measure_work.py": "sources to compile, in a folder that is removed",
    "tools/robustness.py": "the folders of its trials",
    "tools/code_size/kernels.py": "sources to compile, in a folder that is removed",
}
WRITES = {"write_text", "write_bytes", "copy2", "copyfile", "copytree", "move", "symlink_to"}
LIBRARIES = {"save", "savez", "savez_compressed", "savetxt", "save_file", "dump", "tofile"}


def moves(call: ast.Call) -> bool:
    """``path.replace(other)`` and ``path.rename(other)``; ``text.replace(old, new)`` has two."""
    assert isinstance(call.func, ast.Attribute)
    if call.func.attr in ("rename", "renames", "link_to", "hardlink_to"):
        return True
    is_os = isinstance(call.func.value, ast.Name) and call.func.value.id == "os"
    return call.func.attr == "replace" and (is_os or (len(call.args) == 1 and not call.keywords))


def opens_to_write(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    values = [*call.args[:2], *(word.value for word in call.keywords if word.arg == "mode")]
    modes = [v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
    return name == "open" and any(
        set(mode) <= set("rwxabt+") and set(mode) & set("wxa+") for mode in modes
    )


def saves(call: ast.Call) -> bool:
    """NumPy, safetensors, json and Keras writing to a file that is not called ``aside``."""
    assert isinstance(call.func, ast.Attribute)
    owner = call.func.value.id if isinstance(call.func.value, ast.Name) else ""
    where = [*call.args, *(word.value for word in call.keywords)]
    aside = any(isinstance(node, ast.Name) and node.id == "aside" for node in where)
    of_a_library = owner in ("np", "numpy", "json", "model", "pickle", "torch")
    return call.func.attr in LIBRARIES and of_a_library and not aside


def writes(tree: ast.AST) -> list[int]:
    """The lines on which a file is written to, or moved, past the helper."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        named = isinstance(node.func, ast.Attribute)
        durable = (
            named and isinstance(node.func.value, ast.Name) and node.func.value.id == "durable"
        )
        if not durable and (
            opens_to_write(node)
            or (named and (node.func.attr in WRITES or moves(node) or saves(node)))
        ):
            found.append(node.lineno)
    return found


def test_no_module_writes_past_the_helper():
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    found = {
        path.relative_to(ROOT).as_posix(): writes(ast.parse(path.read_bytes())) for path in files
    }
    past = {name: lines for name, lines in found.items() if lines}
    assert {name: lines for name, lines in past.items() if name not in EXEMPT} == {}
    assert EXEMPT.keys() - past.keys() == set(), "no longer needs an exemption"


def test_the_search_sees_every_way_to_write():
    program = """
path.write_text("x")
path.rename(other)
path.replace(other)
os.replace(a, b)
shutil.copyfile(a, b)
open(path, "wb")
path.open("a")
path.open(mode="r+")
np.save(path, x)
"""
    assert writes(ast.parse(program)) == list(range(2, 11))
    harmless = (
        'text.replace("a", "b"); durable.write(p, "x"); open(p); p.open("rb"); np.save(aside, x)'
    )
    assert writes(ast.parse(harmless)) == []
