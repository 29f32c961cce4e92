"""Prepares a comment for its tokens: one folded text per field, plus the facts that are not text."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model import craft, languages, leet, links, markup, names, relations, scripts, text, trade
from model.comment import Comment, Company

BODY, AUTHOR, URL, LINK, PAGE = range(5)
FIELDS = ("body", "author", "url", "link", "page")

# A longer body is judged by its beginning and its end: spam hides in neither's middle alone, and time and
# memory stay bounded (a 1 MB body costs what a 20,000-character one costs).
HEAD_CHARS = 16_000
TAIL_CHARS = 4_000
MAX_LINKS = 40
MAX_LINK_CHARS = 300
MAX_AUTHOR_CHARS = 300
MAX_PAGE_CHARS = 2_000
MAX_HOST_CHARS = 253

LINK_MARK = chr(text.LINK_MARK)


# Stands for the mark while a text of ASCII is folded: as such it takes 6 microseconds, with the mark in it 35.
_STAND_IN = "\x7f"


class Segment(NamedTuple):
    """One field's text, folded.

    Attributes
    ----------
    field : int
        BODY, AUTHOR, URL, LINK or PAGE; a PAGE makes no tokens, it is what the body is compared with.
    codes : ndarray of uint32
    origin : ndarray of int32 or None
        Place of each code in the field's original text; None if the same.
    label : str
        For addresses: as written.
    place : (int, int)
        For links: where the address stands in the original body, half-open.
    """

    field: int
    codes: NDArray[np.uint32]
    origin: NDArray[np.int32] | None = None
    label: str = ""
    place: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Document:
    """A comment ready for its tokens.

    Attributes
    ----------
    segments : list of Segment
    facts : list of str
        Tokens given by name, such as ``links:2`` or ``disguise:styled``.
    """

    segments: list[Segment]
    facts: list[str]


def prepare(comment: Comment) -> Document:
    """Fold a comment's fields and state the facts about it.

    Absent fields give neither segments nor facts: whether a site passes a field on says nothing about the
    comment.
    """
    segments: list[Segment] = []
    facts: list[str] = []
    addresses = _add_body(comment.body, segments, facts)
    facts += craft.facts(comment.body)
    facts += scripts.facts(segments[0].codes, comment.site_lang)
    folded_body = text.to_text(segments[0].codes)
    facts += languages.facts(folded_body, comment.site_lang)
    facts += trade.body_facts(folded_body)
    facts += trade.link_facts(addresses)
    if comment.author:
        author_words = _add_author(comment.author, segments, facts)
        facts += relations.name_facts(
            comment.author,
            author_words,
            comment.url,
            comment.body,
            folded_body,
            addresses,
        )
    author_address = links.parse(comment.url) if comment.url else None
    if author_address is not None and author_address.host:
        _add_address(URL, author_address, comment.url, segments, facts)
    _add_relations(comment, addresses, author_address, facts)
    page = " ".join(part for part in (comment.post_title, *comment.tags, _slug(comment.permalink)) if part)
    if page:
        segments.append(Segment(PAGE, text.fold(page[:MAX_PAGE_CHARS]).codes))
    if comment.kind in {"trackback", "pingback"}:
        facts.append(f"kind:{comment.kind}")
    if comment.company is not None:
        _add_company(comment.company, facts)
    return Document(segments, facts)


def accompanied(document: Document, company: Company) -> Document:
    """Return the document of the same comment with its company counted; ``prepare`` would make the same one.

    For those who need the document to find the company.
    """
    facts = list(document.facts)
    _add_company(company, facts)
    return Document(document.segments, facts)


def bucket(count: float) -> int:
    """Return 0, 1, 2, 3 (3-4), 4 (5-8), 5 (9-16) ... for a count."""
    return 0 if count <= 0 else math.ceil(math.log2(count)) + 1


def _cut(body: str) -> tuple[str, int]:
    """Return a body within bounds and where its tail begins in the original (0: nothing was cut)."""
    if len(body) <= HEAD_CHARS + TAIL_CHARS:
        return body, 0
    return f"{body[:HEAD_CHARS]}\n{body[-TAIL_CHARS:]}", len(body) - TAIL_CHARS


def _add_body(body: str, segments: list[Segment], facts: list[str]) -> list[links.Address]:
    """Add the body and its links; return the links' addresses."""
    body, tail = _cut(body)
    plain = markup.to_plain(body)
    found = links.find(plain.text, at_most=MAX_LINKS)
    kept, origin = plain.text, plain.origin
    mark = _STAND_IN if kept.isascii() and _STAND_IN not in kept else LINK_MARK
    if found:
        parts: list[str] = []
        places: list[NDArray[np.int32]] = []
        done = 0
        for link in found:
            parts += (kept[done : link.start], f" {mark} ")
            places += (
                np.arange(done, link.start, dtype=np.int32),
                np.array((link.start, link.start, max(link.end - 1, 0)), dtype=np.int32),
            )
            done = link.end
        parts.append(kept[done:])
        places.append(np.arange(done, len(kept), dtype=np.int32))
        moved = np.concatenate(places)
        origin = moved if origin is None else origin[moved]
        kept = "".join(parts)
    folded, n_leet = _fold(kept)
    if found and mark is _STAND_IN:
        folded.codes[folded.codes == ord(_STAND_IN)] = text.LINK_MARK
    origin = _composed(folded.origin, origin, tail)
    segments.append(Segment(BODY, folded.codes, origin))
    addresses = []
    sources = _composed(None, plain.origin, tail)
    for link in found:
        address = links.parse(link.address)
        addresses.append(address)
        first, last = link.start, link.end - 1
        place = (first, last + 1) if sources is None else (int(sources[first]), int(sources[last]) + 1)
        _add_address(LINK, address, link.address, segments, facts, place)
    facts.append(f"links:{bucket(len(found))}")
    if found:
        n_unknown = len({address.domain for address in addresses if address.domain not in links.KNOWN})
        facts.append(f"links:unknown:{bucket(n_unknown)}")
    facts += (
        f"disguise:{name}:{bucket(count)}"
        for name, count in (
            ("styled", folded.n_styled),
            ("invisible", folded.n_invisible),
            ("marks", folded.n_marks),
            ("lookalikes", folded.n_lookalikes),
            ("hidden", plain.n_hidden),
            ("leet", n_leet),
            ("address", sum(link.is_disguised for link in found)),
        )
        if count
    )
    if plain.n_bbcode:
        facts.append("markup:bbcode")
    n_letters = len(kept) - kept.count(" ")
    if n_letters >= 20 and text.count_capitals(kept) * 3 > n_letters:
        facts.append("caps")
    return addresses


