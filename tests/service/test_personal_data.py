"""What was sent about a person turns up in no log line, no error and no page but where it is declared."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import select

from service.db import Database
from service.declaration.stored import STORED
from service.declaration.terms import Form
from service.logs import configure_logging
from service.schema import metadata
from service.settings import Settings
from tests.builders import ALICE_KEY, a_form
from tests.fakes import BrokenScore, KeywordScore

MARKS = {
    "comment_content": "maybe Zyxmarkedbody",
    "comment_author": "Zyxmarkedauthor",
    "comment_author_email": "zyxmarkedmail@mail.example.org",
    "comment_author_url": "https://zyxmarkedurl.example/",
    "user_ip": "203.0.113.237",
    "user_agent": "Zyxmarkedagent/1.0",
    "referrer": "https://zyxmarkedreferrer.example/",
    "permalink": "https://alice.example.com/zyxmarkedpage",
    "reporter": "zyxmarkedreporter",
    "user_role": "zyxmarkedrole",
    "HTTP_COOKIE": "zyxmarkedcookie",
}
SIGNS = (b"zyxmarked", b"203.0.113.237")
#: What must be nowhere in the files of the database, in whatever column.
NOWHERE = (b"zyxmarkedmail", b"203.0.113.237", b"zyxmarkedagent", b"zyxmarkedreporter", b"zyxmarkedcookie")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    text = io.StringIO()
    monkeypatch.setattr(sys, "stderr", text)
    configure_logging(log_format="json", level="debug")
    # A logger that remembered this set-up would still write here in the tests to come.
    structlog.configure(cache_logger_on_first_use=False)
    yield text
    structlog.reset_defaults()
    root.handlers[:], level = before
    root.setLevel(level)


def found_in(data: bytes, signs: tuple[bytes, ...] = SIGNS) -> list[bytes]:
    return [sign for sign in signs if sign in data.lower()]


@pytest.mark.parametrize("scorer", [KeywordScore, BrokenScore])
def test_no_log_line_and_no_answer_carries_what_was_sent(make_app, scorer, log):
    client = make_app(scorer()).test_client()
    client.application.config["PROPAGATE_EXCEPTIONS"] = False
    marked = a_form(**MARKS)
    answers = [
        client.post(f"/1.1/{name}", data=form)
        for name in ("comment-check", "submit-spam", "submit-ham", "verify-key")
        for form in (marked, marked | {"blog": "not a site zyxmarked"}, marked | {"api_key": "ffffffffffff"})
    ]
    body = {
        "site": marked["blog"],
        "content": MARKS["comment_content"],
        "author": MARKS["comment_author"],
        "author_email": MARKS["comment_author_email"],
        "user_ip": MARKS["user_ip"],
    }
    bearer = {"Authorization": f"Bearer {ALICE_KEY}"}
    for sent in (
        body,
        body | {"zyxmarkedfield": 1},
        body | {"content": 5},
        body | {"site": "zyxmarked nowhere"},
    ):
        answers += [client.post("/v1/check", json=sent, headers=bearer)]
    answers += [
        client.post("/v1/feedback", json={"label": "spam", "comment": body}, headers=bearer),
        client.post("/v1/check", data=b'{"content": "zyxmarkedbody', headers=bearer),
    ]
    answers += [
        client.get(path) for path in ("/", "/healthz", "/readyz", "/metrics", "/privacy", "/privacy.json")
    ]
    assert ('"cannot answer"' if scorer is BrokenScore else '"event": "check"') in log.getvalue()
    assert found_in(log.getvalue().encode()) == []
    for answer in answers:
        # A field that is not known is named in the answer to whoever sent it, and nowhere else.
        text = answer.get_data().replace(b"zyxmarkedfield", b"")
        assert found_in(text) == [], answer.request.path
        assert found_in(json.dumps(list(answer.headers)).encode()) == []


def test_identities_are_nowhere_in_the_files_and_clear_text_only_where_declared(
    client, database: Database, prepared: Settings
):
    marked = a_form(**MARKS)
    client.post("/1.1/comment-check", data=marked)
    client.post("/1.1/submit-spam", data=marked)
    quoting = {"checks.clues"}
    for table, items in STORED.items():
        for name, item in items.items():
            with database.read() as connection:
                values = connection.execute(select(metadata.tables[table].c[name])).scalars().all()
            if found_in(str(values).encode()):
                assert item.form is Form.CLEAR or f"{table}.{name}" in quoting, f"{table}.{name}"
    if prepared.sqlalchemy_url.get_backend_name() == "sqlite":
        files = [path for path in Path(prepared.data_dir).glob("replyguard.db*") if path.is_file()]
        assert any(found_in(path.read_bytes(), (b"zyxmarkedbody",)) for path in files)
        assert [sign for path in files for sign in found_in(path.read_bytes(), NOWHERE)] == []
