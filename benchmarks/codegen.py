"""How fast and how small the generated code is, beside TensorFlow Lite Micro with CMSIS-NN.

    python -m benchmarks.codegen                                     # all of it, three minutes
    python -m benchmarks.codegen --network mbv3 --core cortex-m4     # layers of one, in seconds
    python -m benchmarks.codegen --model FILE.tflite --core cortex-m55
    python -m benchmarks.codegen --json FILE                         # for machines

Instructions are exact counts of one inference under QEMU, bytes come from the linked firmware.
Needs cmake, the cross-compiler and qemu-system-arm 7.2 or later.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import emulated, learning, networks
from benchmarks.boards import BOARDS
from benchmarks.emulated import Measurement
from codegen import durable
from codegen.arguments import real
from codegen.boards.board import MOST_WORK
from codegen.frontend.read import read
from codegen.ir import Graph, read_outside
from codegen.learners.tybox import Tybox
from codegen.memory.fit import fit
from codegen.pixels import normalise, resize, to_codes
from tinyml_nas.data.sample import Cifar10Sample

IMAGE_DIMENSIONS = 4
FUNCTIONS = 12  # listed under a table of layers

# A learning step as in the thesis: a full buffer, a head of ten classes.
LEARNER = {"samples": learning.SAMPLES, "features": 186, "classes": 10}


@dataclass(frozen=True)
class Reference:
    """What others measured on networks of these shapes, with other weights and the classifier.

    ``instructions`` and ``arena_bytes`` are those of TFLM with CMSIS-NN, gcc 12 -O2, as published with
    the issue. ``cycles`` are of the best entry in the closed division of MLPerf Tiny 1.0 to 1.3, by
    core: milliseconds times the clock. An instruction takes a Cortex-M4 1.2 to 1.4 cycles.
    """

    instructions: dict[str, int] = field(default_factory=dict)
    arena_bytes: int | None = None
    cycles: dict[str, int] = field(default_factory=dict)


def _cycles(m4_ms: float, m33_ms: float, m7_ms: float, m0plus_ms: float) -> dict[str, int]:
    """On STM32L4R5 at 120 MHz, U575 at 160, H7A3 at 280 and G0B1 at 64."""
    by_core = {
        "cortex-m4": m4_ms * 120,
        "cortex-m33": m33_ms * 160,
        "cortex-m7": m7_ms * 280,
        "cortex-m0plus": m0plus_ms * 64,
    }
    return {core: round(kilocycles * 1000) for core, kilocycles in by_core.items()}


REFERENCES = {
    "mbv3": Reference({"cortex-m4": 14_800_000, "cortex-m55": 7_620_000}, 54_772),
    "vww": Reference(
        {"cortex-m4": 24_300_000, "cortex-m55": 6_780_000}, 100_708, _cycles(88.9, 59.3, 23.8, 1414)
    ),
    "resnet8": Reference(
        {"cortex-m4": 29_900_000, "cortex-m55": 4_940_000},
        54_996,
        _cycles(165.1, 104.3, 40.8, 1522),
    ),
    "kws": Reference(cycles=_cycles(43.2, 29.0, 11.3, 475)),
    "ad": Reference(cycles=_cycles(4.05, 3.09, 1.08, 40.9)),
}


def extractor(model: Path) -> Graph:
    """The network of a file, which must take an image (1, H, W, C)."""
    graph = read(model)
    shape = graph.input.shape
    if len(shape) != IMAGE_DIMENSIONS:
        raise SystemExit(f"{model}: takes {shape}; an image (1, H, W, C) is needed")
    return graph


def shortfall(model: Path, core: str) -> str:
    """What a core's board lacks for the network of a file; empty where it holds it."""
    size = fit(extractor(model), Tybox(1e-3), emulated.CLASSES, BOARDS[core]).of(1, "benchmark")
    missing = ", ".join(f"{count:,} bytes of {memory}" for memory, count in size.shortfall.items())
    return f"{size.board.name} lacks {missing}" if missing else ""


def measure(
    model: Path,
    core: str,
    listing: Path | None = None,
    ram_first: float = 0.0,
    *,
    outside: bool = False,
) -> Measurement:
    """The network of a file on one core, with a real image; see ``emulated.measure``."""
    graph = extractor(model)
    shape, pixels = graph.input.shape[1:], Cifar10Sample().split("test").pixels[:1]
    if shape == (shape[0], shape[0], 3):
        pixels = resize(pixels, shape[0])
    real = graph.input.dtype == "float32"
    graph = read_outside(graph) if outside else graph
    image = np.resize((normalise(pixels) if real else to_codes(pixels))[0], shape)
    return emulated.measure(graph, core, image, networks.CACHE, listing, ram_first)


