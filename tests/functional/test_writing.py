"""Many write at once, from threads and processes: who gets in, what is kept, what a death does."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Connection, event, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from service.db import Database
from service.schema import meta, metadata
from service.turns import DatabaseBusy, WriteTurn
from tests.conftest import TEST_DATABASE_URL

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(bool(TEST_DATABASE_URL), reason="about SQLite's one writer")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = Database(URL.create("sqlite", database=str(path)), timeout_s=0.6)
    with opened.write() as connection:
        metadata.create_all(connection)
    yield opened
    opened.close()


def keeping(name: str) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        connection.execute(insert(meta), {"name": name, "value": "x"})
        return name

    return work


def kept(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.execute(select(meta.c.name)).scalars())


def hammer(path: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.functional.write_hammer", str(path), *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


class Gathering:
    """Holds the turn so that others gather behind it, then lets them go and tells what came of each."""

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._path = path
        self.outcomes: dict[int, Any] = {}

    def run(self, *works: Callable[[Connection], Any]) -> dict[int, Any]:
        def one(number: int, work: Callable[[Connection], Any]) -> None:
            try:
                self.outcomes[number] = self._database.write_together(work)
            except Exception as error:
                self.outcomes[number] = error

        threads = [threading.Thread(target=one, args=pair) for pair in enumerate(works)]
        other = WriteTurn(str(self._path))
        with other.taken(time.monotonic() + 5):
            for thread in threads:
                thread.start()
            # A tenth of a second is long for a thread to join a queue, short against the time limit.
            time.sleep(0.1)
        for thread in threads:
            thread.join()
        other.close()
        return self.outcomes


@pytest.fixture
def commits(database: Database) -> list[str]:
    """Return a list that grows by an entry for every commit of the service."""
    made: list[str] = []

    def on_commit(_connection: Connection) -> None:
        made.append("commit")

    event.listen(database.engine, "commit", on_commit)
    return made


def test_two_processes_of_eight_threads_all_get_their_turn(database: Database, path: Path) -> None:
    running = [hammer(path, "hammer", "8", "60") for _ in range(2)]
    lines = [line.split() for each in running for line in each.communicate(timeout=120)[0].splitlines()]
    assert Counter(outcome for outcome, _ in lines) == {"kept": 2 * 8 * 60}
    assert kept(database) == {name for _, name in lines}


def test_those_who_wait_at_the_same_time_share_one_commit(
    database: Database, path: Path, commits: list[str]
) -> None:
    outcomes = Gathering(database, path).run(*(keeping(f"row {number}") for number in range(8)))
    assert outcomes == {number: f"row {number}" for number in range(8)}
    assert commits == ["commit"]
    assert kept(database) == set(outcomes.values())


def test_one_that_fails_takes_none_of_its_group_along(database: Database, path: Path) -> None:
    database.write_together(keeping("there already"))
    outcomes = Gathering(database, path).run(
        keeping("first"), keeping("there already"), keeping("third"), lambda _: 1 / 0
    )
    assert (outcomes[0], outcomes[2]) == ("first", "third")
    assert isinstance(outcomes[1], IntegrityError)
    assert isinstance(outcomes[3], ZeroDivisionError)
    assert kept(database) == {"there already", "first", "third"}


def test_one_that_fails_only_at_the_commit_takes_none_of_its_group_along(
    database: Database, path: Path
) -> None:
    def orphan(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.exec_driver_sql("INSERT INTO key_sites VALUES (1, 1)")

    outcomes = Gathering(database, path).run(keeping("first"), orphan, keeping("third"))
    assert (outcomes[0], outcomes[2]) == ("first", "third")
    assert isinstance(outcomes[1], IntegrityError)
    assert kept(database) == {"first", "third"}
    with pytest.raises(IntegrityError):
        database.write_together(orphan)
    assert database.write_together(keeping("later")) == "later"


def test_a_turn_that_does_not_come_is_told_in_time_and_leaves_nothing(database: Database, path: Path) -> None:
    other = WriteTurn(str(path))
    with other.taken(time.monotonic() + 5):
        started = time.monotonic()
        with pytest.raises(DatabaseBusy):
            database.write_together(keeping("too late"))
        with pytest.raises(DatabaseBusy), database.write():
            pass
        assert 1.2 <= time.monotonic() - started < 1.7
    other.close()
    assert kept(database) == set()
    assert database.write_together(keeping("later")) == "later"


def test_a_group_that_waits_for_another_program_gives_up_in_time(database: Database, path: Path) -> None:
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        started = time.monotonic()
        outcomes = Gathering(database, path).run(*(keeping(f"row {number}") for number in range(8)))
        assert time.monotonic() - started < 0.9
        other.execute("ROLLBACK")
    other.close()
    assert {type(outcome) for outcome in outcomes.values()} <= {OperationalError, DatabaseBusy}
    assert kept(database) == set()
    assert database.write_together(keeping("later")) == "later"


def test_a_process_that_is_killed_in_its_turn_holds_nobody_up(database: Database, path: Path) -> None:
    dying = hammer(path, "die")
    assert dying.stdout is not None
    assert dying.stdout.readline() == "writing\n"
    with pytest.raises(DatabaseBusy):
        database.write_together(keeping("too early"))
    os.kill(dying.pid, signal.SIGKILL)
    dying.communicate(timeout=10)
    # Were its turn still taken, this would end as DatabaseBusy.
    database.write_together(keeping("after it"))
    assert kept(database) == {"after it"}


def test_a_process_that_has_just_written_does_not_push_in_front(path: Path) -> None:
    greedy, patient = WriteTurn(str(path)), WriteTurn(str(path))
    done = threading.Event()
    order: list[str] = []

    def grab() -> None:
        while not done.is_set():
            with greedy.taken(time.monotonic() + 5):
                order.append("greedy")
                time.sleep(0.002)

    thread = threading.Thread(target=grab)
    thread.start()
    time.sleep(0.05)
    waited = []
    for _ in range(20):
        before = len(order)
        with patient.taken(time.monotonic() + 5):
            waited.append(len(order) - before)
            time.sleep(0.002)
    done.set()
    thread.join()
    greedy.close()
    patient.close()
    # The one under way when it came, and at most the one that was already next.
    assert max(waited) <= 2


def test_without_its_lock_files_sqlite_names_what_is_wrong(tmp_path: Path) -> None:
    database = Database(URL.create("sqlite", database=str(tmp_path / "missing" / "some.db")), timeout_s=0.2)
    with pytest.raises(OperationalError, match="unable to open database file"):
        database.write_together(keeping("nowhere"))
    database.close()
