"""Comments in, sparse rows of hashed tokens out; the same code for one comment and for a batch.

All fields of all comments of a batch stand in one code-point array. Words, word pairs and character n-grams
are spans of it and are hashed together (``hashing.py``); facts are hashed by name. A token's value is
1 / sqrt(number of different tokens of its block in that comment): with presence instead of counts, a word
said a hundred times weighs as one.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model import hashing
from model.comment import Comment
from model.document import AUTHOR, BODY, FIELDS, LINK, PAGE, URL, Document, bucket, prepare
from model.layout import Layout, lay_out

WORD, PAIR, GRAM = range(3)
FACT = 15
"""Block of the tokens given by name; the others are 3 * field + family."""

_N_BLOCKS = 16
_BLOCK_BITS = 4
_BATCH_CODES = 1 << 16
_MIN_PAGE_WORD = 4


@dataclass(frozen=True, slots=True)
class FeatureParams:
    """What tokens are made; part of a version, since its weights mean nothing under others.

    Attributes
    ----------
    bits : int
        The table has 2**bits weights; 10 to 24.
    grams : tuple of int
        Lengths of the character n-grams; no n-gram spans more than one word.
    pairs : bool
        Whether neighbouring words make a token.
    scales : mapping of str to float
        Weight of a block before fitting, by name (``body:gram``, ``fact``); 1 where none is given.
    """

    bits: int = 20
    grams: tuple[int, ...] = (2, 3, 4)
    pairs: bool = True
    scales: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 10 <= self.bits <= 24:
            raise ValueError(f"bits must be 10 to 24, not {self.bits}")
        if not self.grams or min(self.grams) < 2 or max(self.grams) > 8:
            raise ValueError(f"grams must be lengths from 2 to 8, not {self.grams}")
        unknown = set(self.scales) - set(BLOCK_NAMES.values())
        if unknown:
            raise ValueError(f"scales names no block: {', '.join(sorted(unknown))}")


BLOCK_NAMES = {
    **{
        3 * place + family: f"{FIELDS[place]}:{name}"
        for place in (BODY, AUTHOR, URL, LINK)
        for family, name in enumerate(("word", "pair", "gram"))
    },
    FACT: "fact",
}
# Author address and body link share their tokens: which field a spammer puts the address into is his choice.
_SHARED = {URL: URL, LINK: URL, BODY: BODY, AUTHOR: AUTHOR, PAGE: PAGE}
_SALTS = np.array(
    [
        hashing.of_name(f"{FIELDS[_SHARED[block // 3]]}:{block % 3}") if block < 15 else 0
        for block in range(_N_BLOCKS)
    ],
    dtype=np.uint64,
)


@dataclass(frozen=True, slots=True)
class Rows:
    """Sparse rows in compressed form, as ``scipy.sparse.csr_array`` takes them.

    Attributes
    ----------
    indptr : ndarray of int64, shape (n_comments + 1,)
    indices : ndarray of int32, shape (n_tokens,)
        Places in the weight table, per row in ascending order of (place, block).
    values : ndarray of float32, shape (n_tokens,)
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Every place where a token of one comment stands; what a score is explained from.

    A token that stands in several places shares its value out among them, so the products of weight and
    value add up to the row's.

    Attributes
    ----------
    indices : ndarray of int32, shape (n_spans + n_facts,)
        Places in the weight table; the facts come last, in the document's order.
    values : ndarray of float64, shape (n_spans + n_facts,)
    blocks : ndarray of intp, shape (n_spans + n_facts,)
    row : Rows
        The comment's row, the same to the bit as from ``Extractor.rows``.
    firsts, lasts : ndarray of intp, shape (n_spans,)
        The spans, half-open, in the layout's codes.
    layout : Layout
    offsets : ndarray of intp, shape (n_segments,)
        Where each segment's own codes begin before collapsing.
    """

    indices: NDArray[np.int32]
    values: NDArray[np.float64]
    blocks: NDArray[np.intp]
    row: Rows
    firsts: NDArray[np.intp]
    lasts: NDArray[np.intp]
    layout: Layout
    offsets: NDArray[np.intp]


@functools.lru_cache(maxsize=1 << 15)
def _fact_hash(fact: str) -> int:
    return hashing.of_name(fact)


class Extractor:
    """Turns comments into rows.

    Parameters
    ----------
    params : FeatureParams
    """

    def __init__(self, params: FeatureParams) -> None:
        self.params = params
        self._shift = np.uint64(64 - params.bits)
        self.scales = np.array(
            [params.scales.get(BLOCK_NAMES.get(block, ""), 1.0) for block in range(_N_BLOCKS)],
            dtype=np.float64,
        )

    @property
    def n_features(self) -> int:
        return 1 << self.params.bits

    def rows(self, comments: Sequence[Comment]) -> Rows:
        """Return one row per comment; a comment's row does not depend on its batch.

        Parameters
        ----------
        comments : sequence of Comment

        Returns
        -------
        Rows
        """
        return self.counted_rows(comments)[0]

    def counted_rows(self, comments: Sequence[Comment]) -> tuple[Rows, NDArray[np.intp]]:
        """Return the rows, and how many words each body has, shape (n_comments,)."""
        if len(comments) == 1:
            return self._rows([prepare(comments[0])])
        found = [self._rows(batch) for batch in _batches(comments)]
        if len(found) == 1:
            return found[0]
        if not found:
            nothing = Rows(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
            return nothing, np.zeros(0, np.intp)
        parts = [rows for rows, _ in found]
        lengths = np.concatenate([np.diff(part.indptr) for part in parts])
        joined = Rows(
            np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
            np.concatenate([part.indices for part in parts]),
            np.concatenate([part.values for part in parts]),
        )
        return joined, np.concatenate([n_words for _, n_words in found])

    def _rows(self, documents: list[Document]) -> tuple[Rows, NDArray[np.intp]]:
        layout = lay_out(documents)
        keys = self._keys(documents, layout, self._spans(layout))
        keys.sort()
        different = np.empty(keys.size, dtype=np.bool_)
        different[:1] = True
        np.not_equal(keys[1:], keys[:-1], out=different[1:])
        rows = self._row_values(keys.take(different.nonzero()[0]), len(documents))[0]
        return rows, _body_words(layout, len(documents))

    def occurrences(self, document: Document) -> Occurrences:
        """Return where each token of one prepared comment stands, and what it is worth there."""
        layout = lay_out([document])
        spans = self._spans(layout)
        keys = self._keys([document], layout, spans)
        tokens = hashing.group(keys)
        row, blocks = self._row_values(tokens.values, 1)
        shared = row.values.astype(np.float64) / (tokens.begins[1:] - tokens.begins[:-1])
        lengths = np.array([segment.codes.size + 1 for segment in document.segments])
        offsets = np.cumsum(lengths) - lengths + 1
        return Occurrences(
            row.indices[tokens.of],
            shared[tokens.of],
            blocks[tokens.of],
            row,
            spans.firsts,
            spans.lasts(),
            layout,
            offsets,
        )

    def _row_values(
        self, keys: NDArray[np.unsignedinteger], n_documents: int
    ) -> tuple[Rows, NDArray[np.intp]]:
        """Make rows of different keys; return them with each token's block."""
        kind = keys.dtype.type
        blocks = (keys & kind(_N_BLOCKS - 1)).astype(np.intp)
        indices = keys >> kind(_BLOCK_BITS)
        owner_blocks = blocks
        if n_documents > 1:
            indices &= kind(self.n_features - 1)
            owners = (keys >> kind(self.params.bits + _BLOCK_BITS)).astype(np.intp)
            owner_blocks = owners * _N_BLOCKS + blocks
            indptr = owners.searchsorted(np.arange(n_documents + 1)).astype(np.int64)
        else:
            indptr = np.array((0, keys.size), dtype=np.int64)
        counts = np.bincount(owner_blocks, minlength=n_documents * _N_BLOCKS).reshape(-1, _N_BLOCKS)
        counts[:, FACT] = 1  # each fact stands for itself
        scales = (self.scales / np.sqrt(np.maximum(counts, 1))).astype(np.float32)
        return Rows(indptr, indices.astype(np.int32), scales.take(owner_blocks)), blocks

    def _spans(self, layout: Layout) -> _Spans:
        """Find and hash the words, pairs and n-grams of all fields but pages."""
        starts, ends, segment_of = layout.starts, layout.ends, layout.segment_of
        sums = hashing.prefix_sums(layout.codes)
        all_words = words = hashing.spans(sums, starts, ends)
        parts: list[NDArray[np.uint64]] = []
        firsts: list[NDArray[np.intp]] = []
        has_page = PAGE in layout.fields.tolist()
        if has_page:
            open_codes = (layout.fields != PAGE).take(segment_of)
            own = open_codes.take(starts).nonzero()[0]
            starts, ends, words = starts.take(own), ends.take(own), words.take(own)
        parts.append(words)
        firsts.append(starts)
        pair_ends = ends[1:]
        if self.params.pairs and starts.size > 1:
            pairs, pair_starts = hashing.pairs(words[:-1], words[1:]), starts[:-1]
            if layout.fields.size > 1:
                segments = segment_of.take(starts)
                same = (segments[1:] == segments[:-1]).nonzero()[0]
                pairs, pair_starts, pair_ends = pairs.take(same), pair_starts.take(same), pair_ends.take(same)
            parts.append(pairs)
            firsts.append(pair_starts)
        else:
            pair_ends = pair_ends[:0]
        filled = layout.codes != 32
        gram_sizes = []
        for length in self.params.grams:
            n = layout.codes.size - length + 1
            if n <= 0:
                continue
            inside = _inside_words(filled, length, n)
            first = (inside & open_codes[:n] if has_page else inside).nonzero()[0]
            hashes = hashing.windows(sums, length).take(first)
            hashes += np.uint64(length)
            parts.append(hashes)
            firsts.append(first)
            gram_sizes.append((length, first.size))
        return _Spans(
            np.concatenate(parts), np.concatenate(firsts), (ends, pair_ends), gram_sizes, all_words, has_page
        )

    def _keys(self, documents: list[Document], layout: Layout, spans: _Spans) -> NDArray[np.unsignedinteger]:
        """Return every occurrence of a token as owner | place | block; facts come last."""
        bits, segment_of = self.params.bits, layout.segment_of
        n_words, n_pairs = (part.size for part in spans.word_ends)
        blocks = (layout.fields * np.uint8(3)).take(segment_of).take(spans.firsts)
        blocks[n_words : n_words + n_pairs] += np.uint8(PAIR)
        blocks[n_words + n_pairs :] += np.uint8(GRAM)
        hashes = spans.hashes
        hashes += _SALTS.take(blocks)
        hashing.mix(hashes)
        hashes >>= self._shift
        # Half as wide where they fit, which a comment alone always does: sorting is the dearest step of all, and
        # takes 11 microseconds instead of 24 for 400 characters.
        is_narrow = len(documents) << (bits + _BLOCK_BITS) <= 1 << 32
        kind: type[np.unsignedinteger] = np.uint32 if is_narrow else np.uint64
        if spans.has_page:
            _state_overlap(documents, layout, spans.all_words)
        # Plain integers: there are a dozen facts, and every array call costs as much as all of them.
        shift = 64 - bits
        fact_keys = [
            (owner << bits | _fact_hash(fact) >> shift) << _BLOCK_BITS | FACT
            for owner, document in enumerate(documents)
            for fact in document.facts
        ]
        keys = np.empty(hashes.size + len(fact_keys), dtype=kind)
        tokens = keys[: hashes.size]
        tokens[:] = hashes
        if len(documents) > 1:
            tokens |= layout.owners.take(segment_of.take(spans.firsts)).astype(kind) << kind(bits)
        tokens <<= kind(_BLOCK_BITS)
        tokens |= blocks
        keys[hashes.size :] = fact_keys
        return keys


