"""Imported labels: each comment once, whatever comes how often and in which order."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from numpy.typing import NDArray
from sqlalchemy import select

from model.comment import Comment, Label
from service.db import Database
from service.history import HistoryImport, survey_history
from service.importing.exported import Exported, Row, Skipped, Status, Why
from service.keys import Keys
from service.pseudonyms import Pseudonyms
from service.schema import checks, daily_counts, feedback
from service.sites import parse_site
from service.stores.imports import ImportStore, Written
from service.stores.keys import KeyStore
from service.stores.sites import SiteStore
from tests.builders import ALICE_SITE, a_comment, a_form
from tests.fakes import FrozenClock

SITE = parse_site(ALICE_SITE)


def written_on(day: int) -> dt.datetime:
    return dt.datetime(2024, 5, day, 12, 30, tzinfo=dt.UTC)


def a_row(body: str = "hello", label: Label = Label.HAM, day: int | None = 1, **fields: Any) -> Exported:
    return Exported(
        a_comment(body=body),
        Status.SPAM if label is Label.SPAM else Status.APPROVED,
        written_at=None if day is None else written_on(day),
        **fields,
    )


class Importer:
    """What the command does, without the command."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, clock: FrozenClock) -> None:
        self._database = database
        sites = SiteStore()
        keys = Keys(KeyStore(database, sites), pseudonyms, clock)
        self._key = keys.create(label="for imports").key
        self._import = HistoryImport(labels=ImportStore(database, sites), pseudonyms=pseudonyms, clock=clock)

    def run(self, rows: Sequence[Row], *, relabel: bool = False) -> Written:
        return self._import.run(rows, site=SITE, key=self._key, relabel=relabel)

    def events(self) -> list[Any]:
        with self._database.read() as connection:
            return list(connection.execute(select(feedback).order_by(feedback.c.id)))

    def effective(self) -> dict[str, str]:
        return {row.body: row.label for row in self.events() if row.superseded_by is None}


@pytest.fixture
def importer(database: Database, pseudonyms: Pseudonyms, clock: FrozenClock) -> Importer:
    return Importer(database, pseudonyms, clock)


def test_labels_that_contradict_overwhelming_evidence_wait_for_the_admin(
    database: Database, pseudonyms: Pseudonyms, clock: FrozenClock
) -> None:
    sites = SiteStore()
    key = Keys(KeyStore(database, sites), pseudonyms, clock).create(label="for imports").key
    use_case = HistoryImport(
        labels=ImportStore(database, sites), pseudonyms=pseudonyms, clock=clock, judge=ByLength()
    )
    rows = [
        a_row("x" * 10),
        a_row("x" * 70),
        a_row("x" * 99),
        a_row("x" * 98, Label.SPAM),
        a_row("x", Label.SPAM),
    ]
    told = use_case.run(rows, site=SITE, key=key)
    assert (told.added, told.doubtful) == (5, 2)
    with database.read() as connection:
        kept = connection.execute(select(feedback).order_by(feedback.c.id)).all()
    assert [(row.state, row.learnt_at) for row in kept] == [
        ("learnt", 1), ("learnt", 1), ("doubtful", None), ("learnt", 1), ("doubtful", None),
    ]  # fmt: skip
    again = use_case.run(rows, site=SITE, key=key)
    assert (again.added, again.known, again.doubtful) == (0, 5, 0)


class ByLength:
    """A model that is the surer of spam the longer a comment is, up to a hundred letters."""

    def score(self, comments: Sequence[Comment]) -> NDArray[np.float64]:
        lengths = np.array([len(comment.body) for comment in comments], dtype=np.float64)
        return 1.0 / (1.0 + np.exp(-(lengths - 50.0) / 9.0))


def test_a_label_is_kept_with_its_origin_its_date_and_no_identity_in_clear(importer: Importer) -> None:
    assert importer.run([a_row(ip="198.51.100.7", user_role="author")]) == Written(added=1)
    (event,) = importer.events()
    assert (event.label, event.source, event.written_at) == ("ham", "import", written_on(1))
    assert (event.user_role, event.email_domain, event.counted_as) == ("author", "mail.example.org", None)
    assert all("198.51.100.7" not in str(value) and "maud@" not in str(value) for value in event)


def test_the_same_history_twice_is_kept_once(importer: Importer) -> None:
    rows = [a_row(f"comment {number}", random.Random(number).choice(list(Label))) for number in range(1_234)]
    assert importer.run(rows).added == 1_234
    assert importer.run(rows) == Written(known=1_234)
    assert len(importer.events()) == 1_234


