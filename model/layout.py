"""Lays all fields of a batch of comments into one array of code points, and finds the words in it.

Runs collapse here, and letters written apart come together; every code remembers where it came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model import text
from model.document import Document, Segment

_SPACE = np.array([32], dtype=np.uint32)
# Fewer single letters in a row are initials or a list.
_SPACED_RUN = 4
_SPACED_GAP = 3
# So many emoji or ornaments between letters, and they are there to split words; "I❤you" is not.
_MIN_SPLITS = 3
# English doubles one letter in twenty-five, Finnish one in nine, here and there one in four.
_DOUBLED_SHARE = 0.3
_MIN_DOUBLED = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the tokens of a batch come from; positions count code points of ``codes``.

    Attributes
    ----------
    codes : ndarray of uint32, shape (n_codes,)
        Every segment, each between spaces, after folding and collapsing.
    flags : ndarray of uint16, shape (n_codes,)
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
    flags: NDArray[np.uint16]
    kept: NDArray[np.intp]
    segment_of: NDArray[np.int32]
    fields: NDArray[np.uint8]
    owners: NDArray[np.int32]
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]


def lay_out(documents: list[Document]) -> Layout:
    """Put all segments into one array with a space before each.

    White space collapses to one space, a letter repeated becomes one, and of anything else repeated three times
    or more two stay. Where letters were written apart ("v i a g r a"), or symbols stand between them, they are
    joined; the comment's document gets a fact for each such disguise.

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
    codes = whole(segments)
    lengths = [segment.codes.size + 1 for segment in segments]
    lengths[-1] += 1  # the space after the last
    segment_of = np.repeat(np.arange(len(segments), dtype=np.int32), lengths)
    laid = _Laid(codes, text.classes(codes), segment_of)
    owner_of = np.array(owners, dtype=np.int32)

    def state(fact: str, where: NDArray[np.intp]) -> None:
        for owner in np.unique(owner_of[where]).tolist():
            documents[owner].facts.append(fact)

    laid, doubled = _without_repeats(laid)
    if doubled.size >= _MIN_DOUBLED:
        overdone = _overdone(laid, segment_of.take(doubled), len(segments))
        if overdone.size:
            state("disguise:doubled", overdone)
    # One look at the whole spares a comment without symbols or ideographs the search for them.
    seen = int(np.bitwise_or.reduce(laid.flags))
    if seen & text.SYMBOL:
        symbols = (laid.flags & text.SYMBOL).nonzero()[0]
        if symbols.size >= _MIN_SPLITS:
            laid, split_in = _without_symbols(laid, symbols, len(segments))
            if split_in.size:
                state("disguise:split", split_in)
                laid, _ = _without_repeats(laid)
    has_ideographs = bool(seen & text.IDEOGRAPH)
    starts, ends = _words(laid.flags, has_ideographs)
    alone = (ends - starts == 1).nonzero()[0]
    if np.count_nonzero(alone[1:] - alone[:-1] == 1) >= _SPACED_RUN - 1:
        gaps, spaced_in = _gaps(laid, starts, ends)
        if spaced_in.size:
            state("disguise:spaced", spaced_in)
            laid, _ = _without_repeats(laid.at(np.flatnonzero(~gaps)))
            starts, ends = _words(laid.flags, has_ideographs)
    fields = np.array([segment.field for segment in segments], dtype=np.uint8)
    kept = np.arange(codes.size) if laid.kept is None else laid.kept
    return Layout(laid.codes, laid.flags, kept, laid.segment_of, fields, owner_of, starts, ends)


def whole(segments: list[Segment]) -> NDArray[np.uint32]:
    """Return all segments' codes, each between spaces, before anything collapses."""
    parts: list[NDArray[np.uint32]] = []
    for segment in segments:
        parts += (_SPACE, segment.codes)
    parts.append(_SPACE)
    return np.concatenate(parts)


class _Laid(NamedTuple):
    """Codes with what belongs to each; as in ``Layout``, but None where every code is kept."""

    codes: NDArray[np.uint32]
    flags: NDArray[np.uint16]
    segment_of: NDArray[np.int32]
    kept: NDArray[np.intp] | None = None

    def at(self, places: NDArray[np.intp]) -> _Laid:
        """Return what stands at the given places."""
        kept = places if self.kept is None else self.kept.take(places)
        return _Laid(self.codes.take(places), self.flags.take(places), self.segment_of.take(places), kept)


