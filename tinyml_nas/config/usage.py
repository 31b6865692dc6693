"""The text of ``--help``. hydra would take seconds to list the same groups."""

from __future__ import annotations

import sys
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
  {command} --config-dir DIR option=MINE  with your own option files, laid out as below
  {command} --compare RUN RUN             configuration and figures of runs side by side
  {command} --cfg job                     show the configuration, run nothing
  {command} --hydra-help                  what else hydra's command line can do

Groups and their options:
{options}

Results go to outputs/<name>/; stages that were done before come from outputs/store/.
"""


def usage(folders: Sequence[Path] = (CONF,)) -> str:
    """How to use the command line, with every group and the options of it in ``folders``."""
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for path in (path for folder in folders for path in folder.glob("*/*.yaml")):
        groups[path.parent.name].add(path.stem)
    groups["device"].update(board_files(folders))
    lines = [f"  {group:<16}{', '.join(sorted(groups[group]))}" for group in sorted(groups)]
    return _TEXT.format(
        command=_command(), options="\n".join(lines), networks=", ".join(NETWORKS.names)
    )


def _command() -> str:
    """How the user started this."""
    name = Path(sys.argv[0]).name
    return name if name == "tinyml-nas" else "python run.py"