def _fold(source: str) -> tuple[text.Folded, int]:
    """Fold a text and undo leetspeak in what comes of it; return it with the number of words undone."""
    if source.isascii():
        undone, n_leet = leet.undo(source)
        return text.fold(undone), n_leet
    folded = text.fold(source)
    undone, n_leet = leet.undo(text.to_text(folded.codes))
    return (folded._replace(codes=text.code_points(undone)) if n_leet else folded), n_leet


def _composed(
    folded: NDArray[np.int32] | None, plain: NDArray[np.int32] | None, tail: int
) -> NDArray[np.int32] | None:
    """Chain the two mappings, and move what stands behind a cut to its true place."""
    origin = folded if plain is None else plain if folded is None else plain[folded]
    if tail:
        if origin is None:  # a cut body without markup is exactly this long
            origin = np.arange(HEAD_CHARS + 1 + TAIL_CHARS, dtype=np.int32)
        origin = np.where(origin > HEAD_CHARS, origin + (tail - HEAD_CHARS - 1), origin).astype(np.int32)
    return origin


def _add_company(company: Company, facts: list[str]) -> None:
    """State what the comment has in common with earlier ones; of two degrees of likeness only the higher."""
    if company.near:
        facts.append(f"company:near:{min(bucket(company.near), 3)}")
    elif company.like:
        facts.append(f"company:like:{min(bucket(company.like), 3)}")
    if company.opening:
        facts.append(f"company:opening:{min(bucket(company.opening), 3)}")
    if company.domain:
        facts.append(f"company:domain:{min(bucket(company.domain), 3)}")


