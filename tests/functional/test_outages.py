"""Whatever breaks, a check is answered neither `true` nor `false`, keeps its GUID, and says why."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, event, func, select, text

from service.champion import RETRY_S, Champion
from service.db import Database
from service.schema import checks
from service.settings import Settings
from tests.builders import a_form
from tests.conftest import TEST_DATABASE_URL
from tests.fakes import FixedScore, FolderOfVersions

CHECK = "/1.1/comment-check"
sqlite_only = pytest.mark.skipif(bool(TEST_DATABASE_URL), reason="about SQLite's file")


class Ticker:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def versions(tmp_path: Path) -> FolderOfVersions:
    return FolderOfVersions(tmp_path)


@pytest.fixture
def ticker() -> Ticker:
    return Ticker()


@pytest.fixture
def registry_client(
    make_app: Callable[..., Flask], versions: FolderOfVersions, ticker: Ticker
) -> FlaskClient:
    return make_app(Champion(versions, monotonic=ticker)).test_client()


def assert_unavailable(response: Any, cause: str) -> None:
    assert (response.status_code, response.data) == (503, b"unavailable")
    assert response.headers["X-akismet-error"] == cause
    assert response.headers["Retry-After"] == "30"


def assert_check_unavailable(client: FlaskClient, cause: str) -> None:
    response = client.post(CHECK, data=a_form())
    assert_unavailable(response, cause)
    assert len(response.headers["X-akismet-guid"]) == 32


def assert_not_ready(client: FlaskClient, reason: str) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json["ready"] is False
    assert any(each.startswith(reason) for each in response.json["reasons"]), response.json
    assert client.get("/healthz").status_code == 200


def test_without_a_model_nothing_is_decided_until_one_appears(
    registry_client: FlaskClient, versions: FolderOfVersions, ticker: Ticker
) -> None:
    assert_check_unavailable(registry_client, "no model is loaded")
    assert_not_ready(registry_client, "model: ")
    guaranteed = registry_client.post(CHECK, data=a_form(comment_author="akismet-guaranteed-spam"))
    assert_unavailable(guaranteed, "no model is loaded")
    versions.versions["one"] = FixedScore(0.95, version="one")
    versions.promote("one")
    assert registry_client.post(CHECK, data=a_form()).data == b"true"
    assert registry_client.get("/readyz").json == {
        "ready": True, "reasons": [], "warnings": [], "model": "one",
    }  # fmt: skip


def test_a_correction_is_kept_even_without_a_model(registry_client: FlaskClient) -> None:
    assert registry_client.post("/1.1/submit-spam", data=a_form()).status_code == 200


def test_a_new_champion_answers_from_the_next_request_on(
    registry_client: FlaskClient, versions: FolderOfVersions
) -> None:
    versions.versions |= {"one": FixedScore(0.95, version="one"), "two": FixedScore(0.05, version="two")}
    versions.promote("one")
    assert registry_client.post(CHECK, data=a_form()).headers["X-Replyguard-Model"] == "one"
    versions.promote("two")
    assert registry_client.post(CHECK, data=a_form()).headers["X-Replyguard-Model"] == "two"


def test_a_rejected_champion_leaves_the_old_one_answering_and_readyz_says_so(
    registry_client: FlaskClient, versions: FolderOfVersions, ticker: Ticker
) -> None:
    versions.versions |= {"one": FixedScore(0.95, version="one"), "two": None}
    versions.promote("one")
    registry_client.post(CHECK, data=a_form())
    versions.promote("two")
    response = registry_client.post(CHECK, data=a_form())
    assert (response.data, response.headers["X-Replyguard-Model"]) == (b"true", "one")
    state = registry_client.get("/readyz")
    assert state.status_code == 200
    assert "checksum does not match" in state.json["warnings"][0]
    versions.versions["two"] = FixedScore(0.05, version="two")
    ticker.now += RETRY_S
    assert registry_client.post(CHECK, data=a_form()).headers["X-Replyguard-Model"] == "two"
    assert registry_client.get("/readyz").json["warnings"] == []


def test_a_bad_artifact_alone_is_no_model(registry_client: FlaskClient, versions: FolderOfVersions) -> None:
    versions.versions["one"] = None
    versions.promote("one")
    assert_check_unavailable(registry_client, "no model is loaded")
    assert_not_ready(registry_client, "model: ArtifactRejected: ")


@sqlite_only
def test_a_locked_database_is_told_within_the_python_clients_second(
    client: FlaskClient, database: Database, prepared: Settings
) -> None:
    client.post(CHECK, data=a_form())
    other = sqlite3.connect(prepared.data_dir / "replyguard.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    assert_check_unavailable(client, "the database is locked")
    assert time.monotonic() - started < 0.9
    assert_unavailable(client.post("/1.1/submit-ham", data=a_form()), "the database is locked")
    assert_not_ready(client, "database: the database is locked")
    other.execute("ROLLBACK")
    other.close()
    assert client.post(CHECK, data=a_form()).data == b"false"


@pytest.fixture
def with_pragma(database: Database) -> Iterator[Callable[[str], None]]:
    """Return a function that puts a pragma on every connection of the service."""
    listeners: list[Any] = []

    def add(pragma: str) -> None:
        def on_begin(connection: Connection) -> None:
            connection.exec_driver_sql(f"PRAGMA {pragma}")

        event.listen(database.engine, "begin", on_begin)
        listeners.append(on_begin)

    yield add
    for each in listeners:
        event.remove(database.engine, "begin", each)


@sqlite_only
def test_a_read_only_database_is_told(client: FlaskClient, with_pragma: Callable[[str], None]) -> None:
    with_pragma("query_only = ON")
    assert_check_unavailable(client, "the database is read-only")
    assert_not_ready(client, "database: the database is read-only")


@sqlite_only
def test_a_full_disk_is_told_and_what_was_answered_before_is_there(
    client: FlaskClient, database: Database, with_pragma: Callable[[str], None]
) -> None:
    with_pragma("max_page_count = 60")
    answered = 0
    for _ in range(30):
        # Less than the probe of readiness writes: where this does not fit, that does not either.
        response = client.post(CHECK, data=a_form(comment_content="x" * 9_000))
        if response.status_code == 503:
            assert_unavailable(response, "the disk is full")
            break
        answered += 1
    assert 0 < answered < 30
    assert_not_ready(client, "database: the disk is full")
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(checks)).scalar_one() == answered


def test_a_database_that_is_not_migrated_is_told(client: FlaskClient, database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    assert_not_ready(client, "database: its schema is missing")


def test_a_lost_table_is_told(client: FlaskClient, database: Database) -> None:
    client.post(CHECK, data=a_form())
    with database.write() as connection:
        connection.execute(text("DROP TABLE daily_counts"))
    response = client.post(CHECK, data=a_form())
    assert (response.status_code, response.data) == (503, b"unavailable")


def test_the_log_tells_the_cause_but_nothing_of_the_comment(
    client: FlaskClient, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.write() as connection:
        connection.execute(text("DROP TABLE daily_counts"))
    client.post(CHECK, data=a_form(comment_content="a very private remark"))
    logged = "".join(capsys.readouterr())
    assert "cannot answer" in logged
    assert "remedy" in logged
    for secret in ("private remark", "maud@", "198.51.100.7"):
        assert secret not in logged
