"""Measures slices of left-out comments: a source, a kind, a language, with and without metadata."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.comment import Comment, LabeledComment
from training import metrics
from training.resampling import campaign_recall_interval

MIN_HAM = 20
"""Below this many ham no recall is given."""
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured on one source, or on one slice of the left-out comments.

    Attributes
    ----------
    source, kind : str
    n_spam, n_ham : int
    auc, recall_1, recall_01 : float
        NaN where there is no spam or too little ham; recalls at 1 % and 0.1 % of this slice's ham called spam.
    recall_1_interval, recall_01_interval : (float, float)
        95 % bootstrap intervals over campaigns of near-copies.
    ham_held, spam_caught : float
        Shares at or above the cut-off that the other sources chose.
    calibration_error : float
        Expected calibration error, both labels weighing the same; NaN as above.
    """

    source: str
    kind: str
    n_spam: int
    n_ham: int
    auc: float
    recall_1: float
    recall_1_interval: tuple[float, float]
    recall_01: float
    recall_01_interval: tuple[float, float]
    ham_held: float
    spam_caught: float
    calibration_error: float


@dataclass(frozen=True, slots=True)
class Judged:
    """Left-out comments with what was found for each.

    Attributes
    ----------
    comments : sequence of LabeledComment
    is_spam : ndarray of bool, shape (n_comments,)
    scores : ndarray of float64, shape (n_comments,)
    cuts : ndarray of float64, shape (n_comments,)
        The cut-off that the sources of its fit chose.
    campaigns : ndarray of int64, shape (n_comments,)
    """

    comments: Sequence[LabeledComment]
    is_spam: NDArray[np.bool_]
    scores: NDArray[np.float64]
    cuts: NDArray[np.float64]
    campaigns: NDArray[np.int64]


def slices(
    judged: Judged,
    slice_of: Callable[[LabeledComment], str],
    *,
    kind_of: Callable[[str], str] = lambda name: name,
    min_rows: int = 1,
) -> list[Row]:
    """Measure each slice with enough rows, by name.

    Parameters
    ----------
    judged : Judged
    slice_of : callable
        Names a comment's slice.
    kind_of : callable
        Gives a slice's ``Row.kind``.
    min_rows : int
    """
    names = np.array([slice_of(row) for row in judged.comments])
    found, counts = np.unique(names, return_counts=True)
    return [
        measure(name, kind_of(name), judged, names == name)
        for name, n_rows in zip(found.tolist(), counts.tolist(), strict=True)
        if n_rows >= min_rows
    ]


def kind_of_row(row: LabeledComment) -> str:
    """Return trackback or pingback for what is one, else the sort of source."""
    return row.comment.kind if row.comment.kind in {"trackback", "pingback"} else row.kind


def without_metadata(comment: Comment) -> Comment:
    """Return what is left of a comment when nothing but its text, its type and its site came with it."""
    return dataclasses.replace(
        comment, author="", email="", url="", permalink="", post_title="", post_text="", tags=()
    )


def measure(name: str, kind: str, judged: Judged, chosen: NDArray[np.bool_]) -> Row:
    """Measure one slice."""
    is_spam, scores, campaigns = judged.is_spam[chosen], judged.scores[chosen], judged.campaigns[chosen]
    n_spam = int(is_spam.sum())
    n_ham = is_spam.size - n_spam
    caught = scores >= judged.cuts[chosen]
    # With a handful of ham "1 % of it" says nothing.
    both = n_spam > 0 and n_ham >= MIN_HAM
    recalls = {}
    for budget in (0.01, 0.001):
        recalls[budget] = (
            (
                metrics.recall_at_fpr(is_spam, scores, max_fpr=budget)[0],
                campaign_recall_interval(is_spam, scores, campaigns, max_fpr=budget),
            )
            if both
            else (_NAN, (_NAN, _NAN))
        )
    return Row(
        source=name,
        kind=kind,
        n_spam=n_spam,
        n_ham=n_ham,
        auc=metrics.auc(is_spam, scores) if both else _NAN,
        recall_1=recalls[0.01][0],
        recall_1_interval=recalls[0.01][1],
        recall_01=recalls[0.001][0],
        recall_01_interval=recalls[0.001][1],
        ham_held=float(np.mean(caught[~is_spam])) if n_ham else _NAN,
        spam_caught=float(np.mean(caught[is_spam])) if n_spam else _NAN,
        calibration_error=_balanced_calibration_error(is_spam, scores) if both else _NAN,
    )


def _balanced_calibration_error(is_spam: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Return the calibration error at the prior that the fit assumes: as much spam as ham."""
    chance = np.random.default_rng(0)
    n = max(int(is_spam.sum()), int((~is_spam).sum()))
    places = np.concatenate([chance.choice(np.flatnonzero(side), n) for side in (is_spam, ~is_spam)])
    return metrics.expected_calibration_error(is_spam[places], scores[places])
