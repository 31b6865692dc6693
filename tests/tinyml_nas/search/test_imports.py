"""Composing a configuration imports every plug-in: none may wait for pymoo, scipy or torch."""

import subprocess
import sys


def test_plugins_import_nothing_heavy():
    code = (
        "import sys, tinyml_nas.search.cnas, tinyml_nas.search.random, "
        "tinyml_nas.search.predictors.rbf, tinyml_nas.search.constraints.board; "
        "sys.exit(', '.join({'pymoo', 'scipy', 'torch', 'rich'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
