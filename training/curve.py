"""Measures how fast a site never seen is learnt, beside what its owner could use instead.

For each site and each random order of its comments, the first n are moderated and learnt; all learners are then
judged on the same rest, which begins behind the longest n.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression

from model.comment import LabeledComment
from model.site_weights import Examples, learn
from training import corpus, metrics
from training.fit import FitParams
from training.peers_text import text_of
from training.sites import Places, Site, near_copies

POINTS = (0, 10, 30, 100, 300)
"""Moderated comments."""
OURS = "Replyguard"
ALONE = "Replyguard without the global layer"
SITE_TFIDF = "TF-IDF + logistic regression, the site alone"
BOTH_TFIDF = "TF-IDF + logistic regression, corpora and site"

Scores = NDArray[np.float64]


class SiteLearner(Protocol):
    """One way to judge a site's comments after some of them were moderated."""

    def scores(self, learnt: Places, judged: Places) -> Scores:
        """Return scores, the higher the more like spam, shape (n_judged,)."""
        ...


LearnerBuilder = Callable[[Site], SiteLearner]


@dataclass(frozen=True, slots=True)
class Point:
    """What one learner reached on one site after n moderated comments; means over orders.

    Attributes
    ----------
    learner, site : str
    n_moderated, n_orders : int
    recall_1, recall_01 : float
        Spam caught with 1 % and 0.1 % of the site's ham blocked.
    recall_1_interval : (float, float)
        95 % interval of the mean over orders.
    fresh_recall_1 : float
        The same without spam that is a near-copy of a moderated comment.
    ham_held, spam_caught : float
        Shares at or above the cut-off that the other sources chose; NaN for scores of another scale.
    """

    learner: str
    site: str
    n_moderated: int
    n_orders: int
    recall_1: float
    recall_1_interval: tuple[float, float]
    recall_01: float
    fresh_recall_1: float
    ham_held: float
    spam_caught: float


class Ours:
    """The site's weights on top of the general model, or from nothing."""

    def __init__(self, site: Site, *, with_global: bool = True) -> None:
        log_odds = site.examples.log_odds if with_global else np.zeros(site.is_spam.size)
        self._site = Site(
            site.name, site.comments, Examples(site.examples.rows, log_odds), site.is_spam, site.spam_from
        )

    def scores(self, learnt: Places, judged: Places) -> Scores:
        """Learn and judge."""
        weights = learn(self._site.take(learnt), self._site.is_spam[learnt])
        examples = self._site.take(judged)
        return examples.log_odds if weights is None else examples.log_odds + weights.parts(examples)


class SiteTfidf:
    """scikit-learn's TF-IDF of words and character n-grams, fitted on the moderated comments alone."""

    def __init__(self, site: Site) -> None:
        texts = [text_of(row) for row in site.comments]
        self._is_spam = site.is_spam
        self._counts = [
            CountVectorizer(analyzer="word", ngram_range=(1, 2), dtype=np.float32).fit_transform(texts),
            CountVectorizer(analyzer="char_wb", ngram_range=(2, 5), dtype=np.float32).fit_transform(texts),
        ]

    def scores(self, learnt: Places, judged: Places) -> Scores:
        """Fit and score; until both labels were seen all comments are alike."""
        if self._is_spam[learnt].all() or not self._is_spam[learnt].any():
            return np.zeros(judged.size)
        parts = []
        for counts in self._counts:
            seen = counts[learnt]
            columns = np.unique(seen.indices)
            transformer = TfidfTransformer(sublinear_tf=True).fit(seen[:, columns])
            parts.append(
                (transformer.transform(seen[:, columns]), transformer.transform(counts[judged][:, columns]))
            )
        rows, others = (scipy.sparse.hstack(blocks, format="csr") for blocks in zip(*parts, strict=True))
        model = LogisticRegression(solver="liblinear").fit(rows, self._is_spam[learnt])
        return np.asarray(model.decision_function(others), dtype=np.float64)


class CorporaTfidf:
    """The same on corpora and moderated comments together, n-grams hashed so that no column is missing.

    Parameters
    ----------
    comments : sequence of LabeledComment
    params : FitParams
        Its limits and balance hold here too, so a small site weighs more per comment than a large corpus.
    """

    def __init__(self, comments: Sequence[LabeledComment], params: FitParams) -> None:
        self._params = params
        self._comments = corpus.limit(corpus.deduplicate(comments), params.limits, seed=params.seed)
        self._hashers = [
            HashingVectorizer(
                analyzer=analyzer, ngram_range=lengths, n_features=1 << 19, alternate_sign=False, norm=None
            )
            for analyzer, lengths in (("word", (1, 2)), ("char_wb", (2, 5)))
        ]
        self._table = self._count(self._comments)

    def _count(self, comments: Sequence[LabeledComment]) -> list[Any]:
        texts = [text_of(row) for row in comments]
        return [hasher.transform(texts).astype(np.float32) for hasher in self._hashers]

    def on(self, site: Site) -> SiteLearner:
        """Return the learner for a site that the corpora then lack."""
        kept = np.flatnonzero([row.source != site.name for row in self._comments])
        transformers, blocks = [], []
        for counts in self._table:
            transformers.append(TfidfTransformer(sublinear_tf=True).fit(counts[kept]))
            blocks.append(transformers[-1].transform(counts[kept]))
        own = [
            t.transform(counts) for t, counts in zip(transformers, self._count(site.comments), strict=True)
        ]
        return _CorporaAndSite(
            [self._comments[place] for place in kept.tolist()],
            scipy.sparse.hstack(blocks, format="csr"),
            site,
            scipy.sparse.hstack(own, format="csr"),
            self._params,
        )


