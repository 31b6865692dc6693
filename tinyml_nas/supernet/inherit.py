"""A network of its own out of a supernet: its weights, and BatchNorm's statistics measured anew.

Where the supernet's own heads know nothing of the classes, the network gets one that is fitted.
"""

from __future__ import annotations

import copy

from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.supernet.families import AnySupernet
from tinyml_nas.supernet.head import Fit, fit_head
from tinyml_nas.supernet.space import Genotype
from tinyml_nas.training.loop import recalibrate
from tinyml_nas.types import Images

RECALIBRATION_IMAGES = 1000
HEAD_IMAGES = 2000


def inherit(supernet: AnySupernet, genotype: Genotype, train: Images) -> StaticNetwork:
    """The network of ``genotype`` with statistics of the first ``RECALIBRATION_IMAGES``.

    A head is fitted to the first ``HEAD_IMAGES``.
    """
    return inherit_and_fit(supernet, genotype, train)[0]


def inherit_and_fit(
    supernet: AnySupernet, genotype: Genotype, train: Images
) -> tuple[StaticNetwork, Fit | None]:
    """As ``inherit``, and how the head was fitted; None where it came with the weights.

    Statistics that come with the weights are right for the whole network. Where little was left out of it they
    are better than those of few images, so that both are tried; the head with the lesser loss tells.
    """
    network = supernet.extract(supernet.space.canonical(genotype))
    whole = copy.deepcopy(network) if supernet.measured else None
    recalibrate(network, train[:RECALIBRATION_IMAGES])
    if supernet.trained:
        return network, None
    fit = fit_head(network, train[:HEAD_IMAGES])
    if whole is not None:
        other = fit_head(whole, train[:HEAD_IMAGES])
        if other.loss < fit.loss:
            return whole, other
    return network, fit
