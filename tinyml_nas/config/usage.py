"""The text of ``--help``. hydra would take seconds to list the same groups."""

from __future__ import annotations

import sys
import textwrap
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tinyml_nas.config.folders import CONF
from tinyml_nas.config.register import board_files
from tinyml_nas.network.shipped import NETWORKS

_TEXT = """\
From a data set and a board's budget to a C++ project that classifies and keeps learning.

  {command} [group=option] [key=value]    one run
  {command} -m pruning=none,l1_0.33       a sweep, one run for each choice
  {command} experiment=NAME               a whole study
  {command} network=NAME                  a trained network: {networks}
  {command} network=FILE                  your own: FILE.py:FUNCTION, FILE.keras, FILE.tflite, with network_input.*
  {command} --config-dir DIR option=MINE  with your own option files, laid out as below
  {command} --compare RUN RUN             configuration and figures of runs side by side
  {command} --cfg job                     show the configuration, run nothing
  {command} --hydra-help                  what else hydra's command line can do

Five commands to begin with:
  {command} doctor                                       what is missing here, and how to get it
  {command} network=omega_801kb                          a trained network on a board: minutes, no search
  {command}                                              the main job: search, compress, generate, learn
  {command} network=omega_801kb learner=auto             try every learner, take the best that fits
  {command} -m network=omega_801kb scenario=concept_drift,stationary   two worlds side by side

What each group decides, and its options:
{options}

Results go to outputs/<name>/: report.html to look at, result.json with all figures, project/ to build. Stages that were
done before come from outputs/store/; `{command} store --help` lists, checks and prunes it. Completion in a shell:
  eval "$({command} -sc install=bash)"
"""


DECIDES = {
    "constraint": "what a network may take while it is searched",
    "dataset": "the images that the network is trained and scored on; dataset@field: those that the device meets",
    "device": "the board: its flash, RAM and core",
    "experiment": "a whole study, with all of the choices below",
    "finetune": "how the network that was found is trained on",
    "hydra": "how a sweep's jobs are started",
    "learner": "how the device learns; learner@baseline: what it is compared with",
    "memory": "how much memory the replay buffer may take",
    "predictor": "what guesses accuracies between two rounds of the search",
    "project": "the C++ project that is generated",
    "pruning": "which filters go, and how many",
    "taps": "what the head reads: the network's features, or pooled maps of several blocks too",
    "quantizer": "how the network becomes int8",
    "scenario": "what changes in the world of the device",
    "search": "how networks are found",
    "stream": "in which order labelled samples come",
    "supernet": "the space of networks, and the weights that they inherit",
    "tracking": "where a run is recorded besides its folder",
    "train_supernet": "task=train_supernet: how those weights are made",
    "train_teacher": "task=train_teacher: how a teacher is made",
}
"""Of each group, in a line."""


def usage(folders: Sequence[Path] = (CONF,)) -> str:
    """How to use the command line, with every group and the options of it in ``folders``."""
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for path in (path for folder in folders for path in folder.glob("*/*.yaml")):
        groups[path.parent.name].add(path.stem)
    groups["device"].update(board_files(folders))
    lines = []
    for group in sorted(groups):
        names = textwrap.wrap(", ".join(sorted(groups[group])), 92, break_on_hyphens=False)
        lines += [
            f"  {group:<16}{DECIDES.get(group, '')}".rstrip(),
            *(f"      {line}" for line in names),
        ]
    return _TEXT.format(
        command=_command(), options="\n".join(lines), networks=", ".join(NETWORKS.names)
    )


def _command() -> str:
    """How the user started this."""
    name = Path(sys.argv[0]).name
    return name if name == "tinyml-nas" else "python run.py"
