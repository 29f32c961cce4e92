"""Keeps what was purged when; lets one purge run at a time, and takes over from one that fell silent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.clock import Clock
from service.db import Database
from service.schema import checks, purges

_PURGE = purges.c


@dataclass(frozen=True, slots=True)
class PurgeRecord:
    """One purge.

    Attributes
    ----------
    id : int
    origin : str
        command or schedule.
    started_at : datetime
    finished_at : datetime or None
    counts : mapping of str to int
        Rows deleted, by the value of their class.
    error : str or None
        Why it did not come to its end.
    """

    id: int
    origin: str
    started_at: dt.datetime
    finished_at: dt.datetime | None
    counts: Mapping[str, int]
    error: str | None


class PurgeLog:
    """Rows of ``purges``.

    Parameters
    ----------
    database : Database
    clock : Clock
    lease : timedelta
        A purge that is silent for longer is taken for dead.
    """

    def __init__(
        self, database: Database, clock: Clock, *, lease: dt.timedelta = dt.timedelta(minutes=2)
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease

    def begin(self, *, holder: str, origin: str) -> int | None:
        """Begin a purge and return its number; None if another runs."""
        now = self._clock()
        try:
            with self._database.write() as connection:
                connection.execute(
                    update(purges)
                    .where(_PURGE.slot == 1, _PURGE.heartbeat_at < now - self._lease)
                    .values(slot=None, finished_at=now, error="its process ended before it was done")
                )
                made = connection.execute(
                    insert(purges)
                    .values(slot=1, holder=holder, origin=origin, started_at=now, heartbeat_at=now, counts={})
                    .returning(_PURGE.id)
                )
                return int(made.scalar_one())
        except IntegrityError:
            return None

    def beat(self, purge_id: int, counts: Mapping[str, int]) -> bool:
        """Say that a purge goes on and how far it is; False if another has taken it for dead."""
        return self._set(purge_id, counts=dict(counts), heartbeat_at=self._clock())

    def finish(self, purge_id: int, counts: Mapping[str, int], *, error: str | None = None) -> bool:
        """End a purge."""
        return self._set(purge_id, counts=dict(counts), slot=None, finished_at=self._clock(), error=error)

    def latest(self, limit: int) -> list[PurgeRecord]:
        """Return the latest purges, newest first."""
        query = select(purges).order_by(_PURGE.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query)]

    def last_done(self) -> PurgeRecord | None:
        """Return the latest purge that came to its end; None if there was none."""
        query = (
            select(purges)
            .where(_PURGE.finished_at.is_not(None), _PURGE.error.is_(None))
            .order_by(_PURGE.id.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _record(row)

    def first_check_at(self) -> dt.datetime | None:
        """Return when the oldest check that is kept came."""
        with self._database.read() as connection:
            found: dt.datetime | None = connection.execute(select(func.min(checks.c.created_at))).scalar()
        return found

    def _set(self, purge_id: int, **values: object) -> bool:
        with self._database.write() as connection:
            changed = connection.execute(
                update(purges).where(_PURGE.id == purge_id, _PURGE.slot == 1).values(**values)
            )
            return changed.rowcount == 1


def _record(row: Row[tuple[object, ...]]) -> PurgeRecord:
    return PurgeRecord(row.id, row.origin, row.started_at, row.finished_at, row.counts, row.error)
