"""The formats that come as files: which reader belongs to which, and how a damaged file is met."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import IO

from service.importing import disqus, json_lines, movable_type, tables, wordpress_xml
from service.importing.exported import ExportMalformed, ImportRefused, Row
from service.importing.source import Source
from service.importing.text_stream import text_lines
from service.importing.xml_stream import MendedXml


class FileFormat(enum.Enum):
    """What a file may be."""

    WORDPRESS_XML = "wordpress-xml"
    DISQUS = "disqus"
    MOVABLE_TYPE = "movable-type"
    CSV = "csv"
    JSONL = "jsonl"


_XML = {FileFormat.WORDPRESS_XML: wordpress_xml.read, FileFormat.DISQUS: disqus.read}


class FileHistory:
    """The comments of an export file, which may be gone through as often as needed.

    Parameters
    ----------
    source : Source
    form : FileFormat
    site : str
        The site's address.
    encoding : str
        Instead of what the file says of itself; "" believes the file.
    columns : mapping of str to str
        For CSV: field to the name of its column.
    up_to_error : bool
        Take a damaged file for what stands before the damage.
    """

    def __init__(
        self,
        source: Source,
        form: FileFormat,
        *,
        site: str,
        encoding: str = "",
        columns: Mapping[str, str] | None = None,
        up_to_error: bool = False,
    ) -> None:
        self._source = source
        self._form = form
        self._site = site
        self._encoding = encoding
        self._columns = columns or {}
        self._up_to_error = up_to_error
        #: Where the last pass met damage, "" if nowhere.
        self.damage = ""
        #: How many unreadable characters the last pass replaced; XML only.
        self.n_replaced = 0

    def rows(self) -> Iterator[Row]:
        """Yield the comments from the start.

        Raises
        ------
        ImportRefused
            If the file cannot be read or is damaged; names it, the place and the remedy.
        """
        self.damage = ""
        try:
            with self._source.opened() as stream:
                yield from self._read(stream)
        except ExportMalformed as error:
            name = self._source.name
            is_packing = error.place == name
            self.damage = f"{'the end of what can be unpacked' if is_packing else error.place}: {error.what}"
            if not self._up_to_error:
                place = name if is_packing else f"{name}, {error.place}"
                raise ImportRefused(
                    f"{place}: {error.what}; {error.mend}, or take what stands before that with --up-to-error"
                ) from None
        except ImportRefused as error:
            text = str(error)
            name = self._source.name
            raise ImportRefused(text if text.startswith(name) else f"{name}: {text}") from None

    def _read(self, stream: IO[bytes]) -> Iterator[Row]:
        if self._form in _XML:
            mended = MendedXml(stream, self._encoding)
            try:
                yield from _XML[self._form](mended, site=self._site)
            finally:
                self.n_replaced = mended.n_replaced
            return
        lines = text_lines(stream, self._encoding)
        if self._form is FileFormat.CSV:
            yield from tables.read(lines, site=self._site, columns=self._columns)
        elif self._form is FileFormat.JSONL:
            yield from json_lines.read(lines, site=self._site)
        else:
            yield from movable_type.read(lines, site=self._site)
