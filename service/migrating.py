"""Brings a database to the schema of this code, and tells whether it is there."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import text

from service.db import Database

# Any number will do, as long as every instance of this service takes the same.
_ADVISORY_LOCK = 7_265_706_779


class SchemaUnknown(Exception):
    """The database is of another release; the message says what to do."""


def migrate(database: Database) -> None:
    """Bring the database to the newest schema; does nothing if it is there.

    Safe if several processes start at once: SQLite's write lock (under the start-up lock of the data
    folder) or PostgreSQL's advisory lock lets one in at a time, and the others find nothing left to do.

    Raises
    ------
    SchemaUnknown
        If a newer release has been at work.
    sqlalchemy.exc.SQLAlchemyError
        If the database refuses.
    """
    with database.write() as connection:
        if not database.is_sqlite:
            # The others wait for as long as the migration takes, not for as long as a check may.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ADVISORY_LOCK})
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        try:
            command.upgrade(configuration, "head")
        except CommandError as error:
            raise SchemaUnknown(
                "the database has a schema that this release does not know: it was made by a newer one;"
                " install that release again, or put the database back from a backup"
            ) from error


def newest_revision() -> str:
    """Return the schema that this code wants."""
    head = ScriptDirectory.from_config(_configuration()).get_current_head()
    if head is None:
        raise RuntimeError("this installation lacks its migrations; install it again")
    return head


def current_revision(database: Database) -> str | None:
    """Return the schema that the database has; None if it has none yet."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _configuration() -> Config:
    configuration = Config()
    folder = Path(__file__).parent / "migrations"
    # The parser takes a percent sign for the start of a placeholder.
    configuration.set_main_option("script_location", str(folder).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration
