"""What stays of a comment when transport and storage have had their way with it.

A correction names its comment only by content, and on the way through a site's database the content may
have been HTML-escaped, given slashes before quotes, trimmed, its line ends changed and ``rel`` added to its
links. Two texts that differ only so have the same fingerprint; it is for matching, not for judging.
"""

from __future__ import annotations

import html
import re
import unicodedata

from selectolax.lexbor import LexborHTMLParser

_NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:/*")
#: Texts with more levels of escaping than this are told apart from their plain form.
_MAX_ESCAPES = 3


def canonical_content(body: str, author: str, url: str) -> str:
    """Return a comment's text, links, author and website in one canonical string."""
    plain = _unescaped(body)
    if "<" in plain:
        tree = LexborHTMLParser(plain)
        links = [
            value
            for node in tree.css("[href], [src]")
            for name in ("href", "src")
            if (value := node.attributes.get(name))
        ]
        plain = " ".join([tree.text(separator=" "), *links])
    address = _SCHEME.sub("", _unescaped(url).strip().casefold()).removeprefix("www.")
    return "\x1f".join((_folded(plain), _folded(_unescaped(author)), _folded(address)))


def _unescaped(text: str) -> str:
    for _ in range(_MAX_ESCAPES):
        plain = html.unescape(text)
        if plain == text:
            break
        text = plain
    return text


def _folded(text: str) -> str:
    return _NO_LETTER_OR_DIGIT.sub("", unicodedata.normalize("NFKC", text).casefold())