def _add_author(author: str, segments: list[Segment], facts: list[str]) -> list[str]:
    """Add the author's name; return its words, folded."""
    author = author[:MAX_AUTHOR_CHARS]
    folded, n_leet = _fold(author)
    segments.append(Segment(AUTHOR, folded.codes, folded.origin))
    words = author.split()
    facts.append(f"author:words:{min(len(words), 5)}")
    if any(map(str.isdigit, author)):
        facts.append("author:digits")
    if author.islower():
        facts.append("author:lower")
    elif author.isupper() and len(author) > 3:
        facts.append("author:upper")
    if folded.n_styled or folded.n_lookalikes or folded.n_invisible or n_leet:
        facts.append("author:disguise")
    if links.find(author, at_most=1):
        facts.append("author:address")
    author_words = relations.words(text.to_text(folded.codes))
    facts += names.facts(author, author_words)
    facts += trade.name_facts(author, author_words)
    return author_words


def _add_address(
    field: int,
    address: links.Address,
    label: str,
    segments: list[Segment],
    facts: list[str],
    place: tuple[int, int] = (0, 0),
) -> None:
    """Add one address as text and by its parts."""
    name = FIELDS[field]
    start = max(label.lower().find(address.host), 0)
    shown = f"{address.host}{address.rest}"[:MAX_LINK_CHARS]
    folded = text.fold(shown)
    n_source = max(len(label) - 1, 0)
    if folded.origin is None:
        origin = np.arange(start, start + len(shown), dtype=np.int32)
    else:
        origin = folded.origin + np.int32(start)
    np.minimum(origin, np.int32(n_source), out=origin)
    segments.append(Segment(field, folded.codes, origin, label, place))
    facts.append(f"{name}:domain:{address.domain}")
    if address.suffix:
        facts.append(f"{name}:suffix:{address.suffix}")
    elif address.host.replace(".", "").isdigit():
        facts.append(f"{name}:number")
    if address.domain in links.SHORTENERS:
        facts.append(f"{name}:shortener")
    elif address.domain in links.KNOWN:
        facts.append(f"{name}:known")
    hyphens = address.host.count("-")
    if hyphens:
        facts.append(f"{name}:hyphens:{min(hyphens, 3)}")
    depth = sum(map(bool, address.rest.split("?", 1)[0].split("/")))
    facts.append(f"{name}:depth:{min(depth, 4)}")


def _add_relations(
    comment: Comment, addresses: list[links.Address], author_address: links.Address | None, facts: list[str]
) -> None:
    """State how the fields relate to each other and to the site."""
    site = _site_address(comment.site or (comment.permalink if "://" in comment.permalink else ""))
    if author_address is not None and author_address.domain:
        if site.domain and author_address.host == site.host:
            facts.append("url:own-site")
        if any(address.domain == author_address.domain for address in addresses):
            facts.append("url:also-linked")
        if comment.author:
            name = "".join(filter(str.isalnum, comment.author.lower()))
            host = "".join(filter(str.isalnum, author_address.name))
            if len(name) >= 3 and len(host) >= 3 and (name in host or host in name):
                facts.append("author:names-url")
    if site.domain and any(address.host == site.host for address in addresses):
        facts.append("link:own-site")
    if comment.email:
        domain = comment.email.rpartition("@")[2].strip().lower()[:MAX_HOST_CHARS]
        if domain in links.FREE_MAIL:
            facts.append("email:free")
        elif domain:
            facts.append(f"email:domain:{domain}")
            if author_address is not None and domain == author_address.domain:
                facts.append("email:at-url")
    if comment.honeypot:
        facts.append("behaviour:honeypot")


def _site_address(address: str) -> links.Address:
    """Take the address of a site or of its page apart: the same ones come again and again."""
    return _short_site_address(address) if len(address) <= MAX_LINK_CHARS else links.parse(address)


_short_site_address = functools.lru_cache(maxsize=512)(links.parse)


def _slug(permalink: str) -> str:
    """Return a page address's path as words."""
    path = _site_address(permalink).rest if "://" in permalink else permalink
    return path.split("?", 1)[0].replace("-", " ").replace("/", " ").replace("_", " ")
