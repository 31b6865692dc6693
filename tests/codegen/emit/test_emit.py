"""The generated extractor: deterministic, whole or not there, clean C++, and exact in a network."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from codegen.emit.emitter import ROOT, emit
from codegen.emit.folder import FolderError
from codegen.frontend.read import read
from codegen.ir import Graph
from tests.support.extractors import (
    LANGUAGE,
    WARNINGS,
    oracle,
    project_of,
    sources,
    write_case,
)
from tests.support.models import random_inputs, to_flatbuffer
from tests.support.needs import needs_arm_compiler
from tools.graphs.cases import CASES


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def graph() -> Graph:
    return read(to_flatbuffer(CASES["binary"](np.random.default_rng(11), "int8")))


def test_the_same_project_gives_the_same_bytes(graph: Graph, tmp_path: Path) -> None:
    emit(project_of(graph), tmp_path / "one")
    emit(project_of(graph), tmp_path / "two")
    tree = _tree(tmp_path / "one")
    assert tree == _tree(tmp_path / "two")
    assert {"src/extractor.cpp", "src/weights.cpp", "runtime/kernels/add.hpp"} <= set(tree)
    assert not any(name.endswith((".j2", ".pyc")) for name in tree)
    assert all(b"\r" not in content and content.isascii() for content in tree.values())


def test_a_project_is_replaced_and_the_users_files_are_kept(graph: Graph, tmp_path: Path) -> None:
    target = tmp_path / "project"
    emit(project_of(graph), target)
    (target / "arduino" / "notes.txt").write_text("mine")
    old = set(_tree(target))
    emit(project_of(graph, name="again"), target)
    emit(project_of(graph, name="again"), tmp_path / "fresh")
    assert old - set(_tree(target))  # the Arduino library bears the project's name
    assert _tree(target) == {**_tree(tmp_path / "fresh"), "arduino/notes.txt": b"mine"}


def test_a_foreign_folder_is_left_alone(graph: Graph, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "extractor.cpp").write_text("years of work")
    with pytest.raises(FolderError, match=r"holds files and no MANIFEST\.sha256"):
        emit(project_of(graph), tmp_path)
    assert _tree(tmp_path) == {"src/extractor.cpp": b"years of work"}


def test_a_failure_leaves_the_old_project(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "project"
    emit(project_of(graph), target)
    before = _tree(target)

    def full_disk(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(source), None, str(target))

    monkeypatch.setattr(shutil, "copyfile", full_disk)
    with pytest.raises(OSError, match=r"No space left on device: '.*' -> '.*project"):
        emit(project_of(graph, name="again"), target)
    assert _tree(target) == before
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def test_names_from_the_model_do_not_reach_the_code() -> None:
    graph = CASES["binary"](np.random.default_rng(11), "int8")
    text = "".join(sources(read(to_flatbuffer(graph))).values())
    assert not any(tensor.name in text.split() for tensor in graph.tensors)


def test_kernels_stay_inside_their_tensors_and_the_language(tmp_path: Path) -> None:
    """Address and undefined-behaviour sanitizers over models of every kind, in one program."""
    rng = np.random.default_rng(1)
    includes, runs, expected = ["#include <cstdio>"], [], b""
    for name, case in CASES.items():
        for number in range(2):
            model = to_flatbuffer(case(rng, "int8"))
            graph = read(model)
            inputs = random_inputs(graph, 1, rng)
            expected += oracle(model, inputs).tobytes()
            codes = ", ".join(str(code) for code in inputs.reshape(-1))
            includes += write_case(graph, tmp_path, f"{name}_{number}")
            runs += [
                "  {",
                f"    const std::int8_t image[] = {{{codes}}};",
                f"    std::int8_t features[{graph.output.elements}];",
                f"    tinyml::{name}_{number}::extract(image, features);",
                "    std::fwrite(features, 1, sizeof(features), stdout);",
                "  }",
            ]
    (tmp_path / "main.cpp").write_text("\n".join([*includes, "int main() {", *runs, "}", ""]))
    sanitize = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    subprocess.run(
        ["g++", *LANGUAGE, *WARNINGS, *sanitize, "-I.", f"-I{ROOT}", "main.cpp", "-o", "run"],
        cwd=tmp_path,
        check=True,
    )
    result = subprocess.run([tmp_path / "run"], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout == expected


@needs_arm_compiler
def test_the_arm_compiler_takes_every_kernel_without_a_warning(tmp_path: Path) -> None:
    includes = []
    for dtype in ("int8", "float32"):
        for name, case in CASES.items():
            graph = read(to_flatbuffer(case(np.random.default_rng(1), dtype)))
            includes += write_case(graph, tmp_path, f"{name}_{dtype}")
    (tmp_path / "all.cpp").write_text("\n".join(includes) + "\n")
    for core in ("cortex-m0plus", "cortex-m4"):
        command = ["arm-none-eabi-g++", f"-mcpu={core}", "-mthumb", *LANGUAGE, *WARNINGS, "-O2"]
        subprocess.run(
            [*command, "-I.", f"-I{ROOT}", "-c", "all.cpp", "-o", f"{core}.o"],
            cwd=tmp_path,
            check=True,
        )
