"""States the words of trade in names and links, and the requests in a text.

Who advertises names the wares where they will be found, and asks to be visited. A fit on other blogs knows such
words only as far as its own spam bore them; short lists of them carry over to what it never saw: on the blogs left
out recall rose by 1.2 points at 1 % ham blocked and by 3.1 at 0.1 % (docs/experiments/0013-trade.md, with the lists
that lost).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from model import links, text

_LISTS = Path(__file__).with_name("lexicons")
_MOST = 2
_MAX_LINKS = 5
# What asks for a visit does so early, and the search stays bounded.
_MAX_CHARS = 6_000
# Shorter ones stand in the middle of other words, but for these.
_MIN_IN_LINK = 4
_SHORT_IN_LINK = frozenset("seo cbd ugg vps bet".split())
# "plumber24" is a plumber.
_DIGITS = "0123456789"
_HAN_BLOCK = ("\u4e00", "\u9fff")


def _read(name: str) -> list[str]:
    """Return the entries of a list, one a line, folded as the texts are that they are looked for in."""
    lines = (_LISTS / name).read_text(encoding="utf-8").splitlines()
    return [text.to_text(text.fold(line).codes) for line in lines]


@functools.cache
def _words() -> frozenset[str]:
    return frozenset(_read("trade-words.txt"))


@functools.cache
def _parts() -> tuple[str, ...]:
    return tuple(_read("trade-parts.txt"))


@functools.cache
def _in_link() -> re.Pattern[str]:
    # Of two words at one place the longer: "loans" is one word, not "loan" and the next.
    telling = (w for w in _words() if w.isascii() and (len(w) >= _MIN_IN_LINK or w in _SHORT_IN_LINK))
    return re.compile("|".join(sorted(map(re.escape, telling), key=lambda word: (-len(word), word))))


class _Requests(NamedTuple):
    """Phrases, so that few are looked for: those of one word, and the others by the first of theirs."""

    single: list[str]
    by_opening: dict[str, list[str]]

    def count(self, folded: str) -> int:
        """Return how many different phrases a text has."""
        found = sum([phrase in folded for phrase in self.single])
        for opening in self.by_opening.keys() & folded.split():
            found += sum([phrase in folded for phrase in self.by_opening[opening]])
        return found


@functools.cache
def _requests() -> tuple[_Requests, _Requests]:
    """Return the phrases of ASCII letters, and all of them; none stands within another, which would count it twice."""
    phrases = _read("requests.txt")
    return _by_opening(filter(str.isascii, phrases)), _by_opening(phrases)


def _by_opening(phrases: Iterable[str]) -> _Requests:
    sorted_out = _Requests([], {})
    for phrase in phrases:
        opening, blank, _ = phrase.partition(" ")
        (sorted_out.by_opening.setdefault(opening, []) if blank else sorted_out.single).append(phrase)
    return sorted_out


def name_facts(author: str, folded: list[str]) -> list[str]:
    """State how many words of trade an author's name has.

    Parameters
    ----------
    author : str
        As written. In Chinese no blank parts words, so what a name in Han characters contains is counted.
    folded : list of str
        Its words, folded.

    Returns
    -------
    list of str
        ``name:trade:1`` or ``name:trade:2``, which stands for more; empty if it has none.
    """
    first, last = _HAN_BLOCK
    if not author.isascii() and any(first <= letter <= last for letter in author):
        low = author.lower()
        return _counted("name:trade", sum(part in low for part in _parts()))
    return _counted("name:trade", sum(word.rstrip(_DIGITS) in _words() for word in folded))


def link_facts(linked: Iterable[links.Address]) -> list[str]:
    """State how many different words of trade stand in the name of a linked domain, at most.

    Only the first links of a text count: one that has many is known by their number.
    """
    find = _in_link().findall
    n_words = [len(set(find(address.name))) for address, _ in zip(linked, range(_MAX_LINKS), strict=False)]
    return _counted("link:trade", max(n_words, default=0))


def body_facts(folded: str) -> list[str]:
    """State how many different phrases of a folded text ask for a visit, a contact or a reaction."""
    early = folded[:_MAX_CHARS]
    plain, every = _requests()
    # 6 microseconds for a short text; one pattern of alternatives takes a thousand.
    return _counted("body:asks", (plain if early.isascii() else every).count(early))


def _counted(fact: str, count: int) -> list[str]:
    return [f"{fact}:{min(count, _MOST)}"] if count else []
