"""Keeps what commenters ask a person to look at, within bounds that all workers share; finds what it is about."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, insert, or_, select, update

from model.comment import Label
from service.db import Database
from service.schema import appeals, checks, feedback, sites
from service.sites import SiteAddress
from service.stores.checks import StoredCheck, stored_check

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
# Those who ask at once go one after the other, so that a bound is one; SQLite has one writer anyway. Any number
# that nobody else locks would do.
_ADVISORY_LOCK = 5_009_000_001


class Outcome(enum.Enum):
    """What came of an appeal."""

    RELEASED = "released"
    KEPT = "kept"
    NO_RECORD = "no-record"
    DUPLICATE = "duplicate"


class TooMany(Exception):
    """A bound is reached; nothing was written.

    Parameters
    ----------
    bound : str
        ``address`` or ``all``.
    wait : timedelta
        Until there is room again.
    """

    def __init__(self, bound: str, wait: dt.timedelta) -> None:
        super().__init__(bound)
        self.bound = bound
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many appeals are taken.

    Attributes
    ----------
    per_address, overall : int
        In an hour, from one address and altogether; more are refused.
    per_person : int
        In 24 hours, with one e-mail address or reference; while one of them is open, more are duplicates.
    """

    per_address: int
    per_person: int
    overall: int


@dataclass(frozen=True, slots=True)
class AppealRecord:
    """An appeal as it comes.

    Attributes
    ----------
    guid : str
        12 hex digits.
    created_at : datetime
    places : tuple of str
        What the site's address may be, in normal form, longest first: of a page's address also all that it
        begins with. Empty if none was given.
    language : str
    email_hash, reference, ip_hash : str or None
    message : str
    """

    guid: str
    created_at: dt.datetime
    places: tuple[str, ...]
    language: str
    email_hash: str | None
    reference: str | None
    message: str
    ip_hash: str | None


@dataclass(frozen=True, slots=True)
class StoredAppeal:
    """An appeal as an admin sees it.

    Attributes
    ----------
    guid : str
    created_at : datetime
    site : SiteAddress or None
        None if no site that is known was named.
    language, message : str
    email_hash, reference : str or None
    resolved_at : datetime or None
    outcome : Outcome or None
    resolved_by, note : str or None
    """

    guid: str
    created_at: dt.datetime
    site: SiteAddress | None
    language: str
    message: str
    email_hash: str | None
    reference: str | None
    resolved_at: dt.datetime | None
    outcome: Outcome | None
    resolved_by: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many appeals wait for a person, and since when; None if none does."""

    n_open: int
    oldest: dt.datetime | None


class AppealStore:
    """Rows of ``appeals``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record: AppealRecord, bounds: Bounds) -> int:
        """Write an appeal; on return it is on disk. Looks at no comment.

        Returns
        -------
        int
            How many are open now.

        Raises
        ------
        TooMany
            If a bound of the hour is reached.
        sqlalchemy.exc.SQLAlchemyError
            If the database cannot take it; nothing is kept then.
        """
        # A flood is turned away without waiting for a turn to write, for which comments wait.
        with self._database.read() as connection:
            _refuse_too_many(connection, record, bounds)
        # Not with others' work: what TooMany undoes would be undone and done again for them too.
        with self._database.write() as connection:
            if not self._database.is_sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            _refuse_too_many(connection, record, bounds)
            is_more = _is_more(connection, record, bounds.per_person)
            site_id = connection.execute(
                select(sites.c.id)
                .where(sites.c.address.in_(record.places))
                .order_by(func.length(sites.c.address).desc())
                .limit(1)
            ).scalar_one_or_none()
            connection.execute(
                insert(appeals).values(
                    guid=record.guid,
                    created_at=record.created_at,
                    site_id=site_id,
                    language=record.language,
                    email_hash=record.email_hash,
                    reference=record.reference,
                    message=record.message,
                    ip_hash=record.ip_hash,
                    resolved_at=record.created_at if is_more else None,
                    outcome=Outcome.DUPLICATE.value if is_more else None,
                    resolved_by="the bound per day" if is_more else None,
                )
            )
            return _waiting(connection).n_open

    def listed(self, *, open_only: bool, limit: int) -> Sequence[StoredAppeal]:
        """Return the open appeals, those that wait longest first; else also the others, latest first."""
        query = select(appeals, sites.c.address, sites.c.display).outerjoin(sites).limit(limit)
        if open_only:
            query = query.where(appeals.c.resolved_at.is_(None)).order_by(appeals.c.id)
        else:
            query = query.order_by(appeals.c.id.desc())
        with self._database.read() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def find(self, guid: str) -> StoredAppeal | None:
        """Return an appeal; None if there is none of this number."""
        query = select(appeals, sites.c.address, sites.c.display).outerjoin(sites)
        with self._database.read() as connection:
            row = connection.execute(query.where(appeals.c.guid == guid)).one_or_none()
        return None if row is None else _stored(row)

    def others_of(self, appeal: StoredAppeal, *, limit: int) -> Sequence[StoredAppeal]:
        """Return what else came with the same e-mail address or reference, latest first."""
        query = (
            select(appeals, sites.c.address, sites.c.display)
            .outerjoin(sites)
            .where(_same_person(appeal.email_hash, appeal.reference), appeals.c.guid != appeal.guid)
            .order_by(appeals.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def checks_of(self, appeal: StoredAppeal, *, limit: int) -> Sequence[StoredCheck]:
        """Return the checks that an appeal may be about, latest first; tests left out.

        That is the check that its reference names, and those of its e-mail address on its site, or on any where
        it names no site that is known.
        """
        named: ColumnElement[bool] = false()
        by_person: ColumnElement[bool] = false()
        if appeal.reference is not None:
            named = checks.c.guid == appeal.reference
        if appeal.email_hash is not None:
            by_person = checks.c.email_hash == appeal.email_hash
            if appeal.site is not None:
                by_person = and_(by_person, sites.c.address == appeal.site.address)
        query = (
            select(checks, sites.c.address, sites.c.display)
            .select_from(checks.join(sites, checks.c.site_id == sites.c.id))
            .where(or_(named, by_person), checks.c.is_test.is_(False))
            .order_by(checks.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [stored_check(row) for row in rows]

    def labels_of(self, found: Sequence[StoredCheck]) -> dict[str, Label]:
        """Return what people say of checks, by the checks' names; those that nobody labelled are left out."""
        query = (
            select(checks.c.guid, feedback.c.label)
            .join(
                feedback,
                and_(
                    feedback.c.site_id == checks.c.site_id,
                    feedback.c.content_hash == checks.c.content_hash,
                    feedback.c.is_test == checks.c.is_test,
                    feedback.c.superseded_by.is_(None),
                ),
            )
            .where(checks.c.guid.in_([check.guid for check in found]))
        )
        with self._database.read() as connection:
            return {row.guid: Label(row.label) for row in connection.execute(query)}

    def resolve(self, guid: str, outcome: Outcome, *, now: dt.datetime, who: str, note: str | None) -> bool:
        """Write down what came of an appeal; tell whether it was there and open."""
        with self._database.write() as connection:
            changed = connection.execute(
                update(appeals)
                .where(appeals.c.guid == guid, appeals.c.resolved_at.is_(None))
                .values(resolved_at=now, outcome=outcome.value, resolved_by=who, note=note)
            )
            return bool(changed.rowcount)

    def waiting(self) -> Waiting:
        """Return how many appeals are open."""
        with self._database.read() as connection:
            return _waiting(connection)


def _refuse_too_many(connection: Connection, record: AppealRecord, bounds: Bounds) -> None:
    """Raise TooMany if a bound of the hour is reached."""
    now = record.created_at
    full = _nth_latest(connection, [], now - HOUR, bounds.overall)
    if full is not None:
        raise TooMany("all", full + HOUR - now)
    if record.ip_hash is not None:
        full = _nth_latest(connection, [appeals.c.ip_hash == record.ip_hash], now - HOUR, bounds.per_address)
        if full is not None:
            raise TooMany("address", full + HOUR - now)


def _nth_latest(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], since: dt.datetime, n: int
) -> dt.datetime | None:
    """Return when the n-th latest appeal came, counted from 1; None if fewer came since then."""
    query = select(appeals.c.created_at).where(appeals.c.created_at > since, *conditions)
    latest: dt.datetime | None = connection.execute(
        query.order_by(appeals.c.created_at.desc()).limit(1).offset(n - 1)
    ).scalar_one_or_none()
    return latest


def _is_more(connection: Connection, record: AppealRecord, per_person: int) -> bool:
    """Tell whether a person has asked as often as goes into the queue, and is waiting there already.

    Without the second half somebody who knows another's address could use their share up and have them pass by
    the queue unseen.
    """
    same = _same_person(record.email_hash, record.reference)
    if _nth_latest(connection, [same], record.created_at - DAY, per_person) is None:
        return False
    waits = select(appeals.c.id).where(same, appeals.c.resolved_at.is_(None)).limit(1)
    return connection.execute(waits).first() is not None


def _same_person(email_hash: str | None, reference: str | None) -> ColumnElement[bool]:
    given = ((appeals.c.email_hash, email_hash), (appeals.c.reference, reference))
    return or_(false(), *(column == value for column, value in given if value is not None))


def _waiting(connection: Connection) -> Waiting:
    query = select(func.count(), func.min(appeals.c.created_at)).where(appeals.c.resolved_at.is_(None))
    n_open, oldest = connection.execute(query).one()
    return Waiting(n_open, oldest)


def _stored(row: Any) -> StoredAppeal:
    return StoredAppeal(
        guid=row.guid,
        created_at=row.created_at,
        site=None if row.address is None else SiteAddress(row.address, row.display),
        language=row.language,
        message=row.message,
        email_hash=row.email_hash,
        reference=row.reference,
        resolved_at=row.resolved_at,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        resolved_by=row.resolved_by,
        note=row.note,
    )
