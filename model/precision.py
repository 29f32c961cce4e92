"""What a version's corpora knew of each token, small enough to ship beside the weights.

Kept as one byte a token on a scale of powers of two: enough for a penalty, and nothing of the comments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Steps to a doubling, and the exponent of the first step: 2**-12 to 2**19.75.
_STEPS = 8
_LOWEST = -12.0


@dataclass(frozen=True, slots=True)
class Precision:
    """The evidence behind a version's weights.

    Attributes
    ----------
    per_token : ndarray of float32, shape (n_features,)
        Bound of the loss's curvature, at least 0: a quarter of the sum of weight times value squared over the
        comments that have the token.
    of_bias : float
        The same for the bias.
    """

    per_token: NDArray[np.float32]
    of_bias: float

    @classmethod
    def nothing(cls, n_features: int) -> Precision:
        """Return the precision of a version whose corpora nobody summed up."""
        return cls(np.zeros(n_features, dtype=np.float32), 0.0)


def to_bytes(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Put values on the scale; 0 stays 0, what is beyond an end goes to that end.

    Raises
    ------
    ValueError
        If a value is negative or not finite.
    """
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError("precision must be finite and at least 0")
    with np.errstate(divide="ignore"):
        steps = np.rint((np.log2(values) - _LOWEST) * _STEPS) + 1
    return np.where(values > 0, np.clip(steps, 1, 255), 0).astype(np.uint8)


def from_bytes(steps: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the values that ``to_bytes`` stood for, to within 5 %."""
    values = np.exp2((steps.astype(np.float32) - 1) / _STEPS + np.float32(_LOWEST))
    return np.where(steps == 0, np.float32(0), values).astype(np.float32)
