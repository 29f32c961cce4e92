"""Keeps what people said of comments: events that are only ever added, at most one of them effective."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.db import Database
from service.schema import checks, feedback
from service.sites import SiteAddress
from service.stores.company import CompanyStore
from service.stores.counts import CountStore
from service.stores.sites import SiteStore

# One repetition, for a site that was erased since its number was remembered.
_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class FeedbackRecord:
    """A label as it is kept.

    Attributes
    ----------
    guid : str
        Name of this event, 32 hex digits.
    created_at : datetime
    key_id : int
    site : SiteAddress
    label : str
        ham or spam.
    content_hash : str
    is_test : bool
    values : dict
        The remaining columns of ``feedback``.
    """

    guid: str
    created_at: dt.datetime
    key_id: int
    site: SiteAddress
    label: str
    content_hash: str
    is_test: bool
    values: dict[str, Any]


class FeedbackStore:
    """Rows of ``feedback`` with their daily counts."""

    def __init__(self, database: Database, site_store: SiteStore) -> None:
        self._database = database
        self._sites = site_store

    def add(self, record: FeedbackRecord, counted_as: Callable[[str | None], str | None]) -> bool:
        """Write a label and count it, in one transaction; on return it is on disk.

        A label that repeats the effective one changes nothing, unless that one was imported. One that
        contradicts it takes its place, and what the earlier one had counted is taken back.

        Parameters
        ----------
        record : FeedbackRecord
        counted_as : callable
            Which daily count the label raises, given what was answered to the comment's latest check, or
            None if no check of it is kept.

        Returns
        -------
        bool
            False if the label was there already.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._database.write_together(
                    lambda connection: self._add(connection, record, counted_as)
                )
            except IntegrityError:
                self._sites.forget(record.site)
                if attempt == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def _add(
        self, connection: Connection, record: FeedbackRecord, counted_as: Callable[[str | None], str | None]
    ) -> bool:
        site_id = self._sites.resolve(connection, record.site, record.created_at)
        if connection.dialect.name != "sqlite":
            # Those who click on one comment at once go one after the other; SQLite has one writer anyway.
            number = (int(record.content_hash[:15], 16) ^ site_id) & 0x7FFF_FFFF_FFFF_FFFF
            connection.execute(select(func.pg_advisory_xact_lock(number)))
        effective = connection.execute(
            select(
                feedback.c.id,
                feedback.c.label,
                feedback.c.counted_as,
                feedback.c.created_at,
                feedback.c.key_id,
                feedback.c.source,
            ).where(
                feedback.c.site_id == site_id,
                feedback.c.content_hash == record.content_hash,
                feedback.c.is_test == record.is_test,
                feedback.c.superseded_by.is_(None),
            )
        ).one_or_none()
        # What was imported is history; the same label on a comment that came since is news, and may count.
        if effective is not None and effective.label == record.label and effective.source != "import":
            return False
        check = connection.execute(
            select(checks.c.id, checks.c.answer)
            .where(
                checks.c.site_id == site_id,
                checks.c.content_hash == record.content_hash,
                checks.c.is_test == record.is_test,
            )
            .order_by(checks.c.id.desc())
            .limit(1)
        ).one_or_none()
        changes: list[tuple[dt.date, int, dict[str, int]]] = []
        if effective is not None:
            connection.execute(
                update(feedback).where(feedback.c.id == effective.id).values(superseded_by=record.guid)
            )
            if effective.counted_as is not None:
                changes.append((effective.created_at.date(), effective.key_id, {effective.counted_as: -1}))
        count = None if record.is_test else counted_as(None if check is None else check.answer)
        connection.execute(
            insert(feedback).values(
                **record.values,
                guid=record.guid,
                created_at=record.created_at,
                label=record.label,
                key_id=record.key_id,
                site_id=site_id,
                check_id=None if check is None else check.id,
                content_hash=record.content_hash,
                is_test=record.is_test,
                counted_as=count,
            )
        )
        if not record.is_test:
            CompanyStore.label(
                connection,
                site_id=site_id,
                content_hash=record.content_hash,
                is_ham=record.label == "ham",
            )
        if count is not None:
            changes.append((record.created_at.date(), record.key_id, {count: 1}))
        # Always in the same order, so that two transactions never wait for each other's rows.
        for day, key_id, amounts in sorted(changes, key=lambda change: change[:2]):
            CountStore.add(connection, day=day, key_id=key_id, site_id=site_id, amounts=amounts)
        return True
