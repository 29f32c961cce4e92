"""Keeps what happened per day, key and site, as sums that outlive the rows they were counted from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from service.db import Database, increment
from service.schema import daily_counts, sites
from service.sites import SiteAddress


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over some days: calls and their answers, and the answers that people corrected.

    ``calls`` is at least ``spam + ham``: a comment that was held is neither.
    """

    calls: int = 0
    spam: int = 0
    ham: int = 0
    missed_spam: int = 0
    false_positives: int = 0


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Sums of one day, and the sites that they come from."""

    day: dt.date
    site_id: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class SiteCounts:
    """Sums of one site."""

    address: str
    counts: Counts


_SUMS = tuple(
    func.coalesce(func.sum(daily_counts.c[name]), 0).label(name) for name in Counts.__dataclass_fields__
)


class CountStore:
    """Daily sums; UTC days."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @staticmethod
    def add(
        connection: Connection, *, day: dt.date, key_id: int, site_id: int, amounts: Mapping[str, int]
    ) -> None:
        """Add to one day's sums, in the transaction of the row that causes it."""
        increment(connection, daily_counts, {"day": day, "key_id": key_id, "site_id": site_id}, amounts)

    def days(self, *, key_id: int, since: dt.date | None, site: SiteAddress | None) -> list[DayCounts]:
        """Return a key's sums per day and site, oldest first; of one site if it is given."""
        table = daily_counts
        query = select(table, sites.c.address).join(sites).where(table.c.key_id == key_id)
        if since is not None:
            query = query.where(table.c.day >= since)
        if site is not None:
            query = query.where(sites.c.address == site.address)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.c.day, table.c.site_id)).all()
        return [
            DayCounts(
                row.day,
                row.site_id,
                Counts(row.calls, row.spam, row.ham, row.missed_spam, row.false_positives),
            )
            for row in rows
        ]

    def sites(self, *, key_id: int, since: dt.date, until: dt.date) -> list[SiteCounts]:
        """Return a key's sums per site over the days ``since <= day < until``."""
        table = daily_counts
        query = (
            select(sites.c.address, *_SUMS)
            .select_from(table.join(sites))
            .where(table.c.key_id == key_id, table.c.day >= since, table.c.day < until)
            .group_by(sites.c.address)
            .order_by(sites.c.address)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            SiteCounts(
                row.address,
                Counts(
                    int(row.calls),
                    int(row.spam),
                    int(row.ham),
                    int(row.missed_spam),
                    int(row.false_positives),
                ),
            )
            for row in rows
        ]
