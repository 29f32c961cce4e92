"""XML of any size as a stream of elements, with the flaws mended that real exports have."""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Iterator
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from service.importing.exported import ExportMalformed, ImportRefused, storable

_CHUNK_BYTES = 128 * 1024
_DECLARATION = re.compile(r"<\?xml\b[^>]{0,500}\?>")
_ENCODING = re.compile(rb"""<\?xml\b[^>]{0,400}?\bencoding\s*=\s*["']([A-Za-z][\w.-]{0,40})["']""")
# What XML 1.0 allows nowhere, not even as a reference; comments of spammers have it all the same.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class MendedXml:
    """A file for the parser to read: in UTF-8, without what is forbidden, beginning where XML may begin.

    Three flaws are so common in exports that they must not stop an import, and none of them can change a
    label: control characters, bytes that are not in the encoding, and warnings of PHP printed before the
    declaration. Lines and columns stay what they are in the file.

    Parameters
    ----------
    stream : binary file
    encoding : str
        Instead of the one that the file declares; "" believes the file.

    Raises
    ------
    ImportRefused
        If the encoding is unknown.
    """

    def __init__(self, stream: IO[bytes], encoding: str = "") -> None:
        self._stream = stream
        self._head = stream.read(_CHUNK_BYTES)
        named = encoding or _encoding_of(self._head)
        try:
            self._decoder = codecs.getincrementaldecoder(named)("replace")
            # Some of Python's codecs are none of text.
            "".encode(named)
        except LookupError:
            raise ImportRefused(
                f"the encoding {named!r} is unknown; give the right one with --encoding, such as windows-1252"
            ) from None
        self.n_replaced = 0

    def read(self, _size: int = -1) -> bytes:
        """Return the next piece, b"" at the end; its length is not what was asked for."""
        while True:
            is_head = bool(self._head)
            chunk = self._head or self._stream.read(_CHUNK_BYTES)
            self._head = b""
            text = self._decoder.decode(chunk, final=not chunk)
            if is_head:
                text = _without_preamble(text)
            text, _ = _FORBIDDEN.subn("\ufffd", text)
            self.n_replaced += text.count("\ufffd")
            if text or not chunk:
                return text.encode()


def _encoding_of(head: bytes) -> str:
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    declared = _ENCODING.search(head)
    return declared.group(1).decode("ascii") if declared else "utf-8"


def _without_preamble(text: str) -> str:
    """Blank out the declaration, which the new encoding makes untrue, and all that stands before it."""
    text = text.removeprefix("\ufeff")
    found = _DECLARATION.search(text)
    if found is None:
        return text
    blanks = re.sub(r"[^\n]", " ", text[: found.end()])
    return blanks + text[found.end() :]


def elements(stream: MendedXml) -> Iterator[tuple[str, list[Element]]]:
    """Yield ("start" or "end", path of elements from the root to the one in question).

    Who has taken what it needs from an ended element calls ``drop``; without that the whole document would
    stay in memory.

    Raises
    ------
    ExportMalformed
        Where the markup breaks.
    ImportRefused
        If there is a document type: with it come entities, which no export needs and attackers use.
    """
    path: list[Element] = []
    try:
        for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
            if event == "start":
                path.append(element)
                yield "start", path
            else:
                yield "end", path
                path.pop()
    except ParseError as error:
        line, column = error.position
        what = str(error).partition(":")[0]
        raise ExportMalformed(
            f"line {line}, column {column + 1}",
            f"the XML is malformed ({what})",
            mend="correct that place, or let a tool do it (xmllint --recover FILE > repaired.xml)",
        ) from None
    except DefusedXmlException:
        raise ImportRefused(
            "the file has a document type (<!DOCTYPE ...>), which may hide an attack and belongs into no"
            " export; remove it if you trust the file"
        ) from None


def drop(path: list[Element]) -> None:
    """Forget the last element of a path, and that its parent had it."""
    path[-1].clear()
    if len(path) > 1:
        path[-2].remove(path[-1])


def name_of(element: Element) -> str:
    """Return an element's name without its namespace, whose address differs from version to version."""
    return _local(str(element.tag))


@functools.lru_cache(maxsize=1_000)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def texts_of(element: Element) -> dict[str, str]:
    """Return the texts of an element's children by name; the first of each name."""
    texts: dict[str, str] = {}
    for child in element:
        texts.setdefault(name_of(child), storable(child.text or ""))
    return texts
