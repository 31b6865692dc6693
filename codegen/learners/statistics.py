"""What the factory saw: class means and second moments of the features of training images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

FILE = "statistics.npz"
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Statistics:
    """Of real features x (F,): what a head that knows C classes may start from.

    ``shares`` (C,) and ``means`` (C, F) are of the classes that it knows, ``mean`` (F,) of all samples,
    ``second`` (F, F) the mean of x x', ``within`` (F, F) the covariance within classes.
    """

    shares: Array
    means: Array
    mean: Array
    second: Array
    within: Array

    def __post_init__(self) -> None:
        size = len(self.mean)
        wanted = {
            "shares": (len(self.means),),
            "means": (len(self.means), size),
            "mean": (size,),
            "second": (size, size),
            "within": (size, size),
        }
        for name, shape in wanted.items():
            part = getattr(self, name)
            if part.shape != shape:
                raise ValueError(f"statistics: {name}: must be {shape}; it is {part.shape}")
            if not np.isfinite(part).all():
                raise ValueError(f"statistics: {name}: must be finite")

    @property
    def unit(self) -> float:
        """What a feature is multiplied with so that its mean square is 1."""
        size = float(np.trace(self.second)) / len(self.second)
        return float(1 / np.sqrt(size)) if size > 0 else 1.0

    def write(self, aside: Path) -> None:
        """As an ``.npz`` file, which is to be put in its place."""
        np.savez(aside, **{item.name: getattr(self, item.name) for item in fields(self)})

    @classmethod
    def read(cls, path: Path) -> Statistics:
        """What ``write`` wrote."""
        with np.load(path, allow_pickle=False) as content:
            return cls(**{item.name: content[item.name] for item in fields(cls)})


def statistics_of(
    features: npt.NDArray[np.floating],
    labels: npt.NDArray[np.integer],
    classes: Sequence[int],
) -> Statistics:
    """Of real features (N, F), their labels (N,), and the classes that the head knows, in its order.

    Raises:
        ValueError: there are no samples, or none of a class that it knows; or they are not finite.
    """
    features = features.astype(np.float64)
    if not len(features):
        raise ValueError("statistics: there is no sample")
    within = np.zeros((features.shape[1], features.shape[1]))
    means, shares = {}, {}
    for label in np.unique(labels).tolist():
        own = features[labels == label]
        means[label], shares[label] = own.mean(axis=0), len(own) / len(features)
        within += (own - means[label]).T @ (own - means[label]) / len(features)
    missing = [label for label in classes if label not in means]
    if missing:
        raise ValueError(f"statistics: every class needs a sample; there is none of {missing}")
    empty = np.zeros((0, features.shape[1]))
    return Statistics(
        shares=np.array([shares[label] for label in classes]),
        means=np.stack([means[label] for label in classes]) if len(classes) else empty,
        mean=features.mean(axis=0),
        second=features.T @ features / len(features),
        within=within,
    )


def shrunk(matrix: Array, share: float) -> Array:
    """A covariance (F, F) with a share of its mean variance on the diagonal: then it has an inverse.

    With fewer samples than features, or with features that never change, it would have none.
    """
    size = float(np.trace(matrix)) / len(matrix)
    regular: Array = matrix + share * (size if size > 0 else 1.0) * np.eye(len(matrix))
    return regular


def inverse(matrix: Array) -> Array:
    """Of a symmetric matrix, symmetric to the last bit."""
    found = np.linalg.inv(matrix).astype(np.float64)
    symmetric: Array = (found + found.T) / 2
    return symmetric


def packed(matrix: Array) -> npt.NDArray[np.float32]:
    """A positive definite matrix as ``UdFactor`` has it: D, then U's columns above the diagonal.

    P = U D U' with U unit upper triangular, from the Cholesky factor of P turned by half a circle.
    """
    lower = np.linalg.cholesky(matrix[::-1, ::-1])
    upper = lower[::-1, ::-1]
    roots = np.diag(upper)
    unit = upper / roots
    columns = [unit[:j, j] for j in range(1, len(matrix))]
    return np.concatenate([roots**2, *columns]).astype(np.float32)


def number(value: float) -> npt.NDArray[np.float32]:
    """A constant (1,) of the factory."""
    return np.array([value], np.float32)


def packed_bytes(size: int) -> int:
    """Bytes of a packed triangle."""
    return 4 * size * (size + 1) // 2
