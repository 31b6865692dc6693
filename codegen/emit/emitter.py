"""A project's tree of files from its description.

``templates/`` mirrors the tree: files that end in ``.j2`` are rendered (one that renders to nothing
is left out), the others are copied, and so is ``runtime/``. ``LIBRARY`` in a path becomes the name of
the Arduino library. ``codegen.emit.module`` then makes names and includes the project's own. The same
project gives the same bytes. What becomes of a folder that is there is in ``codegen.emit.folder``.

Templates see:

    p        the ``Project`` (its board's stack holds a feature vector)
    factory  what the learner starts from (``Factory``)
    graph    as it runs: simplified, blocks fused
    plan     the arena (``Plan``)        memory       the memory map
    arrays   constants (``EmittedArray``)  calls      kernel calls in order (``EmittedCall``)
    work     instructions and stack (``Work``)     work_error  how far the estimate was off
    quicker  what to set of a learner whose step takes long
    digest   of the model, two words
    machine  what stands in for the board (``codegen.boards.machines.Machine``), or None
    learner_name  of the learner's class
    version  of this package             api_version  of the C++ interface: major, minor, patch
    library  its name for Arduino        module       its namespace, folder of headers, and target

and the functions of ``codegen.literals`` and ``texts.markdown`` as filters, ``arena_dtype`` and ``address`` of this
module. Lines that start with ``%%`` are statements.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import numpy.typing as npt

from codegen import durable, literals, ops, texts
from codegen.boards.machines import MACHINES
from codegen.emit.digest import model_digest
from codegen.emit.folder import regenerate
from codegen.emit.module import make_own, module_of
from codegen.ir import DTYPE_BYTES, DType, Graph, Tensor
from codegen.learners.base import name_of
from codegen.memory.fit import fit
from codegen.memory.work import quicker, work_error, work_of
from codegen.ops.base import Array, Call, Part, Value, constant_values
from codegen.plan import Plan
from codegen.project import Project
from codegen.version import VERSION

ROOT = Path(__file__).parents[1]
DATA = ("../templates", "../runtime")
# What a library for Arduino and PlatformIO has beside the model: the firmware without its start-up.
HEADERS_ONLY = ("runtime/serial", "runtime/storage")  # drivers of ports and of interrupts
OF_LIBRARIES = (
    *(f"runtime/{name}" for name in ("kernels", "buffers", "learners", "preprocess")),
    *("runtime/crc32.hpp", "runtime/link", "runtime/monitor", *HEADERS_ONLY),
    *(f"platform/{name}" for name in ("application.cpp", "application.hpp", "flash.hpp")),
    *("platform/stack.hpp", "platform/ticks.hpp"),
)
OF_C = ("tinyml/model.h", "src/c_interface.cpp")  # a sketch is C++, and compiles all that is there
API_VERSION = (3, 2, 0)  # of include/tinyml/model.hpp; a test holds its declarations against it


@dataclass(frozen=True, eq=False)
class EmittedArray:
    """A constant array under its C++ name."""

    name: str
    values: npt.NDArray[np.generic]


@dataclass(frozen=True)
class EmittedPart:
    """A constant that a call's parameters point to, ready to print: ``params declarator initialiser``."""

    params: str
    declarator: str
    initialiser: str


@dataclass(frozen=True)
class EmittedCall:
    """A kernel call, ready to print: ``kernel(params_name, arguments...)``, after its ``parts``."""

    title: str
    kernel: str
    header: str
    params: str
    params_name: str
    initialiser: str
    arguments: tuple[str, ...]
    parts: tuple[EmittedPart, ...] = ()


def emit(project: Project, destination: Path, *, overwrite: bool = False) -> None:
    """Write the project to ``destination``, in place of an older one; see ``folder.regenerate``.

    Raises:
        ModelError: the compiler cannot take the graph.
        FolderError: ``destination`` is something else, or a generated file in it was edited.
    """
    context = context_of(project)
    regenerate(destination, lambda root: _write_tree(root, context), overwrite=overwrite)


def context_of(project: Project) -> dict[str, Any]:
    """What the templates see."""
    fitted = fit(
        project.graph, project.learner, project.classes, project.board, project.class_names
    )
    project = replace(project, board=fitted.board)
    graph, layout = fitted.graph, fitted.plan
    arrays, calls = lower(graph, layout)
    return {
        "p": project,
        "graph": graph,
        "plan": layout,
        "memory": fitted.memory(project.buffer_samples),
        "work_error": work_error(project.board.core),
        "work": work_of(graph, project.learner, project.shape, project.board),
        "quicker": quicker(project.learner, project.shape, project.board),
        "factory": project.learner.factory(
            project.head.weights, project.head.bias, project.classes, project.statistics
        ),
        "calls": calls,
        "arrays": arrays,
        "learner_name": name_of(project.learner),
        "machine": MACHINES.get(project.board.emulator),
        "digest": model_digest(project),
        "api_version": API_VERSION,
        "version": VERSION,
        "library": f"TinyML_{literals.identifier(project.name)}",
        "module": module_of(project.name),
    }


