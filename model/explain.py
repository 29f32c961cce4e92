"""Turns the tokens of a score into reasons that a person can read, and loses nothing on the way.

Every token's contribution goes to exactly one reason: n-grams to the word they stand in, pairs to the pair
of words, all of an author's name, of an author's address and of each link to one reason each, facts to one
reason each. What is small is summed up as "the rest", so the reasons always add up to the score.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model import text
from model.comment import Comment
from model.document import AUTHOR, LINK, URL, Document, prepare
from model.features import GRAM, PAIR, Extractor, Occurrences
from model.verdict import Clue

MAX_CLUES = 24
MIN_WEIGHT = 0.02
"""In log-odds; weaker reasons go into the rest."""
_MAX_SPANS = 20

_FACTS = {
    "links": "number of links",
    "caps": "much of it in capitals",
    "markup:bbcode": "forum markup",
    "disguise:styled": "styled letters",
    "disguise:invisible": "invisible characters",
    "disguise:marks": "stacked accents",
    "disguise:lookalikes": "letters of other scripts that look alike",
    "disguise:hidden": "parts hidden from readers",
    "disguise:spaced": "spaced-out letters",
    "author:words": "number of words in the author's name",
    "author:digits": "digits in the author's name",
    "author:lower": "author's name in small letters",
    "author:upper": "author's name in capitals",
    "author:disguise": "disguised letters in the author's name",
    "author:address": "an address as the author's name",
    "author:names-url": "author's name is that of the author's site",
    "url:own-site": "author's address is this site",
    "url:also-linked": "links to the author's own address",
    "link:own-site": "links to this site",
    "email:free": "e-mail at a free provider",
    "email:at-url": "e-mail at the author's site",
    "page:shared": "words shared with the page",
    "behaviour:honeypot": "a field that people cannot see was filled in",
    "kind:trackback": "is a trackback",
    "kind:pingback": "is a pingback",
}
_PART = {
    "domain": "domain {}",
    "suffix": "ends in .{}",
    "hyphens": "hyphens in the domain",
    "depth": "length of the path",
    "shortener": "link shortener",
    "number": "a number for a host",
}
_PLACES = {"url": "author's address", "link": "link", "email": "e-mail"}


@dataclass(slots=True)
class _Reason:
    weight: float = 0.0
    spans: set[tuple[int, int]] = field(default_factory=set)


def explain(extractor: Extractor, weights: NDArray[np.float32], comment: Comment) -> tuple[Clue, ...]:
    """Return the reasons behind a comment's score, strongest first.

    Parameters
    ----------
    extractor : Extractor
    weights : ndarray of float32, shape (n_features,)
    comment : Comment

    Returns
    -------
    tuple of Clue
        Their weights add up to the score's log-odds less the bias; the last may be "the rest".
    """
    document = prepare(comment)
    tokens = extractor.occurrences(document)
    shares = weights[tokens.indices].astype(np.float64) * tokens.values
    reasons: defaultdict[tuple[str, str], _Reason] = defaultdict(_Reason)
    n_spans = tokens.firsts.size
    _explain_spans(tokens, shares[:n_spans], document, reasons)
    for fact, share in zip(document.facts, shares[n_spans:].tolist(), strict=True):
        place, words = describe(fact)
        reasons[place, words].weight += share
    return _ranked(reasons)


def describe(fact: str) -> tuple[str, str]:
    """Return a fact's field and its words."""
    place, _, detail = fact.partition(":")
    for name in (fact, fact.rpartition(":")[0]):
        if name in _FACTS:
            return ("body" if place in {"links", "disguise", "markup", "caps"} else place), _FACTS[name]
    part, _, value = detail.partition(":")
    if place in _PLACES and part in _PART:
        return place, f"{_PLACES[place]}: {_PART[part].format(value)}"
    return place, fact


