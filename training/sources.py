"""The public sources by name, with licence and address, as ``corpora.toml`` lists them; fetches nothing."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

CATALOGUE = Path(__file__).with_name("corpora.toml")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source.

    Attributes
    ----------
    url : str
    sha256 : str
        Its checksum in hex; "" if none is published.
    label : str
        "spam" or "ham" if the whole file is that, else "".
    about_bytes : int
        Its size, roughly; what is more than four times as large is refused.
    """

    url: str
    sha256: str = ""
    label: str = ""
    about_bytes: int = 0

    @property
    def name(self) -> str:
        return unquote(urlsplit(self.url).path).rpartition("/")[2]

    @property
    def max_bytes(self) -> int:
        return 4 * self.about_bytes


@dataclass(frozen=True, slots=True)
class Source:
    """One source.

    Attributes
    ----------
    name, kind, licence : str
    about, home : str
        What it is, and where it is described.
    convert : str
        How its files become comments: a name in ``training.convert.CONVERTERS``.
    reason : str
        Why it cannot be fetched; "" if it can.
    files : tuple of SourceFile
    """

    name: str
    kind: str
    licence: str
    about: str = ""
    home: str = ""
    convert: str = ""
    reason: str = ""
    files: tuple[SourceFile, ...] = ()

    @property
    def about_bytes(self) -> int:
        return sum(file.about_bytes for file in self.files)


class CatalogueError(Exception):
    """The list of sources is wrong; the message names the source and the field."""


def read_catalogue(path: Path = CATALOGUE) -> dict[str, Source]:
    """Read the sources, by name.

    Raises
    ------
    CatalogueError
        If the file is no TOML, or an entry lacks what it needs.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("source", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path}: {error}") from error
    sources: dict[str, Source] = {}
    for number, entry in enumerate(entries, 1):
        try:
            files = tuple(SourceFile(**file) for file in entry.pop("files", []))
            source = Source(**entry, files=files)
        except TypeError as error:
            raise CatalogueError(f"{path.name}, source {number}: {error}") from error
        problem = _problem(source, sources)
        if problem:
            raise CatalogueError(f"{path.name}, source {source.name!r}: {problem}")
        sources[source.name] = source
    return sources


def _problem(source: Source, known: dict[str, Source]) -> str:
    if not _NAME.fullmatch(source.name):
        return "field 'name' must be small letters, digits and hyphens: it becomes a file's name"
    if source.name in known:
        return "it is listed twice"
    if bool(source.files) == bool(source.reason):
        return "give either 'files' or the 'reason' why there are none"
    if source.files and not source.convert:
        return "field 'convert' is missing"
    for file in source.files:
        if file.sha256 and not _SHA256.fullmatch(file.sha256):
            return f"'sha256' of {file.url} must be 64 hex digits in small letters"
        if file.label not in {"", "spam", "ham"}:
            return f"'label' of {file.url} must be spam or ham"
        if file.about_bytes <= 0:
            return f"'about_bytes' of {file.url} is missing: it bounds what is accepted"
        if not file.name or file.name.startswith("."):
            return f"'url' {file.url} names no file"
    return ""
