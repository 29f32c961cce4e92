"""Finds the strongest passage of a long comment, so that padding hides nothing.

Two hundred words of a real comment behind an advertisement excuse it in any sum over the whole. So a long
comment is also judged by its passages, as though each stood alone under the same name, and the highest score
counts. Which passages come into question follows from the words alone, in one pass over what each position
adds; the scores of these are then ordinary ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.document import BODY, Document
from model.features import Extractor, Occurrences

# Thirty words hold an advertisement; of lengths from 20 to 100 they kept most recall under 200 appended words,
# and cost least on comments as they are, on the blogs left out; without passages .32 of .85 were kept
# (docs/experiments/0012-passages.md).
WIDTH = 30
STRIDE = 15
# A shorter comment cannot bury much, and looking at its passages would cost it several times its score.
MIN_WORDS = 100
"""Bodies of fewer words are judged as a whole only."""
# Words alone do not tell which passage its links and its craft make the strongest. With two that are scored in full
# .784 are kept under 200 appended words, with one .758, with all .802 and more ham held (measured where bodies from 80
# words on had passages).
_N_TRIED = 2
# A passage over the cut of a giant body would have the whole middle in it.
_MAX_CHARS = 6_000
_FAMILIES = 3


@dataclass(frozen=True, slots=True)
class Passages:
    """The passages of one long body, to be weighed under any weights.

    Attributes
    ----------
    indices : ndarray of int32, shape (n_spans,)
        Places in the weight table of the body's words, pairs and n-grams.
    slots : ndarray of int32, shape (n_spans,)
        Family * n_positions + position of each.
    n_positions : int
    firsts, lasts : ndarray of int32, shape (n_passages,)
        The passages, half-open, in positions.
    scales : ndarray of float64, shape (n_passages, 3)
        Value of a token of each family in each passage.
    places : ndarray of int32, shape (n_passages, 2)
        The passages, half-open, in characters of the original body.
    """

    indices: NDArray[np.int32]
    slots: NDArray[np.int32]
    n_positions: int
    firsts: NDArray[np.int32]
    lasts: NDArray[np.int32]
    scales: NDArray[np.float64]
    places: NDArray[np.int32]

    def strongest(self, weights: NDArray[np.floating]) -> list[tuple[int, int]]:
        """Return the passages whose words add most, as characters of the original body; one or two."""
        said = np.bincount(
            self.slots, weights=weights.take(self.indices), minlength=_FAMILIES * self.n_positions
        )
        order = np.argsort(-(_within(said, self) * self.scales).sum(axis=1), kind="stable")
        return [(first, last) for first, last in self.places[order[:_N_TRIED]].tolist()]


def find(document: Document, tokens: Occurrences, extractor: Extractor, n_chars: int) -> Passages | None:
    """Return the passages of a body, or None if it is too short for any.

    Parameters
    ----------
    document : Document
    tokens : Occurrences
        Of that document.
    extractor : Extractor
        That made them.
    n_chars : int
        Length of the original body.
    """
    layout = tokens.layout
    n_positions = int(layout.segment_of.searchsorted(1))
    n_words = int(layout.starts.searchsorted(n_positions))
    if n_words < MIN_WORDS:
        return None
    starts, ends = layout.starts[:n_words], layout.ends[:n_words]
    # The last one ends with the body and is as long as the others: a farewell alone is no passage.
    begins = np.append(np.arange(0, n_words - WIDTH, STRIDE), n_words - WIDTH)
    stops = begins + WIDTH
    # Whatever stands between two words, an opening tag say, belongs to the passages on both sides.
    sources = _sources(document, tokens)
    places = np.empty((begins.size, 2), dtype=np.int32)
    places[:, 0] = np.where(begins > 0, sources[ends[begins - 1] - 1] + 1, 0)
    places[:, 1] = np.where(stops < n_words, sources[starts[np.minimum(stops, n_words - 1)]], n_chars)
    fits = np.flatnonzero(places[:, 1] - places[:, 0] <= _MAX_CHARS)
    if not fits.size:
        return None
    begins, stops, places = begins[fits], stops[fits], places[fits]
    body = np.flatnonzero(tokens.blocks[: tokens.firsts.size] <= _FAMILIES * BODY + _FAMILIES - 1)
    slots = tokens.blocks[body] * n_positions + tokens.firsts[body]
    found = Passages(
        tokens.indices[body],
        slots.astype(np.int32),
        n_positions,
        starts[begins].astype(np.int32),
        ends[stops - 1].astype(np.int32),
        np.ones((begins.size, _FAMILIES)),
        places,
    )
    counts = _within(np.bincount(slots, minlength=_FAMILIES * n_positions), found)
    found.scales[:] = extractor.scales[:_FAMILIES] / np.sqrt(np.maximum(counts, 1))
    return found


def _within(at_positions: NDArray[np.generic], passages: Passages) -> NDArray[np.float64]:
    """Return what stands in each passage, per family, shape (n_passages, 3)."""
    table = at_positions.reshape(_FAMILIES, passages.n_positions)
    sums = np.zeros((_FAMILIES, passages.n_positions + 1))
    np.cumsum(table, axis=1, out=sums[:, 1:])
    return (sums[:, passages.lasts] - sums[:, passages.firsts]).T


def _sources(document: Document, tokens: Occurrences) -> NDArray[np.int32]:
    """Return the place in the original body of each of the layout's positions in the body."""
    segment = document.segments[0]
    inside = np.clip(tokens.layout.kept - int(tokens.offsets[0]), 0, max(segment.codes.size - 1, 0))
    return inside.astype(np.int32) if segment.origin is None else segment.origin.take(inside)
