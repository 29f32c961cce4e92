"""Movable Type's export format, which TypePad and others write too: published comments and pings, as text.

Format: https://movabletype.org/documentation/appendices/import-export-format.html
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from model.comment import Comment
from service.importing.exported import Exported, ExportMalformed, ImportRefused, Row, Status, storable

_END_OF_ENTRY = "--------"
_END_OF_SECTION = "-----"
_DATES = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M")
_KEYS = frozenset({"AUTHOR", "EMAIL", "IP", "URL", "DATE", "TITLE", "BLOG NAME"})
_KINDS = {"COMMENT:": "comment", "PING:": "trackback"}
# A file whose first section is this long is something else.
_MAX_HEAD_LINES = 2_000
# No post and no comment is that long; without a limit a file that lost its separators would fill the memory.
_MAX_SECTION_LINES = 100_000


def read(lines: Iterable[str], *, site: str) -> Iterator[Row]:
    """Yield comments and pings in the order of the file; the format holds published ones only.

    Raises
    ------
    ImportRefused
        If it is another sort of file.
    ExportMalformed
        If it ends inside a comment.
    """
    permalink = ""
    title_seen = False
    section: list[str] = []
    number = section_start = 0
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if text.rstrip() not in (_END_OF_SECTION, _END_OF_ENTRY):
            if not section:
                section_start = number
            section.append(text)
            if not title_seen and len(section) > _MAX_HEAD_LINES:
                break
            if len(section) > _MAX_SECTION_LINES:
                raise ExportMalformed(f"line {section_start}", "no ----- follows this for 100,000 lines")
            continue
        kind = _KINDS.get(section[0].rstrip()) if section else None
        if kind is not None:
            yield _comment(section[1:], kind, section_start, site, permalink)
        elif not title_seen and not any(head.startswith(("TITLE:", "AUTHOR:", "DATE:")) for head in section):
            break
        else:
            title_seen = True
            permalink = _permalink(section, site) or permalink
        section = []
        if text.rstrip() == _END_OF_ENTRY:
            permalink = ""
    if not title_seen:
        raise ImportRefused(
            "this is no Movable Type export: it does not begin with lines such as TITLE: and DATE:, closed"
            " by -----"
        )
    if section and section[0].rstrip() in _KINDS:
        raise ExportMalformed(
            f"line {section_start}", "the file ends inside this comment; it seems to be cut off"
        )


def _permalink(section: list[str], site: str) -> str:
    """Return the page's address as far as an entry's head tells: its basename under the site."""
    for line in section:
        if line.startswith("BASENAME:"):
            name = line.partition(":")[2].strip()
            return storable(f"{site.rstrip('/')}/{name}") if name else ""
    return ""


def _comment(lines: list[str], kind: str, number: int, site: str, permalink: str) -> Exported:
    fields: dict[str, str] = {}
    for position, line in enumerate(lines):
        key, colon, value = line.partition(":")
        # The text begins at the first line that is no field, even if later ones look like fields.
        if not colon or key not in _KEYS or key in fields:
            body = lines[position:]
            break
        fields[key] = storable(value.strip())
    else:
        body = []
    author = fields.get("AUTHOR", "") or fields.get("BLOG NAME", "")
    return Exported(
        comment=Comment(
            body=storable("\n".join(body).strip()),
            author=author,
            email=fields.get("EMAIL", ""),
            url=fields.get("URL", ""),
            site=site,
            permalink=permalink,
            kind=kind,
        ),
        status=Status.APPROVED,
        id=f"line {number}",
        written_at=_date(fields.get("DATE", "")),
        ip=fields.get("IP", ""),
    )


def _date(text: str) -> dt.datetime | None:
    for form in _DATES:
        try:
            return dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
    return None
