"""The database engine: how connections are opened, how long they wait, what a transaction is."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import URL, Column, Connection, Engine, Insert, Table, TextClause, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from service.commits import GroupCommit
from service.turns import WriteTurn

T = TypeVar("T")


class Database:
    """Short transactions on SQLite (WAL) or PostgreSQL, the same to the caller.

    Parameters
    ----------
    url : sqlalchemy.URL
        With its driver: ``sqlite`` or ``postgresql+psycopg``.
    timeout_s : float
        Longest wait for a lock or a connection, in seconds; after it, an error.
    pool_size : int
        Connections kept open; as many as there are threads.
    """

    def __init__(self, url: URL, *, timeout_s: float, pool_size: int = 4) -> None:
        self.timeout_s = timeout_s
        self.is_sqlite = url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {
            # Parameters are people's comments and addresses: they stay out of error messages and logs.
            "hide_parameters": True,
            "pool_size": pool_size,
            "max_overflow": 2,
            "pool_timeout": timeout_s,
        }
        timeout_ms = max(1, round(timeout_s * 1000))
        if self.is_sqlite:
            options["connect_args"] = {"timeout": timeout_s, "check_same_thread": False}
        else:
            options["pool_pre_ping"] = True
            options["connect_args"] = {
                "connect_timeout": max(1, round(timeout_s)),
                "options": f"-c lock_timeout={timeout_ms} -c statement_timeout={timeout_ms} -c timezone=UTC",
            }
        self.engine: Engine = create_engine(url, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _open_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._turn = WriteTurn(url.database or "") if self.is_sqlite else None
        self._group = (
            None
            if self._turn is None
            else GroupCommit(self._turn, self._begin_sqlite_write, timeout_s=timeout_s)
        )
        self._writing: Connection | None = None

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes; when the block ends without an error, it is on disk.

        SQLite lets one writer in at a time, so there each waits for its turn, and then for whatever program
        else may lock the file. Both waits together keep the time limit.

        Raises
        ------
        service.turns.DatabaseBusy, sqlalchemy.exc.SQLAlchemyError
            If the time is up, or the database refuses.
        """
        if self._turn is None:
            with self.engine.begin() as connection:
                yield connection
            return
        deadline = time.monotonic() + self.timeout_s
        with self._turn.taken(deadline), self._begin_sqlite_write(deadline) as connection:
            yield connection

    def write_together(self, work: Callable[[Connection], T]) -> T:
        """Do a short piece of work in a transaction and return its value; on return it is on disk.

        On SQLite, work that waits at the same time shares one transaction, so it may be done in another
        thread, and twice: it must have no effect but through the connection.

        Raises
        ------
        service.turns.DatabaseBusy, sqlalchemy.exc.SQLAlchemyError
            If the time is up, or the database refuses.
        """
        if self._group is None:
            with self.engine.begin() as connection:
                return work(connection)
        value: T = self._group.run(work)
        return value

    def look_up(
        self, statement: TextClause, values: Mapping[str, Any], *, timeout_ms: int
    ) -> Sequence[Sequence[Any]]:
        """Run one short query and return its rows, for what is asked with every check.

        On SQLite it goes straight to the driver: what SQLAlchemy does around such a query takes ten times as long
        as the query itself. The statement's own types hold for the values, not for the rows.

        Parameters
        ----------
        statement : TextClause
        values : mapping
        timeout_ms : int
            When PostgreSQL is to give up; SQLite's readers wait for nobody.

        Raises
        ------
        sqlalchemy.exc.SQLAlchemyError
            If the database cannot answer, or not in time.
        """
        if not self.is_sqlite:
            with self.read() as connection:
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = {timeout_ms}")
                return connection.execute(statement, values).all()
        with self.engine.connect() as connection, _translated(statement):
            driver: Any = connection.connection.dbapi_connection
            found: list[Any] = driver.execute(statement.text, values).fetchall()
            return found

    @contextlib.contextmanager
    def _begin_sqlite_write(self, deadline: float) -> Iterator[Connection]:
        """Open a transaction on the one connection that writes; for whoever has the turn."""
        connection = self._writing
        if connection is None:
            connection = self.engine.connect().execution_options(replyguard_writes=True)
            self._writing = connection
        try:
            remaining_ms = max(1, round((deadline - time.monotonic()) * 1000))
            _execute(connection, f"PRAGMA busy_timeout = {remaining_ms}")
            with connection.begin():
                yield connection
        except BaseException:
            # What state it is in need not be found out: the next one to write opens another.
            self._writing = None
            connection.close()
            raise

    def scrub(self, *, attempts: int = 50, pause_s: float = 0.1) -> bool:
        """Have SQLite move its write-ahead log into the database and empty it; does nothing on PostgreSQL.

        Deleted rows are overwritten in the database, but stay in the log until this.

        Returns
        -------
        bool
            False if somebody went on reading or writing all the time.
        """
        if self._turn is None:
            return True
        for _ in range(attempts):
            with self._turn.taken(time.monotonic() + self.timeout_s), self.engine.connect() as connection:
                driver: Any = connection.connection.dbapi_connection
                with _translated(text("PRAGMA wal_checkpoint")):
                    # Checks must not wait behind it: a reader in the way is waited for between two attempts.
                    driver.execute("PRAGMA busy_timeout = 50")
                    try:
                        blocked = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                    finally:
                        driver.execute(f"PRAGMA busy_timeout = {round(self.timeout_s * 1000)}")
            if not blocked:
                return True
            time.sleep(pause_s)
        return False

    def vacuum(self) -> None:
        """Write the database file anew without what is free in it; nobody else can write meanwhile.

        Raises
        ------
        service.turns.DatabaseBusy, sqlalchemy.exc.SQLAlchemyError
            If the time is up, or there is no room for a second copy.
        """
        with contextlib.ExitStack() as stack:
            if self._turn is not None:
                stack.enter_context(self._turn.taken(time.monotonic() + self.timeout_s))
            connection = stack.enter_context(self.engine.connect())
            driver: Any = connection.connection.dbapi_connection
            if self.is_sqlite:
                with _translated(text("VACUUM")):
                    driver.execute("VACUUM")
            else:
                connection = connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql("SET statement_timeout = 0")
                connection.exec_driver_sql("VACUUM")
                # The connection goes no way back into the pool with a time limit switched off.
                connection.invalidate()
        self.scrub()

    def close(self) -> None:
        """Close the connections and the lock files; nobody may be writing."""
        if self._writing is not None:
            self._writing.close()
            self._writing = None
        self.engine.dispose()
        if self._turn is not None:
            self._turn.close()


