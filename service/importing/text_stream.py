"""Text files as lines, decoded strictly: which line is not in the encoding is told, not guessed around."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO

from service.importing.exported import ExportMalformed, ImportRefused

DEFAULT_ENCODING = "utf-8-sig"
#: Longest line, in bytes; what is longer is no text.
MAX_LINE_BYTES = 16 * 1024 * 1024


def text_lines(stream: IO[bytes], encoding: str = "") -> Iterator[str]:
    """Yield the lines of a file, their ends included.

    Parameters
    ----------
    stream : binary file
    encoding : str
        UTF-8, with or without a mark at its start, if "".

    Raises
    ------
    ImportRefused
        If the encoding is unknown.
    ExportMalformed
        At the first line that is not in it, or is longer than 16 MiB.
    """
    named = encoding or DEFAULT_ENCODING
    try:
        decoder = codecs.getincrementaldecoder(named)("strict")
        has_lines = "\n\n".encode(named).endswith(b"\n\n")
    except LookupError:
        raise ImportRefused(
            f"the encoding {named!r} is unknown; give one that Python knows with --encoding, such as windows-1252"
        ) from None
    if not has_lines:
        raise ImportRefused(f"the encoding {named!r} has no lines of bytes; convert the file to UTF-8 first")
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        if len(line) >= MAX_LINE_BYTES:
            raise ExportMalformed(f"line {number}", "it is longer than 16 MiB, so this is no text file")
        try:
            text = decoder.decode(line)
        except UnicodeDecodeError as error:
            name = "UTF-8" if named == DEFAULT_ENCODING else named
            raise ExportMalformed(
                f"line {number}, byte {error.start + 1}",
                f"it is not {name}; give the file's encoding with --encoding, such as windows-1252",
            ) from None
        yield text
