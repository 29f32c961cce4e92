"""Keeps what the privacy notice said and when that changed; finds what a site's own notice depends on."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from sqlalchemy import select, update

from service.db import Database, insert_missing
from service.schema import meta, site_policies, site_retention, sites
from service.sites import SiteAddress
from service.stores.policies import WebhookMode

_NAME = "notice"


class NoticeStore:
    """The row of ``meta`` that remembers the notice, and what ``site_policies`` has to say in it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> dict[str, Any] | None:
        """Return what was last written; None if nothing was."""
        with self._database.read() as connection:
            value = connection.execute(select(meta.c.value).where(meta.c.name == _NAME)).scalar_one_or_none()
        return None if value is None else dict(json.loads(value))

    def write(self, content: dict[str, Any]) -> None:
        """Keep something in the place of what was written before."""
        value = json.dumps(content, ensure_ascii=False, sort_keys=True)
        with self._database.write() as connection:
            insert_missing(connection, meta, meta.c.name, {"name": _NAME, "value": value})
            connection.execute(update(meta).where(meta.c.name == _NAME).values(value=value))

    def tells_site(self, site: SiteAddress | None) -> bool:
        """Return whether a site is told of corrections; without a site, whether any is."""
        query = (
            select(site_policies.c.site_id)
            .join(sites)
            .where(site_policies.c.webhook != WebhookMode.OFF.value)
            .limit(1)
        )
        if site is not None:
            query = query.where(sites.c.address == site.address)
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    def changed_at(self, site: SiteAddress) -> dt.datetime | None:
        """Return when a site's policy or its days of retention last changed; None if it has none of its own."""
        found: list[dt.datetime] = []
        with self._database.read() as connection:
            for table in (site_policies, site_retention):
                query = select(table.c.changed_at).join(sites).where(sites.c.address == site.address)
                found += connection.execute(query).scalars()
        return max(found, default=None)
