"""Keeps for how long sites want their data kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from service.db import Database
from service.retention import SiteRetention
from service.schema import site_retention, sites
from service.sites import SiteAddress
from service.stores.sites import SiteStore

_COLUMNS = (site_retention.c.comments_days, site_retention.c.feedback_days, site_retention.c.counts_days)


class RetentionStore:
    """Rows of ``site_retention``."""

    def __init__(self, database: Database, site_store: SiteStore) -> None:
        self._database = database
        self._sites = site_store

    def of(self, site: SiteAddress) -> SiteRetention:
        """Return what a site has set."""
        query = select(*_COLUMNS).join(sites).where(sites.c.address == site.address)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return SiteRetention() if row is None else SiteRetention(*row)

    def all(self) -> dict[str, SiteRetention]:
        """Return what sites have set, by address; those that set nothing are left out."""
        query = select(sites.c.address, *_COLUMNS).select_from(site_retention.join(sites))
        with self._database.read() as connection:
            return {row[0]: SiteRetention(*row[1:]) for row in connection.execute(query)}

    def put(self, site: SiteAddress, retention: SiteRetention, now: dt.datetime) -> None:
        """Keep what a site sets in the place of the earlier; makes the site if it is new."""
        values: dict[str, Any] = {**asdict(retention), "changed_at": now}
        with self._database.write() as connection:
            site_id = self._sites.resolve(connection, site, now)
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            connection.execute(
                dialect.insert(site_retention)
                .values(site_id=site_id, **values)
                .on_conflict_do_update(index_elements=["site_id"], set_=values)
            )