def _body_words(layout: Layout, n_documents: int) -> NDArray[np.intp]:
    """Return how many words each body has; a body is its document's first segment."""
    if n_documents == 1:
        return layout.starts.searchsorted(layout.segment_of.searchsorted(np.array([1])))
    segments = layout.segment_of.take(layout.starts)
    bodies = segments.compress((layout.fields == BODY).take(segments))
    return np.bincount(layout.owners.take(bodies), minlength=n_documents)


def _inside_words(filled: NDArray[np.bool_], length: int, n: int) -> NDArray[np.bool_]:
    """Tell which of the n n-grams of one length have no space but at their ends."""
    if length == 2:  # nothing lies inside: two spaces between empty fields are no token
        return filled[:n] | filled[1:]
    inside = filled[1 : n + 1]
    for place in range(2, length - 1):
        inside = inside & filled[place : place + n]
    return inside


class _Spans(NamedTuple):
    """The words, pairs and n-grams of a layout, in this order; hashed, not yet salted by field.

    Attributes
    ----------
    hashes : ndarray of uint64, shape (n_spans,)
    firsts : ndarray of intp, shape (n_spans,)
    word_ends : pair of ndarray of intp
        Where the words end, and where the pairs do.
    gram_sizes : list of (int, int)
        Each n-gram length with how many there are.
    all_words : ndarray of uint64, shape (n_words,)
        Hashes of the layout's words, those of pages too.
    has_page : bool
    """

    hashes: NDArray[np.uint64]
    firsts: NDArray[np.intp]
    word_ends: tuple[NDArray[np.intp], NDArray[np.intp]]
    gram_sizes: list[tuple[int, int]]
    all_words: NDArray[np.uint64]
    has_page: bool

    def lasts(self) -> NDArray[np.intp]:
        """Return where each span ends."""
        n_words = sum(ends.size for ends in self.word_ends)
        lengths = np.repeat(*np.array(self.gram_sizes, dtype=np.intp).reshape(-1, 2).T)
        return np.concatenate((*self.word_ends, self.firsts[n_words:] + lengths))


