from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.tinyml_nas.report.test_report import DEPLOYED
from tinyml_nas.report.compare import CompareError, differences, print_comparison
from tinyml_nas.report.result import write_result

CONFIG = """\
name: {name}
pruning:
  _target_: {target}
  keep_ratio: 0.33
device:
  pins: [1, 2]
"""


def run(folder: Path, target: str, macs: int) -> Path:
    network = {"parameters": 7, "macs": macs}
    metrics = {**DEPLOYED.metrics, "network": network}
    write_result(replace(DEPLOYED, metrics=metrics), folder)
    (folder / ".hydra").mkdir()
    (folder / ".hydra" / "config.yaml").write_text(CONFIG.format(name=folder.name, target=target))
    return folder


def test_runs_stand_side_by_side_with_what_their_configurations_do_not_share(tmp_path):
    folders = [run(tmp_path / "a", "x.L1", 2_000_000), run(tmp_path / "b", "x.L2", 3_000_000)]
    stream = io.StringIO()
    print_comparison(folders, Console(file=stream, width=160))
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert ["pruning._target_", "x.L1", "x.L2"] in lines
    assert ["a", "b"] in lines
    (network,) = (line for line in lines if line[:1] == ["network"])
    assert [network[3], network[10]] == ["2.00", "3.00"]
    assert "keep_ratio" not in stream.getvalue()
    assert "pins" not in stream.getvalue()


def test_equal_configurations_are_called_so_without_a_table(tmp_path):
    folder = run(tmp_path / "a", "x.L1", 2_000_000)
    stream = io.StringIO()
    print_comparison([folder, folder], Console(file=stream, width=160))
    assert "the configurations are the same" in stream.getvalue()
    assert "where it differs" not in stream.getvalue()


def test_what_is_no_run_is_refused_by_name(tmp_path):
    folder = run(tmp_path / "a", "x.L1", 2_000_000)
    with pytest.raises(CompareError, match="two or more"):
        print_comparison([folder])
    with pytest.raises(CompareError, match="nowhere: no run's folder"):
        print_comparison([folder, tmp_path / "nowhere"])


CONFIGS = st.dictionaries(
    st.text("ab", min_size=1, max_size=2), st.text("x-", max_size=1), max_size=5
)


@given(first=CONFIGS, second=CONFIGS)
def test_differences_are_exactly_the_keys_that_are_not_shared(first, second):
    found = differences([first, second])
    for key in first.keys() | second.keys():
        assert (key in found) == (first.get(key, "-") != second.get(key, "-"))
    assert not differences([first, first])
