"""What a site's learner does when it is taught badly: one kind of label only, all alike, or labels that lie."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.site_weights import SiteWeights, learn
from training import metrics
from training.curve import order_of
from training.sites import Places, Site

N_LABELS = 300
N_ANCHORS = 64
WRONG = 0.2
"""Share of the labels that are flipped."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What one way of teaching did to one site; means over orders.

    Attributes
    ----------
    name, site : str
    n_labels : float
        Labels that were learnt.
    recall_1, ham_held, spam_caught : float
        On comments without a label: recall at 1 % of ham blocked, shares at the shipped cut-off.
    """

    name: str
    site: str
    n_labels: float
    recall_1: float
    ham_held: float
    spam_caught: float


def run_trials(sites: Iterable[Site], *, doubt_from: float, n_orders: int = 5) -> list[Trial]:
    """Teach each site in each of the bad ways.

    Parameters
    ----------
    sites : iterable of Site
    doubt_from : float
        Log-odds against a label from which on it waits for the admin instead of being learnt.
    n_orders : int
    """
    found = []
    for site in sites:
        ways: dict[str, list[tuple[float, float, float, float]]] = {}
        for number in range(n_orders):
            order = order_of(site, number)
            last = min(N_LABELS, order.size // 2)
            for name, weights, n_labels in _taught(site, order[:last], number, doubt_from):
                ways.setdefault(name, []).append((n_labels, *_judged(site, weights, order[last:])))
        for name, rows in ways.items():
            found.append(Trial(name, site.name, *np.mean(rows, axis=0).tolist()))
    return found


def _judged(site: Site, weights: SiteWeights | None, judged: Places) -> tuple[float, float, float]:
    examples = site.take(judged)
    scores = examples.log_odds if weights is None else examples.log_odds + weights.parts(examples)
    is_spam = site.is_spam[judged]
    held, caught = (float(np.mean(scores[side] >= site.spam_from)) for side in (~is_spam, is_spam))
    return metrics.recall_at_fpr(is_spam, scores, max_fpr=0.01)[0], held, caught


def _taught(
    site: Site, first: Places, seed: int, doubt_from: float
) -> Iterable[tuple[str, SiteWeights | None, int]]:
    """Yield the ways: name, weights, and how many labels they were learnt from."""
    truth = site.is_spam[first]
    yield "nothing learnt", None, 0
    yield "all of 300 moderated", learn(site.take(first), truth), first.size
    for name, flipped in (
        ("a fifth flipped at random", _at_random(first.size, seed)),
        ("a fifth flipped, all with one word", _by_one_word(site, first, truth)),
    ):
        labels = truth ^ flipped
        yield name, learn(site.take(first), labels), first.size
        against = np.where(labels, -1.0, 1.0) * site.examples.log_odds[first]
        kept = against < doubt_from
        yield (
            f"{name}, doubtful ones kept apart",
            learn(site.take(first[kept]), labels[kept]),
            int(kept.sum()),
        )
    for anchored in (False, True):
        wrong, anchors = _mistakes(site, first, anchored=anchored)
        weights = learn(site.take(wrong), site.is_spam[wrong], anchors=site.take(anchors))
        yield f"mistakes only{', anchored' if anchored else ''}", weights, wrong.size
    campaign = _campaign(site, seed)
    for name, chosen in (("100 spam of one campaign", campaign), ("100 spam", _spam(site, seed))):
        anchors = first[site.examples.log_odds[first] < site.spam_from]
        anchors = np.setdiff1d(anchors, chosen)[:N_ANCHORS]
        labels = np.ones(chosen.size, dtype=np.bool_)
        yield name, learn(site.take(chosen), labels), chosen.size
        yield f"{name}, anchored", learn(site.take(chosen), labels, anchors=site.take(anchors)), chosen.size


def _at_random(n: int, seed: int) -> NDArray[np.bool_]:
    flipped = np.zeros(n, dtype=np.bool_)
    flipped[np.random.default_rng(seed).permutation(n)[: round(WRONG * n)]] = True
    return flipped


def _by_one_word(site: Site, first: Places, truth: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Flip ham that shares the token nearest to a fifth of all labels; where there is too little, all of it.

    It is what a person can do who wants one word, a rival's name say, to be blocked.
    """
    rows = site.take(first).rows
    owners = np.repeat(np.arange(first.size), np.diff(rows.indptr))
    tokens, inverse = np.unique(rows.indices, return_inverse=True)
    in_ham = np.bincount(inverse, weights=~truth[owners], minlength=tokens.size)
    target = int(np.argmin(np.abs(in_ham - WRONG * first.size)))
    flipped = np.zeros(first.size, dtype=np.bool_)
    flipped[owners[inverse == target]] = True
    return flipped & ~truth


def _mistakes(site: Site, first: Places, *, anchored: bool) -> tuple[Places, Places]:
    """Correct only what the present state gets wrong, comment by comment; return the labels and the anchors."""
    wrong: list[int] = []
    passed: list[int] = []
    weights: SiteWeights | None = None
    for place in first.tolist():
        one = site.take(np.array([place]))
        score = float(one.log_odds[0]) + (0.0 if weights is None else float(weights.parts(one)[0]))
        if score < site.spam_from:
            passed.append(place)
        if (score >= site.spam_from) != site.is_spam[place]:
            wrong.append(place)
            labels = np.array(wrong)
            anchors = _anchors(passed, wrong) if anchored else np.zeros(0, np.int64)
            weights = learn(site.take(labels), site.is_spam[labels], anchors=site.take(anchors))
    return np.array(wrong, dtype=np.int64), _anchors(passed, wrong) if anchored else np.zeros(0, np.int64)


def _anchors(passed: Sequence[int], wrong: Sequence[int]) -> Places:
    labelled = set(wrong)
    return np.array([place for place in passed if place not in labelled][-N_ANCHORS:], dtype=np.int64)


def _spam(site: Site, seed: int) -> Places:
    return np.random.default_rng(seed).permutation(np.flatnonzero(site.is_spam))[:100]


def _campaign(site: Site, seed: int) -> Places:
    """Return the hundred spam most like one that chance picked."""
    spam = np.random.default_rng(seed).permutation(np.flatnonzero(site.is_spam))
    rows = site.take(spam).rows
    wanted = np.isin(rows.indices, rows.indices[: rows.indptr[1]])
    owners = np.repeat(np.arange(spam.size), np.diff(rows.indptr))
    shared = np.bincount(owners, weights=wanted * np.square(rows.values), minlength=spam.size)
    return spam[np.argsort(-shared, kind="stable")[:100]]


def to_markdown(trials: Sequence[Trial]) -> str:
    """Return a section: a row per way, means over blogs."""
    sites = list(dict.fromkeys(trial.site for trial in trials))
    lines = [
        "",
        "## Taught badly",
        "",
        f"Means of {', '.join(sites)}; judged on comments without a label, held and caught at the shipped cut-off.",
        "",
        "| taught | labels | at 1 % | ham held | spam caught |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in dict.fromkeys(trial.name for trial in trials):
        rows = [trial for trial in trials if trial.name == name]
        values: list[Any] = [
            float(np.mean([getattr(row, field) for row in rows]))
            for field in ("n_labels", "recall_1", "ham_held", "spam_caught")
        ]
        lines.append(f"| {name} | {values[0]:.0f} | {values[1]:.3f} | {values[2]:.4f} | {values[3]:.3f} |")
    return "\n".join(lines) + "\n"
