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


def umbrella_threshold(
    ham_scores: NDArray[np.float64],
    *,
    max_fpr: float,
    confidence: float = 0.9,
    weights: NDArray[np.float64] | None = None,
) -> float:
    """Return the lowest cut-off that keeps the budget on new ham with the given confidence.

    Parameters
    ----------
    ham_scores : ndarray of float64, shape (n_ham,)
        Scores of ham that the scorer was not fitted on, drawn alike with the ham to come.
    max_fpr : float
        Budget as a fraction of ham, in (0, 1).
    confidence : float
        In (0, 1).
    weights : ndarray of float64, shape (n_ham,), optional
        How much each stands for the ham to come, all above 0; alike if not given. The proof then counts as
        many comments as the weights are worth, ``sum(w)**2 / sum(w**2)``.

    Returns
    -------
    float
        inf if so few comments cannot prove the budget: 59 are needed for 5 % at 0.95, 230 for 1 % at 0.9.

    References
    ----------
    X. Tong, Y. Feng and J. J. Li, "Neyman-Pearson classification algorithms and NP receiver operating
    characteristics", Science Advances 4 (2018): the smallest rank k for which
    P(Binomial(n, 1 - max_fpr) >= k) <= 1 - confidence. L. Kish, "Survey Sampling" (1965), for the effective
    sample size.
    """
    if weights is None:
        weights = np.ones(ham_scores.size)
    n = math.floor(weights.sum() ** 2 / np.square(weights).sum() + 1e-9) if ham_scores.size else 0
    violation = binom.sf(np.arange(n), n, 1.0 - max_fpr)
    allowed = np.flatnonzero(violation <= 1.0 - confidence)
    if allowed.size == 0:
        return math.inf
    rank = int(allowed[0]) + 1
    order = np.argsort(ham_scores)
    # The score below which as much of the weight lies as rank k has of n comments alike.
    below = np.cumsum(weights[order]) / weights.sum()
    place = int(np.searchsorted(below, rank / n - 1e-12))
    return float(np.nextafter(ham_scores[order[min(place, order.size - 1)]], math.inf))


def choose_policy(
    ham_scores: NDArray[np.float64], budgets: Budgets, *, weights: NDArray[np.float64] | None = None
) -> Policy:
    """Return the policy that keeps all three budgets; a range that cannot be proved stays closed (inf)."""
    cuts = [
        umbrella_threshold(ham_scores, max_fpr=budget, confidence=budgets.confidence, weights=weights)
        for budget in (budgets.unsure, budgets.spam, budgets.discard)
    ]
    return Policy(*np.maximum.accumulate(cuts).tolist())
