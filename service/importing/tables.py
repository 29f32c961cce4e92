"""CSV: one comment a row under a row of column names; the usual names are known, others can be told."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping

from service.importing.exported import ImportRefused, Row, Skipped, Why
from service.importing.records import OUTCOME_FIELDS, exported

#: What a field may be called, most telling name first. Case, blanks, dashes and underscores make no difference.
NAMES: dict[str, tuple[str, ...]] = {
    "content": ("content", "comment_content", "comment", "body", "text", "message"),
    "label": ("label", "is_spam", "spam", "class"),
    "status": ("status", "comment_approved", "approved", "state"),
    "author": ("author", "comment_author", "author_name", "name", "user"),
    "author_email": ("author_email", "comment_author_email", "email", "mail"),
    "author_url": ("author_url", "comment_author_url", "url", "website", "homepage"),
    "ip": ("ip", "comment_author_ip", "author_ip", "ip_address", "user_ip"),
    "date": (
        "date",
        "comment_date_gmt",
        "comment_date",
        "created_at",
        "written_at",
        "published_at",
        "timestamp",
    ),
    "permalink": ("permalink", "post_url", "page", "page_url", "link"),
    "post_title": ("post_title", "title", "page_title"),
    "comment_type": ("comment_type", "type"),
    "user_role": ("user_role", "role"),
    "id": ("id", "comment_id"),
    "akismet_result": ("akismet_result",),
    "akismet_user_result": ("akismet_user_result",),
}
_DELIMITERS = ",;\t|"
# The module's own limit, 128 KiB, is less than some comments have.
_MAX_FIELD_CHARS = 16 * 1024 * 1024


def read(lines: Iterable[str], *, site: str, columns: Mapping[str, str]) -> Iterator[Row]:
    """Yield a comment, or why there is none, for each row.

    Parameters
    ----------
    lines : iterable of str
    site : str
    columns : mapping of str to str
        Field to the name of its column, where the usual names would not find it.

    Raises
    ------
    ImportRefused
        If a column that is needed or was named is not there; the message names it and those that are.
    """
    csv.field_size_limit(_MAX_FIELD_CHARS)
    iterator = iter(lines)
    head = next(iterator, "")
    delimiter = max(_DELIMITERS, key=head.count)
    names = next(csv.reader([head], delimiter=delimiter), [])
    place_of = _places(names, columns)
    reader = csv.reader(iterator, delimiter=delimiter)
    while True:
        # A field may hold line ends, so a row is named by the line it begins on.
        number = reader.line_num + 2
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Skipped(Why.UNREADABLE, f"line {number}: {error}")
            continue
        if not row:
            continue
        if len(row) != len(names):
            yield Skipped(
                Why.UNREADABLE,
                f"line {number}: it has {len(row)} fields, the first line names {len(names)}",
            )
            continue
        record = {field: row[place] for field, place in place_of.items()}
        for field in OUTCOME_FIELDS:
            if not record.get(field, "x").strip():
                del record[field]
        try:
            yield exported(record, site=site)
        except ValueError as error:
            yield Skipped(Why.UNREADABLE, f"line {number}: {error}")


def _places(names: list[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Return in which column each field stands."""
    found: dict[str, int] = {}
    folded = [_folded(name) for name in names]
    listed = ", ".join(name.strip() for name in names if name.isprintable())[:500] or "none"
    for field, usual in NAMES.items():
        if field in columns:
            if _folded(columns[field]) not in folded:
                raise ImportRefused(
                    f"--column {field}={columns[field]}: there is no such column; the first line names: {listed}"
                )
            found[field] = folded.index(_folded(columns[field]))
            continue
        for name in usual:
            if _folded(name) in folded:
                found[field] = folded.index(_folded(name))
                break
    if "content" not in found:
        raise ImportRefused(
            f"no column holds the comment's text; say which with --column content=NAME; the first line names: {listed}"
        )
    if not any(field in found for field in OUTCOME_FIELDS):
        raise ImportRefused(
            "no column tells spam from ham; say which with --column label=NAME (spam or ham) or --column"
            f" status=NAME (approved, spam, ...); the first line names: {listed}"
        )
    return found


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