@pytest.mark.parametrize("seed", range(6))
def test_of_one_text_with_two_labels_the_one_written_last_counts_in_any_order_and_batch(
    importer: Importer, seed: int
) -> None:
    chance = random.Random(seed)
    rows = [
        a_row("hello", Label.SPAM, 1),
        a_row("hello", Label.SPAM, 3),
        a_row("hello", Label.HAM, 2),
        a_row("hello", Label.HAM, None),
    ]
    chance.shuffle(rows)
    cut = chance.randrange(5)
    for part in (rows[:cut], rows[cut:]):
        importer.run(part)
    assert importer.effective() == {"hello": "spam"}
    n_events = len(importer.events())
    for again in (rows, list(reversed(rows))):
        written = importer.run(again)
        assert (written.added, written.replaced) == (0, 0)
        assert written.known + written.contradicted == len(rows)
    assert len(importer.events()) == n_events


def test_a_label_that_changed_since_the_last_export_waits_for_leave(importer: Importer) -> None:
    importer.run([a_row("hello", Label.HAM)])
    assert importer.run([a_row("hello", Label.SPAM)]) == Written(contradicted=1)
    assert importer.effective() == {"hello": "ham"}
    assert importer.run([a_row("hello", Label.SPAM)], relabel=True) == Written(replaced=1)
    assert importer.effective() == {"hello": "spam"}
    first, second = importer.events()
    assert first.superseded_by == second.guid


def test_what_nobody_decided_is_counted_and_left_out(importer: Importer) -> None:
    rows: list[Row] = [
        dataclasses.replace(a_row(), status=Status.PENDING),
        dataclasses.replace(a_row(), status=Status.TRASH),
        dataclasses.replace(a_row(), status=Status.UNKNOWN),
        dataclasses.replace(a_row(), comment=a_comment(kind="order_note")),
        dataclasses.replace(a_row(), comment=a_comment(body=" ", author="", url="")),
        Skipped(Why.UNREADABLE, "line 7"),
        dataclasses.replace(a_row("rescued"), status=Status.PENDING, person=Label.HAM, akismet=Label.SPAM),
    ]
    survey = survey_history(rows)
    assert set(survey.skipped.items()) == {(why, 1) for why in Why}
    assert (survey.n_rows, survey.labels, survey.places) == (7, {Label.HAM: 1}, ["line 7"])
    assert (survey.n_rescued, survey.n_akismet, survey.n_overruled) == (1, 1, 1)
    assert importer.run(rows) == Written(added=1)
    assert importer.effective() == {"rescued": "ham"}


def counts(database: Database) -> list[tuple[int, int]]:
    with database.read() as connection:
        columns = (daily_counts.c.missed_spam, daily_counts.c.false_positives)
        return [tuple(row) for row in connection.execute(select(*columns))]


def test_an_import_counts_as_no_correction_and_yields_to_one(
    client: FlaskClient, importer: Importer, database: Database
) -> None:
    form = a_form(comment_content="buy pills")
    client.post("/1.1/comment-check", data=form)
    client.post("/1.1/submit-spam", data=form)
    assert counts(database) == [(1, 0)]
    assert importer.run([a_row("buy pills", Label.HAM, 9)], relabel=True) == Written(corrected=1)
    assert importer.run([a_row("buy pills", Label.SPAM, 9)]) == Written(known=1)
    assert importer.run([a_row("other pills", Label.SPAM)]) == Written(added=1)
    assert counts(database) == [(1, 0)]
    assert importer.effective() == {"buy pills": "spam", "other pills": "spam"}


@pytest.mark.parametrize("label", list(Label))
def test_a_correction_takes_the_place_of_an_imported_label_and_counts(
    client: FlaskClient, importer: Importer, database: Database, label: Label
) -> None:
    importer.run([a_row("buy pills", label)])
    form = a_form(comment_content="buy pills")
    client.post("/1.1/comment-check", data=form)
    for _ in range(2):
        client.post("/1.1/submit-spam", data=form)
    assert counts(database) == [(1, 0)]
    assert importer.effective() == {"buy pills": "spam"}
    assert [event.source for event in importer.events()] == ["import", "wire"]


def test_an_imported_label_knows_the_check_of_its_comment(
    client: FlaskClient, importer: Importer, database: Database
) -> None:
    for _ in range(2):
        client.post("/1.1/comment-check", data=a_form(comment_content="hello"))
    importer.run([a_row("hello")])
    with database.read() as connection:
        latest = max(connection.execute(select(checks.c.id)).scalars())
    assert importer.events()[0].check_id == latest
