"""Lays all fields of a batch of comments into one array of code points, and finds the words in it.

Runs collapse here, and letters written apart come together; every code remembers where it came from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model import text
from model.document import Document, Segment

_SPACE = np.array([32], dtype=np.uint32)
# Fewer single letters in a row are initials or a list.
_SPACED_RUN = 4


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the tokens of a batch come from; positions count code points of ``codes``.

    Attributes
    ----------
    codes : ndarray of uint32, shape (n_codes,)
        Every segment, each between spaces, after folding and collapsing.
    flags : ndarray of uint8, shape (n_codes,)
        Class bits of each code (``text.classes``).
    kept : ndarray of intp, shape (n_codes,)
        For each code, its place in the concatenation of the segments before collapsing.
    segment_of : ndarray of int32, shape (n_codes,)
        For each code, the segment it belongs to.
    fields : ndarray of uint8, shape (n_segments,)
        Each segment's field.
    owners : ndarray of int32, shape (n_segments,)
        Each segment's comment, by its place in the batch.
    starts, ends : ndarray of intp, shape (n_words,)
        The words, half-open; an ideograph is a word of its own.
    """

    codes: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    kept: NDArray[np.intp]
    segment_of: NDArray[np.int32]
    fields: NDArray[np.uint8]
    owners: NDArray[np.int32]
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]


def lay_out(documents: list[Document]) -> Layout:
    """Put all segments into one array with a space before each.

    White space collapses to one space, and of a letter repeated three times or more two stay. Where letters
    were written apart ("v i a g r a") they are joined, and the comment's document gets a fact that says so.

    Parameters
    ----------
    documents : list of Document
        At least one.

    Returns
    -------
    Layout
    """
    segments: list[Segment] = []
    owners: list[int] = []
    for owner, document in enumerate(documents):
        segments += document.segments
        owners += [owner] * len(document.segments)
    parts: list[NDArray[np.uint32]] = []
    for segment in segments:
        parts += (_SPACE, segment.codes)
    parts.append(_SPACE)
    codes = np.concatenate(parts)
    lengths = [segment.codes.size + 1 for segment in segments]
    lengths[-1] += 1  # the space after the last
    segment_of = np.repeat(np.arange(len(segments), dtype=np.int32), lengths)
    same = codes[1:] == codes[:-1]
    dropped = np.zeros(codes.size, dtype=np.bool_)
    dropped[1:] = same & (codes[1:] == 32) & (segment_of[1:] == segment_of[:-1])
    dropped[2:] |= same[1:] & same[:-1] & (codes[2:] != 32)
    kept = np.flatnonzero(~dropped)
    codes, segment_of = codes[kept], segment_of[kept]
    flags = text.classes(codes)
    starts, ends = _words(flags)
    owner_of = np.array(owners, dtype=np.int32)
    if np.count_nonzero(ends - starts == 1) >= _SPACED_RUN:
        joined, spaced_in = _joined(flags, segment_of)
        if spaced_in.size:
            codes, flags, kept, segment_of = codes[joined], flags[joined], kept[joined], segment_of[joined]
            starts, ends = _words(flags)
            for owner in np.unique(owner_of[spaced_in]).tolist():
                documents[owner].facts.append("disguise:spaced")
    fields = np.array([segment.field for segment in segments], dtype=np.uint8)
    return Layout(codes, flags, kept, segment_of, fields, owner_of, starts, ends)


def _words(flags: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the words' starts and ends."""
    word = (flags & text.WORD) != 0
    inner = (flags & (text.WORD | text.IDEOGRAPH)) == text.WORD
    joined = inner[1:] & inner[:-1]
    starts = np.flatnonzero(word[1:] & ~joined) + 1
    ends = np.flatnonzero(word[:-1] & ~joined) + 1
    return starts, ends


def _joined(
    flags: NDArray[np.uint8], segment_of: NDArray[np.int32]
) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Return the places left when letters written apart are joined, and the segments where that was so."""
    letter = (flags & (text.WORD | text.IDEOGRAPH)) == text.WORD
    alone = letter[1:-1] & ~letter[:-2] & ~letter[2:]
    at = np.flatnonzero(alone) + 1
    follows = (np.diff(at) == 2) & (np.diff(segment_of[at]) == 0)
    edges = np.diff(np.concatenate(([0], follows.view(np.int8), [0])))
    gaps: list[NDArray[np.intp]] = []
    segments: list[int] = []
    for begin, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        if end - begin + 1 >= _SPACED_RUN:
            gaps.append(np.arange(at[begin] + 1, at[end], 2))
            segments.append(int(segment_of[at[begin]]))
    left = np.delete(np.arange(flags.size), np.concatenate(gaps)) if gaps else np.arange(flags.size)
    return left, np.array(segments, dtype=np.int32)