def _without_repeats(laid: _Laid) -> tuple[_Laid, NDArray[np.intp]]:
    """Collapse white space, repeated letters and long runs; return where runs of a letter were."""
    codes, flags, segment_of, _ = laid
    same = codes[1:] == codes[:-1]
    before = same.nonzero()[0]  # a handful, so what follows is about them alone
    if not before.size:
        return laid, before
    at = before + 1
    letters = (flags.take(at) & text.LETTER) != 0
    again = same.take(before - 1) & (before > 0)
    dropped = letters | again
    spaces = (codes.take(at) == 32).nonzero()[0]
    if spaces.size:
        dropped[spaces] = segment_of.take(at.take(spaces)) == segment_of.take(before.take(spaces))
    left = np.ones(codes.size, dtype=np.bool_)
    left[at] = ~dropped
    # A run counts once, however long: "soooo" is emphasis.
    return laid.at(left.nonzero()[0]), at.take((letters > again).nonzero()[0])


def _overdone(laid: _Laid, doubled: NDArray[np.int32], n_segments: int) -> NDArray[np.intp]:
    """Return the segments where so many letters were doubled that it is disguise."""
    n_doubled = np.bincount(doubled, minlength=n_segments)
    if n_doubled.max() < _MIN_DOUBLED:
        return np.empty(0, dtype=np.intp)
    letters = (laid.flags & text.LETTER) != 0
    begins = laid.segment_of.searchsorted(np.arange(n_segments, dtype=np.int32))  # each has its space
    n_letters = np.add.reduceat(letters, begins, dtype=np.intp)
    return np.flatnonzero((n_doubled >= _MIN_DOUBLED) & (n_doubled >= _DOUBLED_SHARE * n_letters))


def _without_symbols(
    laid: _Laid, symbols: NDArray[np.intp], n_segments: int
) -> tuple[_Laid, NDArray[np.intp]]:
    """Take emoji and ornaments out of words that they split; return the segments where that was so."""
    flags = laid.flags
    first = np.flatnonzero(np.diff(symbols, prepend=-2) != 1)  # of each run of symbols
    lengths = np.diff(first, append=symbols.size)
    before, after = symbols[first] - 1, symbols[first] + lengths
    splits = (flags[before] & flags[after] & text.LETTER) != 0
    per_segment = np.bincount(laid.segment_of[before[splits]], minlength=n_segments)
    splits &= per_segment[laid.segment_of[before]] >= _MIN_SPLITS
    left = np.delete(np.arange(laid.codes.size), symbols[np.repeat(splits, lengths)])
    return laid.at(left), np.flatnonzero(per_segment >= _MIN_SPLITS)


def _words(flags: NDArray[np.uint16], has_ideographs: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the words' starts and ends; the first and the last code are spaces."""
    word = (flags & text.WORD) != 0
    if not has_ideographs:  # every other change ends a word
        edges = (word[1:] != word[:-1]).nonzero()[0] + 1
        return edges[::2], edges[1::2]
    inner = (flags & (text.WORD | text.IDEOGRAPH)) == text.WORD
    joined = inner[1:] & inner[:-1]
    starts = (word[1:] & ~joined).nonzero()[0] + 1
    ends = (word[:-1] & ~joined).nonzero()[0] + 1
    return starts, ends


def _gaps(
    laid: _Laid, starts: NDArray[np.intp], ends: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Return where letters written apart leave gaps, and the segments where that is so."""
    flags = laid.flags
    gaps = np.zeros(flags.size, dtype=np.bool_)
    segments: list[int] = []
    letter = (flags[starts] & (text.LETTER | text.DIGIT)) != 0
    alone = ((ends - starts == 1) & letter).nonzero()[0]
    at, segment_of = starts[alone], laid.segment_of
    width = at[1:] - at[:-1]
    follows = (
        (alone[1:] - alone[:-1] == 1)
        & (width <= _SPACED_GAP + 1)
        & (segment_of[at[1:]] == segment_of[at[:-1]])
    )
    if np.count_nonzero(follows) < _SPACED_RUN - 1:
        return gaps, np.array(segments, dtype=np.intp)
    # A wider gap than one sign must be signs alone: "A, B, C" is a list.
    parting = np.cumsum((flags & text.SPACE) != 0)[at]
    spaced = parting[1:] != parting[:-1]
    follows &= (width == 2) | ~spaced
    written = at if laid.kept is None else laid.kept[at]
    width = written[1:] - written[:-1]
    edges = np.diff(np.concatenate(([0], follows.view(np.int8), [0])))
    runs = zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True)
    for begin, end in runs:
        if end - begin + 1 < _SPACED_RUN:
            continue
        segments.append(int(segment_of[at[begin]]))
        gaps[at[begin] : at[end]] = True
        gaps[at[begin : end + 1]] = False
        # Between words the gap is wider, or the only space among other signs.
        run = slice(begin, end)
        narrow = width[run].min()
        border = spaced[run] & ((width[run] > narrow) | ~spaced[run].all())
        gaps[at[begin:end][border] + 1] = False
    return gaps, np.array(segments, dtype=np.intp)
