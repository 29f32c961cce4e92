"""Turns markup into the text a reader sees, each anchor into its words followed by its address.

HTML is read by a real parser; BBCode and Markdown links, which browsers leave alone but forums and spam
programs write, by patterns. What counts as a link in the resulting text is decided in ``links.py``.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from selectolax.lexbor import LexborHTMLParser, LexborNode

_HTML = re.compile(r"<[a-zA-Z/!?]|&(?:#|[a-zA-Z])")
ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?")
_BBCODE = re.compile(
    r"\[(?P<tag>url|link|img|b|i|u|s|email|quote|color|size|font|center|code|list|\*)"
    r"(?:=\s*[\"']?(?P<value>[^\]\"']{0,500})[\"']?)?\]|\[/(?:url|link|img|b|i|u|s|email|quote|color|size|font|center|code|list)\]",
    re.IGNORECASE,
)
_MARKDOWN = re.compile(r"!?\[(?P<label>[^\[\]\n]{0,500})\]\(\s*(?P<address>[^()\s]{1,2000})[^()\n]{0,200}\)")
_BLOCKS = frozenset(
    "address article aside blockquote br dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header hr li main "
    "nav ol p pre section table td th tr ul".split()
)
_UNSEEN = frozenset("script style template noscript head title iframe object".split())
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|text-indent\s*:\s*-\d{3}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Plain:
    """A text without markup.

    Attributes
    ----------
    text : str
        What a reader sees; an anchor's address follows its words.
    origin : ndarray of int32, shape (len(text),), or None
        Where each character came from; None if the text had no markup.
    n_anchors, n_bbcode, n_entities, n_hidden : int
        Anchors, BBCode tags, character references and elements that no reader sees.
    """

    text: str
    origin: NDArray[np.int32] | None = None
    n_anchors: int = 0
    n_bbcode: int = 0
    n_entities: int = 0
    n_hidden: int = 0


class _Pieces:
    """Text under construction, each piece with its place in the source."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.origins: list[NDArray[np.int32]] = []

    def copy(self, text: str, start: int) -> None:
        """Add a piece that stands in the source as it is."""
        self.texts.append(text)
        self.origins.append(np.arange(start, start + len(text), dtype=np.int32))

    def insert(self, text: str, at: int) -> None:
        """Add a piece that stands for one place of the source."""
        self.texts.append(text)
        self.origins.append(np.full(len(text), at, dtype=np.int32))

    def add(self, text: str, origins: list[int]) -> None:
        self.texts.append(text)
        self.origins.append(np.array(origins, dtype=np.int32))

    def joined(self) -> tuple[str, NDArray[np.int32]]:
        if not self.texts:
            return "", np.zeros(0, dtype=np.int32)
        return "".join(self.texts), np.concatenate(self.origins)


def to_plain(text: str) -> Plain:
    """Remove markup, keep what a reader sees and where links lead.

    Parameters
    ----------
    text : str
        A comment as typed. The time taken grows with the square of the nesting depth: callers bound the
        length (``document.py`` does).

    Returns
    -------
    Plain
    """
    # str.count-like scans first: most comments carry no markup at all and go through untouched.
    if "<" not in text and "&" not in text and "[" not in text:
        return Plain(text)
    origin: NDArray[np.int32] | None = None
    n_anchors = n_entities = n_hidden = n_bbcode = 0
    if _HTML.search(text):
        n_entities = len(ENTITY.findall(text))
        source = text
        text, origin, n_anchors, n_hidden = _from_html(source)
    if "[" in text:
        n_links = 0
        for pattern in (_MARKDOWN, _BBCODE):
            if pattern.search(text):
                text, moved, n_found, n_addresses = _from_brackets(text, pattern)
                origin = moved if origin is None else origin[moved]
                n_bbcode += n_found if pattern is _BBCODE else 0
                n_links += n_addresses
        n_anchors += n_links
    return Plain(text, origin, n_anchors, n_bbcode, n_entities, n_hidden)


