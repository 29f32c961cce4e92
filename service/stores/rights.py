"""Finds all that is kept of one person, and gives it out, erases it or takes it out of use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, or_, select, update

from service.db import Database
from service.declaration.stored import STORED
from service.declaration.terms import Form
from service.schema import (
    appeals,
    calibrations,
    checks,
    company_marks,
    feedback,
    list_entries,
    receipts,
    sites,
)
from service.stores.persons import Found, Person, Receipt, bounds, carrying, folded, of_appeals, of_lists
from service.stores.purging import delete_checks, delete_labels
from service.stores.site_weights import unlearn

_PAGE = 500

#: Tables with rows that are about one person each, and are looked for.
OF_PERSONS: Mapping[str, Table] = {
    "checks": checks,
    "feedback": feedback,
    "appeals": appeals,
    "list_entries": list_entries,
}
#: Tables that hold something about commenters too, and why no row of them is looked for: it goes with another
#: table's, or it is about no single person. A new table stands here or above, or a test fails.
WITH_OTHERS: Mapping[str, str] = {
    "company_marks": "go with the check they were made of",
    "calibrations": "scores of a site, deleted when one of its comments is erased or restricted",
    "site_weights": "deleted and learnt anew without what is erased or restricted",
    "daily_counts": "counts, in which nobody can be told from others",
}


class RightsStore:
    """All rows about one person."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, person: Person) -> Found:
        """Return the rows that are somebody's.

        A correction of a comment is of the same person as the comment, and the other way round: what is the same
        text, name and address on one site is one comment, unless the e-mail addresses differ.
        """
        with self._database.read() as connection:
            own = set(self._ids(connection, checks, person, carrying(checks, person)))
            said = set(self._ids(connection, feedback, person, carrying(feedback, person)))
            for _ in range(2):  # from checks to corrections, and on to the other checks of the same comment
                said |= self._same_comments(connection, checks, own, feedback, said, person)
                own |= self._same_comments(connection, feedback, said, checks, own, person)
            guids = _values(connection, checks, checks.c.guid, own)
            asked = set(self._ids(connection, appeals, person, of_appeals(person)))
            asked |= set(_matching(connection, appeals, appeals.c.reference, guids))
            listed = self._ids(connection, list_entries, person, of_lists(person))
            found = {"checks": own, "feedback": said, "appeals": asked, "list_entries": set(listed)}
            return Found({name: _named(connection, OF_PERSONS[name], ids) for name, ids in found.items()})

    def rows(self, found: Found) -> dict[str, list[dict[str, Any]]]:
        """Return what is kept in some rows, by table; of keyed hashes only that there is one."""
        given: dict[str, list[dict[str, Any]]] = {}
        with self._database.read() as connection:
            addresses = {
                row.id: row.address for row in connection.execute(select(sites.c.id, sites.c.address))
            }
            for name, ids in found.ids.items():
                table = OF_PERSONS[name]
                given[name] = []
                for page in _pages(ids):
                    for row in connection.execute(
                        select(table).where(table.c.id.in_(page)).order_by(table.c.id)
                    ):
                        given[name].append(_shown(name, row._mapping, addresses))
        return given

    def erase(self, found: Found, receipt: Receipt, *, lists: bool) -> Receipt:
        """Delete rows and all that was made of them, and write the receipt, in one transaction.

        Parameters
        ----------
        found : Found
        receipt : Receipt
            Without its counts.
        lists : bool
            Whether entries of lists go too.

        Returns
        -------
        Receipt
            With how many rows were deleted, by table.
        """
        gone: dict[str, int] = {}
        with self._database.write() as connection:
            found = _still_there(connection, found)
            touched = self._touched(connection, found)
            for page in _pages(found.ids.get("feedback", ())):
                gone["feedback"] = gone.get("feedback", 0) + delete_labels(connection, page)
            for page in _pages(found.ids.get("checks", ())):
                gone["checks"] = gone.get("checks", 0) + delete_checks(connection, page)
            others = (appeals, list_entries) if lists else (appeals,)
            for table in others:
                for page in _pages(found.ids.get(table.name, ())):
                    result = connection.execute(delete(table).where(table.c.id.in_(page)))
                    gone[table.name] = gone.get(table.name, 0) + result.rowcount
            _drop_calibrations(connection, touched)
            return _written(connection, receipt, gone)

    def restrict(self, found: Found, receipt: Receipt, *, restricted: bool) -> Receipt:
        """Take comments and corrections out of use, or back into it; return the receipt with what changed."""
        changed: dict[str, int] = {}
        with self._database.write() as connection:
            found = _still_there(connection, found)
            touched = self._touched(connection, found)
            for table in (checks, feedback):
                for page in _pages(found.ids.get(table.name, ())):
                    result = connection.execute(
                        update(table)
                        .where(table.c.id.in_(page), table.c.restricted.is_(not restricted))
                        .values(restricted=restricted)
                    )
                    changed[table.name] = changed.get(table.name, 0) + result.rowcount
            if restricted:
                for page in _pages(found.ids.get("checks", ())):
                    connection.execute(delete(company_marks).where(company_marks.c.check_id.in_(page)))
            for site_id in touched:
                unlearn(connection, site_id)
            _drop_calibrations(connection, touched)
            return _written(connection, receipt, changed)

    def add_receipt(self, receipt: Receipt) -> None:
        """Write a receipt down."""
        with self._database.write() as connection:
            _written(connection, receipt, receipt.counts)

    def set_run(self, guid: str, run: str) -> None:
        """Add to a receipt which retraining was asked for."""
        with self._database.write() as connection:
            connection.execute(update(receipts).where(receipts.c.guid == guid).values(run=run))

    def receipts(self, *, at_most: int) -> list[Receipt]:
        """Return the latest receipts, latest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(receipts).order_by(receipts.c.id.desc()).limit(at_most)).all()
        return [Receipt(row.guid, row.at, row.what, row.who, dict(row.counts), row.run) for row in rows]

    def _ids(
        self, connection: Connection, table: Table, person: Person, marked: ColumnElement[bool] | None
    ) -> list[int]:
        """Return the rows of a table that carry what somebody is known by, within the bounds given."""
        inside = bounds(table, person)
        found: list[int] = []
        if marked is not None:
            found += connection.execute(select(table.c.id).where(marked, *inside)).scalars()
        if person.author is not None and "author" in table.c:
            # No database folds letters as Python does; and names are no keys, so every row is looked at.
            named = connection.execution_options(yield_per=1_000).execute(
                select(table.c.id, table.c.author).where(table.c.author != "", *inside)
            )
            found += [row.id for row in named if folded(row.author) == person.author]
        return found

    @staticmethod
    def _same_comments(
        connection: Connection,
        source: Table,
        ids: set[int],
        target: Table,
        target_ids: set[int],
        person: Person,
    ) -> set[int]:
        """Return the target's rows that are of the same comments as some rows of the source.

        Both have rows that are known to be the person's. A row without an e-mail address leads to none with an
        address that no row of theirs has: it may be of a namesake who wrote the same.
        """
        known = set(_values(connection, source, source.c.email_hash, ids))
        known |= set(_values(connection, target, target.c.email_hash, target_ids))
        known |= {None, person.email_hash}
        found: set[int] = set()
        for page in _pages(ids):
            query = (
                select(target.c.id, target.c.email_hash)
                .join(
                    source,
                    and_(
                        source.c.site_id == target.c.site_id, source.c.content_hash == target.c.content_hash
                    ),
                )
                .where(
                    source.c.id.in_(page),
                    or_(
                        source.c.email_hash.is_(None),
                        target.c.email_hash.is_(None),
                        source.c.email_hash == target.c.email_hash,
                    ),
                    *bounds(target, person),
                )
            )
            rows = connection.execute(query).all()
            found |= {row.id for row in rows if len(known) == 1 or row.email_hash in known}
        return found

    @staticmethod
    def _touched(connection: Connection, found: Found) -> set[int]:
        """Return the sites of some comments and corrections."""
        touched: set[int] = set()
        for table in (checks, feedback):
            touched |= set(_values(connection, table, table.c.site_id, found.ids.get(table.name, ())))
        return touched


def _pages(values: Iterable[Any]) -> Iterable[Sequence[Any]]:
    wanted = sorted(values)
    return (wanted[first : first + _PAGE] for first in range(0, len(wanted), _PAGE))


def _matching(
    connection: Connection, table: Table, column: ColumnElement[Any], values: Iterable[Any]
) -> Iterable[int]:
    for page in _pages(values):
        yield from connection.execute(select(table.c.id).where(column.in_(page))).scalars()


def _values(
    connection: Connection, table: Table, column: ColumnElement[Any], ids: Iterable[int]
) -> list[Any]:
    found: list[Any] = []
    for page in _pages(ids):
        found += connection.execute(select(column).where(table.c.id.in_(page))).scalars()
    return found


def _named(connection: Connection, table: Table, ids: Iterable[int]) -> dict[int, str]:
    """Return rows by number, with a name for each: a number may go to another row once it is free."""
    name = table.c.guid if "guid" in table.c else table.c.value
    return {
        row.id: row.name
        for page in _pages(ids)
        for row in connection.execute(select(table.c.id, name.label("name")).where(table.c.id.in_(page)))
    }


def _still_there(connection: Connection, found: Found) -> Found:
    """Return those of some rows that are still the ones that were found."""
    return Found(
        {
            table: {
                number: name
                for number, name in _named(connection, OF_PERSONS[table], names).items()
                if names[number] == name
            }
            for table, names in found.names.items()
        }
    )


def _written(connection: Connection, receipt: Receipt, counts: Mapping[str, int]) -> Receipt:
    """Write a receipt with its counts."""
    receipt = replace(receipt, counts={name: n_rows for name, n_rows in counts.items() if n_rows})
    connection.execute(insert(receipts).values(**asdict(receipt)))
    return receipt


def _drop_calibrations(connection: Connection, site_ids: Iterable[int]) -> None:
    for page in _pages(site_ids):
        connection.execute(delete(calibrations).where(calibrations.c.site_id.in_(page)))


def _shown(name: str, row: Mapping[Any, Any], addresses: Mapping[int, str]) -> dict[str, Any]:
    """Return what a row says about a person, as plain data."""
    shown: dict[str, Any] = {"site": addresses.get(row["site_id"])}
    for column, item in STORED[name].items():
        value = row[column]
        if item.form is Form.HASHED:
            shown[column] = value is not None and value != ""
        elif isinstance(value, dt.datetime):
            shown[column] = value.isoformat()
        elif isinstance(value, bytes):
            shown[column] = value.hex()
        else:
            shown[column] = value
    return shown
