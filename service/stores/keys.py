"""Keeps API keys, as keyed hashes, and the sites they are tied to."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from service.db import Database
from service.schema import api_keys, key_sites, sites
from service.sites import SiteAddress
from service.stores.sites import SiteStore


class Scope(enum.Enum):
    """What a key may do."""

    SITE = "site"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Key:
    """An API key, without the key itself.

    Attributes
    ----------
    id : int
    hint : str
        Its last four digits, to tell it from others.
    label : str
        What the operator called it.
    created_at : datetime
    revoked_at : datetime or None
    sites : frozenset of str
        Addresses it is tied to, in normal form; empty if it serves any site.
    scope : Scope
    """

    id: int
    hint: str
    label: str
    created_at: dt.datetime
    revoked_at: dt.datetime | None
    sites: frozenset[str]
    scope: Scope = Scope.SITE

    @property
    def name(self) -> str:
        """What it is called where it is recorded what a key did."""
        return f"key {self.id} ({self.label})" if self.label else f"key {self.id}"

    def serves(self, site: SiteAddress) -> bool:
        """Tell whether the key may be used for a site."""
        return not self.sites or site.address in self.sites

    def sees(self, site: SiteAddress, asked_by: int) -> bool:
        """Tell whether a check on a site, asked for by the key of this number, is for this key to see.

        A site's key sees the checks of the sites that it is tied to, and, tied to none, what it asked for itself.
        """
        return (
            self.scope is Scope.ADMIN
            or site.address in self.sites
            or (not self.sites and asked_by == self.id)
        )


class KeyExists(Exception):
    """The same key was created before."""


class KeyStore:
    """API keys by their digest."""

    def __init__(self, database: Database, site_store: SiteStore) -> None:
        self._database = database
        self._sites = site_store

    def add(
        self,
        *,
        digest: str,
        hint: str,
        label: str,
        tied_to: Sequence[SiteAddress],
        now: dt.datetime,
        only_if_none: bool = False,
        scope: Scope = Scope.SITE,
    ) -> Key | None:
        """Keep a new key; None if there are keys already and it was to be the first.

        Raises
        ------
        KeyExists
            If a key with this digest is there, revoked or not.
        """
        try:
            with self._database.write() as connection:
                if only_if_none and self._any(connection):
                    return None
                values = {
                    "digest": digest,
                    "hint": hint,
                    "label": label,
                    "created_at": now,
                    "scope": scope.value,
                }
                statement = insert(api_keys).values(values).returning(api_keys.c.id)
                key_id = int(connection.execute(statement).scalar_one())
                for site_id in {self._sites.resolve(connection, site, now) for site in tied_to}:
                    connection.execute(insert(key_sites).values(key_id=key_id, site_id=site_id))
        except IntegrityError as error:
            raise KeyExists from error
        return Key(key_id, hint, label, now, None, frozenset(site.address for site in tied_to), scope)

    def find(self, digest: str) -> Key | None:
        """Return the key with this digest, revoked or not."""
        found = self._select(api_keys.c.digest == digest)
        return found[0] if found else None

    def all(self) -> list[Key]:
        """Return every key, oldest first."""
        return self._select()

    @staticmethod
    def _any(connection: Connection) -> bool:
        if connection.dialect.name != "sqlite":
            # Another machine may be at its first start as well; SQLite has one writer at a time anyway.
            connection.execute(text("LOCK TABLE api_keys IN EXCLUSIVE MODE"))
        query = select(api_keys.c.id).where(api_keys.c.scope == Scope.SITE.value).limit(1)
        return connection.execute(query).first() is not None

    def revoke(self, key_id: int, now: dt.datetime) -> bool:
        """Revoke a key; tell whether it was there and not revoked before."""
        statement = (
            update(api_keys)
            .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        with self._database.write() as connection:
            return connection.execute(statement).rowcount == 1

    def _select(self, *conditions: object) -> list[Key]:
        columns = (
            api_keys.c.id,
            api_keys.c.hint,
            api_keys.c.label,
            api_keys.c.created_at,
            api_keys.c.revoked_at,
            api_keys.c.scope,
            sites.c.address,
        )
        joined = api_keys.outerjoin(key_sites).outerjoin(sites)
        query = select(*columns).select_from(joined).where(*conditions).order_by(api_keys.c.id)  # type: ignore[arg-type]
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        tied: dict[int, set[str]] = {}
        for row in rows:
            addresses = tied.setdefault(row.id, set())
            if row.address is not None:
                addresses.add(row.address)
        unique = {row.id: row for row in rows}
        return [
            Key(
                row.id,
                row.hint,
                row.label,
                row.created_at,
                row.revoked_at,
                frozenset(tied[row.id]),
                Scope(row.scope),
            )
            for row in unique.values()
        ]
