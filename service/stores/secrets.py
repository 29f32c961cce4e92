"""Knows which secret the database was made with, and re-keys every hash in it when that changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Table, bindparam, select, update
from sqlalchemy.exc import SQLAlchemyError

from service.db import Database, insert_missing
from service.schema import (
    api_keys,
    appeals,
    checks,
    company_marks,
    feedback,
    list_entries,
    meta,
    site_policies,
)
from service.stores.company import content_number
from service.stores.policies import change_token

_NAME = "secret-check"
_ROTATING = "rotating:"
_PAGE = 1_000

#: Every column that holds keyed hashes, with their purpose. A new one gets its line here.
HASHED: tuple[tuple[Table, str, str], ...] = (
    (api_keys, "digest", "api-key"),
    (checks, "email_hash", "email"),
    (checks, "ip_hash", "ip"),
    (checks, "content_hash", "content"),
    (checks, "request_hash", "request"),
    (checks, "request_content_hash", "request-content"),
    (feedback, "email_hash", "email"),
    (feedback, "ip_hash", "ip"),
    (feedback, "content_hash", "content"),
    (feedback, "reporter_hash", "reporter"),
    (list_entries, "value", "email"),
    (appeals, "email_hash", "email"),
    (appeals, "ip_hash", "network"),
)
#: What stands in the place of a hash that is dropped. That some moderator spoke still counts, whoever it was.
_DROPPED: dict[str, str | None] = {
    "email_hash": None,
    "ip_hash": None,
    "request_hash": None,
    "request_content_hash": None,
    "reporter_hash": "",
}


class SecretChanged(SQLAlchemyError):
    """The database was re-keyed, or is being, under a secret that this process does not have."""


class RotationBroken(Exception):
    """The database is not, or no longer, in the state that a rotation needs."""


class SecretStore:
    """The row of ``meta`` by which the secret is known, and all hashes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> str | None:
        """Return the check value; it matches no secret while a rotation runs. None before the first start."""
        with self._database.read() as connection:
            return connection.execute(select(meta.c.value).where(meta.c.name == _NAME)).scalar_one_or_none()

    def read_or_set(self, expected: str) -> str:
        """Return the check value, setting it if there is none."""
        with self._database.write() as connection:
            insert_missing(connection, meta, meta.c.name, {"name": _NAME, "value": expected})
            return str(connection.execute(select(meta.c.value).where(meta.c.name == _NAME)).scalar_one())

    def mark(self, old: str) -> None:
        """Say that a rotation begins: from now on nobody who looks has the right secret.

        Raises
        ------
        RotationBroken
            If the database is under another secret.
        """
        with self._database.write() as connection:
            _replace(connection, old, f"{_ROTATING}{old}")

    def unmark(self, old: str) -> None:
        """Take back what ``mark`` said, if it is still said."""
        with self._database.write() as connection:
            connection.execute(
                update(meta)
                .where(meta.c.name == _NAME, meta.c.value == f"{_ROTATING}{old}")
                .values(value=old)
            )

    def rekey(
        self,
        old: str,
        new: str,
        wrap: Callable[[str, str], str],
        reseal: Callable[[str], str],
        *,
        drop_hashes: bool,
    ) -> int:
        """Re-key all that depends on the secret, in one transaction.

        Parameters
        ----------
        old, new : str
            Check values of the secrets.
        wrap : callable
            Given purpose and hash, returns the hash under the new secret.
        reseal : callable
            Given an encrypted text, returns it encrypted under the new secret.
        drop_hashes : bool
            Drop what stands for people and requests instead of re-keying it; keys, contents and lists, which
            cannot do without, are re-keyed.

        Returns
        -------
        int
            How many rows were changed.

        Raises
        ------
        RotationBroken
            If the mark is gone; nothing is changed then.
        """
        n_rows = 0
        with self._database.write() as connection:
            _replace(connection, f"{_ROTATING}{old}", new)
            tables = dict.fromkeys(table for table, _, _ in HASHED)
            for table in tables:
                purposes = {name: purpose for each, name, purpose in HASHED if each is table}
                n_rows += _rekey_table(connection, table, purposes, wrap, drop_hashes)
            sealed = site_policies.c.webhook_key
            rows = connection.execute(
                select(site_policies.c.site_id, sealed).where(sealed.is_not(None))
            ).all()
            for row in rows:
                connection.execute(
                    update(site_policies)
                    .where(site_policies.c.site_id == row.site_id)
                    .values(webhook_key=reseal(row.webhook_key))
                )
            # Workers remember the lists with their hashes.
            change_token(connection)
        return n_rows


def rotating_from(kept: str) -> str | None:
    """Return the check value before the rotation that a check value tells of; None if it tells of none."""
    return kept.removeprefix(_ROTATING) if kept.startswith(_ROTATING) else None


def _replace(connection: Connection, expected: str, value: str) -> None:
    changed = connection.execute(
        update(meta).where(meta.c.name == _NAME, meta.c.value == expected).values(value=value)
    )
    if changed.rowcount != 1:
        raise RotationBroken(
            "the database is under another secret, or another start or rotation came in between; run the command again"
        )


def _rekey_table(
    connection: Connection,
    table: Table,
    purposes: dict[str, str],
    wrap: Callable[[str, str], str],
    drop_hashes: bool,
) -> int:
    names = list(purposes)
    statement = (
        update(table)
        .where(table.c.id == bindparam("of_id"))
        .values({name: bindparam(f"new_{name}") for name in names})
    )
    marks = (
        update(company_marks)
        .where(company_marks.c.check_id == bindparam("of_id"))
        .values(content=bindparam("new_content"))
    )
    last, n_rows = 0, 0
    while True:
        query = select(table.c.id, *(table.c[name] for name in names)).where(table.c.id > last)
        if table is list_entries:
            query = query.where(table.c.kind == "email")
        rows = connection.execute(query.order_by(table.c.id).limit(_PAGE)).all()
        if not rows:
            return n_rows
        changes: list[dict[str, Any]] = []
        for row in rows:
            change: dict[str, Any] = {"of_id": row.id}
            for name in names:
                kept = getattr(row, name)
                if drop_hashes and name in _DROPPED:
                    change[f"new_{name}"] = _DROPPED[name] if kept is not None else None
                else:
                    # What was dropped once stays so.
                    change[f"new_{name}"] = wrap(purposes[name], kept) if kept else kept
            changes.append(change)
        connection.execute(statement, changes)
        if table is checks:
            connection.execute(
                marks,
                [
                    {"of_id": change["of_id"], "new_content": content_number(change["new_content_hash"])}
                    for change in changes
                ],
            )
        last, n_rows = rows[-1].id, n_rows + len(rows)
