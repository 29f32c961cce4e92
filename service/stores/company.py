"""Keeps the marks by which comments find their company, and looks them up."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, TextClause, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from model.company import MAX_PER_MARK, Mark, Meeting, Sort
from service.db import Database, dispensable, insert_many
from service.logs import Seldom
from service.schema import UTC_TEXT, checks, company_marks
from service.sites import SiteAddress

_log = structlog.get_logger(__name__)

#: Longest wait for an answer where a database may keep one waiting: without it a check is as good as without company.
_TIMEOUT_MS = 100
# Checks of one comment that a label reaches.
_MAX_LABELLED = 100
_marks = company_marks.c
_is_time_to_tell = Seldom(60.0)

# These two as text: they run with every check, and to look up a statement built of objects takes longer than to run it.
_INSERT = text(
    """
    INSERT INTO company_marks (value, sort, check_id, site_id, author, content, created_at, is_ham)
    VALUES (:value, :sort, :check_id, :site_id, :author, :content, :created_at, :is_trusted OR EXISTS (
        SELECT 1 FROM feedback
        WHERE site_id = :site_id AND content_hash = :content_hash AND label = 'ham'
            AND NOT is_test AND superseded_by IS NULL
    ))
    """
)
# Nothing is filtered before the limit, or a mark of many old rows would be read to its end.
_NEWEST = """
    SELECT * FROM (
        SELECT check_id, author, sort, value, content, created_at, is_ham FROM company_marks
        WHERE value = :value{place} AND sort = :sort{place} ORDER BY check_id DESC LIMIT {at_most}
    ) AS newest{place}
"""
_MET = """
    SELECT check_id, author, sort, value FROM ({newest}) AS met
    WHERE created_at >= :since AND content <> :content AND NOT is_ham AND (
        sort < {opening} OR NOT EXISTS (
            SELECT 1 FROM company_marks AS other
            WHERE other.site_id = (SELECT id FROM sites WHERE address = :site)
                AND other.value = met.value AND other.sort = met.sort AND other.is_ham
        )
    )
"""


@dataclass(frozen=True, slots=True)
class CheckMarks:
    """What a check leaves for later ones to meet.

    Attributes
    ----------
    author : int
        ``company.author_of`` its comment.
    marks : sequence of Mark
    is_trusted : bool
        Whether a rule of the site says that the comment is no spam.
    """

    author: int
    marks: Sequence[Mark]
    is_trusted: bool


def content_number(content_hash: str) -> int:
    """Return the part of a comment's keyed hash that stands with its marks, 60 bits."""
    return int(content_hash[:15], 16)


class CompanyStore:
    """Rows of ``company_marks``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def meetings(
        self, marks: Sequence[Mark], *, site: SiteAddress, content_hash: str, since: dt.datetime
    ) -> list[Meeting]:
        """Return the latest comments, of all sites of this service, that share a mark.

        Left out are earlier checks of the same comment, comments that somebody has called ham, and meetings by
        opening words or a domain that a comment called ham on the site asking has as well: who copies a real
        commenter's habits must not get the next comments of that person held.

        Raises
        ------
        sqlalchemy.exc.SQLAlchemyError
            If the database cannot say, or not at once.
        """
        if not marks:
            return []
        wanted: dict[str, Any] = {
            "content": content_number(content_hash),
            "since": _kept(self._database.is_sqlite, since),
            "site": site.address,
        }
        for place, mark in enumerate(marks):
            wanted |= {f"value{place}": mark.value, f"sort{place}": int(mark.sort)}
        rows = self._database.look_up(_latest(len(marks)), wanted, timeout_ms=_TIMEOUT_MS)
        return [Meeting(check_id, author, Mark(Sort(sort), value)) for check_id, author, sort, value in rows]

    @staticmethod
    def add(
        connection: Connection, left: CheckMarks, *, check_id: int, site_id: int, values: dict[str, Any]
    ) -> None:
        """Write a check's marks within its transaction; if that fails, the check stands without them.

        Parameters
        ----------
        values : dict
            ``content_hash`` and ``created_at`` of the check.
        """
        if not left.marks:
            return
        common = {
            "check_id": check_id,
            "site_id": site_id,
            "author": left.author,
            "content": content_number(values["content_hash"]),
            "created_at": _kept(connection.dialect.name == "sqlite", values["created_at"]),
            "is_trusted": left.is_trusted,
            "content_hash": values["content_hash"],
        }
        rows = [{**common, "value": mark.value, "sort": int(mark.sort)} for mark in left.marks]
        with dispensable(connection, _tell):
            insert_many(connection, _INSERT, rows)

    @staticmethod
    def label(connection: Connection, *, site_id: int, content_hash: str, is_ham: bool) -> None:
        """Let a comment's marks count as company no more, or again, within the transaction of its label."""
        labelled = (
            select(checks.c.id)
            .where(checks.c.site_id == site_id, checks.c.content_hash == content_hash)
            .order_by(checks.c.id.desc())
            .limit(_MAX_LABELLED)
        )
        statement = (
            update(company_marks)
            .where(_marks.check_id.in_(labelled), _marks.is_ham.is_(not is_ham))
            .values(is_ham=is_ham)
        )
        with dispensable(connection, _tell):
            connection.execute(statement)


@functools.cache
def _latest(n_marks: int) -> TextClause:
    newest = " UNION ALL ".join(_NEWEST.format(place=place, at_most=MAX_PER_MARK) for place in range(n_marks))
    statement = _MET.format(newest=newest, opening=int(Sort.OPENING))
    return text(statement)


def _kept(is_sqlite: bool, moment: dt.datetime) -> dt.datetime | str:
    """Return a moment as the driver takes it, and as ``UtcDateTime`` writes it."""
    return f"{moment.astimezone(dt.UTC):{UTC_TEXT}}" if is_sqlite else moment


def _tell(error: SQLAlchemyError) -> None:
    if _is_time_to_tell():
        _log.warning("marks not kept", cause=type(error).__name__, remedy="run `replyguard doctor`")