@contextlib.contextmanager
def dispensable(connection: Connection, on_failure: Callable[[SQLAlchemyError], None]) -> Iterator[None]:
    """Open a part of a transaction that the rest can do without: if it fails, only it is undone.

    Parameters
    ----------
    connection : Connection
    on_failure : callable
        Called with the error, which goes no further. An error that ended the whole transaction does.
    """
    if connection.dialect.name != "sqlite":
        try:
            with connection.begin_nested():
                yield
        except SQLAlchemyError as error:
            if connection.invalidated:
                raise
            on_failure(error)
        return
    _execute(connection, "SAVEPOINT dispensable")
    try:
        yield
    except SQLAlchemyError as error:
        driver: Any = connection.connection.dbapi_connection
        # SQLite gives up all of it where a disk is full or fails; what follows would not be in a transaction.
        if not driver.in_transaction:
            raise
        _execute(connection, "ROLLBACK TO dispensable")
        on_failure(error)
    _execute(connection, "RELEASE dispensable")


def insert_many(connection: Connection, statement: TextClause, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert a few rows with every check; on SQLite straight by the driver, see ``Database.look_up``."""
    if connection.dialect.name != "sqlite":
        connection.execute(statement, rows)
        return
    driver: Any = connection.connection.dbapi_connection
    with _translated(statement):
        driver.executemany(statement.text, rows)


@contextlib.contextmanager
def _translated(statement: TextClause) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy's."""
    try:
        yield
    except sqlite3.Error as error:
        raise OperationalError(statement.text, None, error, hide_parameters=True) from error


def increment(
    connection: Connection, table: Table, key: Mapping[str, Any], amounts: Mapping[str, int]
) -> None:
    """Add to counters of one row, making the row if it is not there yet.

    Parameters
    ----------
    key : mapping
        Values of the primary key.
    amounts : mapping of str to int
        Column and what to add to it; may be negative.
    """
    statement = _increment(connection.dialect.name, table, tuple(key), tuple(amounts))
    connection.execute(statement, {**key, **amounts})


@functools.cache
def _increment(dialect_name: str, table: Table, key: tuple[str, ...], added: tuple[str, ...]) -> Insert:
    """Return the statement of ``increment``; building it costs more than running it."""
    dialect = sqlite if dialect_name == "sqlite" else postgresql
    statement = dialect.insert(table)
    sums = {name: table.c[name] + statement.excluded[name] for name in added}
    upsert: Insert = statement.on_conflict_do_update(index_elements=list(key), set_=sums)
    return upsert


def insert_missing(
    connection: Connection, table: Table, unique: Column[Any], values: Mapping[str, Any]
) -> None:
    """Insert a row unless one with the same unique value is there."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(table).values(**values).on_conflict_do_nothing(index_elements=[unique]))


def upsert_newer(
    connection: Connection, table: Table, key: Sequence[str], values: Mapping[str, Any], *, newer: str
) -> None:
    """Write a row in place of the one with its key, unless that one is of a later version.

    Parameters
    ----------
    key : sequence of str
        Columns of the primary key.
    values : mapping
        All columns.
    newer : str
        Column that holds the version.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).values(**values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(key),
            set_={name: statement.excluded[name] for name in values if name not in key},
            where=statement.excluded[newer] >= table.c[newer],
        )
    )


def _open_sqlite(dbapi_connection: Any, _record: Any) -> None:
    # What is deleted is overwritten with zeros (secure_delete): a file must not keep what the notice says is gone.
    # The driver's own transaction handling is switched off; `_begin_sqlite` says how one begins.
    dbapi_connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        dbapi_connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that starts by reading and writes later fails at once when another wrote in between,
    # whatever the timeout; asking for the write lock first makes it wait instead.
    writes = connection.get_execution_options().get("replyguard_writes")
    _execute(connection, "BEGIN IMMEDIATE" if writes else "BEGIN")


def _execute(connection: Connection, statement: str) -> None:
    """Execute a statement without a result; SQLAlchemy's way takes ten times as long as such a statement."""
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.execute(statement)
    except sqlite3.Error as error:
        raise OperationalError(statement, None, error) from error