def _from_html(source: str) -> tuple[str, NDArray[np.int32], int, int]:
    """Return the visible text, its origins, and the numbers of anchors and of hidden elements."""
    root = LexborHTMLParser(source).root
    pieces = _Pieces()
    n_anchors = n_hidden = 0
    cursor = 0
    # A stack of my own: recursion would fail on deep nesting.
    stack: list[LexborNode | tuple[str, int]] = [root] if root is not None else []
    last = max(len(source) - 1, 0)
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):  # an address, due after its anchor's words
            href, at = node
            pieces.insert(" ", min(cursor, last))
            if at >= 0:
                pieces.copy(href, at)
            else:  # written with character references: its tag's place has to do
                pieces.insert(href, min(cursor, last))
            pieces.insert(" ", min(cursor, last))
            continue
        if node.next is not None:
            stack.append(node.next)
        tag = node.tag
        if tag == "-text":
            cursor = _copy_text(node.text_content or "", source, cursor, pieces)
        elif tag in _UNSEEN:
            n_hidden += tag in {"script", "style", "iframe"}
        elif node.is_element_node:
            attributes = node.attributes
            if "hidden" in attributes or _HIDING.search(attributes.get("style") or ""):
                n_hidden += 1  # its text is kept: what is hidden from people is shown to the judge
            if tag in _BLOCKS:
                pieces.insert("\n", min(cursor, last))
            address = attributes.get("href") if tag == "a" else attributes.get("src")
            if address:
                n_anchors += tag == "a"
                stack.append((address, source.find(address, cursor)))
            if node.first_child is not None:
                stack.append(node.first_child)
    text, origin = pieces.joined()
    return text, origin, n_anchors, n_hidden


def _copy_text(text: str, source: str, cursor: int, pieces: _Pieces) -> int:
    """Add one text node, found again in the source from the cursor on; return where it ends there."""
    if not text:
        return cursor
    start = source.find(text, cursor)
    if start >= 0 and source.count("<", cursor, start) == source.count(">", cursor, start):
        pieces.copy(text, start)
        return start + len(text)
    # Character references stand in the way: walk through both side by side, over the tags between.
    last = max(len(source) - 1, 0)
    origins = []
    done, at = 0, cursor
    while done < len(text) and at < len(source):
        if source[at] == text[done]:
            origins.append(at)
            done += 1
            at += 1
        elif source[at] == "&" and (match := ENTITY.match(source, at)):
            value = html.unescape(match.group())
            if text.startswith(value, done):
                origins += [at] * len(value)
                done += len(value)
            at = match.end()
        elif source[at] == "<" and (end := source.find(">", at)) >= 0:
            at = end + 1
        else:
            at += 1
    # What the parser made up or put elsewhere (a misplaced table cell, say) is laid at the end of the walk.
    origins += [min(at, last)] * (len(text) - done)
    pieces.add(text, origins)
    return min(at, len(source))


def _from_brackets(text: str, pattern: re.Pattern[str]) -> tuple[str, NDArray[np.int32], int, int]:
    """Take BBCode or Markdown links out; return text, origins, tags and addresses found."""
    pieces = _Pieces()
    done = n_found = n_addresses = 0
    for match in pattern.finditer(text):
        pieces.copy(text[done : match.start()], done)
        done = match.end()
        n_found += 1
        if pattern is _MARKDOWN:
            pieces.copy(match["label"], match.start("label"))
            address, at = match["address"], match.start("address")
        else:
            address, at = match["value"] or "", max(match.start("value"), 0)
            if (match["tag"] or "").lower() not in {"url", "link", "img", "email"}:
                address = ""
        n_addresses += bool(address)
        pieces.insert(" ", match.start())
        pieces.copy(address, at)
        pieces.insert(" ", match.start())
    pieces.copy(text[done:], done)
    plain, origin = pieces.joined()
    return plain, origin, n_found, n_addresses
