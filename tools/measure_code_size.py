"""Measure how many bytes of flash the firmware's code takes, and write ``codegen/memory/code_size.json``.

    python -m tools.measure_code_size                            # all cores, about a minute each
    python -m tools.measure_code_size --core cortex-m4           # one; the others stay as they are
    python -m tools.measure_code_size --new                      # only kernels and learners that it has not yet
    python -m tools.measure_code_size --learners                 # only learners and buffers
    python -m tools.measure_code_size --drivers                  # only drivers of ports and flash
    python -m tools.measure_code_size --runtime                  # only what all programs have

Run it after a change of kernels, learner, application, drivers or compiler, and commit the file.
``codegen/memory/code_size.py`` tells how its figures add up. Kernels are those that the models of
``tools/graphs/cases.py`` call: an operator that has a case there is measured. All are compiled
together, as in a firmware that has many, with the flags that the generated project's own
CMakeLists.txt gives; then the linker says which sections each of them needs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codegen import durable
from codegen.boards.board import CORES
from codegen.memory.code_size import FILE
from tools.code_size.firmware import Firmware, every_learner
from tools.code_size.kernels import Kernel, call_bytes, kernels, measure_kernels
from tools.code_size.programs import run


def measure(core: str, found: Mapping[str, Kernel], folder: Path) -> dict[str, Any]:
    """All figures of one core."""
    firmware = Firmware(core, folder / "firmware")
    return firmware.figures() | {
        "call": call_bytes(firmware.flags, folder),
        "kernels": measure_kernels(found, firmware.flags, folder),
    }


def measure_new(
    core: str, found: Mapping[str, Kernel], folder: Path, known: Mapping[str, Any]
) -> dict[str, Any]:
    """``known``, with the kernels and learners that it lacks, and without those that are no longer there."""
    kept = {key: figures for key, figures in known["kernels"].items() if key in found}
    missing = [key for key in found if key not in kept]
    parts = {part for learner in every_learner() for part in learner.code()}
    learners = {part: size for part, size in known["learners"].items() if part in parts}
    if missing or parts > learners.keys():
        firmware = Firmware(core, folder / "firmware")
        kept |= measure_kernels(found, firmware.flags, folder, missing) if missing else {}
        learners = firmware.learners(learners)
    return {**known, "kernels": kept, "learners": learners}


def main() -> None:
    """Measure the cores that the command line names."""
    parser = argparse.ArgumentParser(description="Measure the firmware's code.")
    parser.add_argument("--core", action="append", choices=CORES, help="repeatable; default: all")
    parser.add_argument("--output", type=Path, default=FILE)
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--new", action="store_true", help="measure what the file has not yet")
    parts.add_argument("--learners", action="store_true", help="measure these alone")
    parts.add_argument("--drivers", action="store_true", help="measure these alone")
    parts.add_argument("--runtime", action="store_true", help="measure start-up and program alone")
    arguments = parser.parse_args()
    written = arguments.output.exists()
    content = json.loads(arguments.output.read_text()) if written else {"cores": {}}
    cores, found = content["cores"], dict[str, Kernel]()
    if not (arguments.learners or arguments.drivers or arguments.runtime):
        found, content["operators"] = kernels()
        content["compiler"] = run(["arm-none-eabi-g++", "--version"]).splitlines()[0]
    for core in arguments.core or CORES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if arguments.learners:
                cores[core]["learners"] = Firmware(core, folder / "firmware").learners()
            elif arguments.runtime:
                firmware = Firmware(core, folder / "firmware")
                cores[core] |= {"runtime": firmware.total, "clock": firmware.clock()}
            elif arguments.drivers:
                cores[core]["drivers"] = Firmware(core, folder / "firmware").drivers()
            elif arguments.new:
                cores[core] = measure_new(core, found, folder, cores[core])
            else:
                cores[core] = measure(core, found, folder)
        counts = ", ".join(f"{len(cores[core][part])} {part}" for part in ("kernels", "learners"))
        print(f"{core}: runtime {cores[core]['runtime']} bytes, {counts}", flush=True)
        durable.write(arguments.output, json.dumps(content, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
