"""Check, correct, change one's mind: what is kept, what is matched, what is counted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from service.db import Database
from service.pseudonyms import Pseudonyms
from service.schema import checks, daily_counts, feedback, sites
from tests.builders import ALICE_KEY, ALICE_SITE, a_form
from tests.fakes import FrozenClock

CHECK = "/1.1/comment-check"


def counts(database: Database) -> dict[str, int]:
    columns = ("calls", "spam", "ham", "missed_spam", "false_positives")
    with database.read() as connection:
        row = connection.execute(
            select(*(func.coalesce(func.sum(daily_counts.c[name]), 0).label(name) for name in columns))
        ).one()
    return {name: int(getattr(row, name)) for name in columns}


def rows(database: Database, table: Any) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(select(table).order_by(table.c.id)))


def test_a_check_is_recorded_under_its_guid(client: FlaskClient, database: Database) -> None:
    response = client.post(CHECK, data=a_form(comment_content="casino", recheck_reason="edit"))
    [row] = rows(database, checks)
    assert row.guid == response.headers["X-akismet-guid"]
    assert (row.answer, row.decision, row.score, row.decided_by) == ("true", "spam", 0.97, "model")
    assert (row.model_version, row.recheck_reason, row.kind) == ("keyword-1", "edit", "comment")
    assert row.clues == [{"text": 'word "casino"', "weight": 3.5, "field": "body"}]


def test_addresses_are_kept_as_hashes_only(
    client: FlaskClient, database: Database, pseudonyms: Pseudonyms
) -> None:
    client.post(CHECK, data=a_form(POST_ak_js="77", HTTP_REFERER="https://visitor.example/secret"))
    [row] = rows(database, checks)
    assert row.email_hash == pseudonyms.of_email("MAUD@mail.example.org")
    assert row.email_domain == "mail.example.org"
    assert row.ip_hash == pseudonyms.of_ip("198.51.100.7")
    kept = repr(tuple(row))
    for secret in ("maud@", "198.51.100.7", "Mozilla", "visitor.example", ALICE_KEY):
        assert secret not in kept


def test_spellings_of_one_site_make_one_site(app: Flask, client: FlaskClient, database: Database) -> None:
    for blog in (
        ALICE_SITE,
        "http://ALICE.example.com/",
        "www.alice.example.com:80",
        f"{ALICE_SITE}/?p=1#top",
    ):
        assert client.post(CHECK, data=a_form(blog=blog)).data == b"false"
    assert [row.address for row in rows(database, sites)] == ["alice.example.com", "bob.example.net"]


def test_a_correction_is_matched_and_counted_once(client: FlaskClient, database: Database) -> None:
    client.post(CHECK, data=a_form(comment_content="casino"))
    for _ in range(3):
        client.post("/1.1/submit-ham", data=a_form(comment_content="casino", reporter="alice"))
    [row] = rows(database, feedback)
    assert (row.label, row.check_id, row.counted_as) == (
        "ham",
        rows(database, checks)[0].id,
        "false_positives",
    )
    assert counts(database) == {"calls": 1, "spam": 1, "ham": 0, "missed_spam": 0, "false_positives": 1}


def test_a_change_of_mind_takes_the_earlier_count_back(
    client: FlaskClient, database: Database, clock: FrozenClock
) -> None:
    client.post(CHECK, data=a_form(comment_content="casino"))
    client.post("/1.1/submit-ham", data=a_form(comment_content="casino"))
    clock.advance(days=2)
    client.post("/1.1/submit-spam", data=a_form(comment_content="casino"))
    first, second = rows(database, feedback)
    assert first.superseded_by == second.guid
    # It was answered `true`, so calling it spam after all corrects nothing.
    assert (second.label, second.superseded_by, second.counted_as) == ("spam", None, None)
    assert counts(database)["false_positives"] == 0
    client.post("/1.1/submit-ham", data=a_form(comment_content="casino"))
    assert counts(database)["false_positives"] == 1
    assert len(rows(database, feedback)) == 3


def test_missed_spam_counts_only_where_we_let_it_through(client: FlaskClient, database: Database) -> None:
    for body in ("hello", "casino"):
        client.post(CHECK, data=a_form(comment_content=body))
        client.post("/1.1/submit-spam", data=a_form(comment_content=body))
    assert counts(database)["missed_spam"] == 1


@pytest.mark.parametrize(
    ("claimed", "counted"),
    [(None, "missed_spam"), ("false", "missed_spam"), ("true", None), ("x", "missed_spam")],
)
def test_a_correction_of_an_unknown_comment_goes_by_what_the_client_says(
    client: FlaskClient, database: Database, claimed: str | None, counted: str | None
) -> None:
    client.post("/1.1/submit-spam", data=a_form(comment_check_response=claimed))
    [row] = rows(database, feedback)
    assert (row.check_id, row.counted_as) == (None, counted)


def test_tests_are_recorded_but_neither_counted_nor_effective(
    client: FlaskClient, database: Database
) -> None:
    client.post(CHECK, data=a_form(is_test="1"))
    client.post("/1.1/submit-spam", data=a_form(is_test="true"))
    assert counts(database)["calls"] == 0
    assert [row.is_test for row in rows(database, checks)] == [True]
    client.post(CHECK, data=a_form(is_test="False"))
    client.post("/1.1/submit-spam", data=a_form(is_test="0"))
    assert counts(database) == {"calls": 1, "spam": 0, "ham": 1, "missed_spam": 1, "false_positives": 0}
    assert [row.superseded_by for row in rows(database, feedback)] == [None, None]


@pytest.mark.parametrize(
    "stored",
    [
        {
            "comment_content": "Don\\'t miss &quot;tyres &amp; rims&quot;:\n"
            '<a href="http://x.example/p" rel="nofollow ugc">here</a>'
        },
        {"comment_content": " Don&#039;t miss \"tyres & rims\":\r\n<a href='http://x.example/p'>here</a> \n"},
        {"comment_author": " Maud ", "comment_author_url": "http://www.maud.example.org"},
    ],
)
def test_what_a_site_does_to_a_comment_on_the_way_does_not_hide_it(
    client: FlaskClient, database: Database, stored: dict[str, str]
) -> None:
    posted = {"comment_content": 'Don\'t miss "tyres & rims":\n<a href="http://x.example/p">here</a>'}
    client.post(CHECK, data=a_form(**posted))
    client.post("/1.1/submit-spam", data=a_form(**(posted | stored)))
    assert rows(database, feedback)[0].check_id is not None


@pytest.mark.parametrize(
    "other",
    [
        {"comment_content": "Something else altogether"},
        {"comment_author": "Maude"},
        {"comment_author_url": "https://maud.example.org/other"},
    ],
)
def test_another_comment_is_not_taken_for_it(
    client: FlaskClient, database: Database, other: dict[str, str]
) -> None:
    client.post(CHECK, data=a_form())
    client.post("/1.1/submit-spam", data=a_form(**other))
    assert rows(database, feedback)[0].check_id is None


def test_many_who_click_at_once_leave_one_effective_label(
    make_app: Callable[..., Flask], database: Database
) -> None:
    app = make_app()
    app.test_client().post(CHECK, data=a_form(comment_content="hello"))
    answers: list[bytes] = []

    def click(name: str) -> None:
        answers.append(app.test_client().post(f"/1.1/{name}", data=a_form(comment_content="hello")).data)

    threads = [
        threading.Thread(target=click, args=(("submit-spam", "submit-ham")[number % 2],))
        for number in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) == {b"Thanks for making the web a better place."}
    effective = [row for row in rows(database, feedback) if row.superseded_by is None]
    assert len(effective) == 1
    assert counts(database)["missed_spam"] == (1 if effective[0].label == "spam" else 0)
    assert counts(database)["false_positives"] == 0


def test_long_texts_are_judged_whole_and_kept_cut(client: FlaskClient, database: Database) -> None:
    body = "x " * 500_000 + "casino"
    assert client.post(CHECK, data=a_form(comment_content=body)).data == b"true"
    assert len(rows(database, checks)[0].body) == 65_536


@pytest.mark.parametrize(
    "body", ["", "\0 nul", "🙂 emoji", "مرحبا بكم", "\ud83d".encode("utf-16", "surrogatepass")]
)
def test_odd_texts_are_judged_and_kept(client: FlaskClient, database: Database, body: Any) -> None:
    assert client.post(CHECK, data=a_form(comment_content=body)).data == b"false"
    assert len(rows(database, checks)) == 1
