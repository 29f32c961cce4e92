"""Policies and lists, from the admin's wish to the answer on the wire."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError

from model.budget import tabulate
from model.comment import Comment
from model.document import Document
from model.site_weights import SiteWeights
from model.verdict import Policy, Verdict
from service.administration import SiteAdministration
from service.components import EXTENSION
from service.cutoffs import Basis
from service.db import Database
from service.lists import Kind, Side
from service.policies import CACHE_S
from service.schema import calibrations, checks, daily_counts, feedback, list_entries
from service.settings import UnsureAnswer
from service.sites import parse_site
from service.stores.calibration import CalibrationStore
from service.stores.policies import PolicyStore
from tests.builders import ALICE_SITE, BOB_KEY, BOB_SITE, a_form
from tests.fakes import FixedScore, FrozenClock, KeywordScore

CHECK = "/1.1/comment-check"
ALICE = parse_site(ALICE_SITE)


def admin(app: Flask) -> SiteAdministration:
    found: SiteAdministration = app.extensions[EXTENSION].administration
    return found


def last(database: Database) -> Any:
    with database.read() as connection:
        return connection.execute(select(checks).order_by(checks.c.id.desc()).limit(1)).one()


@pytest.mark.parametrize(
    ("unsure", "answer"),
    [(UnsureAnswer.PUBLISH, b"false"), (UnsureAnswer.HOLD, b"hold"), (UnsureAnswer.SPAM, b"true")],
)
def test_a_site_says_what_becomes_of_an_unsure_comment(
    app: Flask, client: FlaskClient, unsure: UnsureAnswer, answer: bytes
) -> None:
    admin(app).change(ALICE, unsure=unsure)
    assert client.post(CHECK, data=a_form(comment_content="maybe")).data == answer
    other = a_form(api_key=BOB_KEY, blog=BOB_SITE, comment_content="maybe")
    assert client.post(CHECK, data=other).data == b"false"


def test_without_discard_nobody_is_told_to_throw_a_comment_away(app: Flask, client: FlaskClient) -> None:
    admin(app).change(ALICE, discard=False)
    response = client.post(CHECK, data=a_form(comment_content="blatant"))
    assert (response.data, "X-akismet-pro-tip" in response.headers) == (b"true", False)


@pytest.mark.parametrize(
    ("body", "would"), [("casino", "true"), ("blatant", "true"), ("hello", "false"), ("maybe", "hold")]
)
def test_log_only_answers_false_and_records_what_it_would_have_said(
    app: Flask, client: FlaskClient, database: Database, body: str, would: str
) -> None:
    admin(app).change(ALICE, log_only=True, unsure=UnsureAnswer.HOLD)
    response = client.post(CHECK, data=a_form(comment_content=body))
    assert response.data == b"false"
    assert not {"X-akismet-pro-tip", "X-akismet-error"} & set(response.headers.keys())
    assert response.headers["X-Replyguard-Would-Answer"] == would
    row = last(database)
    assert (row.answer, row.would_answer, row.discard) == ("false", would, False)
    with database.read() as connection:
        counted = connection.execute(select(daily_counts.c.spam, daily_counts.c.ham)).one()
    assert tuple(counted) == (0, 1)


def test_log_only_holds_for_test_values_too(app: Flask, client: FlaskClient) -> None:
    admin(app).change(ALICE, log_only=True)
    response = client.post(CHECK, data=a_form(comment_author="akismet-guaranteed-spam"))
    assert (response.data, response.headers["X-Replyguard-Would-Answer"]) == (b"false", "true")


def test_lists_decide_before_the_model_and_say_so(
    app: Flask, client: FlaskClient, database: Database
) -> None:
    admin(app).add(ALICE, Side.DENY, Kind.WORD, "Winter Tyres")
    response = client.post(CHECK, data=a_form())
    assert response.data == b"true"
    assert response.headers["X-Replyguard-Reasons"].startswith(
        'words "winter tyres" on the site\'s deny list'
    )
    row = last(database)
    assert (row.decided_by, row.decision, row.score) == ("deny-list", "spam", 0.01)
    assert row.clues[0] == {
        "text": 'words "winter tyres" on the site\'s deny list', "weight": 0.0, "field": "rule",
    }  # fmt: skip
    admin(app).add(ALICE, Side.ALLOW, Kind.EMAIL, "maud@mail.example.org")
    later = time.monotonic() + 2
    while client.post(CHECK, data=a_form(comment_content="casino")).data == b"true":
        assert time.monotonic() < later
    assert last(database).decided_by == "allow-list"


def test_rules_of_the_protocol_go_before_lists(app: Flask, client: FlaskClient) -> None:
    admin(app).add(ALICE, Side.DENY, Kind.IP, "198.51.100.0/24")
    assert client.post(CHECK, data=a_form()).data == b"true"
    assert client.post(CHECK, data=a_form(user_role="administrator")).data == b"false"
    admin(app).remove(ALICE, Kind.IP, "198.51.100.0/24")
    admin(app).add(ALICE, Side.ALLOW, Kind.IP, "198.51.100.0/24")
    time.sleep(CACHE_S)
    assert client.post(CHECK, data=a_form(comment_author="akismet-guaranteed-spam")).data == b"true"


def test_an_entry_is_on_one_list_only_and_no_email_address_is_kept(app: Flask, database: Database) -> None:
    for side in (Side.DENY, Side.ALLOW, Side.ALLOW):
        admin(app).add(ALICE, side, Kind.EMAIL, "Maud@mail.example.org")
    with database.read() as connection:
        [row] = connection.execute(select(list_entries)).all()
    assert row.side == "allow"
    assert "maud@" not in repr(tuple(row)).lower()
    assert admin(app).remove(ALICE, Kind.EMAIL, "maud@MAIL.example.org")
    assert not admin(app).remove(ALICE, Kind.EMAIL, "maud@MAIL.example.org")


class Spread(KeywordScore):
    """A model that reads the score out of the comment."""

    cut_table = tabulate(np.linspace(0, 1, 6_000), n_sources=25)

    def judge(
        self,
        comment: Comment,
        policy: Policy | None = None,
        site: SiteWeights | None = None,
        document: Document | None = None,
    ) -> Verdict:
        return self._verdict(float(comment.body.split()[-1]), (), policy)


def test_a_budget_moves_the_cut_off_from_pooled_to_the_sites_own(
    make_app: Callable[..., Flask], database: Database, clock: FrozenClock
) -> None:
    app = make_app(Spread(policy=Policy(0.98, 0.99)))
    client = app.test_client()
    view = admin(app).change(ALICE, budget_per_thousand=50.0)
    assert view.cut_offs is not None
    assert (view.cut_offs.basis, view.cut_offs.policy.spam_from) == (Basis.POOLED, Spread.cut_table.cut(0.05))
    for number in range(60):
        form = a_form(comment_content=f"no {number}: 0.{number:02}")
        client.post(CHECK, data=form)
        client.post("/1.1/submit-ham", data=form)
    # The last correction is taken up in the background, seconds after the first.
    deadline = time.monotonic() + 15
    while (view := admin(app).show(ALICE)).cut_offs is None or view.cut_offs.basis is not Basis.SITE:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert view.cut_offs.statement.startswith("held at most 50 in 1,000 with 90% confidence, from ")
    assert 0.44 < view.cut_offs.policy.spam_from < 0.6
    time.sleep(CACHE_S)
    assert client.post(CHECK, data=a_form(comment_content="x 0.7")).data == b"true"
    other = a_form(api_key=BOB_KEY, blog=BOB_SITE, comment_content="x 0.7")
    assert client.post(CHECK, data=other).data == b"false"


def test_a_label_that_was_rejected_says_nothing_about_cut_offs(
    client: FlaskClient, database: Database, clock: FrozenClock
) -> None:
    client.post(CHECK, data=a_form(comment_content="casino"))
    client.post("/1.1/submit-ham", data=a_form(comment_content="casino"))
    store, version = CalibrationStore(database), last(database).model_version
    since = clock().replace(year=2000)
    assert [row.label for row in store.judged(ALICE, version, since)] == ["ham"]
    with database.write() as connection:
        connection.execute(update(feedback).values(state="rejected"))
    assert [row.label for row in store.judged(ALICE, version, since)] == [None]


def test_a_new_version_starts_from_its_own_pooled_cut_offs(
    make_app: Callable[..., Flask], database: Database
) -> None:
    first = make_app(Spread(version="one"))
    admin(first).change(ALICE, budget_per_thousand=50.0, counts_silence=True)
    second = make_app(Spread(version="two"))
    view = admin(second).show(ALICE)
    assert view.cut_offs is not None
    assert view.cut_offs.basis is Basis.POOLED
    second.test_client().post(CHECK, data=a_form(comment_content="x 0.1"))
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with database.read() as connection:
            if connection.execute(select(calibrations.c.model_version)).scalar_one() == "two":
                return
        time.sleep(0.05)
    raise AssertionError("the new version was not noticed")


def test_silence_is_taken_for_consent_after_two_weeks(
    make_app: Callable[..., Flask], clock: FrozenClock
) -> None:
    app = make_app(Spread(policy=Policy(0.98, 0.99)))
    for number in range(50):
        app.test_client().post(CHECK, data=a_form(comment_content=f"no {number}: 0.{number:02}"))
    view = admin(app).change(ALICE, budget_per_thousand=50.0, counts_silence=True)
    assert view.cut_offs is not None
    assert view.cut_offs.basis is Basis.POOLED
    clock.advance(days=14)
    view = admin(app).change(ALICE, counts_silence=True)
    assert view.cut_offs is not None
    assert view.cut_offs.basis is Basis.SITE


def test_a_check_does_not_fail_because_of_its_policy(
    make_app: Callable[..., Flask], client: FlaskClient, database: Database
) -> None:
    with database.write() as connection:
        connection.execute(text("ALTER TABLE list_entries RENAME TO elsewhere"))
    try:
        app = make_app(FixedScore(0.95))
        assert app.test_client().post(CHECK, data=a_form()).data == b"true"
    finally:
        with database.write() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO list_entries"))


def test_what_was_known_goes_on_when_policies_cannot_be_read(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin(app).change(ALICE, log_only=True)
    assert client.post(CHECK, data=a_form(comment_content="casino")).data == b"false"
    asked = []

    def unreadable(_self: PolicyStore) -> str:
        asked.append(True)
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(PolicyStore, "token", unreadable)
    time.sleep(CACHE_S)
    assert client.post(CHECK, data=a_form(comment_content="casino")).data == b"false"
    assert asked