def _batches(comments: Sequence[Comment]) -> Iterator[list[Document]]:
    """Prepare comments and group them so that a batch stays in the processor's cache."""
    batch: list[Document] = []
    n_codes = 0
    for comment in comments:
        document = prepare(comment)
        batch.append(document)
        n_codes += sum(segment.codes.size + 1 for segment in document.segments)
        if n_codes >= _BATCH_CODES:
            yield batch
            batch, n_codes = [], 0
    if batch:
        yield batch


def _state_overlap(documents: list[Document], layout: Layout, word_hashes: NDArray[np.uint64]) -> None:
    """State, for each comment with a page, how many of the page's words its body shares."""
    telling = (layout.ends - layout.starts >= _MIN_PAGE_WORD).nonzero()[0]
    hashes = word_hashes.take(telling)
    segment_of = layout.segment_of.take(layout.starts.take(telling))  # rising, so each segment is a slice
    bounds = segment_of.searchsorted(np.arange(layout.fields.size + 1, dtype=np.int32)).tolist()
    body_of: dict[int, list[int]] = {}
    for segment, owner in enumerate(layout.owners.tolist()):
        words = slice(bounds[segment], bounds[segment + 1])
        if layout.fields[segment] == BODY:
            body_of[owner] = hashes[words].tolist()
        elif layout.fields[segment] == PAGE:
            # A page has a handful of words: Python's sets are faster here than sorted arrays.
            n_shared = len(set(hashes[words].tolist()).intersection(body_of[owner]))
            documents[owner].facts.append(f"page:shared:{bucket(n_shared)}")
