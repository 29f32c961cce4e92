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
        self._scales = np.array(
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
        parts = [self._rows(batch) for batch in _batches(comments)]
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return Rows(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
        lengths = np.concatenate([np.diff(part.indptr) for part in parts])
        return Rows(
            np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
            np.concatenate([part.indices for part in parts]),
            np.concatenate([part.values for part in parts]),
        )

    def _rows(self, documents: list[Document]) -> Rows:
        keys, _, _, _ = self._keys(documents)
        keys.sort()
        different = np.empty(keys.size, dtype=np.bool_)
        different[:1] = True
        np.not_equal(keys[1:], keys[:-1], out=different[1:])
        indices, _, owners, values = self._values(keys[different], len(documents))
        indptr = np.searchsorted(owners, np.arange(len(documents) + 1))
        return Rows(indptr.astype(np.int64), indices, values)

    def occurrences(self, document: Document) -> Occurrences:
        """Return where each token of one prepared comment stands, and what it is worth there."""
        keys, firsts, lasts, layout = self._keys([document])
        different, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
        indices, blocks, _, values = self._values(different, 1)
        shared = values.astype(np.float64) / counts
        lengths = np.array([segment.codes.size + 1 for segment in document.segments])
        offsets = np.cumsum(lengths) - lengths + 1
        row = Rows(np.array([0, indices.size], dtype=np.int64), indices, values)
        return Occurrences(
            indices[inverse], shared[inverse], blocks[inverse], row, firsts, lasts, layout, offsets
        )

    def _values(
        self, keys: NDArray[np.uint64], n_documents: int
    ) -> tuple[NDArray[np.int32], NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
        """Take different keys apart into places, blocks, owners and values."""
        cells = (keys >> np.uint64(self.params.bits + _BLOCK_BITS)).astype(np.intp)
        blocks = (keys & np.uint64(_N_BLOCKS - 1)).astype(np.intp)
        indices = ((keys >> np.uint64(_BLOCK_BITS)) & np.uint64(self.n_features - 1)).astype(np.int32)
        owner_blocks = cells * _N_BLOCKS + blocks
        counts = np.bincount(owner_blocks, minlength=n_documents * _N_BLOCKS).reshape(-1, _N_BLOCKS)
        counts[:, FACT] = 1  # each fact stands for itself
        scales = (self._scales / np.sqrt(np.maximum(counts, 1))).astype(np.float32)
        return indices, blocks, cells, scales.ravel()[owner_blocks]

    def _keys(
        self, documents: list[Document]
    ) -> tuple[NDArray[np.uint64], NDArray[np.intp], NDArray[np.intp], Layout]:
        """Return every occurrence of a token as owner | place | block, with its span; facts come last."""
        layout = lay_out(documents)
        starts, ends = layout.starts, layout.ends
        codes, segment_of, fields, owners = layout.codes, layout.segment_of, layout.fields, layout.owners
        sums = hashing.prefix_sums(codes)
        word_hashes = hashing.spans(sums, starts, ends)
        field_of = fields[segment_of]
        hashes: list[NDArray[np.uint64]] = []
        firsts: list[NDArray[np.intp]] = []
        lasts: list[NDArray[np.intp]] = []
        families: list[int] = []

        def add(
            family: int, span_hashes: NDArray[np.uint64], first: NDArray[np.intp], last: NDArray[np.intp]
        ) -> None:
            hashes.append(span_hashes)
            firsts.append(first)
            lasts.append(last)
            families.append(family)

        add(WORD, word_hashes, starts, ends)
        if self.params.pairs and starts.size > 1:
            same = segment_of[starts[1:]] == segment_of[starts[:-1]]
            add(
                PAIR,
                hashing.pairs(word_hashes[:-1], word_hashes[1:])[same],
                starts[:-1][same],
                ends[1:][same],
            )
        spaces = np.cumsum(codes == 32)
        for length in self.params.grams:
            n = codes.size - length + 1
            if n <= 0:
                continue
            inside = spaces[length - 2 : length - 2 + n] == spaces[:n]
            if length == 2:  # nothing lies inside: two spaces between empty fields are no token
                inside &= spaces[1:] - spaces[:-1] + (codes[:-1] == 32) < 2
            first = np.flatnonzero(inside)
            add(GRAM, hashing.windows(sums, length)[first] + np.uint64(length), first, first + length)
        all_firsts = np.concatenate(firsts)
        all_lasts = np.concatenate(lasts)
        family_of = np.repeat(np.array(families, dtype=np.uint8), [part.size for part in hashes])
        blocks = field_of[all_firsts] * np.uint8(3) + family_of
        all_hashes = np.concatenate(hashes)
        all_hashes += _SALTS[blocks]
        hashing.mix(all_hashes)
        keys = _key(all_hashes >> self._shift, owners[segment_of[all_firsts]], blocks, self.params.bits)
        if (fields == PAGE).any():
            kept = field_of[all_firsts] != PAGE
            keys, all_firsts, all_lasts = keys[kept], all_firsts[kept], all_lasts[kept]
            _state_overlap(documents, layout, word_hashes)
        # Plain integers: there are a dozen facts, and every array call costs as much as all of them.
        bits, shift = self.params.bits, 64 - self.params.bits
        fact_keys = np.array(
            [
                (owner << bits | _fact_hash(fact) >> shift) << _BLOCK_BITS | FACT
                for owner, document in enumerate(documents)
                for fact in document.facts
            ],
            dtype=np.uint64,
        )
        return np.concatenate((keys, fact_keys)), all_firsts, all_lasts, layout


def _key(
    places: NDArray[np.uint64], owners: NDArray[np.integer], blocks: NDArray[np.uint8] | np.uint64, bits: int
) -> NDArray[np.uint64]:
    keys = owners.astype(np.uint64)
    keys <<= np.uint64(bits)
    keys |= places
    keys <<= np.uint64(_BLOCK_BITS)
    keys |= blocks.astype(np.uint64)
    return keys


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
    telling = layout.ends - layout.starts >= _MIN_PAGE_WORD
    hashes, segment_of = word_hashes[telling], layout.segment_of[layout.starts[telling]]
    field_of, owner_of = layout.fields[segment_of], layout.owners[segment_of]
    for segment in np.flatnonzero(layout.fields == PAGE):
        owner = int(layout.owners[segment])
        # A page has a handful of words: Python's sets are faster here than sorted arrays.
        page = set(hashes[segment_of == segment].tolist())
        body = hashes[(owner_of == owner) & (field_of == BODY)].tolist()
        documents[owner].facts.append(f"page:shared:{bucket(len(page.intersection(body)))}")
