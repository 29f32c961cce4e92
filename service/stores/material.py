"""Reads what a retraining learns from and is judged on; writes nothing.

Always from the rows that are there now: a label that was superseded and a comment that was erased are not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, case, exists, func, or_, select

from model.comment import Comment, Company, Label
from service.db import Database
from service.schema import checks, feedback, sites
from service.stores.site_weights import LEARNT

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class StoredLabel:
    """What a person said of a comment.

    Attributes
    ----------
    number : int
        Rises with time.
    guid : str
    created_at : datetime
    site : str
    comment : Comment
    label : Label
    """

    number: int
    guid: str
    created_at: dt.datetime
    site: str
    comment: Comment
    label: Label


@dataclass(frozen=True, slots=True)
class StoredCheck:
    """A comment that was checked."""

    guid: str
    site: str
    comment: Comment


class MaterialStore:
    """Comments with and without labels."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def labels(self, *, at_most: int) -> list[StoredLabel]:
        """Return the newest effective labels, oldest first.

        Left out are tests, what waits for the admin's word or was rejected, and echoes:
        a label that names no moderator and repeats our own verdict is that
        verdict come back, not a person's word.
        """
        answer = func.coalesce(checks.c.answer, feedback.c.claimed_answer)
        same = case((feedback.c.label == "spam", "true"), else_="false")
        query = (
            select(feedback, sites.c.address, sites.c.display, checks.c.company)
            .join(sites, sites.c.id == feedback.c.site_id)
            .outerjoin(checks, checks.c.id == feedback.c.check_id)
            .where(
                feedback.c.superseded_by.is_(None),
                feedback.c.state == LEARNT,
                feedback.c.is_test.is_(False),
                feedback.c.restricted.is_(False),
                or_(feedback.c.reporter_hash.is_not(None), answer.is_(None), answer != same),
            )
        )
        rows = list(self._newest(query, feedback.c.id, at_most))
        return [
            StoredLabel(row.id, row.guid, row.created_at, row.address, _comment(row), Label(row.label))
            for row in reversed(rows)
        ]

    def standing(self, *, before: dt.datetime, at_most: int) -> list[StoredCheck]:
        """Return the newest published comments that a moderating site has let stand.

        They were answered ``false`` before the given moment, nobody has labelled them, and somebody has
        labelled another comment of their site since.
        """
        labelled = exists().where(
            feedback.c.site_id == checks.c.site_id,
            feedback.c.content_hash == checks.c.content_hash,
            feedback.c.is_test.is_(False),
        )
        last_label = (
            select(feedback.c.site_id, func.max(feedback.c.created_at).label("at"))
            .where(feedback.c.is_test.is_(False))
            .group_by(feedback.c.site_id)
            .subquery()
        )
        query = (
            select(checks, sites.c.address, sites.c.display)
            .join(sites, sites.c.id == checks.c.site_id)
            .join(
                last_label,
                and_(last_label.c.site_id == checks.c.site_id, last_label.c.at > checks.c.created_at),
            )
            .where(
                checks.c.is_test.is_(False),
                checks.c.restricted.is_(False),
                checks.c.answer == "false",
                checks.c.created_at < before,
                ~labelled,
            )
        )
        return self._checks(query, at_most)

    def stored(self, *, at_most: int) -> list[StoredCheck]:
        """Return the newest checked comments."""
        query = (
            select(checks, sites.c.address, sites.c.display)
            .join(sites, sites.c.id == checks.c.site_id)
            .where(checks.c.is_test.is_(False), checks.c.restricted.is_(False))
        )
        return self._checks(query, at_most)

    def first_label_at(self) -> dt.datetime | None:
        """Return when the first label came; None if there is none."""
        with self._database.read() as connection:
            return connection.execute(
                select(feedback.c.created_at)
                .where(feedback.c.is_test.is_(False))
                .order_by(feedback.c.id)
                .limit(1)
            ).scalar()

    def _checks(self, query: Select[Any], at_most: int) -> list[StoredCheck]:
        """Return each comment once, however often it was checked."""
        found: dict[tuple[int, str], StoredCheck] = {}
        for row in self._newest(query, checks.c.id, at_most):
            check = StoredCheck(row.guid, row.address, _comment(row))
            found.setdefault((row.site_id, row.content_hash), check)
        return list(found.values())

    def _newest(self, query: Select[Any], number: Any, at_most: int) -> Iterator[Row[Any]]:
        """Yield rows, newest first, in pages: no transaction stays open while they are worked on."""
        last: int | None = None
        while at_most > 0:
            page = query if last is None else query.where(number < last)
            with self._database.read() as connection:
                rows = connection.execute(page.order_by(number.desc()).limit(min(_PAGE, at_most))).all()
            yield from rows
            if len(rows) < min(_PAGE, at_most):
                return
            at_most -= len(rows)
            last = rows[-1].id


def _comment(row: Row[Any]) -> Comment:
    """Make the comment as far as it was kept: the model reads no more of an e-mail address than its domain."""
    return Comment(
        body=row.body,
        author=row.author,
        email=f"@{row.email_domain}" if row.email_domain else "",
        url=row.url,
        site=row.display,
        permalink=row.permalink,
        tags=tuple(row.tags),
        kind=row.kind,
        site_lang=row.site_lang,
        referrer=row.referrer,
        honeypot=row.honeypot,
        nonce=row.nonce,
        company=None if row.company is None else Company(**row.company),
    )
