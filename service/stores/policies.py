"""Keeps what each site wants: its policy, its lists, and what its own comments say about cut-offs."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from service.db import Database
from service.lists import Entry, Kind, Side
from service.schema import MAX_ROW_ID, calibrations, list_entries, meta, site_policies, sites
from service.settings import UnsureAnswer
from service.sites import SiteAddress
from service.stores.sites import SiteStore

#: Row of ``meta`` that changes with every change of a policy, so that workers notice.
_TOKEN = "policies"  # noqa: S105 - the name of a row, not a secret

#: Workers are told of a computation that changed nothing if the last one is this old, so that they know.
_TOLD_AGAIN = dt.timedelta(hours=12)


class WebhookMode(enum.Enum):
    """Whether a site is told of corrections, and where it may be."""

    OFF = "off"
    PUBLIC = "public"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """What a site wants; None leaves it to the settings.

    Attributes
    ----------
    budget_per_thousand : float or None
        Real comments of 1,000 that may be held, from 0.5 to 100.
    unsure : UnsureAnswer or None
    discard : bool
        Whether a client may be told that nobody need see a comment.
    log_only : bool
        Always answer ``false``, and record what would have been answered.
    counts_silence : bool
        Whether comments let through and not corrected for long count as ham for the cut-offs.
    """

    budget_per_thousand: float | None = None
    unsure: UnsureAnswer | None = None
    discard: bool = True
    log_only: bool = False
    counts_silence: bool = False


@dataclass(frozen=True, slots=True)
class CalibrationRecord:
    """What was computed from a site's own comments.

    Attributes
    ----------
    model_version : str
        The version whose scores they are.
    computed_at : datetime
    content : dict
        ``service.cutoffs.SiteHam`` as data.
    """

    model_version: str
    computed_at: dt.datetime
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SiteState:
    """All that is kept of one site's wishes.

    Attributes
    ----------
    policy : SitePolicy
    entries : tuple of Entry
        In the order in which they were written down.
    calibration : CalibrationRecord or None
    """

    policy: SitePolicy
    entries: tuple[Entry, ...]
    calibration: CalibrationRecord | None


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site in a list.

    Attributes
    ----------
    site : SiteAddress
    created_at : datetime
    policy : SitePolicy
    n_entries : int
    """

    site: SiteAddress
    created_at: dt.datetime
    policy: SitePolicy
    n_entries: int


