"""Compares our fit with the filters that a user could pick instead, on the same sources left out.

It decides which rows each scorer is fitted on and judged by, and measures; the scorers themselves stand in
``peers_text.py`` and ``peers_mail.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from model.comment import LabeledComment
from training import corpus, metrics
from training.evaluate import MIN_ROWS
from training.fit import FitParams, fit_linear
from training.matrix import make_matrix

OURS = "Replyguard"
N_ROUNDS = 200
"""Bootstrap rounds."""

Places = NDArray[np.int64]


class PeerUnavailableError(Exception):
    """A peer that is not installed here; the message says what to install."""


class PeerFailedError(Exception):
    """A peer that is installed and did not do what it was asked; the message names it, never a comment."""


class Peer(Protocol):
    """One or more scorers that share their preparation."""

    def scores(
        self, fitted: Places, weights: NDArray[np.float64], judged: Places
    ) -> Mapping[str, NDArray[np.float64]]:
        """Fit on some comments and score others; the higher, the more like spam.

        Parameters
        ----------
        fitted, judged : ndarray of int64
            Places among the comments that the peer was built with.
        weights : ndarray of float64, shape (n_fitted,)
            How much each fitted comment counts; a peer that takes no weights passes them over.

        Returns
        -------
        mapping of str to ndarray of float64, shape (n_judged,)
            By name of scorer.
        """
        ...


PeerBuilder = Callable[[Sequence[LabeledComment]], Peer]


@dataclass(frozen=True, slots=True)
class Reached:
    """What one scorer reached on one blog that it was not fitted on.

    Attributes
    ----------
    scorer, source : str
    n_spam, n_ham : int
    auc, recall_1, recall_01 : float
        Recalls with at most 1 % and 0.1 % of this blog's ham called spam.
    recall_1_interval, recall_01_interval : (float, float)
        95 % bootstrap intervals.
    """

    scorer: str
    source: str
    n_spam: int
    n_ham: int
    auc: float
    recall_1: float
    recall_1_interval: tuple[float, float]
    recall_01: float
    recall_01_interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Mean:
    """What one scorer reached on the mean of the blogs.

    Attributes
    ----------
    scorer : str
    auc, recall_1, recall_01 : float
    recall_1_interval, recall_01_interval : (float, float)
        95 % bootstrap intervals over the comments of these blogs; other blogs would vary more.
    behind_1, behind_01 : (float, float)
        95 % interval of our mean recall minus this one, the same comments drawn for both.
    """

    scorer: str
    auc: float
    recall_1: float
    recall_1_interval: tuple[float, float]
    recall_01: float
    recall_01_interval: tuple[float, float]
    behind_1: tuple[float, float]
    behind_01: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found.

    Attributes
    ----------
    per_source : int
        Comments of one label that a fit took from one source at most, of every scorer.
    n_fitted : mapping of str to int
        Rows that each blog's fit saw.
    reached : list of Reached
    means : list of Mean
        Ours first, then in order of mean recall at 1 %.
    skipped : mapping of str to str
        What could not run here, and why.
    """

    per_source: int
    n_fitted: dict[str, int]
    reached: list[Reached]
    means: list[Mean]
    skipped: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON-ready data."""
        data: dict[str, Any] = _rounded(asdict(self))
        return data


class Ours:
    """Our own features and fit, without the calibration, which moves no order."""

    def __init__(self, comments: Sequence[LabeledComment], params: FitParams) -> None:
        self._matrix = make_matrix(comments, params.features, params.padding, seed=params.seed)
        self._params = params

    def scores(
        self, fitted: Places, weights: NDArray[np.float64], judged: Places
    ) -> Mapping[str, NDArray[np.float64]]:
        """Fit and score; the fit works out the same weights by itself."""
        linear = fit_linear(self._matrix[fitted], self._params)
        return {OURS: self._matrix.judged(linear, judged)}


def compare(
    comments: Sequence[LabeledComment],
    params: FitParams,
    peers: Mapping[str, PeerBuilder],
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Fit ours and the peers without each blog in turn, and judge them on it.

    Parameters
    ----------
    comments : sequence of LabeledComment
    params : FitParams
        Ours; its limits and balance hold for the peers too.
    peers : mapping of str to PeerBuilder
        By name; one that raises ``PeerUnavailableError`` is reported as skipped.
    progress : callable
        Told what is being fitted, and what is skipped.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If no blog has ``MIN_ROWS`` of both labels.
    """
    everything = corpus.deduplicate(comments)
    allowed = {id(row) for row in corpus.limit(everything, params.limits, seed=params.seed)}
    blogs = _blogs(everything)
    if not blogs:
        raise ValueError(f"no blog has {MIN_ROWS} spam and {MIN_ROWS} ham to be judged on")
    rows = [row for row in everything if id(row) in allowed or row.source in blogs]
    may_fit = np.array([id(row) in allowed for row in rows], dtype=np.bool_)
    sources = np.array([row.source for row in rows])
    is_spam = corpus.labels(rows)
    folds = {blog: (np.flatnonzero(may_fit & (sources != blog)), sources == blog) for blog in blogs}

    reached: list[Reached] = []
    rounds: dict[tuple[str, float], list[NDArray[np.float64]]] = {}
    skipped: dict[str, str] = {}
    for name, build in {OURS: lambda rows: Ours(rows, params), **peers}.items():
        progress(name)
        try:
            # One peer at a time: their tables of n-grams would not fit into memory together.
            peer = build(rows)
        except PeerUnavailableError as error:
            skipped[name] = str(error)
            progress(f"{name} skipped: {error}")
            continue
        for blog, (fitted, left_out) in folds.items():
            progress(f"{name} without {blog}")
            weights = corpus.balanced_weights([rows[place] for place in fitted.tolist()], params.balance)
            for scorer, scores in peer.scores(fitted, weights, np.flatnonzero(left_out)).items():
                found, drawn = _measure(scorer, blog, is_spam[left_out], scores)
                reached.append(found)
                for max_fpr, values in drawn.items():
                    rounds.setdefault((scorer, max_fpr), []).append(values)
        del peer
    return Comparison(
        per_source=params.limits.per_source,
        n_fitted={blog: int(fitted.size) for blog, (fitted, _) in folds.items()},
        reached=reached,
        means=_means(reached, rounds),
        skipped=skipped,
    )