def lower(graph: Graph, layout: Plan) -> tuple[list[EmittedArray], list[EmittedCall]]:
    """Constant arrays, equal ones once, and kernel calls in order of execution."""
    pool = _ArrayPool(width=len(str(len(graph.ops) - 1)))
    element = arena_dtype(graph)
    calls: list[EmittedCall] = []
    for number in layout.order:
        op = graph.ops[number]
        call = ops.OPERATORS[op.kind].lower(graph, op)
        if call is None:
            continue
        parts: list[EmittedPart] = []
        fields = {n: pool.name_arrays(number, value, parts) for n, value in call.fields.items()}
        arguments = []
        for position, index in enumerate(call.inputs):
            tensor = graph.tensors[index]
            if tensor.constant:
                operand = Array(f"operand{position}", constant_values(tensor))
                arguments.append(pool.name(number, operand))
            elif tensor.outside:
                arguments.append("image")
            else:
                arguments.append(address(tensor, layout.offsets[index], element))
        output = graph.tensors[call.output]
        arguments.append(address(output, layout.offsets[call.output], element))
        if layout.scratch[number] is not None:
            arguments.append(address(output, layout.scratch[number], element))
        calls.append(
            EmittedCall(
                title=_title(graph, number, call),
                kernel=call.kernel,
                header=call.header,
                params=call.params,
                params_name=f"kOp{number:0{pool.width}}",
                initialiser=literals.initialiser(fields),
                arguments=tuple(arguments),
                parts=tuple(parts),
            )
        )
    return pool.arrays, calls


class _ArrayPool:
    """Names constant arrays after the operator that first needs them; equal ones share a name."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.arrays: list[EmittedArray] = []
        self._names: dict[tuple[str, bytes], str] = {}

    def name(self, number: int, array: Array) -> str:
        key = str(array.values.dtype), array.values.tobytes()
        if key not in self._names:
            self._names[key] = f"op{number:0{self.width}}_{array.label}"
            self.arrays.append(EmittedArray(self._names[key], array.values))
        return self._names[key]

    def name_arrays(self, number: int, value: Value, parts: list[EmittedPart]) -> Any:
        """The value with every array replaced by its name, and every part, which ``parts`` gets."""
        if isinstance(value, Array):
            return self.name(number, value)
        if isinstance(value, Part):
            several = isinstance(value.fields, tuple)
            inner = self.name_arrays(number, value.fields, parts)
            name = f"kOp{number:0{self.width}}_{value.label}"
            declarator = f"{name}[]" if several else name
            parts.append(EmittedPart(value.params, declarator, literals.initialiser(inner)))
            return name if several else f"&{name}"
        if isinstance(value, Mapping):
            return {key: self.name_arrays(number, v, parts) for key, v in value.items()}
        if isinstance(value, tuple):
            return tuple(self.name_arrays(number, member, parts) for member in value)
        return value


def arena_dtype(graph: Graph) -> DType:
    """The arena's elements: reals where all activations are, else codes."""
    indices = {i for op in graph.ops for i in (*op.inputs, *op.outputs) if i >= 0}
    activations = [graph.tensors[i] for i in indices | set(graph.inputs)]
    floats = all(tensor.dtype == "float32" for tensor in activations if not tensor.constant)
    return "float32" if floats else "int8"


def address(tensor: Tensor, offset: int | None, element: DType) -> str:
    """A tensor's first element, in C++, within an arena of ``element``."""
    assert offset is not None
    pointer = f"arena + {offset // DTYPE_BYTES[element]}"
    same = tensor.dtype == element
    return pointer if same else f"reinterpret_cast<{literals.ctype(tensor.dtype)}*>({pointer})"


def _title(graph: Graph, number: int, call: Call) -> str:
    """For the comment: the operator and the shapes of its tensors, never names from the file."""
    op = graph.ops[number]
    sources = " * ".join(literals.shape(graph.tensors[i].shape) for i in op.inputs[:2] if i >= 0)
    return f"{number} {op.kind}: {sources} -> {literals.shape(graph.tensors[call.output].shape)}"


def environment() -> jinja2.Environment:
    """Templates that read as C++: statements on lines of their own after ``%%``."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "templates"),
        undefined=jinja2.StrictUndefined,
        line_statement_prefix="%%",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - C++, not HTML
    )
    for function in (
        literals.ctype,
        literals.elements,
        literals.floating,
        literals.hexadecimal,
        literals.identifier,
        literals.initialiser,
        literals.input_shape,
        literals.integer,
        literals.literal,
        literals.shape,
        literals.snake,
        literals.string,
        texts.markdown,
    ):
        env.filters[function.__name__] = function
    env.globals |= {"arena_dtype": arena_dtype, "address": address}
    return env


def files_of(folder: Path) -> dict[str, Path]:
    """All files below a folder, by their names in it."""
    return {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}


def fill(
    root: Path, files: Mapping[str, Path], env: jinja2.Environment, context: Mapping[str, Any]
) -> None:
    """Render templates and copy all other files; a template that comes to nothing gives no file."""
    for name, path in sorted(files.items()):
        target = root / name.replace("LIBRARY", context.get("library", ""))
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".j2":
            text = env.get_template(name).render(context)
            if text.strip():
                target.with_suffix("").write_text(text, encoding="utf-8", newline="\n")
        else:
            shutil.copyfile(path, target)


def _write_tree(root: Path, context: Mapping[str, Any]) -> None:
    fill(root, files_of(ROOT / "templates"), environment(), context)
    durable.copy_tree(ROOT / "runtime", root / "runtime")
    library = root / "arduino" / context["library"] / "src"
    _copy_sources(root, library)
    make_own(library, context["module"], headers="tinyml", programs=())
    make_own(root, context["module"], headers="include/tinyml")


def _copy_sources(root: Path, library: Path) -> None:
    """The model's sources where Arduino wants them: it includes and compiles what is in ``src/``."""
    durable.copy_tree(root / "include" / "tinyml", library / "tinyml")
    durable.copy_tree(root / "src", library / "src")
    for name in OF_C:
        (library / name).unlink()
    for name in OF_LIBRARIES:
        for path in sorted((root / name).rglob("*")) if (root / name).is_dir() else [root / name]:
            if path.is_file() and not (name in HEADERS_ONLY and path.suffix == ".cpp"):
                target = library / path.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
