"""Reads a WordPress database; here one on SQLite, as some sites have it. tests/wordpress has MariaDB."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import pytest

from model.comment import Label
from service.importing.exported import Exported, ImportRefused
from service.stores import wordpress
from service.stores.wordpress import WordPressDatabase
from tests.builders import ALICE_SITE
from tests.service.importing.exports import history_event

SCHEMA = """
CREATE TABLE {p}comments (comment_ID INTEGER PRIMARY KEY, comment_post_ID INTEGER, comment_author TEXT,
    comment_author_email TEXT, comment_author_url TEXT, comment_author_IP TEXT, comment_date TEXT,
    comment_date_gmt TEXT, comment_content TEXT, comment_approved TEXT, comment_type TEXT,
    comment_parent INTEGER, user_id INTEGER);
CREATE TABLE {p}commentmeta (meta_id INTEGER PRIMARY KEY, comment_id INTEGER, meta_key TEXT, meta_value TEXT);
CREATE TABLE {p}posts (ID INTEGER PRIMARY KEY, post_name TEXT, guid TEXT);
CREATE TABLE {u}usermeta (umeta_id INTEGER PRIMARY KEY, user_id INTEGER, meta_key TEXT, meta_value TEXT);
INSERT INTO {p}posts VALUES (1, 'winter-tyres', 'https://alice.example.com/?p=1'),
    (2, '', 'https://alice.example.com/?p=2');
INSERT INTO {u}usermeta VALUES (1, 7, '{p}capabilities', 'a:2:{{s:13:"administrator";b:1;s:6:"gone";b:0;}}');
"""
BIG = 2**63 - 1


def a_database(path: Path, *, prefix: str = "wp_", users: str = "wp_") -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA.format(p=prefix, u=users))
    return connection


def add(connection: sqlite3.Connection, number: int, *, prefix: str = "wp_", **fields: object) -> None:
    row = {
        "comment_ID": number,
        "comment_post_ID": 1,
        "comment_author": "Maud",
        "comment_date_gmt": "2024-02-29 23:59:59",
        "comment_content": "hello",
        "comment_approved": "1",
        "comment_type": "comment",
        "comment_parent": 0,
        "user_id": 0,
    } | fields
    marks = ", ".join("?" * len(row))
    connection.execute(
        f"INSERT INTO {prefix}comments ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
    )


def rows_of(path: Path, prefix: str = "wp_") -> list[Exported]:
    database = WordPressDatabase(f"sqlite:///{path}", prefix=prefix, site=ALICE_SITE)
    try:
        rows = [row for row in database.rows() if isinstance(row, Exported)]
        assert len(rows) == database.count()
        return rows
    finally:
        database.close()


def count(url: str, prefix: str) -> int:
    database = WordPressDatabase(url, prefix=prefix, site=ALICE_SITE)
    try:
        return database.count()
    finally:
        database.close()


def test_comments_come_with_page_role_and_what_akismet_said(tmp_path: Path) -> None:
    path = tmp_path / "wp.db"
    connection = a_database(path)
    add(connection, 3, user_id=7, comment_parent=1)
    add(connection, 5, comment_approved="spam", comment_post_ID=2)
    add(connection, BIG, comment_approved="trash", comment_post_ID=404, comment_author=None)
    connection.executemany(
        "INSERT INTO wp_commentmeta (comment_id, meta_key, meta_value) VALUES (?, ?, ?)",
        [
            (5, "akismet_result", "true"),
            (5, "akismet_as_submitted", "much"),
            (BIG, "akismet_history", history_event("report-ham")),
            (BIG, "akismet_history", history_event("report-spam")),
        ],
    )
    connection.commit()
    connection.close()
    own, spam, last = rows_of(path)
    assert (own.user_role, own.comment.kind, own.label) == ("administrator", "reply", Label.HAM)
    assert own.comment.permalink == "https://alice.example.com/winter-tyres/"
    assert own.written_at == dt.datetime(2024, 2, 29, 23, 59, 59, tzinfo=dt.UTC)
    assert (spam.akismet, spam.label) == (Label.SPAM, Label.SPAM)
    assert spam.comment.permalink == "https://alice.example.com/?p=2"
    assert (last.id, last.person, last.label) == (str(BIG), Label.SPAM, Label.SPAM)
    assert (last.comment.permalink, last.comment.author) == ("", "")


def test_every_page_is_read_whatever_the_gaps(tmp_path: Path) -> None:
    path = tmp_path / "wp.db"
    connection = a_database(path)
    numbers = list(range(1, 7 * wordpress._PAGE_ROWS // 2, 2))
    for number in numbers:
        add(connection, number)
    connection.commit()
    connection.close()
    assert [row.id for row in rows_of(path)] == [str(number) for number in numbers]


def test_a_site_of_a_network_shares_the_users(tmp_path: Path) -> None:
    path = tmp_path / "wp.db"
    connection = a_database(path, prefix="wp_2_")
    add(connection, 1, prefix="wp_2_", user_id=7)
    connection.commit()
    connection.close()
    assert [row.user_role for row in rows_of(path, "wp_2_")] == ["administrator"]


def test_the_database_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "wp.db"
    a_database(path).close()
    before = path.read_bytes()
    path.chmod(0o400)
    assert rows_of(path) == []
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["wp.db"]


@pytest.mark.parametrize(
    ("url", "prefix", "told"),
    [
        ("sqlite:///{path}", "other_", r"no table other_comments.*--table-prefix"),
        ("sqlite:///{path}", "wp_; DROP TABLE x", "letters, digits and underscores"),
        ("sqlite:///{path}.none", "wp_", "does not answer"),
        ("mysql://root:hidden@127.0.0.1:1/wordpress", "wp_", "does not answer"),
        ("oracle://hidden@host/x", "wp_", "does not run on 'oracle'"),
        ("not an address: hidden", "wp_", "no database address"),
    ],
)
def test_what_does_not_work_is_told_without_the_password(
    tmp_path: Path, url: str, prefix: str, told: str
) -> None:
    path = tmp_path / "wp.db"
    a_database(path).close()
    with pytest.raises(ImportRefused, match=told) as refused:
        count(url.format(path=path), prefix)
    assert "hidden" not in str(refused.value)
    assert not (tmp_path / "wp.db.none").exists()
