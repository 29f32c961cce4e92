"""Measures on sources left out what a fit on the others is worth there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.classifier import sigmoid
from model.comment import LabeledComment
from training import corpus, metrics
from training.fit import FitParams, Matrix, fit_calibrated, make_matrix
from training.split import leave_one_source_out

MIN_ROWS = 50
"""A source counts in the means if it has as many of both labels."""
MIN_HAM = 20
"""Below this many ham no recall is given."""


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured on one source, or on one slice of the left-out comments.

    Attributes
    ----------
    source, kind : str
    n_spam, n_ham : int
    auc, recall_1, recall_01 : float
        NaN where there is no spam or too little ham; recalls at 1 % and 0.1 % of this slice's ham called spam.
    recall_1_interval : (float, float)
        95 % bootstrap interval.
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
    ham_held: float
    spam_caught: float
    calibration_error: float


@dataclass(frozen=True, slots=True)
class Mistake:
    """A comment on the wrong side; named, not quoted."""

    id: str
    source: str
    is_spam: bool
    score: float


@dataclass(frozen=True, slots=True)
class Report:
    """What an evaluation found.

    Attributes
    ----------
    sources, kinds, languages : list of Row
        Per source, and over all left-out comments per kind and per language.
    means : mapping
        Over the blog sources with at least ``MIN_ROWS`` of both labels, and over all sources with ham.
    mistakes : list of Mistake
        The twenty highest-scoring ham and the twenty lowest-scoring spam.
    """

    sources: list[Row]
    kinds: list[Row] = field(default_factory=list)
    languages: list[Row] = field(default_factory=list)
    means: dict[str, float] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready data; what could not be measured is None."""
        data: dict[str, Any] = _without_nan(asdict(self))
        return data


def leave_sources_out(
    comments: Sequence[LabeledComment],
    params: FitParams,
    *,
    progress: Callable[[str], None] = lambda _: None,
    only: Iterable[str] = (),
) -> Report:
    """Fit without each source in turn and judge it.

    Parameters
    ----------
    comments : sequence of LabeledComment
    params : FitParams
    progress : callable
        Told what is being left out.
    only : iterable of str
        Names of sources to leave out; all if empty.

    Returns
    -------
    Report
        Fit rows are limited per source and campaign; judged rows are not, only exact copies are folded.
    """
    everything = corpus.deduplicate(comments)
    matrix = make_matrix(everything, params.features, params.padding, seed=params.seed)
    fitted = mark_limited(matrix, params)
    wanted = set(only)
    log_odds = np.full(len(everything), np.nan)
    cuts = np.full(len(everything), np.nan)
    for name, left_out in leave_one_source_out(everything, min_rows=MIN_ROWS):
        if wanted and not wanted & set(name.split("+")):
            continue
        progress(name)
        linear, policy, _ = fit_calibrated(matrix[fitted & ~left_out], params)
        log_odds[left_out] = linear.log_odds(matrix.rows[np.flatnonzero(left_out)])
        cuts[left_out] = policy.spam_from
    return summarise(matrix, log_odds, cuts)


def mark_limited(matrix: Matrix, params: FitParams) -> NDArray[np.bool_]:
    """Mark the rows that a fit may see."""
    places = {id(row): place for place, row in enumerate(matrix.comments)}
    marked = np.zeros(len(matrix.comments), dtype=np.bool_)
    marked[[places[id(row)] for row in corpus.limit(matrix.comments, params.limits, seed=params.seed)]] = True
    return marked