def _blogs(comments: Sequence[LabeledComment]) -> list[str]:
    n_rows = Counter((row.source, row.is_spam) for row in comments if row.kind == "blog")
    names = sorted({source for source, _ in n_rows})
    return [name for name in names if min(n_rows[name, True], n_rows[name, False]) >= MIN_ROWS]


def _measure(
    scorer: str, source: str, is_spam: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[Reached, dict[float, NDArray[np.float64]]]:
    if not np.isfinite(scores).all():
        raise PeerFailedError(f"{scorer} gave a score that is no number, without {source}")
    rounds = {
        max_fpr: metrics.recall_rounds(is_spam, scores, max_fpr=max_fpr, n_rounds=N_ROUNDS)
        for max_fpr in (0.01, 0.001)
    }
    found = Reached(
        scorer=scorer,
        source=source,
        n_spam=int(is_spam.sum()),
        n_ham=int((~is_spam).sum()),
        auc=metrics.auc(is_spam, scores),
        recall_1=metrics.recall_at_fpr(is_spam, scores, max_fpr=0.01)[0],
        recall_1_interval=metrics.interval(rounds[0.01]),
        recall_01=metrics.recall_at_fpr(is_spam, scores, max_fpr=0.001)[0],
        recall_01_interval=metrics.interval(rounds[0.001]),
    )
    return found, rounds


def _means(
    reached: Sequence[Reached], rounds: Mapping[tuple[str, float], Sequence[NDArray[np.float64]]]
) -> list[Mean]:
    mean_rounds = {key: np.mean(values, axis=0) for key, values in rounds.items()}

    def mean_of(scorer: str) -> Mean:
        rows = [row for row in reached if row.scorer == scorer]
        at_1, at_01 = mean_rounds[scorer, 0.01], mean_rounds[scorer, 0.001]
        return Mean(
            scorer=scorer,
            auc=float(np.mean([row.auc for row in rows])),
            recall_1=float(np.mean([row.recall_1 for row in rows])),
            recall_1_interval=metrics.interval(at_1),
            recall_01=float(np.mean([row.recall_01 for row in rows])),
            recall_01_interval=metrics.interval(at_01),
            behind_1=metrics.interval(mean_rounds[OURS, 0.01] - at_1),
            behind_01=metrics.interval(mean_rounds[OURS, 0.001] - at_01),
        )

    means = [mean_of(scorer) for scorer in dict.fromkeys(row.scorer for row in reached)]
    return sorted(means, key=lambda mean: (mean.scorer != OURS, -mean.recall_1))


def to_markdown(comparison: Comparison) -> str:
    """Return the comparison as Markdown tables; no comment is quoted."""
    blogs = list(comparison.n_fitted)
    sizes = {row.source: f"{row.n_spam} / {row.n_ham}" for row in comparison.reached}
    fitted = list(comparison.n_fitted.values())
    lines = [
        "# Peers on blogs left out",
        "",
        f"Each scorer is fitted without the blog and judged on all of its comments. All fits see the same rows: "
        f"at most {comparison.per_source} per source and label, {min(fitted)} to {max(fitted)} in all. "
        f"Recall is at 1 % and 0.1 % of the blog's ham blocked, with the 95 % bootstrap interval of {N_ROUNDS} rounds.",
        "",
        "| scorer | AUC | at 1 % | interval | we are ahead by | at 0.1 % | interval | we are ahead by |",
        "|---|---:|---:|---|---|---:|---|---|",
    ]
    for mean in comparison.means:
        ahead_1, ahead_01 = (
            ("", "") if mean.scorer == OURS else (_span(mean.behind_1, "+"), _span(mean.behind_01, "+"))
        )
        lines.append(
            f"| {mean.scorer} | {mean.auc:.3f} | {mean.recall_1:.3f} | {_span(mean.recall_1_interval)} | {ahead_1} "
            f"| {mean.recall_01:.3f} | {_span(mean.recall_01_interval)} | {ahead_01} |"
        )
    lines += [f"\n{name} was skipped: {reason}." for name, reason in comparison.skipped.items()]
    columns: dict[str, Callable[[Reached], str]] = {
        "AUC": lambda row: f"{row.auc:.3f}",
        "Spam caught at 1 % of ham blocked": lambda row: (
            f"{row.recall_1:.3f} ({_span(row.recall_1_interval)})"
        ),
        "Spam caught at 0.1 % of ham blocked": lambda row: (
            f"{row.recall_01:.3f} ({_span(row.recall_01_interval)})"
        ),
    }
    for title, cell in columns.items():
        lines += ["", f"## {title}", "| scorer | " + " | ".join(blogs) + " |", "|---|" + "---:|" * len(blogs)]
        lines.append("| spam / ham | " + " | ".join(sizes[blog] for blog in blogs) + " |")
        lines += list(_by_scorer(comparison, blogs, cell))
    return "\n".join(lines) + "\n"


def _by_scorer(comparison: Comparison, blogs: Sequence[str], cell: Callable[[Reached], str]) -> Iterator[str]:
    found = {(row.scorer, row.source): row for row in comparison.reached}
    for mean in comparison.means:
        yield f"| {mean.scorer} | " + " | ".join(cell(found[mean.scorer, blog]) for blog in blogs) + " |"


def _span(bounds: tuple[float, float], sign: str = "") -> str:
    """Return an interval; with sign "+" both ends carry theirs."""
    if sign:
        return f"{bounds[0]:+.3f} to {bounds[1]:+.3f}"
    return f"{bounds[0]:.3f}-{bounds[1]:.3f}"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value