class _CorporaAndSite:
    def __init__(
        self, comments: list[LabeledComment], rows: Any, site: Site, own: Any, params: FitParams
    ) -> None:
        self._comments, self._rows, self._site, self._own, self._params = comments, rows, site, own, params
        self._start: LogisticRegression | None = None

    def scores(self, learnt: Places, judged: Places) -> Scores:
        """Fit from where the corpora alone had led, which only saves rounds, and score."""
        comments = [*self._comments, *(self._site.comments[place] for place in learnt.tolist())]
        rows = scipy.sparse.vstack([self._rows, self._own[learnt]], format="csr")
        # The loss is a mean over all rows, in which a few dozen of the site's hardly show: at a tolerance of 1e-3
        # the fit ends before its first step and has learnt nothing of them.
        model = LogisticRegression(solver="lbfgs", max_iter=300, tol=1e-6, warm_start=True)
        if self._start is not None:
            model.coef_, model.intercept_ = self._start.coef_.copy(), self._start.intercept_.copy()
            model.classes_ = self._start.classes_
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(
                rows,
                corpus.labels(comments),
                sample_weight=corpus.balanced_weights(comments, self._params.balance),
            )
        if learnt.size == 0:
            self._start = model
        return np.asarray(model.decision_function(self._own[judged]), dtype=np.float64)


def measure(
    sites: Iterable[Site],
    learners: Mapping[str, tuple[LearnerBuilder, int]],
    *,
    points: Sequence[int] = POINTS,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Point]:
    """Let each learner climb each site.

    Parameters
    ----------
    sites : iterable of Site
    learners : mapping of str to (callable, int)
        By name: what builds it for a site, and in how many random orders it is measured.
    points : sequence of int
        Moderated comments, rising.
    progress : callable

    Returns
    -------
    list of Point
    """
    found = []
    for site in sites:
        fresh: dict[int, NDArray[np.bool_]] = {}
        for name, (build, n_orders) in learners.items():
            progress(f"{site.name}: {name}")
            learner = build(site)
            measured = np.array(
                [
                    _climb(site, learner, points, number, fresh, calibrated=name == OURS)
                    for number in range(n_orders)
                ]
            )
            for place, n_moderated in enumerate(points):
                found.append(_point(name, site.name, n_moderated, measured[:, place]))
    return found


def order_of(site: Site, number: int) -> Places:
    """Return a random order in which a site's comments come."""
    return np.random.default_rng(number).permutation(site.is_spam.size)


def _climb(
    site: Site,
    learner: SiteLearner,
    points: Sequence[int],
    number: int,
    fresh_by_order: dict[int, NDArray[np.bool_]],
    *,
    calibrated: bool,
) -> NDArray[np.float64]:
    order = order_of(site, number)
    last = min(max(points), order.size // 2)
    judged = order[last:]
    is_spam = site.is_spam[judged]
    if number not in fresh_by_order:
        fresh_by_order[number] = ~near_copies(site, order[:last], judged)
    fresh = fresh_by_order[number]
    rows = []
    for n_moderated in points:
        scores = learner.scores(order[: min(n_moderated, last)], judged)
        fresh_recall = np.nan
        if (is_spam & fresh).any():
            fresh_recall = metrics.recall_at_fpr(is_spam[fresh], scores[fresh], max_fpr=0.01)[0]
        held = caught = np.nan
        if calibrated:
            held = float(np.mean(scores[~is_spam] >= site.spam_from))
            caught = float(np.mean(scores[is_spam] >= site.spam_from))
        rows.append(
            (
                metrics.recall_at_fpr(is_spam, scores, max_fpr=0.01)[0],
                metrics.recall_at_fpr(is_spam, scores, max_fpr=0.001)[0],
                fresh_recall,
                held,
                caught,
            )
        )
    return np.array(rows)


def _point(learner: str, site: str, n_moderated: int, measured: NDArray[np.float64]) -> Point:
    recall_1, recall_01, fresh, held, caught = measured.mean(axis=0).tolist()
    spread = 0.0
    if len(measured) > 1:
        spread = 1.96 * float(measured[:, 0].std(ddof=1)) / len(measured) ** 0.5
    interval = (recall_1 - spread, recall_1 + spread)
    return Point(
        learner, site, n_moderated, len(measured), recall_1, interval, recall_01, fresh, held, caught
    )


def as_dict(points: Sequence[Point]) -> dict[str, Any]:
    """Return the points as JSON-ready data; what could not be measured is None."""

    def plain(value: Any) -> Any:
        if isinstance(value, float):
            return round(value, 4) if np.isfinite(value) else None
        return [plain(item) for item in value] if isinstance(value, tuple) else value

    return {"points": [{key: plain(value) for key, value in asdict(point).items()} for point in points]}
