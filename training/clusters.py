"""Finds comments that belong together: near-copies, and spam for the same address."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from model import links
from model.comment import LabeledComment

_WORD = re.compile(r"\w+")
# Runs of so many words are compared, and of each comment the few with the lowest hashes stand for it: a copy
# with some words changed keeps most of them.
_RUN = 4
_N_KEPT = 6
_MAX_LINKS = 20


def clusters(comments: Sequence[LabeledComment]) -> NDArray[np.int64]:
    """Return each comment's campaign as a number, shape (n_comments,).

    Two comments are of one campaign if they share a telling run of words, or both are spam for one registered
    domain, or if a third one ties them together. A comment with nothing to share is a campaign of its own.

    References
    ----------
    A. Broder, "On the resemblance and containment of documents", SEQUENCES 1997: the lowest hashes of a
    document's word runs as its sketch.
    """
    keys: dict[str, int] = {}
    rows: list[int] = []
    columns: list[int] = []
    for place, row in enumerate(comments):
        for key in _keys(row):
            rows.append(place)
            columns.append(keys.setdefault(key, len(keys)))
    n = len(comments)
    # Comments and keys are the two sides of one graph.
    graph = scipy.sparse.csr_array(
        (np.ones(len(rows), dtype=np.bool_), (rows, np.array(columns, dtype=np.int64) + n)),
        shape=(n + len(keys), n + len(keys)),
    )
    _, members = connected_components(graph, directed=False)
    return np.unique(members[:n], return_inverse=True)[1].astype(np.int64)


def _keys(row: LabeledComment) -> Iterator[str]:
    comment = row.comment
    words = _WORD.findall(comment.body.casefold())
    runs = {" ".join(words[first : first + _RUN]) for first in range(max(1, len(words) - _RUN + 1))} - {""}
    yield from sorted(runs, key=lambda run: zlib.crc32(run.encode("utf-8", "surrogatepass")))[:_N_KEPT]
    if row.is_spam:
        addresses = [link.text for link in links.find(comment.body, at_most=_MAX_LINKS)]
        for address in (*addresses, comment.url):
            domain = links.parse(address).domain
            if domain and domain not in links.KNOWN:
                yield f"//{domain}"
