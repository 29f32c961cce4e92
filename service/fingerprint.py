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
_TAG = re.compile(r"<[^<>]*>")
_ADDRESS = re.compile(r"""\b(?:href|src)\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))""", re.IGNORECASE)
# The parser's time grows with the square of the depth: a megabyte of tags that nobody closes took a minute and a
# half, so many take 50 ms.
_MAX_TAGS = 3_000
#: Texts with more levels of escaping than this are told apart from their plain form.
_MAX_ESCAPES = 3


def canonical_content(body: str, author: str, url: str) -> str:
    """Return a comment's text, links, author and website in one canonical string."""
    plain = _unescaped(body)
    if "<" in plain:
        shown, links = _parsed(plain) if plain.count("<") <= _MAX_TAGS else _scanned(plain)
        plain = " ".join([shown, *links])
    address = _SCHEME.sub("", _unescaped(url).strip().casefold()).removeprefix("www.")
    return "\x1f".join((_folded(plain), _folded(_unescaped(author)), _folded(address)))


def _parsed(markup: str) -> tuple[str, list[str]]:
    """Return the text and the addresses of a comment."""
    tree = LexborHTMLParser(markup)
    links = [
        value
        for node in tree.css("[href], [src]")
        for name in ("href", "src")
        if (value := node.attributes.get(name))
    ]
    return tree.text(separator=" "), links


def _scanned(markup: str) -> tuple[str, list[str]]:
    """Return about the same without a tree, in time that grows with the length alone."""
    return _TAG.sub(" ", markup), [match[match.lastindex or 0] for match in _ADDRESS.finditer(markup)]


def _unescaped(text: str) -> str:
    for _ in range(_MAX_ESCAPES):
        plain = html.unescape(text)
        if plain == text:
            break
        text = plain
    return text


def _folded(text: str) -> str:
    return _NO_LETTER_OR_DIGIT.sub("", unicodedata.normalize("NFKC", text).casefold())
