"""Turns the tokens of a score into reasons that a person can read, and loses nothing on the way.

Every token's contribution goes to exactly one reason: n-grams to the word they stand in, pairs to the pair
of words, all of an author's name, of an author's address and of each link to one reason each, facts to one
reason each. What is small is summed up as "the rest", so the reasons always add up to the score.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from model import hashing, text
from model.document import AUTHOR, BODY, LINK, URL, Document
from model.features import GRAM, Occurrences
from model.layout import Layout, whole
from model.verdict import Clue

MAX_CLUES = 24
MIN_WEIGHT = 0.02
"""In log-odds; weaker reasons go into the rest."""
_MAX_SPANS = 20
_MAX_WORD = 40
_LINK = chr(text.LINK_MARK)

_FACTS = {
    "links:0": "no links",
    "links:1": "one link",
    "links:2": "two links",
    "links": "many links",
    "links:unknown:0": "well-known sites linked only",
    "links:unknown": "little-known sites linked",
    "page:shared:0": "no words shared with the page",
    "author:words:1": "one word as the author's name",
    "caps": "much of it in capitals",
    "markup:bbcode": "forum markup",
    "disguise:styled": "styled letters",
    "disguise:invisible": "invisible characters",
    "disguise:marks": "stacked accents",
    "disguise:lookalikes": "letters of other scripts that look alike",
    "disguise:hidden": "parts hidden from readers",
    "disguise:spaced": "spaced-out letters",
    "disguise:doubled": "doubled letters",
    "disguise:split": "words split by symbols",
    "disguise:leet": "digits or signs for letters",
    "disguise:address": "an address written out in words",
    "author:words": "number of words in the author's name",
    "author:digits": "digits in the author's name",
    "author:lower": "author's name in small letters",
    "author:upper": "author's name in capitals",
    "author:disguise": "disguised letters in the author's name",
    "author:address": "an address as the author's name",
    "author:names-url": "author's name is that of the author's site",
    "author:phrase-in-text": "author's name stands in the text as a phrase",
    "author:other-letters": "author's name in letters that the text does not use",
    "author:names-link": "author's name is that of a linked site",
    "author:words-in-link": "words of the author's name in a link",
    "author:in-address:0of1": "author's name not in the author's address",
    "author:in-address:0of2": "author's name not in the author's address",
    "author:in-address:0of3": "author's name not in the author's address",
    "author:in-address": "words of the author's name in the author's address",
    "author:words-in-text": "words of the author's name in the text",
    "name:first:given": "author's name begins with a given name",
    "name:first:other": "author's name begins with no known given name",
    "name:last:family": "author's name ends in a family name",
    "name:last:other": "author's name ends in no known family name",
    "name:unknown": "how much of the author's name people are called",
    "name:trade": "words of trade in the author's name",
    "link:trade": "words of trade in a link",
    "body:asks": "asks for a visit, a contact or a reaction",
    "craft:address-last": "an address on the last line",
    "craft:address-first": "begins with an address",
    "craft:wrapped": "lines broken in mid-sentence",
    "craft:blank-before-break": "blanks before line breaks",
    "craft:wide-gap": "wide gaps between words",
    "script:foreign": "letters of a script that the site does not write in",
    "script:latin": "Latin letters on a site of another script",
    "language:other": "in another language than the site's",
    "language:none": "no common word of the site's language",
    "company:near": "nearly the same text under other names",
    "company:like": "much the same text under other names",
    "company:opening": "the same opening words under other names",
    "company:domain": "the same linked domain under other names",
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
    "known": "a well-known site",
    "number": "a number for a host",
}
_FIELD_OF = {
    **dict.fromkeys(
        ("links", "disguise", "markup", "caps", "craft", "script", "language", "company"), "body"
    ),
    "name": "author",
}
_PLACES = {"url": "author's address", "link": "link", "email": "e-mail"}


def explain(document: Document, tokens: Occurrences, weights: NDArray[np.float32]) -> tuple[Clue, ...]:
    """Return the reasons behind a comment's score, strongest first.

    Parameters
    ----------
    document : Document
    tokens : Occurrences
        Of that document.
    weights : ndarray of float32, shape (n_features,)

    Returns
    -------
    tuple of Clue
        Their weights add up to the score's log-odds less the bias; the last may be "the rest".
    """
    shares = weights[tokens.indices] * tokens.values
    n_spans = tokens.firsts.size
    clues = _word_clues(document, tokens, shares[:n_spans])
    facts: defaultdict[tuple[str, str], float] = defaultdict(float)
    for fact, share in zip(document.facts, shares[n_spans:].tolist(), strict=True):
        facts[describe(fact)] += share
    clues += [Clue(words, weight, place) for (place, words), weight in facts.items()]
    clues.sort(key=lambda clue: (-abs(clue.weight), clue.text))
    shown = [clue for clue in clues[:MAX_CLUES] if abs(clue.weight) >= MIN_WEIGHT]
    rest = float(shares.sum()) - sum(clue.weight for clue in shown)
    return (*shown, Clue("the rest", rest, "rest")) if abs(rest) > 1e-12 else tuple(shown)


def describe(fact: str) -> tuple[str, str]:
    """Return a fact's field and its words."""
    place, _, detail = fact.partition(":")
    for name in (fact, fact.rpartition(":")[0]):
        if name in _FACTS:
            return _FIELD_OF.get(place, place), _FACTS[name]
    part, _, value = detail.partition(":")
    if place in _PLACES and part in _PART:
        return place, f"{_PLACES[place]}: {_PART[part].format(value[:80])}"
    return place, fact[:80]


