"""Finds campaigns: comments of one source that are near-copies of each other, by MinHash over word shingles."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from model.comment import LabeledComment

N_BANDS, N_ROWS = 20, 3
"""Two comments meet in a band with even chance if 37 % of their shingles agree."""
MIN_LIKENESS = 0.4
"""Share of equal MinHash values from which two comments that met are near-copies."""
# Scripts without spaces: each letter a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+")
_MAX_WORDS = 400
_MIX = np.uint64(0x9E3779B97F4A7C15)


def campaigns(comments: Sequence[LabeledComment]) -> NDArray[np.int64]:
    """Return each comment's campaign; a comment like no other is one by itself.

    Shingles are pairs of neighbouring words, letters folded as Unicode does (NFKC), so that this grouping does not
    change when the model's own normalisation does.

    Parameters
    ----------
    comments : sequence of LabeledComment

    Returns
    -------
    ndarray of int64, shape (n_comments,)
        From 0; no campaign spans two sources.

    References
    ----------
    A. Broder, "On the resemblance and containment of documents" (1997); bands as in J. Leskovec, A. Rajaraman and
    J. Ullman, "Mining of Massive Datasets", chapter 3.
    """
    hashes, offsets = _shingles([row.comment.body for row in comments])
    filled = np.flatnonzero(np.diff(offsets))
    if filled.size == 0:
        return np.arange(len(comments), dtype=np.int64)
    sketch = _sketch(hashes, offsets[:-1][filled])
    source_of = {name: place for place, name in enumerate(sorted({row.source for row in comments}))}
    sources = np.array([source_of[comments[place].source] for place in filled.tolist()], dtype=np.uint64)
    pairs = [_met(sketch[:, band * N_ROWS : (band + 1) * N_ROWS], sources) for band in range(N_BANDS)]
    one, other = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    alike = np.mean(sketch[one] == sketch[other], axis=1) >= MIN_LIKENESS
    graph = scipy.sparse.coo_array(
        (np.ones(int(alike.sum()), dtype=np.int8), (filled[one[alike]], filled[other[alike]])),
        shape=(len(comments), len(comments)),
    )
    _, found = connected_components(graph, directed=False)
    return np.asarray(found, dtype=np.int64)


def _shingles(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the hashes of all word pairs, and where each text's begin; a lone word is paired with nothing."""
    known: dict[str, int] = {}
    words: list[int] = []
    offsets = [0]
    for text in texts:
        found = _WORD.findall(unicodedata.normalize("NFKC", text[: _MAX_WORDS * 20]).casefold())[:_MAX_WORDS]
        words += [known.setdefault(word, len(known) + 1) for word in found]
        if len(found) == 1:
            words.append(0)
        offsets.append(len(words))
    numbers = np.array(words, dtype=np.uint64)
    pairs = (numbers[:-1] * _MIX) ^ ((numbers[1:] + np.uint64(1)) * np.uint64(0xC2B2AE3D27D4EB4F))
    lengths = np.diff(offsets)
    # The pair that begins with a text's last word reaches into the next text.
    inside = np.ones(numbers.size, dtype=np.bool_)
    inside[np.cumsum(lengths)[lengths > 0] - 1] = False
    starts = np.concatenate([[0], np.cumsum(np.maximum(lengths - 1, 0))]).astype(np.int64)
    return pairs[inside[:-1]] if numbers.size else pairs, starts


def _sketch(hashes: NDArray[np.uint64], starts: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return MinHash values, shape (n_texts, N_BANDS * N_ROWS)."""
    chance = np.random.default_rng(0)
    factors = chance.integers(1, 2**63, size=N_BANDS * N_ROWS, dtype=np.uint64) | np.uint64(1)
    sketch = np.empty((starts.size, factors.size), dtype=np.uint32)
    mixed = (hashes ^ (hashes >> np.uint64(29))) * _MIX
    for place, factor in enumerate(factors):
        shuffled = ((mixed * factor) >> np.uint64(32)).astype(np.uint32)
        sketch[:, place] = np.minimum.reduceat(shuffled, starts)
    return sketch


def _met(
    band: NDArray[np.uint32], sources: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of neighbours among the texts of one source whose values agree in the whole band."""
    keys = sources * _MIX
    for column in band.T:
        keys = (keys ^ column.astype(np.uint64)) * np.uint64(0xFF51AFD7ED558CCD)
        keys ^= keys >> np.uint64(31)
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero((keys[order][1:] == keys[order][:-1]) & (sources[order][1:] == sources[order][:-1]))
    return order[same], order[same + 1]
