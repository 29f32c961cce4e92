"""Keeps imported labels: many at a time, each comment once, and never over what was said on the wire."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.db import Database
from service.schema import checks, feedback
from service.sites import SiteAddress
from service.stores.feedback import State
from service.stores.site_weights import touch
from service.stores.sites import SiteStore

#: What the column ``source`` says of an imported label.
SOURCE = "import"
# Repetitions where a correction came by wire in the same moment, or the site was erased meanwhile.
_ATTEMPTS = 3
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """A label from an export as it is kept.

    Attributes
    ----------
    label : str
        ham or spam.
    content_hash : str
    written_at : datetime or None
    values : dict
        The remaining columns of ``feedback``.
    is_doubtful : bool
        Kept, and not learnt until the admin agrees.
    """

    label: str
    content_hash: str
    written_at: dt.datetime | None
    values: dict[str, Any]
    is_doubtful: bool = False

    def is_later_than(self, moment: dt.datetime | None) -> bool:
        """Tell whether the comment was written after a moment; one without a date is earlier than any."""
        return (self.written_at or _NEVER) > (moment or _NEVER)


@dataclass(slots=True)
class Written:
    """What became of imported labels.

    Attributes
    ----------
    added : int
        New.
    replaced : int
        Took the place of another imported label.
    known : int
        There already, with this label.
    contradicted : int
        Left out: an earlier import calls the same text otherwise, and it is not older.
    corrected : int
        Left out: a moderator has corrected this comment since, by wire or dashboard.
    doubtful : int
        Of those added and replaced, how many wait for the admin's word.
    """

    added: int = 0
    replaced: int = 0
    known: int = 0
    contradicted: int = 0
    corrected: int = 0
    doubtful: int = 0

    def add(self, other: Written) -> None:
        """Add the counts of another batch."""
        self.added += other.added
        self.replaced += other.replaced
        self.known += other.known
        self.contradicted += other.contradicted
        self.corrected += other.corrected
        self.doubtful += other.doubtful


class ImportStore:
    """Rows of ``feedback`` that come from exports; they touch no daily count."""

    def __init__(self, database: Database, site_store: SiteStore) -> None:
        self._database = database
        self._sites = site_store

    def add(
        self,
        records: Sequence[ImportRecord],
        *,
        site: SiteAddress,
        key_id: int,
        now: dt.datetime,
        relabel: bool = False,
    ) -> Written:
        """Write a batch in one transaction; on return it is on disk.

        What is there decides, not a position in a file: the same batch may come again after a crash, in any
        company, and changes nothing. Of one text under two labels the one written last counts.

        Parameters
        ----------
        records : sequence of ImportRecord
        site : SiteAddress
        key_id : int
            The key that the labels come under.
        now : datetime
        relabel : bool
            Let a label of the same date replace another imported one.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._database.write() as connection:
                    return self._add(connection, records, site, key_id, now, relabel)
            except IntegrityError:
                self._sites.forget(site)
                if attempt == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def _add(
        self,
        connection: Connection,
        records: Sequence[ImportRecord],
        site: SiteAddress,
        key_id: int,
        now: dt.datetime,
        relabel: bool,
    ) -> Written:
        written = Written()
        chosen = _one_of_each(records, relabel, written)
        site_id = self._sites.resolve(connection, site, now)
        effective = self._effective(connection, site_id, chosen)
        check_of = self._latest_checks(connection, site_id, chosen)
        rows: list[dict[str, Any]] = []
        superseded: list[dict[str, Any]] = []
        dated: list[dict[str, Any]] = []
        for content_hash, record in chosen.items():
            there = effective.get(content_hash)
            if there is not None and there.label == record.label:
                written.known += 1
                # Whatever comes in which order, the date that stays is the latest.
                if there.source == SOURCE and record.is_later_than(there.written_at):
                    dated.append({"row_id": there.id, "moment": record.written_at})
                continue
            if there is not None and there.source != SOURCE:
                written.corrected += 1
                continue
            if there is not None and not _replaces(record, there.written_at, relabel):
                written.contradicted += 1
                continue
            guid = uuid.uuid4().hex
            if there is None:
                written.added += 1
            else:
                written.replaced += 1
                superseded.append({"row_id": there.id, "successor": guid})
            written.doubtful += record.is_doubtful
            state = State.DOUBTFUL if record.is_doubtful else State.LEARNT
            rows.append(
                record.values
                | {
                    "guid": guid,
                    "created_at": now,
                    "label": record.label,
                    "key_id": key_id,
                    "site_id": site_id,
                    "check_id": check_of.get(content_hash),
                    "content_hash": content_hash,
                    "is_test": False,
                    "source": SOURCE,
                    "written_at": record.written_at,
                    "state": state.value,
                }
            )
        by_id = update(feedback).where(feedback.c.id == bindparam("row_id"))
        if superseded:
            connection.execute(by_id.values(superseded_by=bindparam("successor")), superseded)
        if dated:
            connection.execute(by_id.values(written_at=bindparam("moment")), dated)
        if rows:
            # One version for the whole batch: a site's checks learn anew once, not once a row.
            version = touch(connection, site_id)
            connection.execute(
                insert(feedback),
                [
                    row | {"learnt_at": version if row["state"] == State.LEARNT.value else None}
                    for row in rows
                ],
            )
        return written

    @staticmethod
    def _effective(connection: Connection, site_id: int, hashes: Iterable[str]) -> dict[str, Any]:
        query = select(
            feedback.c.id,
            feedback.c.content_hash,
            feedback.c.label,
            feedback.c.source,
            feedback.c.written_at,
        ).where(
            feedback.c.site_id == site_id,
            feedback.c.content_hash.in_(list(hashes)),
            feedback.c.is_test.is_(False),
            feedback.c.superseded_by.is_(None),
        )
        return {row.content_hash: row for row in connection.execute(query)}

    @staticmethod
    def _latest_checks(connection: Connection, site_id: int, hashes: Iterable[str]) -> dict[str, int]:
        query = (
            select(checks.c.content_hash, func.max(checks.c.id).label("latest"))
            .where(
                checks.c.site_id == site_id,
                checks.c.content_hash.in_(list(hashes)),
                checks.c.is_test.is_(False),
            )
            .group_by(checks.c.content_hash)
        )
        return {row.content_hash: int(row.latest) for row in connection.execute(query)}


def _replaces(record: ImportRecord, moment: dt.datetime | None, relabel: bool) -> bool:
    return record.is_later_than(moment) or (relabel and (record.written_at or _NEVER) == (moment or _NEVER))


def _one_of_each(records: Sequence[ImportRecord], relabel: bool, written: Written) -> dict[str, ImportRecord]:
    """Return one record for each text: the one that would stay if they came one after the other."""
    chosen: dict[str, ImportRecord] = {}
    outcomes: Counter[bool] = Counter()
    for record in records:
        there = chosen.get(record.content_hash)
        if there is None:
            chosen[record.content_hash] = record
            continue
        outcomes[there.label == record.label] += 1
        later = record.is_later_than(there.written_at)
        if later or (there.label != record.label and _replaces(record, there.written_at, relabel)):
            chosen[record.content_hash] = record
    written.known += outcomes[True]
    written.contradicted += outcomes[False]
    return chosen
