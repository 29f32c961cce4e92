"""Splits by origin: what is judged comes from sources that the fit never saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from model.comment import LabeledComment
from training.spintax import KIND as GENERATED


def source_folds(comments: Sequence[LabeledComment], n_folds: int) -> NDArray[np.int64]:
    """Deal whole sources into folds of like size, largest source first.

    Parameters
    ----------
    comments : sequence of LabeledComment
    n_folds : int
        At least 2.

    Returns
    -------
    ndarray of int64, shape (n_comments,)
        Each comment's fold.

    Raises
    ------
    ValueError
        If there are fewer sources than folds.
    """
    return _deal([row.source for row in comments], n_folds)


def calibration_folds(comments: Sequence[LabeledComment], n_folds: int) -> NDArray[np.int64]:
    """Deal into at most ``n_folds`` folds: whole sources; of a single source its groups, or else its comments.

    A score calibrated within one source is sure of itself about the next one. But who has one source can still
    fit, and learn by the same code.

    Returns
    -------
    ndarray of int64, shape (n_comments,)
        Each comment's fold; folds are numbered from 0 without a gap.

    Raises
    ------
    ValueError
        If there are fewer than two comments.
    """
    for units in (
        [row.source for row in comments],
        [row.group or row.id for row in comments],
        [str(place) for place in range(len(comments))],
    ):
        n_units = len(set(units))
        if n_units >= 2:
            return _deal(units, min(n_folds, n_units))
    raise ValueError("a fit needs at least two comments")


def _deal(units: Sequence[str], n_folds: int) -> NDArray[np.int64]:
    sizes = Counter(units)
    if n_folds < 2 or len(sizes) < n_folds:
        raise ValueError(f"{len(sizes)} sources cannot be dealt into {n_folds} folds")
    loads = [0] * n_folds
    fold_of: dict[str, int] = {}
    for unit, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        lightest = loads.index(min(loads))
        fold_of[unit] = lightest
        loads[lightest] += size
    return np.array([fold_of[unit] for unit in units], dtype=np.int64)


def leave_one_source_out(
    comments: Sequence[LabeledComment], *, min_rows: int = 50, n_rest: int = 5
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield a name and the rows to leave out, until every source of real comments was left out once.

    A source with at least ``min_rows`` of both labels stands alone; the others are dealt into ``n_rest``
    groups, since a source of one label tells only one of the two error rates. What was generated is never
    left out: it is nobody's comment.
    """
    n_rows = Counter((row.source, row.is_spam) for row in comments)
    sources = np.array([row.source for row in comments])
    names = sorted({row.source for row in comments if row.kind != GENERATED})
    alone = [name for name in names if min(n_rows[name, True], n_rows[name, False]) >= min_rows]
    for name in alone:
        yield name, sources == name
    rest = sorted(
        (name for name in names if name not in alone),
        key=lambda name: (-(n_rows[name, True] + n_rows[name, False]), name),
    )
    for first in range(min(n_rest, len(rest))):
        group = rest[first::n_rest]
        yield "+".join(group), np.isin(sources, group)
