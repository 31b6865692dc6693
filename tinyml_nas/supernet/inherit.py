"""A network of its own out of a supernet: its weights, and BatchNorm's statistics measured anew."""

from __future__ import annotations

from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.supernet.network import Supernet
from tinyml_nas.supernet.space import Genotype
from tinyml_nas.training.loop import recalibrate
from tinyml_nas.types import Images

RECALIBRATION_IMAGES = 1000


def inherit(supernet: Supernet, genotype: Genotype, train: Images) -> StaticNetwork:
    """The network of ``genotype`` with statistics of the first ``RECALIBRATION_IMAGES``."""
    network = supernet.extract(supernet.space.canonical(genotype))
    recalibrate(network, train[:RECALIBRATION_IMAGES])
    return network
