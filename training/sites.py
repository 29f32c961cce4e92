"""Sites as a learner meets them: one source's comments, and what a model fitted without that source says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.special import logit

from model.comment import LabeledComment
from model.features import Extractor, Rows
from model.site_weights import Examples, site_params
from training import corpus
from training.evaluate import MIN_ROWS, mark_limited
from training.fit import FitParams, fit_calibrated
from training.matrix import make_matrix

#: Beside the blogs: talk of other kinds, where the general model is at its worst.
OTHERS = ("chat-umputun", "forum-zh", "sms-uci", "youtube-uci")
#: Comments of one source at most, drawn as they come; more only take longer.
MAX_COMMENTS = 6_000
#: Two comments whose tokens agree so far (cosine) are of one campaign.
NEAR_COPY = 0.8

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Site:
    """One source as a site that was never seen.

    Attributes
    ----------
    name : str
    comments : list of LabeledComment
    examples : Examples
        Tokens as the site's own layer has them, and the log-odds of a calibrated fit on all other sources.
    is_spam : ndarray of bool, shape (n_comments,)
    spam_from : float
        The cut-off for spam that the other sources chose, in log-odds.
    """

    name: str
    comments: list[LabeledComment]
    examples: Examples
    is_spam: NDArray[np.bool_]
    spam_from: float

    @property
    def is_blog(self) -> bool:
        return self.comments[0].kind == "blog"

    def take(self, places: Places) -> Examples:
        """Return some of the examples."""
        return take(self.examples, places)


def take(examples: Examples, places: Places) -> Examples:
    """Return some rows of examples, in the order asked for."""
    rows = examples.rows
    starts, lengths = rows.indptr[places], np.diff(rows.indptr)[places]
    ends = np.cumsum(lengths)
    picked = np.repeat(starts - ends + lengths, lengths) + np.arange(int(lengths.sum()))
    taken = Rows(np.concatenate(([0], ends)).astype(np.int64), rows.indices[picked], rows.values[picked])
    return Examples(taken, examples.log_odds[places])


def read_sites(
    comments: Sequence[LabeledComment],
    params: FitParams,
    *,
    only: Sequence[str] = (),
    cache: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Site]:
    """Yield each blog with enough of both labels, and ``OTHERS``, as sites never seen.

    Parameters
    ----------
    comments : sequence of LabeledComment
    params : FitParams
    only : sequence of str
        Names of sources; all if empty.
    cache : Path, optional
        Folder in which each fit's log-odds are kept, and taken from if they are there: for trying out
        learners. Delete it when corpora or features change.
    progress : callable
    """
    everything = corpus.deduplicate(comments)
    by_source = corpus.by_source(everything)
    names = [
        name for name, rows in by_source.items() if _is_wanted(name, rows) and (not only or name in only)
    ]
    known = {name: None if cache is None else cache / f"{name}.joblib" for name in names}
    matrix = fitted = None
    for name in names:
        path = known[name]
        if path is not None and path.exists():
            log_odds, cut = joblib.load(path)
        else:
            progress(f"fit without {name}")
            if matrix is None or fitted is None:
                matrix = make_matrix(everything, params.features)
                fitted = mark_limited(matrix, params)
            left_out = np.array([row.source == name for row in everything])
            linear, policy, _ = fit_calibrated(matrix[fitted & ~left_out], params)
            log_odds = matrix.judged(linear, np.flatnonzero(left_out))
            # A cut-off that could not be proved is reached by no score.
            cut = float(logit(policy.spam_from)) if policy.spam_from < 1.0 else np.inf
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                joblib.dump((log_odds, cut), path)
        yield _site(name, by_source[name], params, log_odds, cut)


def _is_wanted(name: str, rows: list[LabeledComment]) -> bool:
    n_spam = sum(row.is_spam for row in rows)
    is_full = min(n_spam, len(rows) - n_spam) >= MIN_ROWS
    return is_full and (rows[0].kind == "blog" or name in OTHERS)


def _site(
    name: str, rows: list[LabeledComment], params: FitParams, log_odds: NDArray[np.float64], cut: float
) -> Site:
    kept = np.sort(np.random.default_rng(params.seed).permutation(len(rows))[:MAX_COMMENTS])
    chosen = [rows[place] for place in kept.tolist()]
    table = Extractor(site_params(params.features)).rows([row.comment for row in chosen])
    return Site(name, chosen, Examples(table, log_odds[kept]), corpus.labels(chosen), cut)


def near_copies(site: Site, learnt: Places, judged: Places) -> NDArray[np.bool_]:
    """Mark the judged spam that is a near-copy of a learnt comment, shape (n_judged,)."""
    n_features = int(site.examples.rows.indices.max(initial=0)) + 1

    def table(places: Places) -> Any:
        rows = site.take(places).rows
        made = scipy.sparse.csr_array(
            (rows.values, rows.indices, rows.indptr.astype(np.int32)), shape=(places.size, n_features)
        )
        norms = np.sqrt(np.asarray((made * made).sum(axis=1)).ravel())
        made.data /= np.repeat(np.maximum(norms, 1e-9), np.diff(made.indptr)).astype(np.float32)
        return made

    nearest = (table(judged) @ table(learnt).T).max(axis=1).toarray().ravel()
    marked: NDArray[np.bool_] = site.is_spam[judged] & (nearest >= NEAR_COPY)
    return marked
