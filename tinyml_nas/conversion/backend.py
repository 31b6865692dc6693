"""Keras over TensorFlow, imported in one place so that both are configured before they load.

``from tinyml_nas.conversion.backend import keras, tf`` takes several seconds: only the stages that
convert and quantize import this module, and they are imported themselves when they run.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # CUDA that it does not find


@contextmanager
def _quiet() -> Generator[None, None, None]:
    """Keep back what the process says on stderr: TensorFlow's banner heeds no setting.

    Where the import fails, what was said is told after all.
    """
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        except BaseException:
            said.seek(0)
            os.write(terminal, said.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


with _quiet():
    import keras
    import tensorflow as tf

for _name in ("tensorflow", "absl"):
    logging.getLogger(_name).setLevel(logging.ERROR)

__all__ = ["keras", "tf"]
