"""Short fingerprints of texts by which near-copies are found: how alike two are can be told from them alone.

Why not by the marks of ``company.py``, which are indexed: four minima of word triples meet a copy surely only where
next to nothing was changed (one word in seven changed leaves about half of the triples), and are deleted after some
weeks. They are evidence about a comment at hand, found in microseconds; the list that a person acts on must miss
nothing that shares 70 % of its words, and takes the time for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model import hashing
from model.wording import Wording

#: Minima kept, of 16 bits each.
N_MINIMA = 64
N_BYTES = 2 * N_MINIMA
#: Texts with fewer different words are alike by chance: "thank you, great post".
MIN_WORDS = 6
# Of more different words those with the smallest hashes stand for the others, the same ones in every copy.
_MAX_WORDS = 1_000
_NUMBERS = np.random.default_rng(20_260).integers(1 << 63, size=(2, N_MINIMA, 1), dtype=np.uint64)
_FACTORS, _SHIFTS = _NUMBERS[0] | np.uint64(1), _NUMBERS[1]
# Added to the minima, which fill 16 bits, this tells those of one place from those of another.
_COLUMNS = np.arange(N_MINIMA, dtype=np.uint32) << np.uint32(16)


def word_set(wording: Wording) -> NDArray[np.uint64]:
    """Return the hashes of the different words of a text, rising; links left out."""
    # Mixing is done in place, and the wording is not this function's own; the selection is a copy.
    return np.unique(hashing.mix(wording.hashes[~wording.is_link]))


def similarity(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> float:
    """Return the share of words that two texts have in common (Jaccard), in [0, 1]; 0 for two empty ones."""
    n_common = np.intersect1d(first, second, assume_unique=True).size
    n_all = first.size + second.size - n_common
    return n_common / n_all if n_all else 0.0


def sketch(words: NDArray[np.uint64]) -> bytes | None:
    """Return the fingerprint of a text, ``N_BYTES`` long; None if it has too few words to tell copies by.

    Parameters
    ----------
    words : ndarray of uint64
        Of ``word_set``.

    References
    ----------
    A. Broder, "On the resemblance and containment of documents" (1997); P. Li and C. Koenig, "b-bit minwise
    hashing", WWW 2010: the lowest bits of each minimum are enough.
    """
    if words.size < MIN_WORDS:
        return None
    permuted = words[:_MAX_WORDS] * _FACTORS + _SHIFTS
    # The high bits of a product are the well-mixed ones: compared by them, kept by those next to the top.
    minima = permuted.min(axis=1) >> np.uint64(24)
    kept: bytes = (minima & np.uint64(0xFFFF)).astype("<u2").tobytes()
    return kept


class SketchIndex:
    """Fingerprints of many texts, in which those like a wanted one are found without looking at the others.

    Against 50,000 texts a search takes 0.2 ms, where comparing with each takes 4; building it takes half a second.

    Parameters
    ----------
    sketches : sequence of bytes
    """

    def __init__(self, sketches: Sequence[bytes]) -> None:
        self._n_texts = len(sketches)
        table = np.frombuffer(b"".join(sketches), dtype="<u2").reshape(self._n_texts, N_MINIMA)
        keys = (table + _COLUMNS).ravel()
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._text_of = (order // N_MINIMA).astype(np.int32)

    def estimates(self, wanted: bytes) -> NDArray[np.float64]:
        """Return how alike each text is to a wanted one, in the order given, in [0, 1].

        The standard deviation is sqrt(s * (1 - s) / 64) around the true share s: 0.06 at most.
        """
        keys = np.frombuffer(wanted, dtype="<u2") + _COLUMNS
        firsts, lasts = self._keys.searchsorted(keys), self._keys.searchsorted(keys, side="right")
        equal = [self._text_of[first:last] for first, last in zip(firsts, lasts, strict=True)]
        return np.bincount(np.concatenate(equal), minlength=self._n_texts) / N_MINIMA
