"""Judges long comments by their strongest passage in fits, as a version does that runs.

Which passage is the strongest depends on the weights, so it is sought anew under every fit; what does not
depend on them is made once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from model.comment import Comment, LabeledComment
from model.document import prepare
from model.features import Extractor, FeatureParams, Rows
from model.passage import MIN_WORDS, Passages, find


@dataclass(slots=True)
class LongComment:
    """One long comment.

    Attributes
    ----------
    comment : Comment
    passages : Passages
    rows : dict
        The row of each passage that was ever the strongest, as its places in the table and its values.
    """

    comment: Comment
    passages: Passages
    rows: dict[tuple[int, int], tuple[NDArray[np.int32], NDArray[np.float32]]] = field(default_factory=dict)


def long_comments(
    comments: Sequence[LabeledComment], n_words: NDArray[np.intp], extractor: Extractor
) -> list[tuple[int, LongComment]]:
    """Return the comments that have passages, with their places.

    Parameters
    ----------
    comments : sequence of LabeledComment
    n_words : ndarray of int, shape (n_comments,)
        Words of their bodies, from ``Extractor.counted_rows``.
    extractor : Extractor
    """
    found = []
    for place in np.flatnonzero(n_words >= MIN_WORDS).tolist():
        comment = comments[place].comment
        document = prepare(comment)
        passages = find(document, extractor.occurrences(document), extractor, len(comment.body))
        if passages is not None:
            found.append((place, LongComment(comment, passages)))
    return found


def lift(
    log_odds: NDArray[np.float64],
    long: Mapping[int, LongComment],
    weights: NDArray[np.float64],
    bias: float,
    features: FeatureParams,
) -> None:
    """Raise log-odds of whole comments, in place, to those of their strongest passages where these are higher.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n_comments,)
    long : mapping of int to LongComment
        By place in ``log_odds``.
    weights : ndarray of float64, shape (n_features,)
    bias : float
    features : FeatureParams
    """
    chosen = {place: one.passages.strongest(weights) for place, one in long.items()}
    missing = [(one, chosen[place]) for place, one in long.items() if chosen[place] not in one.rows]
    made = Extractor(features).rows(
        [replace(one.comment, body=one.comment.body[slice(*where)]) for one, where in missing]
    )
    for number, (one, where) in enumerate(missing):
        one.rows[where] = _row(made, number)
    for place, one in long.items():
        indices, values = one.rows[chosen[place]]
        log_odds[place] = max(log_odds[place], float(weights[indices] @ values) + bias)


def _row(rows: Rows, number: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return a copy of one row, which does not keep the others in memory."""
    inside = slice(*rows.indptr[number : number + 2].tolist())
    return rows.indices[inside].copy(), rows.values[inside].copy()
