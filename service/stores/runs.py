"""Keeps the retrainings: one at a time, held by a lease that lapses when its holder falls silent."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from service.clock import Clock
from service.db import Database
from service.schema import training_events, training_runs

_RUN = training_runs.c


@dataclass(frozen=True, slots=True)
class Run:
    """One retraining.

    Attributes
    ----------
    id, guid : int, str
    state : str
        requested, running; promoted, refused, failed or cancelled once it has ended.
    origin : str
        command, schedule or api.
    requested_at : datetime
    requested_by : str
    attempts : int
        How often it was begun: more than once if its process died.
    holder : str or None
        The process that works on it.
    started_at, finished_at : datetime or None
    cancelled_by : str or None
        Who asked to stop it.
    stage, fraction : str, float
        What is being done, and how much of that is done, from 0 to 1.
    counts : dict or None
        Sizes of what was fitted and judged.
    fingerprint : str or None
        Of the labels and the version that it started from.
    champion, challenger : str or None
        Versions.
    reason : str or None
        Why the gate let the challenger pass, or did not.
    report : dict or None
        The gate's figures and the comments whose decision would change.
    error : str or None
    """

    id: int
    guid: str
    state: str
    origin: str
    requested_at: dt.datetime
    requested_by: str
    attempts: int
    holder: str | None
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    cancelled_by: str | None
    stage: str
    fraction: float
    counts: dict[str, Any] | None
    fingerprint: str | None
    champion: str | None
    challenger: str | None
    reason: str | None
    report: dict[str, Any] | None
    error: str | None

    @property
    def has_ended(self) -> bool:
        return self.state not in ("requested", "running")


class RunStore:
    """Rows of ``training_runs`` and ``training_events``.

    Parameters
    ----------
    database : Database
    clock : callable
        Where the database is a file, its machine's time; a database server's own time is taken, so that
        machines whose clocks differ agree on when a lease lapses.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def request(self, *, by: str, origin: str) -> tuple[Run, bool]:
        """Ask for a retraining; return it, and whether it is new or was under way already."""
        guid = uuid.uuid4().hex
        while True:
            try:
                with self._database.write() as connection:
                    connection.execute(
                        insert(training_runs).values(
                            guid=guid,
                            slot=1,
                            state="requested",
                            origin=origin,
                            requested_at=self._now(connection),
                            requested_by=by,
                        )
                    )
                    return self._one(connection, guid), True
            except IntegrityError:
                active = self.active()
                # It may have ended between the two looks.
                if active is not None:
                    return active, False

    def active(self) -> Run | None:
        """Return the retraining that is requested or running, if there is one."""
        with self._database.read() as connection:
            row = connection.execute(select(training_runs).where(_RUN.slot == 1)).one_or_none()
        return None if row is None else _run(row)

    def find(self, guid: str) -> Run | None:
        """Return a retraining by its name."""
        with self._database.read() as connection:
            row = connection.execute(select(training_runs).where(_RUN.guid == guid)).one_or_none()
        return None if row is None else _run(row)

    def latest(self, n: int) -> list[Run]:
        """Return the latest retrainings, newest first."""
        with self._database.read() as connection:
            return [
                _run(row)
                for row in connection.execute(select(training_runs).order_by(_RUN.id.desc()).limit(n))
            ]

    def stages(self, run_id: int) -> list[tuple[dt.datetime, str]]:
        """Return when each stage of a retraining began."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(training_events.c.at, training_events.c.stage)
                .where(training_events.c.run_id == run_id)
                .order_by(training_events.c.id)
            )
            return [(row.at, row.stage) for row in rows]

    def claim(self, holder: str, *, lease_s: float) -> Run | None:
        """Take what waits, or what its holder has abandoned; None if there is nothing to do."""
        with self._database.write() as connection:
            now = self._now(connection)
            lapsed = now - dt.timedelta(seconds=lease_s)
            taken = connection.execute(
                update(training_runs)
                .where(
                    _RUN.slot == 1,
                    or_(
                        _RUN.state == "requested",
                        and_(_RUN.state == "running", _RUN.heartbeat_at < lapsed),
                    ),
                )
                .values(
                    state="running",
                    holder=holder,
                    heartbeat_at=now,
                    attempts=_RUN.attempts + 1,
                    started_at=func.coalesce(_RUN.started_at, now),
                    stage="",
                    fraction=0.0,
                )
            )
            if taken.rowcount == 0:
                return None
            return _run(connection.execute(select(training_runs).where(_RUN.slot == 1)).one())

    def beat(self, run: Run, holder: str, *, stage: str, fraction: float) -> tuple[bool, bool]:
        """Renew the lease and say how far the work is.

        Returns
        -------
        is_ours, is_cancelled : bool, bool
        """
        with self._database.write() as connection:
            now = self._now(connection)
            known = connection.execute(
                select(_RUN.stage, _RUN.cancelled_by).where(*_held(run, holder))
            ).one_or_none()
            if known is None:
                return False, False
            connection.execute(
                update(training_runs)
                .where(_RUN.id == run.id)
                .values(heartbeat_at=now, stage=stage, fraction=fraction)
            )
            if known.stage != stage:
                connection.execute(insert(training_events).values(run_id=run.id, at=now, stage=stage))
            return True, known.cancelled_by is not None

    def finish(self, run: Run, holder: str, state: str, values: Mapping[str, Any]) -> bool:
        """End a retraining; False if it is no longer the holder's."""
        with self._database.write() as connection:
            ended = connection.execute(
                update(training_runs)
                .where(*_held(run, holder))
                .values(**values, state=state, slot=None, finished_at=self._now(connection))
            )
            return ended.rowcount == 1

    def release(self, run: Run, holder: str) -> None:
        """Hand a retraining back, for another process to begin it again."""
        with self._database.write() as connection:
            connection.execute(
                update(training_runs)
                .where(*_held(run, holder))
                .values(state="requested", holder=None, attempts=_RUN.attempts - 1)
            )

    def cancel(self, *, by: str) -> Run | None:
        """Stop what waits at once, and tell what runs to stop; return it, None if there is nothing."""
        with self._database.write() as connection:
            guid = connection.execute(select(_RUN.guid).where(_RUN.slot == 1)).scalar()
            if guid is None:
                return None
            connection.execute(
                update(training_runs)
                .where(_RUN.guid == guid, _RUN.state == "requested")
                .values(state="cancelled", slot=None, finished_at=self._now(connection))
            )
            connection.execute(
                update(training_runs)
                .where(_RUN.guid == guid, _RUN.cancelled_by.is_(None))
                .values(cancelled_by=by)
            )
            return self._one(connection, guid)

    @staticmethod
    def _one(connection: Connection, guid: str) -> Run:
        return _run(connection.execute(select(training_runs).where(_RUN.guid == guid)).one())

    def _now(self, connection: Connection) -> dt.datetime:
        if connection.dialect.name == "sqlite":
            return self._clock()
        now: dt.datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return now


def _held(run: Run, holder: str) -> tuple[Any, ...]:
    return (_RUN.id == run.id, _RUN.state == "running", _RUN.holder == holder)


def _run(row: Row[Any]) -> Run:
    return Run(**{name: getattr(row, name) for name in Run.__dataclass_fields__})