class PolicyStore:
    """Rows of ``site_policies``, ``list_entries`` and ``calibrations``."""

    def __init__(self, database: Database, site_store: SiteStore) -> None:
        self._database = database
        self._sites = site_store

    def token(self) -> str:
        """Return a text that is another after each change of any site's wishes."""
        with self._database.read() as connection:
            query = select(meta.c.value).where(meta.c.name == _TOKEN)
            return connection.execute(query).scalar_one_or_none() or ""

    def state(self, site: SiteAddress) -> SiteState | None:
        """Return what is kept of a site's wishes; None if the site is unknown."""
        with self._database.read() as connection:
            site_id = connection.execute(
                select(sites.c.id).where(sites.c.address == site.address)
            ).scalar_one_or_none()
            if site_id is None:
                return None
            row = connection.execute(
                select(site_policies).where(site_policies.c.site_id == site_id)
            ).one_or_none()
            entries = connection.execute(
                select(list_entries).where(list_entries.c.site_id == site_id).order_by(list_entries.c.id)
            ).all()
            found = connection.execute(
                select(calibrations).where(calibrations.c.site_id == site_id)
            ).one_or_none()
        calibration = (
            None
            if found is None
            else CalibrationRecord(found.model_version, found.computed_at, found.content)
        )
        return SiteState(_policy(row), tuple(map(_entry, entries)), calibration)

    def sites(self) -> list[SiteRow]:
        """Return every site, by address."""
        counted = (
            select(list_entries.c.site_id, func.count().label("n"))
            .group_by(list_entries.c.site_id)
            .subquery()
        )
        query = (
            select(sites, site_policies, func.coalesce(counted.c.n, 0).label("n_entries"))
            .select_from(sites.outerjoin(site_policies).outerjoin(counted, counted.c.site_id == sites.c.id))
            .order_by(sites.c.address)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            SiteRow(
                SiteAddress(row.address, row.display),
                row.created_at,
                _policy(row if row.changed_at is not None else None),
                int(row.n_entries),
            )
            for row in rows
        ]

    def put(self, site: SiteAddress, policy: SitePolicy, now: dt.datetime) -> None:
        """Keep a site's policy in the place of the earlier one; makes the site if it is new."""
        values = {
            "budget_per_thousand": policy.budget_per_thousand,
            "unsure": None if policy.unsure is None else policy.unsure.value,
            "discard": policy.discard,
            "log_only": policy.log_only,
            "counts_silence": policy.counts_silence,
            "changed_at": now,
        }
        with self._database.write() as connection:
            site_id = self._sites.resolve(connection, site, now)
            _upsert(connection, site_policies, {"site_id": site_id}, values)
            change_token(connection)

    def webhook(self, site: SiteAddress) -> tuple[WebhookMode, str | None]:
        """Return whether a site is told of corrections, and the encrypted key that it expects."""
        query = (
            select(site_policies.c.webhook, site_policies.c.webhook_key)
            .join(sites)
            .where(sites.c.address == site.address)
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return (WebhookMode.OFF, None) if row is None else (WebhookMode(row.webhook), row.webhook_key)

    def put_webhook(
        self, site: SiteAddress, mode: WebhookMode, sealed_key: str | None, now: dt.datetime
    ) -> None:
        """Keep whether a site is told of corrections; the rest of its policy stays."""
        values = {"webhook": mode.value, "webhook_key": sealed_key, "changed_at": now}
        default = SitePolicy()
        first = {
            "discard": default.discard,
            "log_only": default.log_only,
            "counts_silence": default.counts_silence,
        }
        with self._database.write() as connection:
            site_id = self._sites.resolve(connection, site, now)
            _upsert(connection, site_policies, {"site_id": site_id}, values, first)

    def add_entry(self, site: SiteAddress, entry: Entry, now: dt.datetime) -> Entry:
        """Keep an entry; one with the same value on the other side is taken from there.

        Returns
        -------
        Entry
            With its number; the earlier one's if it was there already.
        """
        with self._database.write() as connection:
            site_id = self._sites.resolve(connection, site, now)
            same = (
                list_entries.c.site_id == site_id,
                list_entries.c.kind == entry.kind.value,
                list_entries.c.value == entry.value,
            )
            known = connection.execute(select(list_entries).where(*same)).one_or_none()
            if known is not None and known.side == entry.side.value:
                return _entry(known)
            if known is not None:
                connection.execute(delete(list_entries).where(*same))
            entry_id = connection.execute(
                insert(list_entries)
                .values(
                    site_id=site_id,
                    side=entry.side.value,
                    kind=entry.kind.value,
                    value=entry.value,
                    hint=entry.hint,
                    created_at=now,
                )
                .returning(list_entries.c.id)
            ).scalar_one()
            change_token(connection)
        return Entry(int(entry_id), entry.side, entry.kind, entry.value, entry.hint)

    def remove_entry(self, site: SiteAddress, *conditions: Any) -> bool:
        """Remove the entries of a site that meet conditions on ``list_entries``; tell whether any did."""
        known = select(sites.c.id).where(sites.c.address == site.address).scalar_subquery()
        with self._database.write() as connection:
            removed = connection.execute(
                delete(list_entries).where(list_entries.c.site_id == known, *conditions)
            ).rowcount
            if removed:
                change_token(connection)
        return bool(removed)

    def remove_entry_by_id(self, site: SiteAddress, entry_id: int) -> bool:
        """Remove an entry by its number; tell whether it was there."""
        if entry_id > MAX_ROW_ID:
            return False
        return self.remove_entry(site, list_entries.c.id == entry_id)

    def remove_entry_by_value(self, site: SiteAddress, kind: Kind, value: str) -> bool:
        """Remove an entry by its normal form, on whichever side; tell whether it was there."""
        return self.remove_entry(site, list_entries.c.kind == kind.value, list_entries.c.value == value)

    def calibrate(self, site: SiteAddress, record: CalibrationRecord) -> None:
        """Keep what was computed from a site's own comments; workers notice if anything but the time changed."""
        with self._database.write() as connection:
            site_id = connection.execute(
                select(sites.c.id).where(sites.c.address == site.address)
            ).scalar_one_or_none()
            if site_id is None:
                return
            mine = calibrations.c.site_id == site_id
            old = connection.execute(select(calibrations).where(mine)).one_or_none()
            values = {
                "model_version": record.model_version,
                "computed_at": record.computed_at,
                "content": record.content,
            }
            _upsert(connection, calibrations, {"site_id": site_id}, values)
            if (
                old is None
                or (old.model_version, old.content) != (record.model_version, record.content)
                or record.computed_at - old.computed_at > _TOLD_AGAIN
            ):
                change_token(connection)


def _policy(row: Any) -> SitePolicy:
    if row is None:
        return SitePolicy()
    return SitePolicy(
        budget_per_thousand=row.budget_per_thousand,
        unsure=None if row.unsure is None else UnsureAnswer(row.unsure),
        discard=row.discard,
        log_only=row.log_only,
        counts_silence=row.counts_silence,
    )


def _entry(row: Any) -> Entry:
    return Entry(row.id, Side(row.side), Kind(row.kind), row.value, row.hint)


def change_token(connection: Connection) -> None:
    """Let workers read every site's wishes again, within a writing transaction."""
    _upsert(connection, meta, {"name": _TOKEN}, {"value": uuid.uuid4().hex})


def _upsert(
    connection: Connection,
    table: Any,
    key: dict[str, Any],
    values: dict[str, Any],
    first: dict[str, Any] | None = None,
) -> None:
    """Set values of one row, making the row if it is not there yet, then with those of ``first`` too."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).values(**key, **values, **(first or {}))
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))
