"""A network of its own out of a supernet: its weights, and BatchNorm's statistics measured anew.

Where the supernet's own heads have learnt nothing yet, the network gets one that is fitted.
"""

from __future__ import annotations

from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.supernet.families import AnySupernet
from tinyml_nas.supernet.head import fit_head
from tinyml_nas.supernet.space import Genotype
from tinyml_nas.training.loop import recalibrate
from tinyml_nas.types import Images

RECALIBRATION_IMAGES = 1000
HEAD_IMAGES = 2000


def inherit(supernet: AnySupernet, genotype: Genotype, train: Images) -> StaticNetwork:
    """The network of ``genotype`` with statistics of the first ``RECALIBRATION_IMAGES``.

    A head is fitted to the first ``HEAD_IMAGES``.
    """
    network = supernet.extract(supernet.space.canonical(genotype))
    recalibrate(network, train[:RECALIBRATION_IMAGES])
    if not supernet.trained:
        fit_head(network, train[:HEAD_IMAGES])
    return network
