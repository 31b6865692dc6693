"""The latest sample alone."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.learners.tybox import Tybox


@dataclass(frozen=True)
class TinyOL(Tybox):
    """TinyOL (Ren et al. 2021): SGD on the latest labelled sample only.

    The same program as TyBox's with a buffer of one, and by default under the same loss.
    """

    @property
    def most_samples(self) -> int:
        """One, however many there is room for."""
        return 1
