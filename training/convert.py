"""Turns the archives of public sources into our JSON Lines; opens what it is given and fetches nothing.

Nothing is unpacked to disk, and no member is read beyond a bound: an archive is somebody else's file.
"""

from __future__ import annotations

import csv
import email
import email.errors
import email.header
import email.policy
import gzip
import html
import io
import json
import os
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from training.sources import Source, SourceFile

_MAX_MEMBER = 20_000_000
_MAX_CONTENT = 100_000
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_VIDEOS = {
    "Youtube01-Psy.csv": ("PSY - GANGNAM STYLE", "9bZkp7q19f0"),
    "Youtube02-KatyPerry.csv": ("Katy Perry - Roar", "CevxZvSJLk8"),
    "Youtube03-LMFAO.csv": ("LMFAO - Party Rock Anthem", "KQ6zr6kCPj8"),
    "Youtube04-Eminem.csv": ("Eminem - Love The Way You Lie ft. Rihanna", "uelHwf8o7_U"),
    "Youtube05-Shakira.csv": ("Shakira - Waka Waka", "pRpeEdMmmQ0"),
}

# What the readers of these formats raise when a file is none.
_UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    csv.Error,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    RuntimeError,
)

Record = dict[str, Any]


class ConvertError(Exception):
    """A file is not what its source says; the message names the file."""


def convert(source: Source, paths: list[Path], target: Path) -> tuple[int, int]:
    """Write a source's comments to a gzipped JSON Lines file; the same files give the same bytes.

    Parameters
    ----------
    source : Source
    paths : list of Path
        Its files, in the source's order.
    target : Path
        Written whole or not at all.

    Returns
    -------
    n_spam, n_ham : int, int

    Raises
    ------
    ConvertError
        If a file cannot be read or holds no comment.
    OSError
        If the target cannot be written.
    """
    read = CONVERTERS[source.convert]
    counts = {"spam": 0, "ham": 0}
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        # No name and no time in the header: the same bytes twice.
        with (
            os.fdopen(handle, "wb") as raw,
            gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as out,
        ):
            for file, path in zip(source.files, paths, strict=True):
                for number, record in enumerate(_readable(read, file, path), 1):
                    whole = {
                        "id": f"{source.name}/{file.name}:{number}",
                        "source": source.name,
                        "kind": source.kind,
                    }
                    counts[record["label"]] += 1
                    out.write(
                        json.dumps(whole | record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
                    )
        if not sum(counts.values()):
            raise ConvertError(f"{source.name}: its files hold no comment; they may have changed their form")
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
    return counts["spam"], counts["ham"]


def _readable(
    read: Callable[[SourceFile, Path], Iterator[Record]], file: SourceFile, path: Path
) -> Iterator[Record]:
    """Yield a file's comments; what its format's reader raises becomes one error that names the file."""
    try:
        yield from read(file, path)
    except _UNREADABLE as error:
        raise ConvertError(
            f"{path.name} is not what its source says: {type(error).__name__}: {error}"
        ) from error


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file in a ZIP archive, but for what macOS adds."""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.is_dir() or info.filename.startswith("__MACOSX/"):
                continue
            if info.file_size > _MAX_MEMBER:
                raise ConvertError(f"{path.name}: {info.filename} is larger than {_MAX_MEMBER} bytes")
            yield info.filename.rpartition("/")[2], archive.read(info)


def _plain(text: str) -> str:
    """Return a text as it was typed: these collections store what a web page's source had."""
    return html.unescape(_BREAK.sub("\n", text)).replace("\ufeff", "").strip()


def youtube_csv(file: SourceFile, path: Path) -> Iterator[Record]:
    """Read the YouTube Spam Collection: a table per video, CLASS 1 is spam."""
    for name, content in _members(path):
        if not name.endswith(".csv"):
            continue
        title, video = _VIDEOS.get(name, (name.removesuffix(".csv"), ""))
        for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")):
            yield {
                "label": {"1": "spam", "0": "ham"}[row["CLASS"].strip()],
                "content": _plain(row["CONTENT"]),
                "author": _plain(row["AUTHOR"]),
                "permalink": f"https://www.youtube.com/watch?v={video}" if video else "",
                "post_title": title,
                "date": row["DATE"].strip(),
            }


def sms_tabs(file: SourceFile, path: Path) -> Iterator[Record]:
    """Read the SMS Spam Collection: a label, a tab and a text on each line."""
    for name, content in _members(path):
        if name != "SMSSpamCollection":
            continue
        for line in content.decode("utf-8").split("\n"):
            label, tab, text = line.rstrip("\r").partition("\t")
            if tab:
                yield {"label": {"spam": "spam", "ham": "ham"}[label], "content": _plain(text)}


def mailboxes(file: SourceFile, path: Path) -> Iterator[Record]:
    """Read a tar archive with one mail a file: subject as title, first text part as content."""
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            if not member.isfile() or member.name.endswith("cmds") or member.size > _MAX_MEMBER:
                continue
            stored = archive.extractfile(member)
            if stored is None:
                continue
            message = email.message_from_bytes(stored.read(), policy=email.policy.compat32)
            content = _body(message)
            if content:
                yield {
                    "label": file.label,
                    "content": content[:_MAX_CONTENT],
                    "post_title": _header(message, "Subject"),
                    "date": _header(message, "Date"),
                }


def _body(message: Any) -> str:
    """Return a mail's first plain text, or else its first HTML."""
    found = {"text/plain": "", "text/html": ""}
    for part in message.walk():
        kind = part.get_content_type()
        if found.get(kind) == "" and part.get_filename() is None:
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                found[kind] = _decoded(payload, part.get_content_charset() or "ascii").strip()
    return found["text/plain"] or found["text/html"]


def _decoded(payload: bytes, charset: str) -> str:
    # Twenty years ago many a mail named a character set that it was not in, or that never was.
    for name in (charset, "utf-8"):
        try:
            return payload.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return payload.decode("latin-1")


def _header(message: Any, name: str) -> str:
    """Return a header as one line of text, "" if it is absent."""
    value = message.get(name)
    if value is None:
        return ""
    try:
        value = str(email.header.make_header(email.header.decode_header(str(value))))
    except (LookupError, UnicodeDecodeError, email.errors.HeaderParseError):
        value = str(value)
    return " ".join(value.split())


def lines(file: SourceFile, path: Path) -> Iterator[Record]:
    """Read a file with one comment a line, all of one label."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield {"label": file.label, "content": line.strip()}


CONVERTERS: dict[str, Callable[[SourceFile, Path], Iterator[Record]]] = {
    "youtube-csv": youtube_csv,
    "sms-tabs": sms_tabs,
    "mailboxes": mailboxes,
    "lines": lines,
}
"""How the files of a source become comments, by the name that ``corpora.toml`` uses."""
