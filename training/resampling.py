"""Bootstrap intervals that draw whole campaigns: near-copies are no independent evidence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.metrics import interval

N_ROUNDS = 200


def campaign_recall_rounds(
    is_spam: NDArray[np.bool_],
    scores: NDArray[np.float64],
    campaigns: NDArray[np.int64],
    *,
    max_fpr: float,
    n_rounds: int = N_ROUNDS,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return recall at a budget of ham on bootstrap samples of campaigns, shape (n_rounds,).

    Parameters
    ----------
    is_spam : ndarray of bool, shape (n_comments,)
        Both labels are needed.
    scores : ndarray of float64, shape (n_comments,)
    campaigns : ndarray of int64, shape (n_comments,)
        Rows of one number are drawn together; spam and ham are drawn apart.
    max_fpr : float
        Budget as a fraction of ham, in [0, 1).
    n_rounds, seed : int

    Returns
    -------
    ndarray of float64
        The same seed, labels and campaigns draw the same comments whatever the scores.

    Raises
    ------
    ValueError
        If one label is missing.

    References
    ----------
    A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their Application" (1997), section 3.8: cluster sampling.
    """
    if not is_spam.any() or is_spam.all():
        raise ValueError("both ham and spam are needed")
    chance = np.random.default_rng(seed)
    ham, spam = _Drawn(campaigns[~is_spam]), _Drawn(campaigns[is_spam])
    order = np.argsort(-scores[~is_spam], kind="stable")
    ham_scores, spam_scores = scores[~is_spam][order], scores[is_spam]
    rounds = np.empty(n_rounds)
    for place in range(n_rounds):
        weights = ham.draw(chance)[order]
        above = np.cumsum(weights)
        # The highest score that drawn ham has beyond the budget; spam must lie above it.
        barrier = int(np.searchsorted(above, max_fpr * above[-1] * (1 + 1e-12), side="right"))
        counts = spam.draw(chance)
        rounds[place] = counts[spam_scores > ham_scores[barrier]].sum() / counts.sum()
    return rounds


def campaign_recall_interval(
    is_spam: NDArray[np.bool_],
    scores: NDArray[np.float64],
    campaigns: NDArray[np.int64],
    *,
    max_fpr: float,
    n_rounds: int = N_ROUNDS,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the 95 % percentile interval of ``campaign_recall_rounds``."""
    return interval(
        campaign_recall_rounds(is_spam, scores, campaigns, max_fpr=max_fpr, n_rounds=n_rounds, seed=seed)
    )


class _Drawn:
    """Draws campaigns with replacement, as often as there are some."""

    def __init__(self, campaigns: NDArray[np.int64]) -> None:
        names, self._places = np.unique(campaigns, return_inverse=True)
        self._n_campaigns = names.size

    def draw(self, chance: np.random.Generator) -> NDArray[np.int64]:
        """Return how often each row was drawn."""
        drawn = chance.integers(self._n_campaigns, size=self._n_campaigns)
        counts: NDArray[np.int64] = np.bincount(drawn, minlength=self._n_campaigns)[self._places]
        return counts
