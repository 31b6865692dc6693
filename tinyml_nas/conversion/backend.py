"""Keras over TensorFlow, imported in one place so that both are configured before they load.

``from tinyml_nas.conversion.backend import keras, tf`` takes several seconds: only the stages that
convert and quantize import this module, and they are imported themselves when they run.
"""

from __future__ import annotations

import logging
import os

from tinyml_nas.conversion.native import stderr_held

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # CUDA that it does not find


with stderr_held():  # its banner heeds no setting
    import keras
    import tensorflow as tf

for _name in ("tensorflow", "absl"):
    logging.getLogger(_name).setLevel(logging.ERROR)

__all__ = ["keras", "tf"]
