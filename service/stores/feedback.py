"""Keeps what people said of comments: events that are only ever added, at most one of them effective."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.db import Database
from service.schema import MAX_ROW_ID, checks, feedback, sites
from service.sites import SiteAddress
from service.stores.company import CompanyStore
from service.stores.counts import CountStore
from service.stores.site_weights import LEARNT, REJECTED, touch
from service.stores.sites import SiteStore

# One repetition, for a site that was erased since its number was remembered.
_ATTEMPTS = 2
#: What the column ``source`` says of a label that came over a wire, and of an admin's own.
_WIRE = "wire"
_ADMIN = "admin"


class State(enum.Enum):
    """Whether a site learns from a label."""

    LEARNT = LEARNT
    DOUBTFUL = "doubtful"
    SURPLUS = "surplus"
    REJECTED = REJECTED


#: States of a label that is not learnt until the admin says so.
WAITING = (State.DOUBTFUL, State.SURPLUS)


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
    state : State
        Learnt or doubtful; what exceeds the day's bound becomes surplus here.
    is_admins : bool
        Whether an admin of the service says so; no bound of a key holds for that.
    """

    guid: str
    created_at: dt.datetime
    key_id: int
    site: SiteAddress
    label: str
    content_hash: str
    is_test: bool
    values: dict[str, Any]
    state: State = State.LEARNT
    is_admins: bool = False


@dataclass(frozen=True, slots=True)
class FeedbackEntry:
    """A label as it is listed."""

    id: int
    created_at: dt.datetime
    site: str
    key_id: int
    label: str
    state: State
    author: str
    body: str


class FeedbackStore:
    """Rows of ``feedback`` with their daily counts.

    Parameters
    ----------
    database : Database
    site_store : SiteStore
    learn_per_day : int
        Labels of one key that are learnt on one day (UTC) at most.
    """

    def __init__(self, database: Database, site_store: SiteStore, *, learn_per_day: int = 500) -> None:
        self._learn_per_day = learn_per_day
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
                feedback.c.state,
                feedback.c.restricted,
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
            select(checks.c.id, checks.c.answer, checks.c.restricted)
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
        state = self._bounded(connection, record)
        learnt_at = None
        if not record.is_test and (
            state is State.LEARNT or (effective is not None and effective.state == LEARNT)
        ):
            version = touch(connection, site_id)
            learnt_at = version if state is State.LEARNT else None
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
                source=_ADMIN if record.is_admins else _WIRE,
                state=state.value,
                learnt_at=learnt_at,
                # Another word on a comment that a person has taken out of use leaves it there.
                restricted=any(row is not None and row.restricted for row in (effective, check)),
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

    def _bounded(self, connection: Connection, record: FeedbackRecord) -> State:
        """Return the state of a new label, given how many its key has had learnt today."""
        if record.state is not State.LEARNT or record.is_test or record.is_admins:
            return record.state
        midnight = record.created_at.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        learnt = connection.execute(
            select(func.count())
            .select_from(feedback)
            .where(
                feedback.c.created_at >= midnight,
                feedback.c.key_id == record.key_id,
                feedback.c.is_test.is_(False),
                feedback.c.source != _ADMIN,
                feedback.c.state == LEARNT,
            )
        ).scalar_one()
        return State.LEARNT if learnt < self._learn_per_day else State.SURPLUS

    def of_state(
        self,
        states: Sequence[State],
        *,
        limit: int,
        site: SiteAddress | None = None,
        label: str | None = None,
    ) -> list[FeedbackEntry]:
        """Return the newest effective labels that are in one of some states, of all sites and labels or of one."""
        of_one = []
        if site is not None:
            of_one.append(sites.c.address == site.address)
        if label is not None:
            of_one.append(feedback.c.label == label)
        query = (
            select(
                feedback.c.id,
                feedback.c.created_at,
                feedback.c.label,
                feedback.c.state,
                feedback.c.body,
                feedback.c.author,
                feedback.c.key_id,
                sites.c.address,
            )
            .join(sites, sites.c.id == feedback.c.site_id)
            .where(
                feedback.c.state.in_([state.value for state in states]),
                feedback.c.is_test.is_(False),
                feedback.c.superseded_by.is_(None),
                *of_one,
            )
            .order_by(feedback.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return [
                FeedbackEntry(
                    id=row.id,
                    created_at=row.created_at,
                    site=row.address,
                    key_id=row.key_id,
                    label=row.label,
                    state=State(row.state),
                    author=row.author,
                    body=row.body,
                )
                for row in connection.execute(query)
            ]

    def decide(self, feedback_id: int, *, accept: bool) -> State | None:
        """Let a label that waits for the admin be learnt, or not; return the state it was in.

        Returns
        -------
        State or None
            Anything but doubtful and surplus means that nothing was changed: it does not wait. None if there
            is no such effective label.
        """
        if abs(feedback_id) > MAX_ROW_ID:
            return None
        waiting = [state.value for state in WAITING]

        def work(connection: Connection) -> State | None:
            chosen = feedback.c.id == feedback_id
            effective = (feedback.c.superseded_by.is_(None), feedback.c.is_test.is_(False))
            row = connection.execute(
                select(feedback.c.site_id, feedback.c.state).where(chosen, *effective)
            ).one_or_none()
            if row is None or row.state not in waiting:
                return None if row is None else State(row.state)
            state = State.LEARNT if accept else State.REJECTED
            changed = connection.execute(
                update(feedback)
                .where(chosen, *effective, feedback.c.state == row.state)
                .values(state=state.value)
            )
            if accept and changed.rowcount:
                version = touch(connection, row.site_id)
                connection.execute(update(feedback).where(chosen).values(learnt_at=version))
            return State(row.state)

        return self._database.write_together(work)
