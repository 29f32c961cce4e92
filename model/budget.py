"""What a budget of held ham means as a cut-off: the Neyman-Pearson umbrella algorithm, and a version's table of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Budgets for which a version tells its cut-offs, as fractions of ham.
GRID = (
    *(0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008),
    *(0.01, 0.012, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1),
)


def ham_needed(max_fpr: float, confidence: float) -> int:
    """Return how many ham it takes at least to prove a budget: 230 for 1 % at 0.9.

    Parameters
    ----------
    max_fpr, confidence : float
        In (0, 1).
    """
    return math.ceil(math.log(1.0 - confidence) / math.log1p(-max_fpr))


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
    # A fifth of a second to import: every command loads the registry, hardly one proves a budget.
    from scipy.special import bdtrc

    if weights is None:
        weights = np.ones(ham_scores.size)
    n = effective_size(weights)
    violation = bdtrc(np.arange(n, dtype=np.float64), n, 1.0 - max_fpr)
    allowed = np.flatnonzero(violation <= 1.0 - confidence)
    if allowed.size == 0:
        return math.inf
    rank = int(allowed[0]) + 1
    order = np.argsort(ham_scores)
    # The score below which as much of the weight lies as rank k has of n comments alike.
    below = np.cumsum(weights[order]) / weights.sum()
    place = int(np.searchsorted(below, rank / n - 1e-12))
    return float(np.nextafter(ham_scores[order[min(place, order.size - 1)]], math.inf))


def effective_size(weights: NDArray[np.float64]) -> int:
    """Return how many comments alike the weighted ones are worth, rounded down."""
    return math.floor(weights.sum() ** 2 / np.square(weights).sum() + 1e-9) if weights.size else 0


@dataclass(frozen=True, slots=True)
class CutTable:
    """A version's cut-offs for a grid of budgets, found on ham of sources that its scores did not come from.

    Attributes
    ----------
    budgets : tuple of float
        Fractions of ham, rising.
    cuts : tuple of float
        Lowest score called spam under each; inf where so few comments prove nothing.
    confidence : float
    n_ham, n_sources : int
        What they were found on.
    proved_on : str or None
        The version whose scores they were found on, if this one was fitted further from it; None if its own.

    Raises
    ------
    ValueError
        If the budgets do not rise, or there are not as many cut-offs.
    """

    budgets: tuple[float, ...]
    cuts: tuple[float, ...]
    confidence: float
    n_ham: int
    n_sources: int
    proved_on: str | None = None

    def __post_init__(self) -> None:
        if len(self.budgets) != len(self.cuts) or list(self.budgets) != sorted(set(self.budgets)):
            raise ValueError("a table has rising budgets and one cut-off for each")
        if any(math.isnan(cut) or cut < 0.0 for cut in self.cuts):
            raise ValueError("cut-offs must be numbers from 0 upwards")

    def cut(self, budget: float) -> float:
        """Return a cut-off that keeps a budget: that of the largest budget in the table not above it."""
        fitting = [
            cut for known, cut in zip(self.budgets, self.cuts, strict=True) if known <= budget * (1 + 1e-9)
        ]
        return fitting[-1] if fitting else math.inf

    def carried_on(self, version: str, before: NDArray[np.float64], after: NDArray[np.float64]) -> CutTable:
        """Return the table for a version that was fitted further, without the comments of this table.

        A cut-off rises, and never falls, until no more of the ham at hand lies at or beyond it than the version
        of this table put there. That is a comparison and no proof: the proof stays that of ``version``.

        Parameters
        ----------
        version : str
            The version of this table.
        before, after : ndarray of float64, shape (n_ham,)
            Scores of the same ham, on which neither version was fitted, by that version and by the further one.
        """
        falling = np.sort(after)[::-1]
        cuts = []
        for cut in self.cuts:
            n_beyond = int((before >= cut).sum())
            if n_beyond < falling.size and falling[n_beyond] >= cut:
                cut = float(np.nextafter(falling[n_beyond], math.inf))
            cuts.append(cut)
        return replace(self, cuts=tuple(cuts), proved_on=version)

    def as_dict(self) -> dict[str, Any]:
        """Return the table as JSON-ready data; a cut-off that no score reaches is null."""
        return {
            "budgets": list(self.budgets),
            "cuts": [None if math.isinf(cut) else cut for cut in self.cuts],
            "confidence": self.confidence,
            "n_ham": self.n_ham,
            "n_sources": self.n_sources,
            "proved_on": self.proved_on,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> CutTable:
        """Return the table that ``as_dict`` gave."""
        return cls(
            budgets=tuple(float(budget) for budget in data["budgets"]),
            cuts=tuple(math.inf if cut is None else float(cut) for cut in data["cuts"]),
            confidence=float(data["confidence"]),
            n_ham=int(data["n_ham"]),
            n_sources=int(data["n_sources"]),
            proved_on=data.get("proved_on"),
        )


def tabulate(
    ham_scores: NDArray[np.float64],
    *,
    n_sources: int,
    confidence: float = 0.9,
    weights: NDArray[np.float64] | None = None,
) -> CutTable:
    """Return the cut-offs for every budget of ``GRID``; see ``umbrella_threshold``."""
    cuts = [
        umbrella_threshold(ham_scores, max_fpr=budget, confidence=confidence, weights=weights)
        for budget in GRID
    ]
    return CutTable(GRID, tuple(cuts), confidence, int(ham_scores.size), n_sources)
