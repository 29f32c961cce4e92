"""Echoes of comments to learn from: what a spammer's padding leaves of his comment, and a real one as long.

An echo is a comment with the words of real comments before or after it. Spam stays spam under them, so a fit
learns that real words excuse nothing; ham gets them too, so that length tells nothing. It belongs to the
comment it was made of and to the one source that its words are from: it is left out with either.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model import links, markup
from model.comment import LabeledComment
from training import corpus


@dataclass(frozen=True, slots=True)
class Padding:
    """How many echoes are made, and how much they count.

    Attributes
    ----------
    share : float
        Part of the comments that get an echo, in [0, 1]; 0 is off.
    weight : float
        What an echo counts beside its comment, above 0.
    min_words, max_words : int
        How many words are added; drawn so that every doubling is as likely.
    """

    share: float = 0.0
    weight: float = 1.0
    min_words: int = 15
    max_words: int = 300

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be 0 to 1, not {self.share}")
        if self.weight <= 0:
            raise ValueError(f"weight must be above 0, not {self.weight}")
        if not 1 <= self.min_words <= self.max_words:
            raise ValueError(f"words must be 1 to max_words, not {self.min_words} to {self.max_words}")


# A donor gives at least so many words, and a source needs so many donors.
_MIN_DONOR_WORDS = 15
_MIN_DONORS = 20


@dataclass(frozen=True, slots=True)
class Echo:
    """One echo.

    Attributes
    ----------
    row : LabeledComment
    parent : int
        Place of the comment it was made of.
    donor : int
        Place of a comment that its words are from; the others are of the same source.
    """

    row: LabeledComment
    parent: int
    donor: int


def echoes(comments: Sequence[LabeledComment], padding: Padding, *, seed: int) -> list[Echo]:
    """Return echoes of the comments that stood under pages, in order of their comments.

    Parameters
    ----------
    comments : sequence of LabeledComment
    padding : Padding
    seed : int
        The same comments and seed give the same echoes.
    """
    donors: dict[str, list[tuple[int, list[str]]]] = {}
    for place, row in enumerate(comments):
        if words := _words(row):
            donors.setdefault(row.source, []).append((place, words))
    sources = [group for _, group in sorted(donors.items()) if len(group) >= _MIN_DONORS]
    if not sources:
        return []
    # A large source knows more words, but has one voice: by the root of its size.
    shares = list(itertools.accumulate(math.sqrt(len(group)) for group in sources))
    chance = random.Random(seed)  # noqa: S311
    made = []
    for parent in np.flatnonzero(corpus.on_pages(comments)).tolist():
        if chance.random() >= padding.share:
            continue
        (group,) = chance.choices(sources, cum_weights=shares)
        donor, added = _drawn(group, padding, chance)
        row = comments[parent]
        body = row.comment.body
        body = f"{body}\n\n{added}" if chance.random() < 0.5 else f"{added}\n\n{body}"
        padded = dataclasses.replace(row, comment=dataclasses.replace(row.comment, body=body))
        made.append(Echo(padded, parent, donor))
    return made


def _words(row: LabeledComment) -> list[str]:
    """Return the words that a real comment can give, without markup and addresses; none if it is spam or short."""
    if row.is_spam or row.kind != "blog":
        return []
    words = markup.to_plain(row.comment.body[:4000]).text.split()
    kept = [word for word in words if not links.find(word, at_most=1)]
    return kept if len(kept) >= _MIN_DONOR_WORDS else []


def _drawn(
    group: Sequence[tuple[int, list[str]]], padding: Padding, chance: random.Random
) -> tuple[int, str]:
    """Return a donor's place and the words that it, and as many more as it takes, give."""
    n_words = round(math.exp(chance.uniform(math.log(padding.min_words), math.log(padding.max_words))))
    donor, first = chance.choice(group)
    words = list(first)
    while len(words) < n_words:
        words += chance.choice(group)[1]
    return donor, " ".join(words[:n_words])
