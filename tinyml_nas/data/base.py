"""What a data set offers to the stages. One file per data set; ``conf/dataset`` chooses one."""

from __future__ import annotations

from typing import Protocol

from tinyml_nas.types import DataCounts, Images, SplitName


class DataError(Exception):
    """A data file is missing, truncated or corrupt; the message says which and what to do."""


class Dataset(DataCounts, Protocol):
    """Labelled images in three fixed splits. Nothing is ever selected on ``test``."""

    def check(self) -> None:
        """Refuse, before any work, data that are not there and cannot be fetched.

        Raises:
            ValueError: naming the config key.
        """

    def digest(self) -> str:
        """SHA-256 (hex) that stands for every pixel, label and split; reads published data never."""

    def split(self, name: SplitName) -> Images:
        """Load one split: uint8 RGB pixels (N, side, side, 3) and labels (N,), in a fixed order.

        Raises:
            DataError: a file is missing and cannot be fetched, or is not what it should be.
        """
