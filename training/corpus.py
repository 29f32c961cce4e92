"""Labelled comments made fit to learn from: no copies, no contradictions, no campaign louder than the rest."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.comment import LabeledComment


@dataclass(frozen=True, slots=True)
class Limits:
    """How loud one origin may be.

    Attributes
    ----------
    per_source : int
        Comments of one label taken from one source at most. Twice as many as 4,000 gain half a point of recall at
        1 % and one at 0.1 % on the blogs left out; 12,000 gain no more (docs/experiments/0015-written.md).
    per_group : int
        Spam taken from one campaign at most.
    """

    per_source: int = 8000
    per_group: int = 25


def deduplicate(comments: Iterable[LabeledComment]) -> list[LabeledComment]:
    """Fold exact copies within a source, and drop texts that the source labels both ways.

    Two comments are copies if their bodies, authors and addresses agree but for case and white space.
    """
    rows: dict[tuple[str, ...], LabeledComment] = {}
    contradicted: set[tuple[str, ...]] = set()
    for row in comments:
        comment = row.comment
        key = (
            row.source,
            *(" ".join(text.lower().split()) for text in (comment.body, comment.author, comment.url)),
        )
        known = rows.setdefault(key, row)
        if known.label is not row.label:
            contradicted.add(key)
    return [row for key, row in rows.items() if key not in contradicted]


def limit(comments: Sequence[LabeledComment], limits: Limits, *, seed: int) -> list[LabeledComment]:
    """Take at most so many comments per source and campaign, chosen by a seeded shuffle, in their old order."""
    order = np.random.default_rng(seed).permutation(len(comments))
    n_source: Counter[tuple[str, bool]] = Counter()
    n_group: Counter[str] = Counter()
    kept = []
    for place in order.tolist():
        row = comments[place]
        if row.is_spam and row.group:
            n_group[row.group] += 1
            if n_group[row.group] > limits.per_group:
                continue
        n_source[row.source, row.is_spam] += 1
        if n_source[row.source, row.is_spam] <= limits.per_source:
            kept.append(place)
    return [comments[place] for place in sorted(kept)]


# Comments on pages are what is judged; what else the corpora hold (video, chat, forum, mail, short messages)
# is talk of another kind.
_PAGE_KINDS = frozenset({"blog", "form", "trackback", "generated"})
_UNKNOWN_LANGUAGES = frozenset({"", "?"})


@dataclass(frozen=True, slots=True)
class Balance:
    """How much a comment counts in a fit.

    Attributes
    ----------
    other_ham, other_spam : float
        Weight of ham and of spam that is no comment on a page, in (0, 1]. Ham of other kinds shows how people
        talk about other things than the blogs' own; their spam (gambling under videos, prize messages) is not
        what blogs get. Both at full weight cost two points of recall at 1 % on the blogs left out and six at
        0.1 % (docs/experiments/0002-balance.md).
    source_power : float
        From 0, "every comment counts the same" (the largest source decides), to 1, "every source counts the
        same" (ten odd rows decide); hardly matters where sources are limited in size.
    """

    other_ham: float = 0.3
    other_spam: float = 0.03
    source_power: float = 0.5
    language_ratio: float = 2.0
    language_floor: float = 0.005


def balanced_weights(comments: Sequence[LabeledComment], balance: Balance) -> NDArray[np.float64]:
    """Return sample weights, shape (n_comments,), mean 1: both labels alike, sources and kinds balanced."""
    n_rows = Counter((row.source, row.is_spam) for row in comments)
    weights = np.array(
        [
            row.weight
            * (1.0 if row.kind in _PAGE_KINDS else balance.other_spam if row.is_spam else balance.other_ham)
            / n_rows[row.source, row.is_spam] ** balance.source_power
            for row in comments
        ]
    )
    is_spam = labels(comments)
    _even_out(weights, is_spam)
    _limit_languages(weights, is_spam, np.array([row.lang for row in comments]), balance)
    _even_out(weights, is_spam)
    return weights


def _even_out(weights: NDArray[np.float64], is_spam: NDArray[np.bool_]) -> None:
    for side in (is_spam, ~is_spam):
        if side.any():
            weights[side] *= len(weights) / 2 / weights[side].sum()


def _limit_languages(
    weights: NDArray[np.float64], is_spam: NDArray[np.bool_], languages: NDArray[np.str_], balance: Balance
) -> None:
    """Bring the spam of each known language down to what its ham allows."""
    half = len(weights) / 2
    for language in np.unique(languages).tolist():
        if language in _UNKNOWN_LANGUAGES:
            continue
        spam = (languages == language) & is_spam
        ham = (languages == language) & ~is_spam
        share = weights[spam].sum() / half
        allowed = balance.language_ratio * weights[ham].sum() / half + balance.language_floor
        if share > allowed:
            weights[spam] *= allowed / share


def on_pages(comments: Sequence[LabeledComment]) -> NDArray[np.bool_]:
    """Return True for what was written under a page, shape (n_comments,)."""
    return np.array([row.kind in _PAGE_KINDS for row in comments], dtype=np.bool_)


def labels(comments: Sequence[LabeledComment]) -> NDArray[np.bool_]:
    """Return True for spam, shape (n_comments,)."""
    return np.array([row.is_spam for row in comments], dtype=np.bool_)


def fingerprint(comments: Iterable[LabeledComment]) -> str:
    """Return the SHA-256 of ids, labels and texts, in hexadecimal; the same rows in another order give another."""
    digest = hashlib.sha256()
    for row in comments:
        comment = row.comment
        for text in (row.id, row.source, row.label.value, comment.body, comment.author, comment.url):
            digest.update(text.encode("utf-8", "surrogatepass"))
            digest.update(b"\0")
    return digest.hexdigest()


def by_source(comments: Iterable[LabeledComment]) -> dict[str, list[LabeledComment]]:
    """Return the comments of each source, sources sorted by name."""
    sources: defaultdict[str, list[LabeledComment]] = defaultdict(list)
    for row in comments:
        sources[row.source].append(row)
    return dict(sorted(sources.items()))
