"""Fits a challenger on a little feedback, starting from a version whose corpora are elsewhere.

An operator has the shipped weights and their training summary (``Precision``), not the comments behind them.
Both together are a prior: the challenger minimises

    sum of s * log(1 + exp(-y * log_odds)) over the feedback
    + 1/2 * sum of (strength * precision + floor) * (weight - shipped weight)**2

so a token that the corpora knew well stays where it was, and one that they hardly saw follows the feedback.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from model.classifier import SpamClassifier
from model.precision import Precision
from training.matrix import Linear, Matrix


@dataclass(frozen=True, slots=True)
class WarmParams:
    """How far feedback may move the shipped weights.

    The values were chosen on blogs left out of the corpora (docs/decisions/0005-retraining.md).

    Attributes
    ----------
    voice : float
        How much one fresh human label counts against one comment of the corpora.
    strength : float
        How much of the corpora's evidence stands behind each shipped weight.
    floor : float
        Resistance of a weight that the corpora say nothing about, in comments times value squared.
    max_iter : int
        Rounds of the solver at most.
    """

    voice: float = 10.0
    strength: float = 1.0
    floor: float = 1.0
    max_iter: int = 200


def summarise(matrix: Matrix, weights: NDArray[np.float64]) -> Precision:
    """Return what a corpus knows of each token and of the bias.

    Parameters
    ----------
    matrix : Matrix
        What the version was fitted on.
    weights : ndarray of float64, shape (n_comments,)
        Sample weights of that fit.

    Returns
    -------
    Precision
        A bound of the logistic loss's curvature, a quarter of the weighted sum of squared values. The curvature
        itself would fade where the fit is sure of itself, which is where it should be moved least.

    References
    ----------
    J. Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks", PNAS 114 (2017): the old
    task as a quadratic penalty for the new one. D. Boehning, "Multinomial logistic regression algorithm",
    Annals of the Institute of Statistical Mathematics 44 (1992), for the bound.
    """
    squared = scipy.sparse.csr_array(
        (np.square(matrix.rows.data), matrix.rows.indices, matrix.rows.indptr), shape=matrix.rows.shape
    )
    per_token = np.asarray(squared.T @ weights) / 4
    return Precision(per_token.astype(np.float32), float(weights.sum()) / 4)


def fit_warm(
    base: SpamClassifier,
    precision: Precision,
    matrix: Matrix,
    params: WarmParams,
    *,
    each_round: Callable[[], None] = lambda: None,
) -> Linear:
    """Move a version's weights towards feedback.

    Parameters
    ----------
    base : SpamClassifier
        The version to start from.
    precision : Precision
        What its corpora knew.
    matrix : Matrix
        Feedback, in rows of the version's own features; one label alone will do.
    params : WarmParams
    each_round : callable
        Called once a round of the solver; may raise to give up.

    Returns
    -------
    Linear
        Weights of tokens that the feedback does not have are those of the version.
    """
    start = Linear(base.weights.astype(np.float64), base.bias)
    if not matrix.comments:
        return start
    places = np.unique(matrix.rows.indices)
    # A column for the bias; each column is stretched so that the penalty becomes the plain sum of squares.
    resistance = np.append(
        params.strength * precision.per_token[places].astype(np.float64) + params.floor,
        params.strength * precision.of_bias + params.floor,
    )
    stretch = 1.0 / np.sqrt(resistance)
    rows = scipy.sparse.hstack([matrix.rows[:, places], np.ones((len(matrix.comments), 1))], format="csr")
    rows = scipy.sparse.csr_array(rows @ scipy.sparse.diags_array(stretch))
    offset = start.log_odds(matrix.rows)
    sign = np.where(matrix.is_spam, 1.0, -1.0)
    voices = params.voice * np.array([row.weight for row in matrix.comments])

    def loss(moved: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (offset + rows @ moved)
        value = float(voices @ np.logaddexp(0.0, -margin) + moved @ moved / 2)
        return value, rows.T @ (-voices * sign * expit(-margin)) + moved

    found = minimize(
        loss,
        np.zeros(places.size + 1),
        jac=True,
        method="L-BFGS-B",
        callback=lambda _: each_round(),
        options={"maxiter": params.max_iter},
    )
    moved = found.x * stretch
    weights = start.weights.copy()
    weights[places] += moved[:-1]
    return Linear(weights, start.bias + float(moved[-1]))


def recency(ages_days: Sequence[float], *, half_life_days: float, least: float) -> NDArray[np.float64]:
    """Return the voice of labels by age: halved every half-life, never below ``least``, shape (n,)."""
    ages = np.maximum(0.0, np.asarray(ages_days, dtype=np.float64))
    voices: NDArray[np.float64] = np.maximum(least, 0.5 ** (ages / half_life_days))
    return voices
