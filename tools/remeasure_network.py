"""Put the figures of a new deployment of a shipped network into its record and card.

    python run.py network=NAME dataset=cifar10 data.root=DIR project.oracle_images=1000 hydra.run.dir=RUN
    python -m tools.remeasure_network RUN NAME

For when what is made of the weights has changed: the quantizer, the planner, the kernels. What the run that
trained found and trained stays.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from codegen import durable
from tinyml_nas.cards.network import card
from tinyml_nas.network.shipped import NETWORKS
from tinyml_nas.report.result import read_result
from tinyml_nas.types import Result
from tools.ship_network import portable

LEARNING = ("search", "inherit", "answers", "finetune", "prune")
MEASURED = ("omega", "memory", "program", "quantization", "scenario")


def remeasured(record: Result, run: Result) -> Result:
    """``record`` with the figures that ``run`` measured of the same weights.

    Raises:
        ValueError: the weights are others: in float they have another accuracy.
    """
    was, now = record.metrics["test_accuracy"], run.metrics["test_accuracy"]
    if was["pruned"]["value"] != now["float"]["value"]:
        raise ValueError(
            f"not a run of the same weights and images: {now['float']['value']} of the test images are right "
            f"in float, {was['pruned']['value']} in the record"
        )
    figures = {key: run.metrics[key] for key in MEASURED if key in run.metrics}
    accuracy = was | {"deployed": now["deployed"]}
    stages = [item for item in record.provenance["stages"] if item["stage"] in LEARNING]
    provenance = record.provenance | {
        "stages": [*stages, *run.provenance["stages"]],
        "measured_by": list(portable(run).overrides),
    }
    metrics = record.metrics | figures | {"test_accuracy": accuracy}
    return replace(record, metrics=metrics, provenance=provenance)


def main() -> None:
    """Measure one network anew."""
    run, name = Path(sys.argv[1]), sys.argv[2]
    folder = NETWORKS.folder(name)
    record = remeasured(read_result(folder / "record.json"), read_result(run / "result.json"))
    durable.write(folder / "record.json", json.dumps(asdict(record)) + "\n")
    durable.write(folder / "card.md", card(name, record))


if __name__ == "__main__":
    main()
