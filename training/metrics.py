"""Arrays in, numbers out: how well scores tell spam from ham."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]


def threshold_at(ham_scores: Scores, *, max_fpr: float) -> float:
    """Return the lowest cut-off at which at most ``max_fpr`` of the ham is called spam.

    Parameters
    ----------
    ham_scores : ndarray of float64, shape (n_ham,)
        Scores of ham, at least one.
    max_fpr : float
        Budget as a fraction of ham, in [0, 1).

    Returns
    -------
    float
        Just above the highest ham score that must stay below; a score counts as spam from the cut-off on.

    Raises
    ------
    ValueError
        If there is no ham.
    """
    if ham_scores.size == 0:
        raise ValueError("a cut-off needs ham to be found on")
    allowed = math.floor(max_fpr * ham_scores.size + 1e-9)
    ordered = np.sort(ham_scores)[::-1]
    return float(np.nextafter(ordered[allowed], math.inf))


def recall_at_fpr(is_spam: Flags, scores: Scores, *, max_fpr: float) -> tuple[float, float]:
    """Return the highest recall whose false-positive rate stays within a budget, and its cut-off.

    Parameters
    ----------
    is_spam : ndarray of bool, shape (n_comments,)
    scores : ndarray of float64, shape (n_comments,)
        The higher, the more like spam.
    max_fpr : float
        Budget as a fraction of ham; 0.01 is one in a hundred.

    Returns
    -------
    recall, threshold : float, float

    Raises
    ------
    ValueError
        If the lengths differ or one class is missing.

    References
    ----------
    T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006).

    Examples
    --------
    >>> recall_at_fpr(np.array([False, False, True, True]), np.array([.1, .6, .4, .9]), max_fpr=0.0)[0]
    0.5
    """
    _check(is_spam, scores)
    threshold = threshold_at(scores[~is_spam], max_fpr=max_fpr)
    return float(np.mean(scores[is_spam] >= threshold)), threshold


def recall_interval(
    is_spam: Flags, scores: Scores, *, max_fpr: float, n_rounds: int = 200, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of ``recall_at_fpr``, ham and spam drawn apart.

    References
    ----------
    B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), percentile method.
    """
    return interval(recall_rounds(is_spam, scores, max_fpr=max_fpr, n_rounds=n_rounds, seed=seed))


def recall_rounds(
    is_spam: Flags, scores: Scores, *, max_fpr: float, n_rounds: int = 200, seed: int = 0
) -> NDArray[np.float64]:
    """Return ``recall_at_fpr`` on bootstrap samples, shape (n_rounds,).

    The same seed and labels draw the same comments whatever the scores, so two scorers can be compared round
    by round.
    """
    _check(is_spam, scores)
    chance = np.random.default_rng(seed)
    ham, spam = scores[~is_spam], scores[is_spam]
    return np.array(
        [
            np.mean(
                chance.choice(spam, spam.size) >= threshold_at(chance.choice(ham, ham.size), max_fpr=max_fpr)
            )
            for _ in range(n_rounds)
        ]
    )


def interval(rounds: NDArray[np.float64]) -> tuple[float, float]:
    """Return the middle 95 % of bootstrap rounds."""
    low, high = np.quantile(rounds, (0.025, 0.975))
    return float(low), float(high)


def auc(is_spam: Flags, scores: Scores) -> float:
    """Return the area under the ROC curve: the chance that a spam scores above a ham."""
    _check(is_spam, scores)
    return float(roc_auc_score(is_spam, scores))


def expected_calibration_error(is_spam: Flags, scores: Scores, *, n_bins: int = 15) -> float:
    """Return the mean distance between score and share of spam over equally filled bins, in [0, 1].

    References
    ----------
    M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian
    binning", AAAI 2015; with bins of equal size instead of equal width.
    """
    if is_spam.size == 0:
        raise ValueError("calibration error of nothing is undefined")
    order = np.argsort(scores, kind="stable")
    error = 0.0
    for part in np.array_split(order, min(n_bins, order.size)):
        error += part.size * abs(float(np.mean(scores[part])) - float(np.mean(is_spam[part])))
    return error / order.size


def _check(is_spam: Flags, scores: Scores) -> None:
    if is_spam.shape != scores.shape:
        raise ValueError(f"{is_spam.size} labels and {scores.size} scores")
    if not is_spam.any() or is_spam.all():
        raise ValueError("both ham and spam are needed")
