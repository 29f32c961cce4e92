from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import URL, inspect, text
from sqlalchemy.exc import IntegrityError

from service.db import Database
from service.migrating import _configuration, migrate
from service.schema import checks, company_marks, feedback

BEFORE = "0001"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database of the first release, with one correction in it."""
    opened = Database(URL.create("sqlite", database=str(tmp_path / "old.db")), timeout_s=10.0)
    with opened.write() as connection:
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, BEFORE)
        connection.execute(
            text("INSERT INTO sites VALUES (1, 'a.example', 'https://a.example', '2026-01-01')")
        )
        connection.execute(
            text(
                "INSERT INTO api_keys (id, digest, hint, label, created_at)"
                " VALUES (1, 'd', 'abcd', '', '2026-01-01')"
            )
        )
        connection.execute(text(_CORRECTION), {"guid": "a" * 32, "hash": "x" * 64})
    yield opened
    opened.close()


_CORRECTION = """
INSERT INTO feedback (guid, created_at, label, key_id, site_id, body, author, email_domain, url, permalink, kind,
    tags, site_lang, referrer, nonce, user_role, content_hash, is_test)
VALUES (:guid, '2026-01-01', 'spam', 1, 1, 'buy pills', '', '', '', '', '', '[]', '', '', '', '', :hash, 0)
"""


def test_what_was_kept_before_imports_existed_came_by_wire(database: Database) -> None:
    migrate(database)
    with database.read() as connection:
        rows = connection.execute(text("SELECT source, written_at, body FROM feedback")).all()
    assert rows == [("wire", None, "buy pills")]
    assert {column["name"] for column in inspect(database.engine).get_columns("feedback")} == {
        column.name for column in feedback.columns
    }


def test_the_migrations_make_the_tables_of_company_as_the_schema_has_them(database: Database) -> None:
    migrate(database)
    found = inspect(database.engine)
    for table in (checks, company_marks):
        assert {column["name"] for column in found.get_columns(table.name)} == {
            column.name for column in table.columns
        }
    assert {index["name"] for index in found.get_indexes("company_marks")} == {
        index.name for index in company_marks.indexes
    }
    assert found.get_pk_constraint("company_marks")["constrained_columns"] == ["value", "sort", "check_id"]


def test_an_origin_that_does_not_exist_is_refused(database: Database) -> None:
    migrate(database)
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(text("UPDATE feedback SET source = 'elsewhere'"))
