"""Measures on sources left out what a fit on the others is worth there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.classifier import sigmoid
from model.comment import LabeledComment
from training import corpus
from training.campaigns import campaigns
from training.fit import FitParams, fit_calibrated
from training.matrix import Matrix, make_matrix
from training.slices import Judged, Row, kind_of_row, slices, without_metadata
from training.split import leave_one_source_out

MIN_ROWS = 50
"""A source counts in the means if it has as many of both labels."""
N_MISTAKES = 20
"""Worst mistakes of each label."""


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
    without_metadata : list of Row
        Per source, judged by the same fits on the text alone: author, e-mail, address and page blanked.
    means : mapping
        Over the blog sources with at least ``MIN_ROWS`` of both labels, and over all sources with ham.
    mistakes : list of Mistake
        The twenty highest-scoring ham and the twenty lowest-scoring spam.
    """

    sources: list[Row]
    kinds: list[Row] = field(default_factory=list)
    languages: list[Row] = field(default_factory=list)
    without_metadata: list[Row] = field(default_factory=list)
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
    bare = make_matrix(
        [replace(row, comment=without_metadata(row.comment)) for row in everything], params.features
    )
    fitted = mark_limited(matrix, params)
    wanted = set(only)
    log_odds = np.full(len(everything), np.nan)
    bare_log_odds, cuts = log_odds.copy(), log_odds.copy()
    for name, left_out in leave_one_source_out(everything, min_rows=MIN_ROWS):
        if wanted and not wanted & set(name.split("+")):
            continue
        progress(name)
        linear, policy, _ = fit_calibrated(matrix[fitted & ~left_out], params)
        places = np.flatnonzero(left_out)
        log_odds[places] = matrix.judged(linear, places)
        bare_log_odds[places] = bare.judged(linear, places)
        cuts[places] = policy.spam_from
    return summarise(everything, log_odds, bare_log_odds, cuts)


def mark_limited(matrix: Matrix, params: FitParams) -> NDArray[np.bool_]:
    """Mark the rows that a fit may see."""
    places = {id(row): place for place, row in enumerate(matrix.comments)}
    marked = np.zeros(len(matrix.comments), dtype=np.bool_)
    marked[[places[id(row)] for row in corpus.limit(matrix.comments, params.limits, seed=params.seed)]] = True
    return marked


def summarise(
    comments: Sequence[LabeledComment],
    log_odds: NDArray[np.float64],
    bare_log_odds: NDArray[np.float64],
    cuts: NDArray[np.float64],
) -> Report:
    """Make a report of left-out log-odds, with and without metadata, and of the cut-offs; NaN means not judged."""
    places = np.flatnonzero(~np.isnan(log_odds))
    rows = [comments[place] for place in places.tolist()]
    judged = Judged(
        rows, corpus.labels(rows), sigmoid(log_odds[places]), cuts[places], campaigns(comments)[places]
    )
    kinds = {row.source: row.kind for row in rows}
    by_source = slices(judged, lambda row: row.source, kind_of=kinds.__getitem__)
    bare = slices(
        replace(judged, scores=sigmoid(bare_log_odds[places])),
        lambda row: row.source,
        kind_of=kinds.__getitem__,
    )
    return Report(
        sources=by_source,
        kinds=slices(judged, kind_of_row),
        languages=slices(judged, lambda row: row.lang or "?", kind_of=lambda _: "", min_rows=MIN_ROWS),
        without_metadata=bare,
        means=_means(by_source)
        | {
            f"{name}_without_metadata": value
            for name, value in _means(bare).items()
            if not name.startswith("n_")
        },
        mistakes=_worst(rows, judged.is_spam, log_odds[places]),
    )


def _worst(
    rows: Sequence[LabeledComment], is_spam: NDArray[np.bool_], log_odds: NDArray[np.float64]
) -> list[Mistake]:
    """Return the highest ham and the lowest spam, worst first."""
    ham, spam = np.flatnonzero(~is_spam), np.flatnonzero(is_spam)
    worst = [
        *ham[np.argsort(-log_odds[ham], kind="stable")[:N_MISTAKES]].tolist(),
        *spam[np.argsort(log_odds[spam], kind="stable")[:N_MISTAKES]].tolist(),
    ]
    scores = sigmoid(log_odds)
    return [
        Mistake(rows[place].id, rows[place].source, bool(is_spam[place]), float(scores[place]))
        for place in worst
    ]


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
