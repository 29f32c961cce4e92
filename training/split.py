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
    sizes = Counter(row.source for row in comments)
    if n_folds < 2 or len(sizes) < n_folds:
        raise ValueError(f"{len(sizes)} sources cannot be dealt into {n_folds} folds")
    loads = [0] * n_folds
    fold_of: dict[str, int] = {}
    for source, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        lightest = loads.index(min(loads))
        fold_of[source] = lightest
        loads[lightest] += size
    return np.array([fold_of[row.source] for row in comments], dtype=np.int64)


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
