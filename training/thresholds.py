"""Chooses cut-offs that keep a promise: of 1,000 real comments at most so many are held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.budget import umbrella_threshold
from model.verdict import Policy


@dataclass(frozen=True, slots=True)
class Budgets:
    """Fractions of real comments that may end in each range or above it.

    Attributes
    ----------
    unsure, spam, discard : float
        In (0, 1), falling.
    confidence : float
        Chance with which a cut-off keeps its budget, in (0, 1).
    """

    unsure: float = 0.03
    spam: float = 0.01
    discard: float = 0.0005
    confidence: float = 0.9

    def __post_init__(self) -> None:
        if not 0 < self.discard < self.spam < self.unsure < 1:
            raise ValueError("budgets must be fractions with discard < spam < unsure")


def choose_policy(
    ham_scores: NDArray[np.float64], budgets: Budgets, *, weights: NDArray[np.float64] | None = None
) -> Policy:
    """Return the policy that keeps all three budgets; a range that cannot be proved stays closed (inf)."""
    cuts = [
        umbrella_threshold(ham_scores, max_fpr=budget, confidence=budgets.confidence, weights=weights)
        for budget in (budgets.unsure, budgets.spam, budgets.discard)
    ]
    return Policy(*np.maximum.accumulate(cuts).tolist())
