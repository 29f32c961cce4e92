"""Fits one additive model and calibrates it on sources that it did not see."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from model import __version__
from model.budget import CutTable, tabulate
from model.card import ModelCard
from model.classifier import SpamClassifier, sigmoid
from model.features import FeatureParams
from model.verdict import Policy
from training import corpus
from training.augment import Padding
from training.matrix import Linear, Matrix
from training.spintax import KIND as GENERATED
from training.split import calibration_folds
from training.thresholds import Budgets, choose_policy

# A body has some hundred times the tokens of an author's name; at equal norms the penalty lets names and
# addresses decide. Three times the norm for the body: recall on the blogs left out .52 -> .55 at 0.1 %, for one
# point less at 1 % (docs/experiments/0001-first-model.md).
BODY_FIRST = {"body:word": 3.0, "body:pair": 3.0, "body:gram": 3.0}
# Beyond e**4 to 1 more evidence is not a louder voice.
_MAX_RATIO = 4.0


@dataclass(frozen=True, slots=True)
class FitParams:
    """How a version is fitted.

    Attributes
    ----------
    features : FeatureParams
    inverse_penalty : float
        scikit-learn's ``C``; with evidence scaling half of what was best without it
        (docs/experiments/0009-facts.md).
    evidence_power, evidence_smoothing : float
        How a token's own evidence sets how loud it enters the fit (``evidence``); a power of 0 is off. The
        smoothing is in comments. A power of 0.5 gains six points of recall at 0.1 % on the blogs left out
        (docs/experiments/0005-evidence.md); ``Balance.language_ratio`` keeps it from holding every comment of a
        language known from spam alone.
    n_calibration_folds : int
        Groups of sources for calibration, each scored by a fit on the others.
    max_iter : int
        Rounds of the solver at most, so that a fit is bounded in time.
    limits : Limits
    balance : Balance
    padding : Padding
        Echoes of comments among real words, which enter every fit beside them.
    budgets : Budgets
    seed : int
    """

    features: FeatureParams = field(default_factory=lambda: FeatureParams(scales=BODY_FIRST))
    inverse_penalty: float = 0.05
    evidence_power: float = 0.5
    evidence_smoothing: float = 10.0
    n_calibration_folds: int = 4
    max_iter: int = 50
    limits: corpus.Limits = field(default_factory=corpus.Limits)
    balance: corpus.Balance = field(default_factory=corpus.Balance)
    padding: Padding = field(default_factory=Padding)
    budgets: Budgets = field(default_factory=Budgets)
    seed: int = 0


def fit_linear(matrix: Matrix, params: FitParams, chosen: NDArray[np.bool_] | None = None) -> Linear:
    """Fit a linear support vector machine with squared hinge loss and balanced weights.

    Its margin is no log-odds yet: ``fit_calibrated`` makes it one.

    Parameters
    ----------
    matrix : Matrix
    params : FitParams
    chosen : ndarray of bool, shape (n_comments,), optional
        The rows to fit on; all if not given. Costs no copy of them, as ``matrix[chosen]`` would.

    Raises
    ------
    ValueError
        If one label is missing.

    References
    ----------
    C.-J. Hsieh et al., "A dual coordinate descent method for large-scale linear SVM", ICML 2008 (liblinear).
    """
    if chosen is not None and (params.evidence_power or matrix.echoes is not None):
        return fit_linear(matrix[chosen], params)
    weights = np.zeros(len(matrix.comments))
    if chosen is None:
        weights = corpus.balanced_weights(matrix.comments, params.balance)
    else:
        # A weight of 0 leaves a row out and gives the very same fit as a matrix without it, which would be a copy.
        if np.unique(matrix.is_spam[chosen]).size < 2:
            raise ValueError("a fit needs spam and ham: the rows chosen hold one of them only")
        kept = [matrix.comments[place] for place in np.flatnonzero(chosen).tolist()]
        weights[chosen] = corpus.balanced_weights(kept, params.balance)
    rows, is_spam, scales = matrix.rows, matrix.is_spam, np.ones(1)
    if params.evidence_power:
        scales = evidence(matrix, weights, params)
    if matrix.echoes is not None:
        rows = scipy.sparse.vstack((rows, matrix.echoes), format="csr")
        parents = matrix.origins[0]
        is_spam = np.concatenate((is_spam, is_spam[parents]))
        weights = np.concatenate((weights, weights[parents] * params.padding.weight))
    if params.evidence_power:
        if rows is matrix.rows:
            rows = rows.copy()
        rows.data *= scales[rows.indices]
    solver = LinearSVC(
        C=params.inverse_penalty, dual=True, max_iter=params.max_iter, tol=1e-2, random_state=params.seed
    )
    with warnings.catch_warnings():
        # Stopping early is a choice, not a failure: see FitParams.max_iter.
        warnings.simplefilter("ignore", ConvergenceWarning)
        solver.fit(rows, is_spam, sample_weight=weights)
    return Linear(solver.coef_[0] * scales, float(solver.intercept_[0]))


def evidence(matrix: Matrix, weights: NDArray[np.float64], params: FitParams) -> NDArray[np.float64]:
    """Return how loud each token enters the fit, shape (n_features,), at least 0.

    The log-ratio of the token's frequencies in spam and in ham, smoothed, as an absolute value to the power
    ``params.evidence_power``. The penalty then falls on what tells nothing by itself, and a token of one odd
    campaign costs more than one that half the spam shares.

    References
    ----------
    S. Wang and C. Manning, "Baselines and bigrams: simple, good sentiment and topic classification", ACL 2012,
    with the sign left to the fit and the ratio bounded.
    """
    counts = {}
    for name, side in (("spam", matrix.is_spam), ("ham", ~matrix.is_spam)):
        share = matrix.rows[np.flatnonzero(side)]
        n_tokens = np.diff(share.indptr)
        counts[name] = params.evidence_smoothing + np.bincount(
            share.indices, weights=np.repeat(weights[side], n_tokens), minlength=share.shape[1]
        )
    ratio = np.log(counts["spam"] / counts["spam"].sum()) - np.log(counts["ham"] / counts["ham"].sum())
    scales: NDArray[np.float64] = np.minimum(np.abs(ratio), _MAX_RATIO) ** params.evidence_power
    return scales


def fit_calibrated(matrix: Matrix, params: FitParams) -> tuple[Linear, Policy, NDArray[np.float64]]:
    """Fit on everything, calibrated and given cut-offs by scores that each source got from the others.

    Returns
    -------
    linear : Linear
        Its log-odds are calibrated.
    policy : Policy
    log_odds : ndarray of float64, shape (n_comments,)
        What calibration and cut-offs were found on: for each comment, the calibrated log-odds of a fit that
        saw none of its source.

    References
    ----------
    J. Platt, "Probabilistic outputs for support vector machines" (1999): a logistic regression on the score.
    """
    folds = calibration_folds(matrix.comments, params.n_calibration_folds)
    unseen = np.empty(len(matrix.comments))
    # One after the other: liblinear draws from one random state of the process, so fits in threads would differ
    # from run to run.
    for fold in range(int(folds.max()) + 1):
        left_out = folds == fold
        unseen[left_out] = matrix.judged(fit_linear(matrix, params, ~left_out), np.flatnonzero(left_out))
    weights = corpus.balanced_weights(matrix.comments, params.balance)
    platt = LogisticRegression(C=1e6).fit(unseen[:, None], matrix.is_spam, sample_weight=weights)
    slope, shift = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    unseen = unseen * slope + shift
    linear = fit_linear(matrix, params).stretched(slope, shift)
    # The promise is about the next site more than about the largest known one.
    ham = promised_ham(matrix)
    policy = choose_policy(sigmoid(unseen[ham]), params.budgets, weights=weights[ham])
    return linear, policy, unseen


def promised_ham(matrix: Matrix) -> NDArray[np.bool_]:
    """Return True for the ham that cut-offs are found on: that on pages, or all where the corpus has no pages.

    What was made and not found promises nothing about real comments.
    """
    found = np.array([row.kind != GENERATED for row in matrix.comments], dtype=np.bool_)
    on_pages = corpus.on_pages(matrix.comments) & ~matrix.is_spam & found
    return on_pages if on_pages.any() else ~matrix.is_spam


def cut_table(matrix: Matrix, unseen: NDArray[np.float64], params: FitParams) -> CutTable:
    """Return the cut-offs that a grid of budgets means, by scores that each source got from the others.

    Parameters
    ----------
    matrix : Matrix
    unseen : ndarray of float64, shape (n_comments,)
        The log-odds of ``fit_calibrated``.
    params : FitParams
    """
    ham = promised_ham(matrix)
    return tabulate(
        sigmoid(unseen[ham]),
        n_sources=len({row.source for row, chosen in zip(matrix.comments, ham, strict=True) if chosen}),
        confidence=params.budgets.confidence,
        weights=corpus.balanced_weights(matrix.comments, params.balance)[ham],
    )


def make_classifier(
    linear: Linear,
    policy: Policy,
    matrix: Matrix,
    params: FitParams,
    *,
    card: dict[str, Any] | None = None,
    cut_table: CutTable | None = None,
) -> SpamClassifier:
    """Make a version of a fit; its name comes from its content, so the same fit has the same name."""
    weights = linear.weights.astype(np.float32)
    fingerprint = corpus.fingerprint(matrix.comments)
    digest = hashlib.sha256(weights.tobytes() + repr((linear.bias, params, policy, fingerprint)).encode())
    version = f"{__version__.split('.dev')[0]}-{digest.hexdigest()[:8]}"
    n_spam = int(matrix.is_spam.sum())
    return SpamClassifier(
        version=version,
        params=params.features,
        weights=weights,
        bias=linear.bias,
        policy=policy,
        card=ModelCard(
            version=version,
            fingerprint=fingerprint,
            n_spam=n_spam,
            n_ham=len(matrix.comments) - n_spam,
            **(card or {}),
        ),
        cut_table=cut_table,
    )