def summarise(matrix: Matrix, log_odds: NDArray[np.float64], cuts: NDArray[np.float64]) -> Report:
    """Make a report of left-out log-odds and of the cut-off each was judged by; NaN means not judged."""
    judged = ~np.isnan(log_odds)
    matrix, log_odds, cuts = matrix[judged], log_odds[judged], cuts[judged]
    scores = sigmoid(log_odds)
    sources = np.array([row.source for row in matrix.comments])
    kinds = np.array(
        [
            row.comment.kind if row.comment.kind in {"trackback", "pingback"} else row.kind
            for row in matrix.comments
        ]
    )
    languages = np.array([row.lang or "?" for row in matrix.comments])
    kind_of = {row.source: row.kind for row in matrix.comments}

    def slices(values: NDArray[np.str_], kind: Callable[[str], str], min_rows: int = 1) -> list[Row]:
        return [
            measure(
                name, kind(name), matrix.is_spam[values == name], scores[values == name], cuts[values == name]
            )
            for name in np.unique(values).tolist()
            if int(np.sum(values == name)) >= min_rows
        ]

    rows = slices(sources, lambda name: kind_of[name])
    ham, spam = np.flatnonzero(~matrix.is_spam), np.flatnonzero(matrix.is_spam)
    worst = [
        *ham[np.argsort(-log_odds[ham], kind="stable")[:20]],
        *spam[np.argsort(log_odds[spam], kind="stable")[:20]],
    ]
    return Report(
        sources=rows,
        kinds=slices(kinds, lambda name: name),
        languages=slices(languages, lambda _: "", MIN_ROWS),
        means=_means(rows),
        mistakes=[
            Mistake(
                matrix.comments[place].id, sources[place], bool(matrix.is_spam[place]), float(scores[place])
            )
            for place in worst
        ],
    )


def measure(
    name: str, kind: str, is_spam: NDArray[np.bool_], scores: NDArray[np.float64], cuts: NDArray[np.float64]
) -> Row:
    """Measure one slice."""
    n_spam = int(is_spam.sum())
    n_ham = is_spam.size - n_spam
    caught = scores >= cuts
    # With a handful of ham "1 % of it" says nothing.
    both = n_spam > 0 and n_ham >= MIN_HAM
    nan = float("nan")
    return Row(
        source=name,
        kind=kind,
        n_spam=n_spam,
        n_ham=n_ham,
        auc=metrics.auc(is_spam, scores) if both else nan,
        recall_1=metrics.recall_at_fpr(is_spam, scores, max_fpr=0.01)[0] if both else nan,
        recall_1_interval=metrics.recall_interval(is_spam, scores, max_fpr=0.01) if both else (nan, nan),
        recall_01=metrics.recall_at_fpr(is_spam, scores, max_fpr=0.001)[0] if both else nan,
        ham_held=float(np.mean(caught[~is_spam])) if n_ham else nan,
        spam_caught=float(np.mean(caught[is_spam])) if n_spam else nan,
        calibration_error=_balanced_calibration_error(is_spam, scores) if both else nan,
    )


def _balanced_calibration_error(is_spam: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Return the calibration error at the prior that the fit assumes: as much spam as ham."""
    chance = np.random.default_rng(0)
    n = max(int(is_spam.sum()), int((~is_spam).sum()))
    places = np.concatenate([chance.choice(np.flatnonzero(side), n) for side in (is_spam, ~is_spam)])
    return metrics.expected_calibration_error(is_spam[places], scores[places])


def _means(rows: list[Row]) -> dict[str, float]:
    full = [row for row in rows if row.kind == "blog" and min(row.n_spam, row.n_ham) >= MIN_ROWS]
    with_ham = [row for row in rows if row.n_ham >= MIN_ROWS]
    means = {"n_blog_sources": float(len(full)), "n_sources_with_ham": float(len(with_ham))}
    if full:
        for name in ("auc", "recall_1", "recall_01", "spam_caught", "calibration_error"):
            means[f"blog_{name}"] = float(np.mean([getattr(row, name) for row in full]))
        means["blog_ham_held"] = float(np.mean([row.ham_held for row in full]))
    if with_ham:
        means["ham_held"] = float(np.mean([row.ham_held for row in with_ham]))
    return means


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return round(value, 6) if isinstance(value, float) else value
