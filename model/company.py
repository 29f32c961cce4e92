"""Tells a comment's company: what it shares with comments that other names left before.

A campaign changes names and addresses and keeps its wording. The marks below are numbers that near-copies, same
openings and same linked domains have in common; who keeps them (a database, a training run) counts them, and the
counts are facts about the comment. One comment alone has no company, which says nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model import hashing, links
from model.comment import Comment, Company
from model.document import Document
from model.wording import Wording

N_MINIMA = 4
_SHINGLE = 3
_MIN_WORDS = 6
_OPENING = 4
_MIN_OPENING = 5
_MAX_DOMAINS = 6
#: Earlier comments that a mark is looked up for; the latest ones.
MAX_PER_MARK = 50
# Odd numbers; each makes another order of the same shingles.
_ORDERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)


class Sort(enum.IntEnum):
    """What a mark stands for."""

    WORDING_0 = 0
    WORDING_1 = 1
    WORDING_2 = 2
    WORDING_3 = 3
    OPENING = 4
    DOMAIN = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """One number of a comment that its like would share.

    Attributes
    ----------
    sort : Sort
    value : int
        63 bits, so that every database takes it.
    """

    sort: Sort
    value: int


@dataclass(frozen=True, slots=True)
class Meeting:
    """An earlier comment that shares a mark.

    Attributes
    ----------
    comment : int
        Which comment; any number that tells comments apart.
    author : int
        ``author_of`` that comment.
    mark : Mark
    """

    comment: int
    author: int
    mark: Mark


def author_of(comment: Comment) -> int:
    """Return a number for the author's name, 63 bits; the same name in other letter case has the same."""
    return _number(hashing.of_name(" ".join(comment.author.casefold().split())))


def marks(document: Document, wording: Wording) -> tuple[Mark, ...]:
    """Return a comment's marks: four minima of its word triples, its opening words, its little-known domains.

    Parameters
    ----------
    document : Document
        The comment, prepared.
    wording : Wording
        Its words.

    References
    ----------
    A. Z. Broder, "On the resemblance and containment of documents", 1997 (min-wise hashing).
    """
    found = _of_words(wording.hashes)
    domains = sorted(
        {
            fact.partition(":domain:")[2]
            for fact in document.facts
            if fact.startswith(("url:domain:", "link:domain:"))
        }
        - links.KNOWN
        - {""}
    )
    found += [Mark(Sort.DOMAIN, _number(hashing.of_name(domain))) for domain in domains[:_MAX_DOMAINS]]
    return tuple(found)


def _of_words(words: NDArray[np.uint64]) -> list[Mark]:
    found = []
    if words.size >= _MIN_WORDS:
        triples = hashing.pairs(hashing.pairs(words[:-2], words[1:-1]), words[2:])
        for sort, order in enumerate(_ORDERS):
            mixed = triples * np.uint64(order)
            hashing.mix(mixed)
            found.append(Mark(Sort(sort), _number(int(mixed.min()))))
    if words.size >= _MIN_OPENING:
        opening = 0
        for word in words[:_OPENING].tolist():
            opening = (opening * _ORDERS[0] + word) & 0xFFFF_FFFF_FFFF_FFFF
        found.append(Mark(Sort.OPENING, _number(opening)))
    return found


def _number(value: int) -> int:
    return value & 0x7FFF_FFFF_FFFF_FFFF


def count(author: int, meetings: Iterable[Meeting]) -> Company:
    """Count the earlier comments of other names that a comment shares marks with.

    Parameters
    ----------
    author : int
        ``author_of`` the comment.
    meetings : iterable of Meeting

    Returns
    -------
    Company
        ``near`` shares three or four of the four minima (about seven tenths of the word triples or more),
        ``like`` two (a half).
    """
    n_shared: dict[int, int] = {}
    opened: set[int] = set()
    linked: dict[int, set[int]] = {}
    for meeting in meetings:
        if meeting.author == author:
            continue
        if meeting.mark.sort is Sort.OPENING:
            opened.add(meeting.author)
        elif meeting.mark.sort is Sort.DOMAIN:
            linked.setdefault(meeting.mark.value, set()).add(meeting.author)
        else:
            n_shared[meeting.comment] = n_shared.get(meeting.comment, 0) + 1
    return Company(
        near=sum(n >= 3 for n in n_shared.values()),
        like=sum(n == 2 for n in n_shared.values()),
        opening=len(opened),
        domain=max(map(len, linked.values()), default=0),
    )
