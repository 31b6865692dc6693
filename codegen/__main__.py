"""``python -m codegen model.tflite --device nucleo_l4r5zi --out project``: a project from a file.

Exit codes: 0 the project was written (or, with --dry-run, fits); 1 a compiler is missing or failed,
or what it made differs from the oracle; 2 the command line, the model or another file is wrong; 3 it
does not fit the board, and nothing was written; 130 interrupted. ``tinyml_nas`` has the same.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from codegen import catalogue, classifier, durable, inference, oracle
from codegen.arguments import INTERRUPTED
from codegen.boards import board
from codegen.emit import folder
from codegen.options import check, parser
from codegen.toolchain.run import ToolchainError

WRITTEN, FAILED, WRONG, DOES_NOT_FIT = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options = parser().parse_args(arguments)
    try:
        if options.list_devices:
            return _list_devices()
        if options.list_learners:
            sys.stdout.write(catalogue.description())
            return WRITTEN
        return _generate(options)
    except (ToolchainError, oracle.DifferenceError) as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    except folder.FolderError as error:
        sys.stderr.write(f"error: {error} (--overwrite)\n")
        return WRONG
    except (ValueError, OSError) as error:  # ModelError and others that name what is wrong
        sys.stderr.write(f"error: {catalogue.in_options(str(error))}\n")
        full = isinstance(error, OSError) and error.errno in durable.OF_THE_DISK
        return FAILED if full else WRONG
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        return INTERRUPTED


def _list_devices() -> int:
    for name in board.names():
        device = board.load(name)
        sizes = f"{device.flash_bytes // 1024:>5} KiB flash {device.ram_bytes // 1024:>5} KiB RAM"
        clock = f"{device.clock_hz / 1e6:>4g} MHz"
        sys.stdout.write(f"{name:<20}{device.core:<13}{clock}{sizes}\n")
    return WRITTEN


def _generate(options: argparse.Namespace) -> int:
    check(options)
    generate = inference.generate if options.inference_only else classifier.generate
    fits, written = generate(options)
    return WRITTEN if fits or written else DOES_NOT_FIT


if __name__ == "__main__":
    sys.exit(main())