def _explain_spans(
    tokens: Occurrences,
    shares: NDArray[np.float64],
    document: Document,
    reasons: defaultdict[tuple[str, str], _Reason],
) -> None:
    layout = tokens.layout
    codes = layout.codes
    flags = text.classes(codes)
    letters = (flags & text.WORD) != 0
    word_start, word_end = _word_bounds(letters)
    blocks = tokens.blocks[: shares.size].tolist()
    for first, last, block, share in zip(
        tokens.firsts.tolist(), tokens.lasts.tolist(), blocks, shares.tolist(), strict=True
    ):
        place, family = divmod(block, 3)
        segment = document.segments[layout.segment_of[min(first + 1, last - 1)]]
        if place == AUTHOR:
            reason = reasons["author", f"author's name: {text.to_text(segment.codes)[:60].strip()}"]
        elif place == URL:
            reason = reasons["url", f"author's address: {segment.label[:80]}"]
        elif place == LINK:
            reason = reasons["body", f"links to {segment.label[:80]}"]
            reason.spans.add(segment.place)
        else:
            if family == GRAM:
                first, last = _covered_word(first, last, letters, word_start, word_end)
            shown = text.to_text(codes[first:last]).replace(chr(text.LINK_MARK), "LINK").strip()
            kind = "words" if family == PAIR else "word" if letters[first] else "characters"
            reason = reasons["body", f'{kind} "{shown[:60]}"']
            if len(reason.spans) < _MAX_SPANS:
                reason.spans.add(_source_span(tokens, document, first, last))
        reason.weight += share


def _word_bounds(letters: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return, for every code, where the word it stands in begins and ends; itself if in none."""
    n = letters.size
    places = np.arange(n)
    gap = ~letters
    starts = np.maximum.accumulate(np.where(gap, places + 1, 0))
    ends = np.minimum.accumulate(np.where(gap, places, n)[::-1])[::-1]
    return np.where(letters, starts, places), np.where(letters, ends, places + 1)


def _covered_word(
    first: int,
    last: int,
    letters: NDArray[np.bool_],
    word_start: NDArray[np.intp],
    word_end: NDArray[np.intp],
) -> tuple[int, int]:
    """Return the word that an n-gram stands in, or the n-gram itself if it has no letter."""
    inside = np.flatnonzero(letters[first:last])
    if inside.size == 0:
        return first, last
    middle = first + int(inside[inside.size // 2])
    # A long run without spaces (an ideographic sentence, say) is no word to show: keep to the n-gram.
    start, end = int(word_start[middle]), int(word_end[middle])
    return (start, end) if end - start <= 40 else (first, last)


def _source_span(tokens: Occurrences, document: Document, first: int, last: int) -> tuple[int, int]:
    """Map a span of the layout to the original text of its field."""
    layout = tokens.layout
    number = int(layout.segment_of[first])
    segment = document.segments[number]
    offset = int(tokens.offsets[number])
    last_place = segment.codes.size - 1
    start = min(max(int(layout.kept[first]) - offset, 0), last_place)
    end = min(max(int(layout.kept[last - 1]) - offset, 0), last_place)
    if segment.origin is None:
        return start, end + 1
    return int(segment.origin[start]), int(segment.origin[end]) + 1


def _ranked(reasons: defaultdict[tuple[str, str], _Reason]) -> tuple[Clue, ...]:
    """Sort reasons by strength and sum up the small ones."""
    ordered = sorted(reasons.items(), key=lambda item: (-abs(item[1].weight), item[0]))
    shown = [item for item in ordered[:MAX_CLUES] if abs(item[1].weight) >= MIN_WEIGHT]
    rest = sum(reason.weight for _, reason in ordered[len(shown) :])
    clues = [
        Clue(words, reason.weight, place, tuple(sorted(reason.spans))) for (place, words), reason in shown
    ]
    if rest:
        clues.append(Clue("the rest", rest, "rest"))
    return tuple(clues)
