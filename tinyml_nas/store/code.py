"""The code that a stage runs, as a part of its key: its modules in this project, and the libraries' versions.

What a module imports, at any depth and inside functions too, is read from its syntax tree. Comments,
formatting and docstrings do not count; neither does a module that is not imported. Nothing is run.

A module that reads files beside it (that names ``__file__``) says which of them its results depend on in a
constant ``DATA``, as paths relative to its own folder: their bytes count.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from tinyml_nas.store.digest import digest_of, digest_of_json

PACKAGES = ("tinyml_nas", "codegen", "scenarios")
DISTRIBUTIONS = {"PIL": "pillow", "tensorflow": "tensorflow-cpu"}
"""Of libraries that are imported by another name; others are looked up, which takes longer."""

LIBRARY_FOLDERS = {"site-packages", "dist-packages"}


@dataclass(frozen=True)
class Code:
    """What computes a stage's result, beside what the stage is given.

    ``versions`` maps ``python`` and the libraries' distributions to what is installed.
    """

    digest: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Module:
    """What counts of a module: the digest of its syntax tree, what it may import, and its files."""

    digest: str
    imports: frozenset[str]
    data: tuple[Path, ...]


class Sources:
    """Modules by their names, found where Python finds them, and read once.

    Args:
        places: Folders of top-level packages that lie elsewhere.
    """

    def __init__(self, places: Mapping[str, Path] | None = None) -> None:
        self._places: dict[str, Path | None] = dict(places or {})
        self._paths: dict[str, Path | None] = {}
        self._read: dict[str, Module] = {}
        self._digest_of = cache(digest_of)

    def code_of(self, modules: Iterable[str]) -> Code:
        """What runs where ``modules`` do.

        Raises:
            ValueError: a module's syntax cannot be read, or it does not name the files that it reads.
        """
        closure = self.closure(modules)
        imported = {name for module in closure.values() for name in module.imports}
        libraries = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
        versions = dict(version_of(name) for name in sorted(libraries) if self._place(name) is None)
        listing = {
            name: [module.digest, *map(self._digest_of, module.data)]
            for name, module in closure.items()
        }
        return Code(digest_of_json(listing), {"python": _python(), **versions})

    def closure(self, modules: Iterable[str]) -> dict[str, Module]:
        """``modules`` and all that they import of this project, by name."""
        found: dict[str, Module] = {}
        waiting = [name for module in modules for name in _with_parents(module)]
        while waiting:
            name = waiting.pop()
            if name in found or (path := self.path_of(name)) is None:
                continue
            if name not in self._read:
                self._read[name] = read(name, path)
            found[name] = self._read[name]
            waiting.extend(part for other in found[name].imports for part in _with_parents(other))
        return found

    def path_of(self, name: str) -> Path | None:
        """The file of a module of this project; None where ``name`` is anything else."""
        if name not in self._paths:
            self._paths[name] = self._find(name)
        return self._paths[name]

    def _find(self, name: str) -> Path | None:
        top, *rest = name.split(".")
        place = self._place(top)
        if place is None or place.is_file():
            return place if not rest else None
        path = place.joinpath(*rest)
        candidates = (
            [path / "__init__.py", path.with_suffix(".py")] if rest else [path / "__init__.py"]
        )
        return next((candidate for candidate in candidates if candidate.is_file()), None)

    def _place(self, top: str) -> Path | None:
        if top not in self._places:
            self._places[top] = _place_of(top)
        return self._places[top]


@cache
def installed() -> Sources:
    """The modules of this process, as they were when a key first held them."""
    return Sources()


def read(name: str, path: Path) -> Module:
    """What counts of the module in a file.

    Raises:
        ValueError: its syntax cannot be read, or it does not name the files that it reads.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError as error:
        raise ValueError(f"{path}: is not Python {_python()} ({error})") from error
    words: list[str] = []
    imports: list[ast.Import | ast.ImportFrom] = []
    _write(tree, words, imports)
    data = tuple(path.parent / relative for relative in _data(tree, path, words))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    imported = frozenset(other for node in imports for other in _imported(node, package))
    return Module(digest_of_json("\n".join(words)), imported, data)


@cache
def version_of(library: str) -> tuple[str, str]:
    """The distribution that brings an importable library, and the version that is installed."""
    for name in (library.replace("_", "-"), DISTRIBUTIONS.get(library, library)):
        try:
            return name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    for name in _distributions().get(library, ()):
        return name, metadata.version(name)
    return library, "not installed"


def _write(node: ast.AST, words: list[str], imports: list[ast.Import | ast.ImportFrom]) -> None:
    """The tree as words that have no positions; ``ast.dump`` takes twice the time."""
    words.append(type(node).__name__)
    if isinstance(node, ast.Import | ast.ImportFrom):
        imports.append(node)
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            _write(value, words, imports)
        elif isinstance(value, list):
            words.append("[")
            for item in value:
                if not isinstance(item, ast.AST):
                    words.append(repr(item))
                elif not _is_docstring(item):
                    _write(item, words, imports)
            words.append("]")
        else:
            words.append(repr(value))


def _is_docstring(node: ast.AST) -> bool:
    """Whether it is a statement that is nothing but a text."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _imported(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[str]:
    """Absolute names that an import may load: ``from a import b`` may load ``a.b``."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        parents = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*parents, base] if base else parents)
    yield base
    yield from (f"{base}.{alias.name}" for alias in node.names)


def _data(tree: ast.Module, path: Path, words: list[str]) -> tuple[str, ...]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DATA":
            names: tuple[str, ...] = ast.literal_eval(node.value)
            return names
    if "'__file__'" in words and any(
        isinstance(node, ast.Name) and node.id == "__file__" for node in ast.walk(tree)
    ):
        raise ValueError(
            f"{path}: names __file__, so that it reads files beside it; name those that its results "
            'depend on as DATA = ("relative/path", …), () where there are none'
        )
    return ()


def _with_parents(name: str) -> Iterator[str]:
    """A module's packages are run before it."""
    parts = name.split(".")
    return (".".join(parts[: count + 1]) for count in range(len(parts)))


def _place_of(top: str) -> Path | None:
    """Folder or file of a top-level module of this project or of the user, None for libraries."""
    if top in sys.stdlib_module_names:
        return None
    if top == "__main__":
        file = getattr(sys.modules[top], "__file__", None)
        return None if file is None else Path(file)
    spec = find_spec(top)
    if spec is None:
        return None
    if spec.submodule_search_locations:
        place = Path(next(iter(spec.submodule_search_locations)))
    elif spec.origin is not None:
        place = Path(spec.origin)
    else:
        return None
    is_library = top not in PACKAGES and LIBRARY_FOLDERS & set(place.parts)
    return None if is_library else place


@cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def _python() -> str:
    return ".".join(map(str, sys.version_info[:2]))
