"""Chooses cut-offs that keep a promise: of 1,000 real comments at most so many are held."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

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


def umbrella_threshold(ham_scores: NDArray[np.float64], *, max_fpr: float, confidence: float = 0.9) -> float:
    """Return the lowest cut-off that keeps the budget on new ham with the given confidence.

    Parameters
    ----------
    ham_scores : ndarray of float64, shape (n_ham,)
        Scores of ham that the scorer was not fitted on, drawn alike with the ham to come.
    max_fpr : float
        Budget as a fraction of ham, in (0, 1).
    confidence : float
        In (0, 1).

    Returns
    -------
    float
        inf if so few comments cannot prove the budget: 59 are needed for 5 % at 0.95, 230 for 1 % at 0.9.

    References
    ----------
    X. Tong, Y. Feng and J. J. Li, "Neyman-Pearson classification algorithms and NP receiver operating
    characteristics", Science Advances 4 (2018): the smallest rank k for which
    P(Binomial(n, 1 - max_fpr) >= k) <= 1 - confidence.
    """
    n = ham_scores.size
    ranks = np.arange(1, n + 1)
    violation = binom.sf(ranks - 1, n, 1.0 - max_fpr)
    allowed = np.flatnonzero(violation <= 1.0 - confidence)
    if allowed.size == 0:
        return math.inf
    return float(np.nextafter(np.sort(ham_scores)[allowed[0]], math.inf))


def choose_policy(ham_scores: NDArray[np.float64], budgets: Budgets) -> Policy:
    """Return the policy that keeps all three budgets; a range that cannot be proved stays closed (inf)."""
    cuts = [
        umbrella_threshold(ham_scores, max_fpr=budget, confidence=budgets.confidence)
        for budget in (budgets.unsure, budgets.spam, budgets.discard)
    ]
    return Policy(*np.maximum.accumulate(cuts).tolist())
