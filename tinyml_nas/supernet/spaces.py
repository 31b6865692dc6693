"""The search spaces that there are. Without torch, unlike what knows their supernets (``families``)."""

from __future__ import annotations

from typing import TypeAlias

from tinyml_nas.supernet.lite0_space import Lite0Space
from tinyml_nas.supernet.space import MobileNetV3Space

AnySpace: TypeAlias = MobileNetV3Space | Lite0Space
