"""Put the network of a finished run among those that are shipped.

    python tools/ship_network.py outputs/RUN NAME

Copies its files to ``tinyml_nas/network/shipped/NAME`` with the run's result as ``record.json``, without this
machine's paths, and the model card that follows from it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from codegen import durable
from tinyml_nas.cards.network import card
from tinyml_nas.network.files import load
from tinyml_nas.network.shipped import FILES, NETWORKS
from tinyml_nas.report.result import read_result
from tinyml_nas.types import Result

OF_THE_MACHINE = ("store=", "name=", "hydra.")


def portable(result: Result) -> Result:
    """The result with overrides that mean the same everywhere."""
    kept = [item for item in result.overrides if not item.startswith(OF_THE_MACHINE)]
    named = tuple("data.root=DIR" if item.startswith("data.root=") else item for item in kept)
    return replace(result, overrides=named)


def main() -> None:
    """Ship one network."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    run, name = Path(sys.argv[1]), sys.argv[2]
    result = portable(read_result(run / "result.json"))
    if result.status != "ok" or "training" not in result.metrics:
        sys.exit(f"{run}: not a run that trained a network and ended well")
    load(run / "network")  # refuses what is damaged
    folder = NETWORKS.root / name
    for file in FILES:
        durable.copy(run / "network" / file, folder / file)
    durable.write(folder / "record.json", json.dumps(asdict(result)) + "\n")
    durable.write(folder / "card.md", card(name, result))


if __name__ == "__main__":
    main()