def learning_step(core: str) -> dict[str, float]:
    """One step of TyBox with a full buffer; ``benchmarks.learning`` has the other learners."""
    found = learning.step(learning.CASES["tybox"], core, LEARNER["features"], LEARNER["classes"])
    return {
        "instructions": found.instructions,
        "multiply_adds": found.multiply_adds,
        "ratio": found.ratio,
    }


def table_of_layers(name: str, result: Measurement) -> str:
    """Every layer of one network on one core, and the functions that ran longest."""
    lines = [f"{name} on {result.core}: {result.instructions:,} instructions", ""]
    lines += [f"{'instructions':>12} {'MAC':>9} {'per MAC':>7}  layer"]
    for layer in result.layers:
        ratio = f"{layer.instructions / layer.macs:7.2f}" if layer.macs else " " * 7
        lines.append(f"{layer.instructions:12,} {layer.macs:9,} {ratio}  {layer.title}")
    lines += ["", f"{'instructions':>12}  function (the whole test program)"]
    lines += [f"{n:12,}  {function}" for function, n in result.functions[:FUNCTIONS]]
    return "\n".join(lines)


def table(results: dict[str, dict[str, Measurement]]) -> str:
    """All networks on all cores, one row each."""
    head: tuple[str, ...] = (
        *(
            "network",
            "core",
            "instructions",
            "TFLM*",
            "cycles**",
            "per MAC",
            "arena",
            "bound",
            "TFLM*",
        ),
        *("weights", "code", "flash", "planned", "RAM", "planned"),
    )
    rows = [head, ("---",) * len(head)]
    for name, by_core in results.items():
        reference = REFERENCES.get(name)
        for core, m in by_core.items():
            published = reference.instructions.get(core) if reference else None
            numbers = (
                m.instructions,
                published,
                reference.cycles.get(core) if reference else None,
                round(m.instructions / m.macs, 2) if m.macs else None,
                m.arena_bytes,
                m.arena_bound_bytes,
                reference.arena_bytes if reference else None,
                m.weights_bytes,
                m.code_bytes,
                m.flash_bytes,
                m.planned_flash_bytes,
                m.ram_bytes,
                m.planned_ram_bytes,
            )
            rows.append((name, core, *("" if n is None else f"{n:,}" for n in numbers)))
    note = (
        "* TFLM with CMSIS-NN, the reference's own measurement: other weights, classifier included.\n"
        "** of the best closed entry of MLPerf Tiny 1.0 to 1.3 on a board with this core."
    )
    return "\n".join([*(f"| {' | '.join(row)} |" for row in rows), "", note])


def main() -> None:
    """Measure what the command line asks for and print it."""
    arguments = _arguments()
    models = dict.fromkeys(arguments.network or networks.NETWORKS)
    if arguments.model:
        models = {path.stem: path for path in arguments.model}
    results: dict[str, dict[str, Measurement]] = {}
    for name, path in models.items():
        model = path or networks.tflite(name)
        results[name] = {}
        for core in arguments.core or BOARDS:
            missing = shortfall(model, core)
            if missing:
                sys.stdout.write(f"{name} on {core}: not measured, {missing}\n")
            else:
                results[name][core] = measure(
                    model,
                    core,
                    arguments.listing,
                    arguments.ram_first,
                    outside=arguments.input_outside,
                )
    everything = not (arguments.network or arguments.model or arguments.core)
    document: dict[str, Any] = {
        "networks": {n: {c: asdict(m) for c, m in r.items()} for n, r in results.items()},
        "reference": {name: asdict(reference) for name, reference in REFERENCES.items()},
    }
    if arguments.layers or not everything:
        for name, by_core in results.items():
            for result in by_core.values():
                sys.stdout.write(f"{table_of_layers(name, result)}\n\n")
    sys.stdout.write(f"{table(results)}\n")
    if everything or arguments.learning:
        document["learning_step"] = learning_step("cortex-m4") | LEARNER
        step = document["learning_step"]
        sys.stdout.write(
            f"\none learning step over {LEARNER['samples']} samples of {LEARNER['features']} features, "
            f"cortex-m4: {step['instructions']:,} instructions, {step['ratio']:.2f} a multiply-add\n"
        )
    if arguments.json:
        durable.write(arguments.json, json.dumps(document, indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure generated code on emulated boards.")
    parser.add_argument("--network", action="append", choices=sorted(networks.NETWORKS))
    parser.add_argument(
        "--model", action="append", type=Path, help="any extractor (.tflite), int8 or float"
    )
    parser.add_argument("--core", action="append", choices=sorted(BOARDS))
    parser.add_argument(
        "--ram-first", type=real(1, MOST_WORK), default=0.0, help="as python -m codegen has it"
    )
    parser.add_argument("--input-outside", action="store_true", help="as python -m codegen has it")
    parser.add_argument("--layers", action="store_true", help="a table of layers for each network")
    parser.add_argument("--learning", action="store_true", help="the learning step as well")
    parser.add_argument(
        "--listing", type=Path, help="write the last program's disassembly with counts to this file"
    )
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