def _word_clues(document: Document, tokens: Occurrences, shares: NDArray[np.float64]) -> list[Clue]:
    """Sum up what each author, address, link and word of the body adds; return the strongest."""
    if shares.size == 0:
        return []
    layout = tokens.layout
    places, families = np.divmod(tokens.blocks[: shares.size], 3)
    firsts, lasts = _shown_spans(layout.flags, tokens.firsts, tokens.lasts, families)
    segment_of = layout.segment_of[tokens.firsts]
    # One key per reason: a segment for authors and addresses, a text for the body, whose same words sum up.
    texts = hashing.spans(hashing.prefix_sums(layout.codes), firsts, lasts)
    keys = np.where(places == BODY, texts + np.uint64(len(document.segments)), segment_of.astype(np.uint64))
    reasons = hashing.group(keys)
    sums = np.bincount(reasons.of, weights=shares)
    doubled = _doubled(document, layout)
    strongest = np.argsort(-np.abs(sums), kind="stable")[:MAX_CLUES]
    clues = []
    for reason in strongest[np.abs(sums[strongest]) >= MIN_WEIGHT].tolist():
        members = reasons.order[reasons.begins[reason] : reasons.begins[reason + 1]]
        example = int(members[0])
        segment = document.segments[int(segment_of[example])]
        weight = float(sums[reason])
        if segment.field == AUTHOR:
            name = text.to_text(segment.codes)[:60].strip()
            clues.append(Clue(f"author's name: {name}", weight, "author"))
        elif segment.field == URL:
            clues.append(Clue(f"author's address: {segment.label[:80]}", weight, "url"))
        elif segment.field == LINK:
            clues.append(Clue(f"links to {segment.label[:80]}", weight, "body", (segment.place,)))
        else:
            first, last = int(firsts[example]), int(lasts[example])
            shown = text.to_text(_written(layout, doubled, first, last)).strip()
            kind = "words" if " " in shown else "word" if shown.isalnum() else "characters"
            words = (
                f'{kind} "{shown.replace(_LINK, "(link)")[:60]}"'
                if shown != _LINK
                else "an address among the words"
            )
            spans = _source_spans(tokens, document, firsts, lasts, members)
            clues.append(Clue(words, weight, "body", spans))
    return clues


def _doubled(document: Document, layout: Layout) -> NDArray[np.bool_]:
    """Tell which codes of the layout are letters that were written doubled, and not for disguise."""
    if "disguise:doubled" in document.facts:
        return np.zeros(layout.codes.size, dtype=np.bool_)
    following = whole(document.segments).take(layout.kept + 1, mode="clip")
    doubled: NDArray[np.bool_] = (layout.flags & text.LETTER) != 0
    doubled &= following == layout.codes
    return doubled


def _written(layout: Layout, doubled: NDArray[np.bool_], first: int, last: int) -> NDArray[np.uint32]:
    """Return a span of the layout as it was written, with the letters doubled that were."""
    codes, twice = layout.codes[first:last], doubled[first:last]
    return np.repeat(codes, 1 + twice) if twice.any() else codes


def _shown_spans(
    flags: NDArray[np.uint16], firsts: NDArray[np.intp], lasts: NDArray[np.intp], families: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the word that each n-gram stands in; words, pairs and n-grams without a letter stay as they are."""
    letters = (flags & text.WORD) != 0
    n = letters.size
    places = np.arange(n)
    starts = np.maximum.accumulate(np.where(letters, 0, places + 1))
    ends = np.minimum.accumulate(np.where(letters, n, places)[::-1])[::-1]
    lengths = lasts - firsts
    middle = firsts + lengths // 2
    middle = np.where(letters[middle], middle, firsts + (lengths - 1) // 2)
    # A long run without spaces (an ideographic sentence, say) is no word to show: keep to the n-gram.
    in_word = (families == GRAM) & letters[middle] & (ends[middle] - starts[middle] <= _MAX_WORD)
    return np.where(in_word, starts[middle], firsts), np.where(in_word, ends[middle], lasts)


def _source_spans(
    tokens: Occurrences,
    document: Document,
    firsts: NDArray[np.intp],
    lasts: NDArray[np.intp],
    chosen: NDArray[np.intp],
) -> tuple[tuple[int, int], ...]:
    """Map spans of the layout to the original text of their field."""
    layout = tokens.layout
    segment_of, kept, offsets = layout.segment_of, layout.kept, tokens.offsets
    # A word is reached by many n-grams: plain integers in a dict are faster here than arrays.
    places = dict(zip(firsts[chosen].tolist(), lasts[chosen].tolist(), strict=True))
    spans = []
    for first, last in list(places.items())[:_MAX_SPANS]:
        number = int(segment_of[first])
        segment = document.segments[number]
        offset, last_place = int(offsets[number]), segment.codes.size - 1
        start = min(max(int(kept[first]) - offset, 0), last_place)
        end = min(max(int(kept[last - 1]) - offset, 0), last_place)
        following = int(kept[last]) - offset if last < kept.size else last_place + 1
        end = _end_of_run(segment.codes[: max(following, 0)], end)
        if segment.origin is not None:
            start, end = int(segment.origin[start]), int(segment.origin[end])
        spans.append((start, end + 1))
    return tuple(sorted(spans))


def _end_of_run(codes: NDArray[np.uint32], place: int) -> int:
    """Return where the run of one letter ends that a place is in: the layout keeps its first only."""
    if place + 1 >= codes.size or codes[place + 1] != codes[place]:
        return place
    others = np.flatnonzero(codes[place:] != codes[place])
    return place + int(others[0]) - 1 if others.size else codes.size - 1
