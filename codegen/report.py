"""What the command line says of a project: the memory map as text, and all of it for machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from codegen.boards.board import Board
from codegen.catalogue import option
from codegen.frontend.cut import Split, Whole
from codegen.ir import Tensor
from codegen.literals import input_shape, shape
from codegen.memory.fit import Fit, Size
from codegen.memory.map import MemoryMap
from codegen.memory.work import SLOW_S, Work

WIDTH = 76
SHOWN = {"flash": "flash", "ram": "RAM"}


def memory_text(fit: Fit, size: Size) -> str:
    """Flash and RAM side by side, part by part."""
    memory, board = size.memory, size.board
    flash = _column(memory.flash, memory.flash_bytes, board.flash_bytes, "flash")
    ram = _column(memory.ram, memory.ram_bytes, board.ram_bytes, "RAM")
    height = max(len(flash), len(ram)) - 1
    for column in (flash, ram):  # sums on one line
        column[-1:-1] = [""] * (height + 1 - len(column))
    lines = [
        f"{left:<{WIDTH // 2}}{right}".rstrip() for left, right in zip(flash, ram, strict=True)
    ]
    lines.append("")
    lines.append(_arena(fit))
    lines.append(_time(fit.work(size.buffer_samples)))
    lines += [
        f"slow:  a learning step with a full buffer takes more than {SLOW_S:g} s; with {option(key)} {value} it does not"
        for key, value in size.quicker.items()
    ]
    lines.append(f"buffer: {size.buffer_samples:,} samples of {size.sample_bytes:,} bytes")
    return "\n".join(lines)


def _time(work: Work) -> str:
    seconds = [f"{count / work.hz:.3g} s" for count in (work.classify, work.learn)]
    return (
        f"time:  about {work.classify:,} instructions to classify, {seconds[0]} at {work.hz / 1e6:g} MHz and one "
        f"a cycle; {work.learn:,} to learn, {seconds[1]}\n"
        f"stack: at most {work.stack_bytes:,} bytes in use"
    )


def _arena(fit: Fit) -> str:
    plan = fit.plan
    proof = "none smaller exists" if plan.optimal else f"lower bound {plan.lower_bound_bytes:,}"
    text = f"arena: {plan.arena_bytes:,} bytes, {proof}; {plan.live_bytes:,} are alive at once"
    if plan.fused:
        numbers = ", ".join(map(str, plan.fused))
        text += (
            f"\n       that run row by row: operators {numbers}; "
            f"otherwise {plan.unfused_bytes:,} bytes"
        )
    if plan.extra_multiply_adds:
        text += f"\n       for {plan.extra_multiply_adds:,} multiply-adds more"
    return text


def shortfall_text(fit: Fit, size: Size) -> str:
    """By how much the project does not fit, and what would."""
    parts = {"flash": size.memory.flash, "ram": size.memory.ram}
    lines = []
    for name, missing in size.shortfall.items():
        part, part_bytes = max(parts[name].items(), key=lambda item: item[1])
        lines.append(
            f"{SHOWN[name]}: needs {size.limits[name] + missing:,} bytes, {size.board.name} has "
            f"{size.limits[name]:,}: {missing:,} too many; the largest part is {part} with "
            f"{part_bytes:,}"
        )
    most = fit.most_samples
    if "ram" in size.shortfall:
        lines.append(
            f"RAM: a buffer of {most:,} samples would fit"
            if most
            else "RAM: not even a buffer of one sample fits"
        )
    return "\n".join(lines)


def description(model: str, parts: Split, fit: Fit) -> str:
    """The model and what becomes of it, in a few lines."""
    source, output = parts.extractor.input, parts.extractor.output
    rows = [
        ("model", f"{model}: {source.dtype}, {_described(source)}{_scale(source)}"),
        (
            "extractor",
            f"{len(fit.graph.ops)} operators, {output.elements} features{_scale(output)}",
        ),
        ("head", _head(parts)),
        ("board", f"{fit.board.name}: {fit.board.core}, {fit.board.clock_hz / 1e6:g} MHz"),
    ]
    if parts.dropped:
        rows.insert(3, ("dropped", f"{', '.join(parts.dropped)}: codes in, logits out"))
    if parts.note:
        rows.append(("note", parts.note))
    return "\n".join(f"{name:<11}{text}" for name, text in rows)


def machine_readable(model: str, parts: Split, fit: Fit, size: Size) -> dict[str, Any]:
    """What ``--report`` writes of the model and its memory, in bytes."""
    source, output = parts.extractor.input, parts.extractor.output
    return {
        "model": model,
        "board": fit.board.name,
        "input": _tensor(source),
        "features": _tensor(output),
        "operators": [op.kind for op in fit.graph.ops],
        "head": {"kind": parts.head_kind, "classes": parts.head.classes},
        "dropped": list(parts.dropped),
        "learner": {
            "buffer_samples": size.buffer_samples,
            "most_buffer_samples": fit.most_samples,
            "sample_bytes": size.sample_bytes,
        },
        "work": asdict(fit.work(size.buffer_samples)),
        "quicker": dict(size.quicker),
        "arena": {
            "bytes": fit.plan.arena_bytes,
            "lower_bound_bytes": fit.plan.lower_bound_bytes,
            "optimal": fit.plan.optimal,
            "live_bytes": fit.plan.live_bytes,
            "unfused_bytes": fit.plan.unfused_bytes,
            "fused_operators": list(fit.plan.fused),
            "extra_multiply_adds": fit.plan.extra_multiply_adds,
        },
        **_memory_figures(size.memory, size.board),
    }


def network_text(model: str, taken: Whole, context: Mapping[str, Any]) -> str:
    """A network without a head, and its memory, in a few lines."""
    graph, memory, board = context["graph"], context["memory"], context["p"].board
    source, output = taken.graph.input, taken.graph.output
    rows = [
        ("model", f"{model}: {source.dtype} {shape(source.shape[1:])}{_scale(source)}"),
        ("outputs", f"{output.dtype} {shape(output.shape[1:])}{_scale(output)}"),
        ("network", f"{len(graph.ops)} operators, without a head: it does not learn"),
        ("board", f"{board.name}: {board.core}, {board.clock_hz / 1e6:g} MHz"),
        ("flash", _parts(memory.flash, memory.flash_bytes, board.flash_bytes)),
        ("RAM", _parts(memory.ram, memory.ram_bytes, board.ram_bytes)),
    ]
    if taken.dropped:
        rows.insert(3, ("dropped", f"{', '.join(taken.dropped)}: codes in, codes out"))
    return "\n".join(f"{name:<11}{text}" for name, text in rows)


def network_figures(model: str, taken: Whole, context: Mapping[str, Any]) -> dict[str, Any]:
    """What ``--report`` writes of a network without a head."""
    plan, board = context["plan"], context["p"].board
    return {
        "model": model,
        "board": board.name,
        "input": _tensor(taken.graph.input),
        "output": _tensor(taken.graph.output),
        "operators": [op.kind for op in context["graph"].ops],
        "head": None,
        "dropped": list(taken.dropped),
        "arena": {
            "bytes": plan.arena_bytes,
            "lower_bound_bytes": plan.lower_bound_bytes,
            "extra_multiply_adds": plan.extra_multiply_adds,
        },
        **_memory_figures(context["memory"], board),
    }


def _memory_figures(memory: MemoryMap, board: Board) -> dict[str, Any]:
    missing = memory.shortfall(board)
    return {
        "flash": {**memory.flash, "all": memory.flash_bytes, "limit": board.flash_bytes},
        "ram": {**memory.ram, "all": memory.ram_bytes, "limit": board.ram_bytes},
        "fits": not missing,
        "missing": missing,
    }


def _parts(parts: Mapping[str, int], used: int, limit: int) -> str:
    listed = ", ".join(f"{name} {size:,}" for name, size in parts.items())
    return f"{listed}: {used:,} of {limit:,} bytes"


def _column(parts: Mapping[str, int], used: int, limit: int, title: str) -> list[str]:
    rows: Iterable[tuple[str, int]] = parts.items()
    lines = [title, *(f"  {name:<10}{size:>12,}" for name, size in rows)]
    return [*lines, f"  {'all':<10}{used:>12,} of {limit:,}"]


def _head(parts: Split) -> str:
    head = parts.head
    size = f"{head.features} -> {head.classes}"
    if parts.head_kind == "new":
        return f"{size}, new: zeros that are yet to learn"
    return f"{parts.head_kind} {size}, as float32"


def _described(source: Tensor) -> str:
    thing = "image" if source.shape[1] > 1 else "input"
    return f"{thing} {input_shape(source.shape)}"


def _scale(tensor: Tensor) -> str:
    quantization = tensor.quantization
    if quantization is None:
        return ""
    return f" (scale {quantization.scales[0]:.6g}, zero point {quantization.zero_points[0]})"


def _tensor(tensor: Tensor) -> dict[str, Any]:
    quantization = tensor.quantization
    return {
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "scale": None if quantization is None else quantization.scales[0],
        "zero_point": None if quantization is None else quantization.zero_points[0],
    }
