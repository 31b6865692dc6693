"""The search problem that a trained supernet poses: genes in, inherited accuracy and cost out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from codegen.boards.board import Board
from tinyml_nas.network.footprint import footprint
from tinyml_nas.network.module import StaticNetwork
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.supernet.families import AnySupernet
from tinyml_nas.supernet.inherit import inherit, inherit_and_fit
from tinyml_nas.supernet.space import Genotype
from tinyml_nas.training.loop import accuracy
from tinyml_nas.types import Architecture, Footprint, Images


class SupernetProblem:
    """Scores networks of ``supernet`` on ``validation`` with weights as they are inherited.

    BatchNorm's statistics are measured on the first images of ``train``. Neither training nor the
    test split enters. ``cost`` says what a network costs on the board, as what it is deployed.
    """

    def __init__(
        self,
        supernet: AnySupernet,
        train: Images,
        validation: Images,
        board: Board,
        cost: Callable[[NetworkSpec, Board], Footprint] = footprint,
    ) -> None:
        self.supernet = supernet
        self.cost = cost
        self.board = board
        self.train = train
        self.validation = validation
        self._footprint = lru_cache(maxsize=None)(self._footprint_of)

    @property
    def upper(self) -> Genotype:
        """Inclusive upper bound of each gene."""
        return self.supernet.space.upper

    def canonical(self, genotype: Genotype) -> Genotype:
        """Zero the genes that are not expressed."""
        return self.supernet.space.canonical(genotype)

    def anchors(self) -> Sequence[Genotype]:
        """The smallest and the largest network."""
        return [self.supernet.space.smallest(), self.supernet.space.largest()]

    def architecture(self, genotype: Genotype) -> Architecture:
        """Name the network."""
        return self.supernet.space.architecture(genotype)

    def footprint(self, genotype: Genotype) -> Footprint:
        """Parameters, MACs, activations, and the planner's flash and SRAM on the board."""
        return self._footprint(self.architecture(genotype).genes)

    def error(self, genotype: Genotype) -> float:
        """Top-1 error in [0, 1] on the validation split.

        Where the head is fitted, the training images that it is fitted to count too, each left out in turn:
        they are many where there are few to validate on.
        """
        network, fit = inherit_and_fit(self.supernet, genotype, self.train)
        share = accuracy(network, self.validation)
        if fit is None:
            return 1.0 - share
        images = len(self.validation)
        return 1.0 - (share * images + fit.correct) / (images + fit.images)

    def inherit(self, genotype: Genotype) -> StaticNetwork:
        """The network with inherited weights and its own BatchNorm statistics."""
        return inherit(self.supernet, genotype, self.train)

    def _footprint_of(self, genes: tuple[int, ...]) -> Footprint:
        genotype = np.array(genes, dtype=np.int64)
        spec = self.supernet.space.spec(genotype, self.supernet.classes)
        return self.cost(spec, self.board)
