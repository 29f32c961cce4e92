"""Deletes what is past its time, a little at a time, with all that was made of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Date, Table, and_, delete, func, select, update

from service.db import Database
from service.declaration.terms import Retention
from service.schema import (
    appeals,
    calibrations,
    checks,
    company_marks,
    daily_counts,
    feedback,
    site_learning,
    sites,
    training_runs,
)
from service.sites import SiteAddress
from service.stores.site_weights import LEARNT, unlearn

_PAGE = 500


def delete_labels(connection: Connection, ids: Sequence[int]) -> int:
    """Delete labels, with the earlier ones that point to them; what learnt from them unlearns."""
    wanted = set(ids)
    while True:
        guids = select(feedback.c.guid).where(feedback.c.id.in_(wanted))
        earlier = set(
            connection.execute(select(feedback.c.id).where(feedback.c.superseded_by.in_(guids))).scalars()
        )
        if earlier <= wanted:
            break
        wanted |= earlier
    taught = connection.execute(
        select(feedback.c.site_id)
        .where(
            feedback.c.id.in_(wanted),
            feedback.c.state == LEARNT,
            feedback.c.is_test.is_(False),
            feedback.c.superseded_by.is_(None),
        )
        .distinct()
    ).scalars()
    taught_sites = list(taught)
    gone = connection.execute(delete(feedback).where(feedback.c.id.in_(wanted))).rowcount
    for site_id in taught_sites:
        unlearn(connection, site_id)
    return int(gone)


def delete_checks(connection: Connection, ids: Sequence[int]) -> int:
    """Delete checks; marks go with them, labels stay without, and sites held to one of them learn anew."""
    gone_ids = set(ids)
    rows = connection.execute(
        select(site_learning.c.site_id, site_learning.c.anchors).where(
            site_learning.c.site_id.in_(select(checks.c.site_id).where(checks.c.id.in_(ids)))
        )
    )
    held = [row.site_id for row in rows if gone_ids.intersection(row.anchors)]
    gone = connection.execute(delete(checks).where(checks.c.id.in_(ids))).rowcount
    for site_id in held:
        unlearn(connection, site_id)
    return int(gone)


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a class of retention deletes from one table.

    Attributes
    ----------
    table : Table
        Has a column ``site_id``.
    key : Column
        Of the table, by which it is gone through; rises with time.
    moment : Column
        From when on a row's days count.
    delete : callable, optional
        Deletes rows by their keys, and all that hangs on them, within a transaction, and tells how many; without
        one the rows alone go.
    """

    table: Table
    key: Column[Any]
    moment: Column[Any]
    delete: Callable[[Connection, Sequence[Any]], int] | None = None


#: What each class deletes. A new table that holds data of a class gets its line here.
DELETIONS: Mapping[Retention, tuple[Deletion, ...]] = {
    Retention.COMPANY: (Deletion(company_marks, company_marks.c.check_id, company_marks.c.created_at),),
    Retention.COMMENTS: (Deletion(checks, checks.c.id, checks.c.created_at, delete_checks),),
    Retention.FEEDBACK: (Deletion(feedback, feedback.c.id, feedback.c.created_at, delete_labels),),
    Retention.APPEALS: (Deletion(appeals, appeals.c.id, appeals.c.created_at),),
    Retention.COUNTS: (Deletion(daily_counts, daily_counts.c.day, daily_counts.c.day),),
}


@dataclass(frozen=True, slots=True)
class Group:
    """Sites whose data of a class goes at the same age.

    Attributes
    ----------
    site_ids : sequence of int
    is_rest : bool
        Whether all other sites are meant; so a rule for most sites needs no long list.
    before : datetime
    """

    site_ids: Sequence[int]
    is_rest: bool
    before: dt.datetime


class PurgeStore:
    """Rows past their time, in the tables of ``DELETIONS``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sites(self) -> dict[int, SiteAddress]:
        """Return every site by its number."""
        with self._database.read() as connection:
            rows = connection.execute(select(sites.c.id, sites.c.address, sites.c.display)).all()
        return {row.id: SiteAddress(row.address, row.display) for row in rows}

    def calibrated(self) -> set[int]:
        """Return the sites of which scores are kept."""
        with self._database.read() as connection:
            return set(connection.execute(select(calibrations.c.site_id)).scalars())

    def count(self, retention: Retention, group: Group) -> dict[int, int]:
        """Return how many rows of a class are past their time, by site."""
        found: dict[int, int] = {}
        with self._database.read() as connection:
            for deletion in DELETIONS[retention]:
                site_id = deletion.table.c.site_id
                query = select(site_id, func.count()).where(_past(deletion, group)).group_by(site_id)
                for number, n_rows in connection.execute(query):
                    found[number] = found.get(number, 0) + int(n_rows)
        return found

    def delete_some(self, retention: Retention, group: Group, *, at_most: int) -> int:
        """Delete the oldest rows of a class that are past their time, in one short transaction.

        Returns
        -------
        int
            How many rows went; 0 if none is left.
        """
        for deletion in DELETIONS[retention]:
            past = _past(deletion, group)
            # Found before the turn to write is taken: a search must keep no check waiting.
            with self._database.read() as connection:
                query = select(deletion.key).where(past).order_by(deletion.key).limit(at_most)
                keys = list(dict.fromkeys(connection.execute(query).scalars()))
            if not keys:
                continue
            with self._database.write() as connection:
                if deletion.delete is not None:
                    return deletion.delete(connection, keys)
                gone = connection.execute(delete(deletion.table).where(deletion.key.in_(keys), past))
                return int(gone.rowcount)
        return 0

    def drop_calibration(self, site_id: int) -> None:
        """Delete the scores that are kept of a site."""
        with self._database.write() as connection:
            connection.execute(delete(calibrations).where(calibrations.c.site_id == site_id))

    def forget_flips(self) -> int:
        """Take comments that are gone out of the reports of retrainings; return how many.

        A report names, by GUID, the comments whose decision would change, with their scores.
        """
        n_forgotten = 0
        with self._database.read() as connection:
            rows = connection.execute(
                select(training_runs.c.id, training_runs.c.report).where(training_runs.c.report.is_not(None))
            ).all()
        for row in rows:
            flips = (row.report or {}).get("flips") or []
            named = [flip["guid"] for flip in flips]
            there: set[str] = set()
            with self._database.read() as connection:
                for first in range(0, len(named), _PAGE):
                    page = named[first : first + _PAGE]
                    there |= set(
                        connection.execute(select(checks.c.guid).where(checks.c.guid.in_(page))).scalars()
                    )
            kept = [flip for flip in flips if flip["guid"] in there]
            if len(kept) < len(flips):
                n_forgotten += len(flips) - len(kept)
                report = {**row.report, "flips": kept}
                with self._database.write() as connection:
                    connection.execute(
                        update(training_runs).where(training_runs.c.id == row.id).values(report=report)
                    )
        return n_forgotten


def _past(deletion: Deletion, group: Group) -> ColumnElement[bool]:
    before: Any = group.before
    if isinstance(deletion.moment.type, Date):
        before = group.before.date()
    own = deletion.table.c.site_id
    place = own.not_in(group.site_ids) if group.is_rest else own.in_(group.site_ids)
    return and_(deletion.moment < before, place)
