"""Reads a form from raw bytes, as leniently as the clients need; never fails, whatever the bytes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

#: Encodings that a client may name. Python knows others that are no character sets (rot13, zip) or that
#: hostile bytes make slow (punycode, idna).
_CODECS = re.compile(
    r"(iso8859|iso2022|cp|koi8|mac|big5|gb|hz|euc|shift|johab|tis|ptcp|kz)[a-z0-9_-]*|ascii|latin[-_]?1|utf-8"
)
#: Encodings whose bytes are all below 128 and would pass for UTF-8.
_SEVEN_BIT = re.compile(r"iso2022|hz")
_INDEX = re.compile(r"\[[^\]]*\]$")


class Form:
    """The fields of a request: of a name that comes more than once, the last value counts.

    Parameters
    ----------
    pairs : list of (bytes, bytes)
        Names and values, decoded from their transport form but not yet from their character set; those of
        the query first, so that the body's win.
    charset : str
        Character set that the Content-Type names; "" if none.
    """

    def __init__(self, pairs: list[tuple[bytes, bytes]], charset: str = "") -> None:
        self._values: dict[str, bytes] = {}
        self._lists: dict[str, list[bytes]] = {}
        for raw_name, value in pairs:
            name = raw_name.decode("utf-8", "replace")
            self._values[name] = value
            if name.endswith("]"):
                name = _INDEX.sub("", name)
            self._lists.setdefault(name, []).append(value)
        declared = self._values.get("blog_charset") or self._values.get("charset") or b""
        self._charset = _codec(declared.decode("ascii", "replace")) or _codec(charset)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __len__(self) -> int:
        return len(self._values)

    def text(self, name: str) -> str:
        """Return a field's value, "" if it is not there.

        Bytes that are not UTF-8 are read in the character set that the client names (``blog_charset``,
        ``charset``, Content-Type), else as windows-1252. NUL becomes U+FFFD, since PostgreSQL keeps none.
        """
        return self._decode(self._values.get(name, b""))

    def texts(self, name: str) -> list[str]:
        """Return all values of a field and of its array forms, ``name[]`` and ``name[0]``."""
        return [self._decode(value) for value in self._lists.get(name, [])]

    def _decode(self, value: bytes) -> str:
        encodings = ["utf-8", self._charset or "utf-8"]
        if self._charset and _SEVEN_BIT.match(self._charset):
            encodings.reverse()
        for encoding in encodings:
            try:
                return value.decode(encoding).replace("\0", "\ufffd")
            except UnicodeError:
                continue
        return value.decode("cp1252", "replace").replace("\0", "\ufffd")


def parse_form(body: bytes, query: bytes = b"", content_type: str = "") -> Form:
    """Read the fields of a body and a query string.

    The body is taken for an urlencoded form whatever the Content-Type says, unless it says multipart.

    Parameters
    ----------
    body, query : bytes
    content_type : str
        The request header.
    """
    kind, options = parse_options_header(content_type)
    pairs = list(_urlencoded(query))
    boundary = options.get("boundary", "")
    if kind.lower() == "multipart/form-data" and boundary:
        pairs.extend(_multipart(body, boundary.encode("latin-1", "replace")))
    else:
        pairs.extend(_urlencoded(body))
    return Form(pairs, options.get("charset", ""))


def _urlencoded(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    for part in data.split(b"&"):
        if part:
            name, _, value = part.replace(b"+", b" ").partition(b"=")
            yield unquote_to_bytes(name), unquote_to_bytes(value)


def _multipart(data: bytes, boundary: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the fields up to where the body stops making sense; files are passed over."""
    decoder = MultipartDecoder(boundary, max_parts=None)
    decoder.receive_data(data)
    decoder.receive_data(None)
    name: bytes | None = None
    value = bytearray()
    try:
        event = decoder.next_event()
        while not isinstance(event, (Epilogue, NeedData)):
            if isinstance(event, (Field, File)):
                name = (event.name or "").encode("utf-8", "replace") if isinstance(event, Field) else None
                value.clear()
            elif isinstance(event, Data):
                value += event.data
                if name is not None and not event.more_data:
                    yield name, bytes(value)
            event = decoder.next_event()
    except ValueError:
        return


def _codec(name: str) -> str:
    """Return Python's name of a character set, "" if it is none that may be used."""
    try:
        codec = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        return ""
    return codec if _CODECS.fullmatch(codec) else ""
