"""Keeps every check before it is answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, insert, select
from sqlalchemy.exc import IntegrityError

from service.db import Database
from service.schema import checks, sites
from service.sites import SiteAddress
from service.stores.company import CheckMarks, CompanyStore
from service.stores.counts import CountStore
from service.stores.sites import SiteStore

_INSERT = insert(checks)
_PAGE = 500


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """A check as it is kept.

    Attributes
    ----------
    created_at : datetime
    key_id : int
    site : SiteAddress
    values : dict
        The remaining columns of ``checks``.
    counted : dict of str to int
        What it adds to the day's counts; empty for a test.
    marks : CheckMarks or None
        What later comments may meet.
    """

    created_at: dt.datetime
    key_id: int
    site: SiteAddress
    values: dict[str, Any]
    counted: dict[str, int]
    marks: CheckMarks | None = None


@dataclass(frozen=True, slots=True)
class StoredCheck:
    """A check as it can be asked for later.

    Attributes
    ----------
    guid : str
    created_at : datetime
    key_id : int
    site : SiteAddress
    values : mapping
        The remaining columns of ``checks``.
    """

    guid: str
    created_at: dt.datetime
    key_id: int
    site: SiteAddress
    values: Mapping[str, Any]


def stored_check(row: RowMapping) -> StoredCheck:
    """Return a row of ``checks`` with its site's ``address`` and ``display`` as a check."""
    site = SiteAddress(row["address"], row["display"])
    return StoredCheck(row["guid"], row["created_at"], row["key_id"], site, dict(row))


class CheckStore:
    """Rows of ``checks`` with their daily counts."""

    def __init__(self, database: Database, site_store: SiteStore) -> None:
        self._database = database
        self._sites = site_store

    def add(self, *records: CheckRecord) -> None:
        """Write checks and count them, in one transaction; on return they are on disk.

        Raises
        ------
        sqlalchemy.exc.SQLAlchemyError
            If the database cannot take them; nothing is kept then.
        """
        try:
            site_ids = self._database.write_together(
                lambda connection: [self._add(connection, record) for record in records]
            )
        except IntegrityError:
            # A site may have been erased since its number was remembered.
            for record in records:
                self._sites.forget(record.site)
            raise
        for record, site_id in zip(records, site_ids, strict=True):
            self._sites.remember(record.site, site_id)

    def find(self, guids: Iterable[str]) -> dict[str, StoredCheck]:
        """Return the checks with these names, by name; those that are not there are left out."""
        wanted = list(guids)
        # A statement takes a bounded number of values.
        pages = (wanted[first : first + _PAGE] for first in range(0, len(wanted), _PAGE))
        return {check.guid: check for page in pages for check in self._select(checks.c.guid.in_(page))}

    def find_named(self, key_id: int, request_hashes: Iterable[str]) -> dict[str, StoredCheck]:
        """Return the checks of a key that its client gave these names to, by the hash of the client's name."""
        wanted = checks.c.request_hash.in_(list(request_hashes))
        found = self._select(checks.c.key_id == key_id, wanted)
        return {str(check.values["request_hash"]): check for check in found}

    def _select(self, *conditions: ColumnElement[bool]) -> list[StoredCheck]:
        query = (
            select(checks, sites.c.address, sites.c.display)
            .select_from(checks.join(sites, checks.c.site_id == sites.c.id))
            .where(*conditions)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [stored_check(row) for row in rows]

    def _add(self, connection: Connection, record: CheckRecord) -> int:
        """Write a check and count it; return its site's number."""
        site_id = self._sites.resolve(connection, record.site, record.created_at)
        values = {**record.values, "created_at": record.created_at}
        inserted = connection.execute(_INSERT, {**values, "key_id": record.key_id, "site_id": site_id})
        if record.counted:
            CountStore.add(
                connection,
                day=record.created_at.date(),
                key_id=record.key_id,
                site_id=site_id,
                amounts=record.counted,
            )
        if record.marks is not None:
            [check_id] = inserted.inserted_primary_key or (0,)
            CompanyStore.add(connection, record.marks, check_id=check_id, site_id=site_id, values=values)
        return site_id
