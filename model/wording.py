"""The words of a comment's text as numbers, from which near-copies are told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model import hashing, text
from model.document import BODY, Document
from model.layout import lay_out


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a text, folded, in their order.

    Attributes
    ----------
    hashes : ndarray of uint64, shape (n_words,)
    is_link : ndarray of bool, shape (n_words,)
        Where an address stood; all addresses have the same hash.
    """

    hashes: NDArray[np.uint64]
    is_link: NDArray[np.bool_]


def wording(document: Document) -> Wording:
    """Return the words of a prepared comment's text."""
    body = Document([segment for segment in document.segments if segment.field == BODY], [])
    layout = lay_out([body])
    hashes = hashing.spans(hashing.prefix_sums(layout.codes), layout.starts, layout.ends)
    return Wording(hashes, layout.codes[layout.starts] == text.LINK_MARK)
