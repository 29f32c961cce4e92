"""Tests inside large sources: which rows are judged, and in which folds, so that no group is on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from model.comment import LabeledComment
from training import corpus
from training.brands import brands_of

N_FOLDS = 5
NOT_JUDGED = -1
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class InsideTest:
    """One way to leave a part of a source out.

    Attributes
    ----------
    name : str
    folds : ndarray of int64, shape (n_comments,)
        A row of fold k is judged by a fit that saw no row of fold k; ``NOT_JUDGED`` may be fitted on always.
    own : ndarray of bool, shape (n_comments,)
        The rows of the sources that the test is about.
    parts : mapping of str to ndarray of bool, shape (n_comments,)
        What is measured apart, over all folds together.
    fits : tuple of str
        Some of ``FITS``.
    """

    name: str
    folds: NDArray[np.int64]
    own: Flags
    parts: dict[str, Flags]
    fits: tuple[str, ...]


ALONE = "alone"
WITH_THE_REST = "with the rest"
KINDS_ALIKE = "with the rest, kinds alike"
FITS = (ALONE, WITH_THE_REST, KINDS_ALIKE)
"""On the other folds of the own sources; on all other sources too, weighed as for the version that ships; and so,
but with every kind of source weighed as much as blogs."""


def deal(groups: Sequence[object], n_folds: int = N_FOLDS) -> NDArray[np.int64]:
    """Deal whole groups into folds of like size, largest first, ties in order of appearance."""
    sizes = Counter(groups)
    loads = [0] * n_folds
    fold_of: dict[object, int] = {}
    for group, size in sizes.most_common():
        lightest = loads.index(min(loads))
        fold_of[group] = lightest
        loads[lightest] += size
    return np.array([fold_of[group] for group in groups], dtype=np.int64)


def inside_tests(
    comments: Sequence[LabeledComment], campaigns: NDArray[np.int64], *, seed: int = 0
) -> list[InsideTest]:
    """Return the tests that these comments allow; each needs its sources, with both labels where they are fitted alone.

    Parameters
    ----------
    comments : sequence of LabeledComment
        Without exact copies.
    campaigns : ndarray of int64, shape (n_comments,)
        As ``campaigns.campaigns`` finds them.
    seed : int
    """
    sources = np.array([row.source for row in comments])
    is_spam = corpus.labels(comments)
    found = []
    for source, make in _TESTS.items():
        own = np.isin(sources, source.split("+"))
        test = make(comments, own, is_spam, campaigns, seed) if is_spam[own].any() else None
        if test is not None and (ALONE not in test.fits or not is_spam[own].all()):
            found.append(test)
    return found


def _dealt(own: Flags, groups: Sequence[object]) -> NDArray[np.int64]:
    folds = np.full(own.size, NOT_JUDGED, dtype=np.int64)
    folds[own] = deal(groups)
    return folds


def _videos(
    comments: Sequence[LabeledComment], own: Flags, is_spam: Flags, campaigns: NDArray[np.int64], seed: int
) -> InsideTest | None:
    """Leave each video out."""
    titles = {
        title: place
        for place, title in enumerate(
            sorted({comments[place].comment.post_title for place in np.flatnonzero(own).tolist()})
        )
    }
    if len(titles) < 2:
        return None
    folds = np.full(own.size, NOT_JUDGED, dtype=np.int64)
    folds[own] = [titles[comments[place].comment.post_title] for place in np.flatnonzero(own).tolist()]
    return InsideTest("youtube-uci, videos left out", folds, own, {"all": own}, FITS)


def _strata(
    comments: Sequence[LabeledComment], own: Flags, is_spam: Flags, campaigns: NDArray[np.int64], seed: int
) -> InsideTest | None:
    """Deal rows by chance, as much spam in every fold: the protocol of the literature, in which campaigns straddle."""
    places = np.flatnonzero(own)
    if min(np.bincount(is_spam[places], minlength=2)) < N_FOLDS:
        return None
    folds = np.full(own.size, NOT_JUDGED, dtype=np.int64)
    split = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed).split(places, is_spam[places])
    for fold, (_, judged) in enumerate(split):
        folds[places[judged]] = fold
    return InsideTest("sms-uci, stratified folds", folds, own, {"all": own}, FITS)


def _brands(
    comments: Sequence[LabeledComment], own: Flags, is_spam: Flags, campaigns: NDArray[np.int64], seed: int
) -> InsideTest | None:
    """Leave brands out, of both sources at once; what names no brand goes by campaign."""
    places = np.flatnonzero(own).tolist()
    brands = brands_of([comments[place] for place in places])
    if len(set(brands) - {""}) < N_FOLDS:
        return None
    groups = [brand or int(campaigns[place]) for place, brand in zip(places, brands, strict=True)]
    folds = _dealt(own, groups)
    branded = np.zeros(own.size, dtype=np.bool_)
    branded[own] = [bool(brand) for brand in brands]
    sources = np.array([row.source for row in comments])
    parts = {"spam that names a brand": own & (branded | ~is_spam), "all": own}
    for name in sorted(set(sources[own])):
        parts[f"{name}, spam that names a brand"] = (sources == name) & (branded | ~is_spam)
    return InsideTest("youtube-id, brands left out", folds, own, parts, FITS)


def _campaigns_of_a_blog(
    comments: Sequence[LabeledComment], own: Flags, is_spam: Flags, campaigns: NDArray[np.int64], seed: int
) -> InsideTest | None:
    """Leave campaigns out."""
    folds = _dealt(own, campaigns[own].tolist())
    return InsideTest(
        "blog-hendrixjoseph, campaigns left out", folds, own, {"all": own}, (ALONE, WITH_THE_REST)
    )


def _campaigns_of_a_form(
    comments: Sequence[LabeledComment], own: Flags, is_spam: Flags, campaigns: NDArray[np.int64], seed: int
) -> InsideTest | None:
    """Leave campaigns out of a source without ham, judged against the ham of blogs that the fit did not see."""
    ham = np.array([row.kind == "blog" for row in comments], dtype=np.bool_) & ~is_spam & ~own
    if len({comments[place].source for place in np.flatnonzero(ham).tolist()}) < 2:
        return None
    folds = _dealt(own, campaigns[own].tolist())
    # Whole blogs, spam too: a blog's ham is not to be judged by a fit that knows the blog.
    lent = np.isin(
        [row.source for row in comments],
        list({comments[place].source for place in np.flatnonzero(ham).tolist()}),
    )
    folds[lent] = deal([comments[place].source for place in np.flatnonzero(lent).tolist()])
    return InsideTest("form-popcorn, campaigns left out", folds, own, {"all": own | ham}, (WITH_THE_REST,))


_Make = Callable[[Sequence[LabeledComment], Flags, Flags, NDArray[np.int64], int], InsideTest | None]
_TESTS: dict[str, _Make] = {
    "youtube-uci": _videos,
    "sms-uci": _strata,
    "youtube-id-a+youtube-id-b": _brands,
    "blog-hendrixjoseph": _campaigns_of_a_blog,
    "form-popcorn": _campaigns_of_a_form,
}


def may_fit(test: InsideTest, fit: str, limited: Flags) -> Flags:
    """Mark what a fit of this test may see before a fold is left out; other sources stay limited."""
    return test.own if fit == ALONE else test.own | limited
