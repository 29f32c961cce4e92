"""States how the fields of a comment relate: the name to its addresses and to the text, the script to the site's."""

from __future__ import annotations

import re

from model import links

_WORDS = re.compile(r"[^\W_]+")
_MIN_WORD = 3
_MIN_NAME = 4
# Shorter, a text without accents says nothing about its language.
_MIN_BODY = 25
# The relation of a name to a text shows early in it.
_MAX_CHARS = 6_000
_MAX_WORDS = 3
_MAX_LINKS = 10


def words(folded: str) -> list[str]:
    """Return the words of a folded text."""
    return _WORDS.findall(folded)


def name_facts(
    author: str,
    author_words: list[str],
    address: str,
    body: str,
    folded_body: str,
    linked: list[links.Address],
) -> list[str]:
    """State where else the author's name appears.

    Parameters
    ----------
    author : str
        As written.
    author_words : list of str
        Its words, folded.
    address : str
        The author's own address, as written; "" if none.
    body, folded_body : str
        As written, and folded, with a mark in place of each link.
    linked : list of Address
        What the body links to.

    Returns
    -------
    list of str
    """
    telling = [word for word in author_words if len(word) >= _MIN_WORD]
    if not telling:
        return []
    found = []
    n_telling = min(len(telling), _MAX_WORDS)
    if address:
        low = address[:_MAX_CHARS].lower()
        n_shared = sum(word in low for word in telling)
        found.append(f"author:in-address:{min(n_shared, _MAX_WORDS)}of{n_telling}")
    early = folded_body[:_MAX_CHARS]
    if any(word in early for word in telling):  # spares most comments the search for words
        spoken = words(early)
        if len(author_words) > 1 and f" {' '.join(author_words)} " in f" {' '.join(spoken)} ":
            found.append("author:phrase-in-text")
        n_shared = len(set(telling).intersection(spoken))
        if n_shared:
            found.append(f"author:words-in-text:{min(n_shared, _MAX_WORDS)}of{n_telling}")
    if len(body) > _MIN_BODY and _has_foreign_letter(author) and not _has_foreign_letter(body):
        found.append("author:other-letters")
    if linked:
        found += _link_facts("".join(author_words), telling, linked[:_MAX_LINKS])
    return found


def _link_facts(joined: str, telling: list[str], linked: list[links.Address]) -> list[str]:
    found = []
    hosts = [address.name.replace("-", "") for address in linked]
    if len(joined) >= _MIN_NAME and any(
        joined in host or (len(host) >= _MIN_NAME and host in joined) for host in hosts
    ):
        found.append("author:names-link")
    addresses = [f"{address.host}{address.rest}".lower() for address in linked]
    if any(sum(word in address for word in telling) >= 2 for address in addresses):
        found.append("author:words-in-link")
    return found


def _has_foreign_letter(text: str) -> bool:
    return not text.isascii() and any(letter > "\x7f" and letter.isalpha() for letter in text[:_MAX_CHARS])
