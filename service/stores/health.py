"""Tries whether the database takes a write, without leaving a trace."""

from __future__ import annotations

import secrets

from sqlalchemy import delete, insert

from service.db import Database
from service.schema import meta

# Larger than a page, so that a database that may not grow is found out.
_PROBE_CHARS = 16_384


def probe_write(database: Database) -> None:
    """Write a row, commit it, and remove it again.

    Raises
    ------
    sqlalchemy.exc.SQLAlchemyError
        If the database cannot be written.
    """
    name = f"probe-{secrets.token_hex(8)}"
    with database.write() as connection:
        connection.execute(insert(meta).values(name=name, value="x" * _PROBE_CHARS))
        connection.execute(delete(meta).where(meta.c.name == name))
