"""What is a project's own, so that several are linked into one program: its namespace and its headers' place.

Sources are written as if there were one project: in ``namespace tinyml``, with includes from the project's root.
``make_own`` rewrites a tree: names are in ``tinyml::NAME``, whose inline namespace lets ``tinyml::Model`` stand for
the only one; the headers are in ``tinyml/NAME/``; and what belongs to the library includes by relative paths, so
that a program needs one folder on its path, which holds nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from os.path import relpath
from pathlib import Path, PurePosixPath

from codegen import literals

ROOT = Path(__file__).parents[1]
DATA = ("../runtime", "../templates", "../templates_network")
PROGRAMS = ("platform", "test", "host")  # folders of programs that use the library
_DECLARED = re.compile(r"\b([a-z][a-z0-9_]*)\s*[({<]")
_COMMENT = re.compile(r"//.*")
_OPEN = re.compile(r"^namespace tinyml \{$", re.MULTILINE)
_CLOSE = re.compile(r"^\}  // namespace tinyml$", re.MULTILINE)
_INCLUDES = re.compile(r'(?:^#include "[^"]+"\n)+', re.MULTILINE)
_INCLUDE = re.compile(r'^#include "([^"]+)"$', re.MULTILINE)
FORWARDER = """\
#pragma once

// For programs with one project; with several, each has a folder of headers. Generated.

#if defined(__has_include_next)
#if __has_include_next("tinyml/{header}")
#error "several projects are on the path: include tinyml/NAME/{header} of each"
#endif
#endif
#include "{path}"
"""


def module_of(name: str) -> str:
    """The module of the project ``name``; no name that the sources have in ``tinyml``, as they would be ambiguous.

    >>> module_of("Resize"), module_of("model")
    ('resize_model', 'model')
    """
    module = literals.module(name)
    return f"{module}_model" if module in _declared() else module


@cache
def _declared() -> frozenset[str]:
    """Functions, namespaces and whatever else stands before a bracket in what projects are made from."""
    files = [
        path
        for top in ("runtime", "templates", "templates_network")
        for path in (ROOT / top).rglob("*.[ch]pp*")
    ]
    texts = (_COMMENT.sub("", path.read_text(encoding="utf-8")) for path in files)
    return frozenset(name for text in texts for name in _DECLARED.findall(text))


def make_own(root: Path, module: str, headers: str, programs: Collection[str] = PROGRAMS) -> None:
    """Rewrite all C++ below ``root``, whose public headers are in the folder ``headers``, for ``module``.

    Each of these moves to ``headers``/``module``; in its place is one that includes it.
    """
    files = {path.relative_to(root).as_posix(): path for path in _sources(root)}
    places = {_included_as(name, headers): _place(name, headers, module) for name in files}
    for name, path in sorted(files.items()):
        text = _renamed(path.read_text(encoding="utf-8"), module)
        place = _place(name, headers, module)
        of_library = PurePosixPath(name).parts[0] not in programs
        text = _included(text, places, PurePosixPath(place).parent if of_library else None)
        if place != name:
            forwarder = FORWARDER.format(header=path.name, path=f"{module}/{path.name}")
            path.write_text(forwarder, encoding="utf-8", newline="\n")
        target = root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")


def _sources(root: Path) -> Iterator[Path]:
    """All C++ but that of the libraries for Arduino, which are trees of their own."""
    for path in root.rglob("*"):
        if path.suffix in (".cpp", ".hpp", ".h") and path.relative_to(root).parts[0] != "arduino":
            yield path


def _included_as(name: str, headers: str) -> str:
    """How sources include a file: public headers as ``tinyml/``, others from the root."""
    path = PurePosixPath(name)
    return f"tinyml/{path.name}" if path.parent == PurePosixPath(headers) else name


def _place(name: str, headers: str, module: str) -> str:
    path = PurePosixPath(name)
    return f"{headers}/{module}/{path.name}" if path.parent == PurePosixPath(headers) else name


def _renamed(text: str, module: str) -> str:
    text = _OPEN.sub(f"namespace tinyml {{\ninline namespace {module} {{", text)
    return _CLOSE.sub(f"}}  // namespace {module}\n}}  // namespace tinyml", text)


def _included(text: str, places: Mapping[str, str], folder: PurePosixPath | None) -> str:
    """Includes as they are to be written in ``folder`` of the library, or in a program; sorted again."""

    def spelled(match: re.Match[str]) -> str:
        name = match[1]
        if name not in places:
            return match[0]
        if folder is not None:
            name = relpath(places[name], folder)
        elif name.startswith("tinyml/"):
            name = f"tinyml/{PurePosixPath(places[name]).parent.name}/{PurePosixPath(name).name}"
        return f'#include "{name}"'

    def block(match: re.Match[str]) -> str:
        lines = _INCLUDE.sub(spelled, match[0]).splitlines()
        return "\n".join(sorted(lines)) + "\n"

    return _INCLUDES.sub(block, text)
