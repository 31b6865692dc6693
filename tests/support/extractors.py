"""Helpers of the compiler's tests: generated extractors as functions, and the oracle."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import numpy as np
import numpy.typing as npt

from codegen import plan
from codegen.boards.board import Board
from codegen.emit import emitter as emit
from codegen.frontend.read import parse
from codegen.ir import Graph
from codegen.learners.tybox import Tybox
from codegen.project import Golden, HeadWeights, Project

Images = npt.NDArray[Any]
Extractor = Callable[[Images], Images]
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
LANGUAGE = ("-std=c++17", "-fno-exceptions", "-fno-rtti")
# TFLM has no GELU, and its SPACE_TO_BATCH_ND pads with the code 0 where it means the real number.
BEYOND_MICRO = ("GELU", "SPACE_TO_BATCH_ND")
BOARD = Board("test", "cortex-m4", 1, 0, 1 << 20, 1 << 29, 1 << 20)


def project_of(graph: Graph, name: str = "test") -> Project:
    """A project around an extractor, with a head of two classes and one golden vector."""
    features = graph.output.elements
    head = HeadWeights(np.zeros((2, features), np.float32), np.zeros(2, np.float32))
    golden = Golden(
        np.zeros((1, *graph.input.shape[1:]), graph.input.dtype),
        np.zeros((1, features), graph.output.dtype),
    )
    return Project(name, graph, head, Tybox(0.1), 4, BOARD, golden)


def sources(graph: Graph, layout: plan.Plan | None = None) -> dict[str, str]:
    """The generated files of an extractor by name, without the rest of the project.

    It is planned as ``emit`` does it unless there is a ``layout``, which is taken as it is.
    """
    if layout is None:
        graph, layout = plan.arrange(graph)
        plan.verify(graph, layout)
    arrays, calls = emit.lower(graph, layout)
    # Not a Project: kernels are tested with features of any scale, beyond what a learner takes.
    project = SimpleNamespace(name="test", graph=graph)
    context = {"p": project, "plan": layout, "arrays": arrays, "calls": calls}
    names = ("extractor.hpp", "extractor.cpp", "weights.hpp", "weights.cpp")
    templates = _environment()
    return {name: templates.get_template(f"src/{name}.j2").render(context) for name in names}


@cache
def _environment() -> jinja2.Environment:
    """One for all models: an environment compiles each template once."""
    return emit.environment()


def write_case(graph: Graph, folder: Path, case: str, layout: plan.Plan | None = None) -> list[str]:
    """Write an extractor into a namespace of its own, ``tinyml::<case>``; what to include."""
    target = folder / case / "src"
    target.mkdir(parents=True)
    for name, text in sources(graph, layout).items():
        inner = text.replace("namespace tinyml {", f"namespace tinyml::{case} {{")
        (target / name).write_text(inner.replace('"src/', f'"{case}/src/'))
    return [f'#include "{case}/src/{part}.cpp"' for part in ("weights", "extractor")]


def compile_extractors(
    graphs: Sequence[Graph],
    folder: Path,
    flags: Sequence[str] = ("-O1",),
    layouts: Sequence[plan.Plan] | None = None,
) -> list[Extractor]:
    """Generate and compile extractors into one shared library; each becomes a function.

    The functions take (N, ...) inputs and give (N, ...) outputs.
    """
    lines = []
    for number, graph in enumerate(graphs):
        case = f"case{number}"
        element = "float" if graph.input.dtype == "float32" else "std::int8_t"
        lines += [
            *write_case(graph, folder, case, layouts[number] if layouts else None),
            f'extern "C" void extract{number}(const {element}* image, {element}* features) {{',
            f"  tinyml::{case}::extract(image, features);",
            "}",
        ]
    (folder / "all.cpp").write_text("\n".join(lines) + "\n")
    library = folder / "extractors.so"
    command = ["g++", *LANGUAGE, *WARNINGS, *flags, "-shared", "-fPIC", "-I.", f"-I{emit.ROOT}"]
    subprocess.run([*command, "all.cpp", "-o", library], cwd=folder, check=True)
    loaded = ctypes.CDLL(str(library))
    return [_function(getattr(loaded, f"extract{n}"), graph) for n, graph in enumerate(graphs)]


def _function(symbol: Callable[..., None], graph: Graph) -> Extractor:
    def run(inputs: Images) -> Images:
        inputs = np.ascontiguousarray(inputs, graph.input.dtype)
        outputs = np.empty((len(inputs), *graph.output.shape[1:]), graph.output.dtype)
        for image, features in zip(inputs, outputs, strict=True):
            symbol(image.ctypes.data_as(ctypes.c_void_p), features.ctypes.data_as(ctypes.c_void_p))
        return outputs

    return run


def oracle(model: bytes, inputs: Images) -> Images:
    """What TensorFlow Lite Micro's reference kernels make of (N, ...) inputs.

    Of operators that it has not, or not right, it is what LiteRT's reference kernels make of them.
    """
    if any(op.kind in BEYOND_MICRO for op in parse(model).ops):
        return reference(model, inputs)
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(model, arena_size=4 << 20)
    outputs = []
    for image in inputs:
        interpreter.set_input(image[np.newaxis], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0].copy())
    return np.stack(outputs)


def reference(model: bytes, inputs: Images) -> Images:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.BUILTIN_REF
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    source, output = (
        details[0]["index"]
        for details in (interpreter.get_input_details(), interpreter.get_output_details())
    )
    outputs = []
    for image in inputs:
        interpreter.set_tensor(source, image[np.newaxis])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(output)[0].copy())
    return np.stack(outputs)
