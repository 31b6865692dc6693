"""What people write into boards, names of classes and projects cannot do more than be read."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import MISSING, fields, replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from codegen.boards.board import Board, load, names
from codegen.emit.emitter import ROOT, context_of, emit, environment
from codegen.project import Golden, Project
from codegen.toolchain.run import ToolchainError, find
from tests.support.needs import needs_arm_compiler

PIECES = (
    *'"\\`$@;?%#|*_<>&!~,:=(){}[]\n\r\t\0 é中\u2028\x85\x1b\u202e',
    "??/",
    "??'",
    "*/",
    "//",
    "]]",
    "[[",
    "${HOME}",
    "$ENV{HOME}",
    "$<1:x>",
    "{{ p }}",
    "{% raw %}",
    "%% if",
    "&lt;",
    "<b>",
    "https://a.b",
    "\nexecute_process(COMMAND touch MARKER)\n#",
    ")\nexecute_process(COMMAND touch MARKER)\nproject(x",
    "\nINCLUDE /etc/passwd\n",
    "\nurl=file:///\n",
    '", "scripts": "x", "a": "',
)
# Comments, and a project's own name, which is of letters, digits and underscores.
OUTSIDE = re.compile(r"/\*.*?\*/|#[^\n]*|project\(\w+ |set\(MODULE \w+\)", re.DOTALL)
MORE_THAN_A_LINE = re.compile(r"[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
characters = st.text(st.characters(exclude_categories=[]), max_size=3)
hostile = st.lists(st.sampled_from(PIECES) | characters, max_size=8).map("".join)
lines = hostile.map(lambda text: MORE_THAN_A_LINE.sub("", text) or "x")
TEXT_FIELDS = tuple(field.name for field in fields(Board) if field.type == "str")
FILES = [path.relative_to(ROOT / "templates") for path in (ROOT / "templates").rglob("*.j2")]
ENVIRONMENT = environment()
slow_fixture = settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def rendered(project: Project) -> dict[str, str]:
    """Every generated file."""
    context = context_of(project)
    return {str(path): ENVIRONMENT.get_template(path.as_posix()).render(context) for path in FILES}


def hostile_project(make: Callable[..., Project], texts: list[str]) -> Project:
    """A project in which every text that is no option is one of ``texts``."""
    name, board_name, source, origin, programmer, port, *class_names = texts
    plain = make(class_names=tuple(class_names))
    board = replace(
        plain.board, name=board_name[:64], source=source, programmer=programmer, port=port[:64]
    )
    golden = Golden(plain.golden.inputs, plain.golden.features, origin)
    return replace(plain, name=name, board=board, golden=golden)


@slow_fixture
@given(text=hostile, place=st.integers(0, 8))
def test_what_is_more_than_a_line_is_refused_by_its_key(make_identity, text, place) -> None:
    keys = ["name", "device.name", "device.source", "golden.origin"]
    keys += ["device.programmer", "device.port"]
    keys += [f"class_names[{number}]" for number in range(3)]
    texts = ["x"] * 9
    texts[place] = text
    if MORE_THAN_A_LINE.search(text):
        with pytest.raises(ValueError, match=re.escape(f"{keys[place]}: must be one line")):
            hostile_project(make_identity, texts)
    elif text or place != 1:
        hostile_project(make_identity, texts)


@pytest.mark.parametrize("key", TEXT_FIELDS)
@given(text=hostile)
@example("\nexecute_process(COMMAND touch MARKER)\n#")
def test_a_boards_text_is_refused_by_its_key_or_is_one_printable_line(key: str, text: str) -> None:
    board = load("pico2")
    if key == "name":
        allowed = 0 < len(text) <= 64 and not MORE_THAN_A_LINE.search(text)
    elif key in ("source", "programmer", "port"):
        longest = 64 if key == "port" else len(text)
        allowed = len(text) <= longest and not MORE_THAN_A_LINE.search(text)
    else:
        allowed = text in {getattr(board, key), ""} - {"" if key == "core" else None}
    if allowed:
        assert getattr(replace(board, **{key: text}), key) == text
    else:
        with pytest.raises(ValueError, match=rf"device\.{key}: "):
            replace(board, **{key: text})


@slow_fixture
@given(texts=st.lists(lines, min_size=8, max_size=8))
@example(["a b", "x); y", "<b>*_|", "see `this`", "%% if", "{{ p }}", "??/", '"'])
def test_no_text_adds_a_line_anywhere(make_identity, texts: list[str]) -> None:
    project = hostile_project(make_identity, texts)
    plain = rendered(hostile_project(make_identity, list("abcdefgh")))
    found = rendered(project)
    for name, text in plain.items():
        assert len(found[name].split("\n")) == len(text.split("\n")), name
        if not name.startswith("README"):
            assert found[name].isascii(), name
    assert (
        json.loads(found["library.json.j2"]).keys() == json.loads(plain["library.json.j2"]).keys()
    )
    presets = json.loads(found["CMakePresets.json.j2"])
    assert len(presets["configurePresets"]) == 3
    code = "CMakeLists.txt.j2", "platform/board.ld.j2", "platform/emulator.ld.j2"
    for name in code:
        assert OUTSIDE.sub("", found[name]) == OUTSIDE.sub("", plain[name])


@slow_fixture
@given(texts=st.lists(hostile, min_size=2, max_size=2))
def test_names_in_a_model_reach_nothing(make_identity, texts: list[str]) -> None:
    project = make_identity()
    tensors = [
        replace(tensor, name=name)
        for tensor, name in zip(project.graph.tensors, texts, strict=True)
    ]
    graph = replace(project.graph, tensors=tuple(tensors))
    assert rendered(replace(project, graph=graph)) == rendered(project)


@slow_fixture
@given(texts=st.lists(lines, min_size=9, max_size=9))
@example(
    ["p", "b", "a_b*c*_", "`x`|<i>y</i>", "&lt;`a` ", "<b>_1_", "[a](b)", "&amp; $x$", "~~no~~"]
)
def test_the_readme_shows_texts_as_they_are(make_identity, texts: list[str]) -> None:
    project = hostile_project(make_identity, texts)
    shown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = shown.parse(rendered(project)["README.md.j2"])
    blocks = [_plain(token) for token in tokens if token.type == "inline"]
    code = "".join(token.content for token in tokens if token.type == "code_block").split("\n")
    numbered = [f"{number} {name}" for number, name in enumerate(project.class_names)]
    for text in (f"Classes: {', '.join(numbered)}.", f"Source: {project.board.source}."):
        assert text in blocks
    programmer, port = project.board.programmer, project.board.port
    assert sum(f", on {port} (or the next number" in text for text in blocks) == 1
    assert f"python -m codegen.link {port} hello       # stats classify" in "\n".join(code)
    assert not programmer.strip() or programmer in code


def test_the_header_compiles_under_its_own_flags_and_has_the_names(make_identity, tmp_path) -> None:
    try:
        compiler = find("g++")
    except ToolchainError:
        pytest.skip("no g++")
    cmake = (ROOT / "templates" / "cmake" / "library.cmake").read_text()
    flags = re.search(r"WARNINGS (-Wall.*)\)", cmake)[1].split()
    flags += [*re.search(r"LANGUAGE_FLAGS (-fno.*)\)", cmake)[1].split(), "-Werror"]
    header = tmp_path / "identity.hpp"
    program = '#include <cstdio>\n#include "identity.hpp"\nint main() {\n'
    program += (
        "  std::fwrite(tinyml::kClassNames, 1, sizeof(tinyml::kClassNames) - 1, stdout);\n}\n"
    )
    (tmp_path / "main.cpp").write_text(program)

    def printed(class_names: tuple[str, ...], standard: str) -> bytes:
        project = make_identity(class_names=class_names)
        header.write_text(rendered(project)["include/tinyml/identity.hpp.j2"])
        command = [compiler, f"-std={standard}", "-Wtrigraphs", *flags, "main.cpp", "-o", "names"]
        subprocess.run(command, cwd=tmp_path, check=True)
        return subprocess.run([tmp_path / "names"], check=True, capture_output=True).stdout

    @settings(max_examples=4, deadline=None)
    @given(class_names=st.lists(lines, min_size=20, max_size=40), standard=st.just("c++17"))
    @example(class_names=[f"??{c}?" for c in "=/'()!<>-?"], standard="c++17")
    @example(class_names=["what??/", "1?", "?", "??", "???", "\\??/n"], standard="c++14")
    def holds(class_names: list[str], standard: str) -> None:
        wanted = b"".join(name.encode() + b"\0" for name in class_names)
        assert printed(tuple(class_names), standard) == wanted

    holds()


def test_configuring_runs_nothing(make_identity, tmp_path) -> None:
    """The worst of each text in one project: it is still only a project."""
    try:
        cmake = find("cmake")
    except ToolchainError:
        pytest.skip("no cmake")
    run = ')execute_process(COMMAND touch MARKER)#[[${ENV{HOME}}]]; $<1:x> @x@ "\\`touch MARKER` */'
    project = hostile_project(make_identity, [run, run[:64], run, run, run, run, run, run])
    tree = tmp_path / "project"
    emit(project, tree)
    command = [cmake, "-S", tree, "-B", tree / "build"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.rglob("MARKER"))
    properties = [path.read_text() for path in tree.rglob("library.properties")]
    assert [line.split("=")[0] for line in properties[0].splitlines()].count("name") == 1


@needs_arm_compiler
def test_a_board_of_nothing_but_the_needed_keys_is_configured(make_identity, tmp_path) -> None:
    needed = [field.name for field in fields(Board) if field.default is MISSING]
    own = load("nucleo_l4r5zi")
    bare = Board(**{key: getattr(own, key) for key in needed})
    tree = tmp_path / "project"
    emit(replace(make_identity(), board=bare), tree)
    assert "emulat" not in (tree / "README.md").read_text().lower()
    assert not (tree / "platform" / "emulator.ld").exists()
    toolchain = f"-DCMAKE_TOOLCHAIN_FILE={tree / 'cmake' / 'arm-none-eabi.cmake'}"
    subprocess.run([find("cmake"), "-S", tree, "-B", tmp_path / "build", toolchain], check=True)


@pytest.mark.parametrize("name", names())
def test_the_boards_own_texts_are_shown_as_they_are(name: str, make_identity) -> None:
    project = replace(make_identity(), board=load(name))
    text = rendered(project)["README.md.j2"]
    blocks = [t for t in MarkdownIt("commonmark").parse(text) if t.type == "inline"]
    shown = list(map(_plain, blocks))
    assert f"Source: {load(name).source}." in shown
    files = "<code_inline>" if load(name).boot_bytes else "<code_inline> and <code_inline>"
    assert any(f"and makes {files} of it" in block for block in shown)


def _plain(token) -> str:
    """The characters that a reader sees, and of any element its kind."""
    return "".join(
        part.content if part.type.startswith("text") else f"<{part.type}>"
        for part in token.children
    )
