"""Keeps the sites and remembers their numbers."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, select

from service.db import insert_missing
from service.schema import sites
from service.sites import SiteAddress

_MAX_REMEMBERED = 50_000


class SiteStore:
    """Numbers of sites; a site comes into being with its first check or tie."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}

    def resolve(self, connection: Connection, site: SiteAddress, now: dt.datetime) -> int:
        """Return the site's number within a writing transaction, making the site if it is new.

        The number is not remembered here: the transaction may yet fail. Call ``remember`` after it.
        """
        known = self._ids.get(site.address)
        if known is not None:
            return known
        values = {"address": site.address, "display": site.display, "created_at": now}
        insert_missing(connection, sites, sites.c.address, values)
        query = select(sites.c.id).where(sites.c.address == site.address)
        return int(connection.execute(query).scalar_one())

    def find(self, connection: Connection, site: SiteAddress) -> int | None:
        """Return the site's number, or None if it has never been seen."""
        known = self._ids.get(site.address)
        if known is not None:
            return known
        query = select(sites.c.id).where(sites.c.address == site.address)
        return connection.execute(query).scalar_one_or_none()

    def remember(self, site: SiteAddress, site_id: int) -> None:
        """Keep a committed site's number in memory."""
        if len(self._ids) >= _MAX_REMEMBERED:
            self._ids.clear()
        self._ids[site.address] = site_id

    def forget(self, site: SiteAddress) -> None:
        """Drop a number that the database no longer knows."""
        self._ids.pop(site.address, None)
