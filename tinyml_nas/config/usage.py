"""The text of ``--help``. hydra would take seconds to list the same groups."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.network.shipped import shipped_names

CONF = Path(__file__).parents[2] / "conf"

_TEXT = """\
From a data set and a board's budget to a C++ project that classifies and keeps learning.

  python run.py [group=option] [key=value]    one run
  python run.py -m pruning=none,l1_0.33       a sweep, one run for each choice
  python run.py experiment=NAME               a whole study
  python run.py network=NAME                  a trained network: {networks}
  python run.py --cfg job                     show the configuration, run nothing
  python run.py --hydra-help                  what else hydra's command line can do

Groups and their options:
{options}

Results go to outputs/<name>/; stages that were done before come from outputs/store/.
"""


def usage() -> str:
    """How to use ``run.py``, with every group and its options."""
    folders = sorted(path for path in CONF.iterdir() if path.is_dir() and path.name != "hydra")
    options = ((path.name, sorted(file.stem for file in path.glob("*.yaml"))) for path in folders)
    lines = [f"  {group:<16}{', '.join(names)}" for group, names in options if names]
    return _TEXT.format(options="\n".join(lines), networks=shipped_names())
