"""What a correction changes: the next verdict on that site, on every worker, and nowhere else."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from model import artifact
from service.components import EXTENSION
from service.db import Database
from service.learning import SiteLearning
from service.schema import checks, feedback, site_learning, site_weights
from service.settings import Settings
from service.sites import parse_site
from service.stores.feedback import FeedbackStore, State
from service.stores.site_weights import SiteWeightsStore
from service.stores.sites import SiteStore
from tests.builders import ALICE_SITE, BOB_KEY, BOB_SITE, a_form
from tests.functional.test_server import Served
from tests.toy import undecided_classifier

CHECK = "/1.1/comment-check"
#: The number that goes over the wire in a longer run; the suite makes do with fewer.
N_CORRECTIONS = int(os.environ.get("LEARNING_CORRECTIONS", "12"))


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(undecided_classifier()).test_client()


def a_post(**overrides: str) -> dict[str, str]:
    """Return a request of a reader without address and website, which the made-up corpus knows from spam."""
    given = {"comment_author": "reader compost", **overrides}
    return a_form(**given, comment_author_url=None, comment_author_email=None, permalink=None)


def log_odds(database: Database) -> float:
    """Return what the newest check was given."""
    with database.read() as connection:
        return float(
            connection.execute(select(checks.c.log_odds).order_by(checks.c.id.desc()).limit(1)).scalar_one()
        )


def judged(client: FlaskClient, database: Database, body: str, **overrides: str) -> float:
    assert client.post(CHECK, data=a_post(comment_content=body, **overrides)).status_code == 200
    return log_odds(database)


def rows(database: Database, table: Any) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(select(table)).all())


def spam(client: FlaskClient, body: str, **overrides: str) -> None:
    client.post("/1.1/submit-spam", data=a_post(comment_content=body, **overrides))


def ham(client: FlaskClient, body: str, **overrides: str) -> None:
    client.post("/1.1/submit-ham", data=a_post(comment_content=body, **overrides))


ODD = "The tyres of Zimbrolax are rounder, ask for zimbrolax everywhere"
KIN = "My neighbour swears by zimbrolax as well, rounder tyres indeed"
OTHER = "We did the same at work last year; the parser was fine."


def test_a_correction_counts_at_the_next_check_and_for_its_kin(
    client: FlaskClient, database: Database
) -> None:
    before, kin_before = judged(client, database, ODD), judged(client, database, KIN)
    spam(client, ODD)
    assert judged(client, database, ODD) > before + 1
    assert judged(client, database, KIN) > kin_before


def test_a_correction_moves_no_verdict_of_another_site_by_one_bit(
    client: FlaskClient, database: Database
) -> None:
    bobs = {"api_key": BOB_KEY, "blog": BOB_SITE}
    before = [judged(client, database, body, **bobs) for body in (ODD, KIN, OTHER)]
    for number in range(20):
        spam(client, f"{ODD} {number}")
        ham(client, f"{OTHER} {number}")
    assert [judged(client, database, body, **bobs) for body in (ODD, KIN, OTHER)] == before


def test_a_label_that_flips_is_forgotten_first(client: FlaskClient, database: Database) -> None:
    ham(client, ODD)
    only_ham = judged(client, database, KIN)
    [learnt] = rows(database, site_weights)
    spam(client, ODD)
    ham(client, ODD)
    assert judged(client, database, KIN) == only_ham
    [again] = rows(database, site_weights)
    assert (again.weights, again.version) == (learnt.weights, learnt.version + 2)


def test_the_same_correction_twice_counts_once(client: FlaskClient, database: Database) -> None:
    spam(client, ODD)
    once, [learning] = judged(client, database, KIN), rows(database, site_learning)
    spam(client, ODD)
    assert judged(client, database, KIN) == once
    assert rows(database, site_learning)[0].version == learning.version


def test_the_order_of_corrections_leaves_no_trace(client: FlaskClient, database: Database) -> None:
    found = []
    for bodies in ((ODD, "More of it, zimbrolax"), ("More of it, zimbrolax", ODD)):
        for body in bodies:
            spam(client, body)
        found.append(judged(client, database, KIN))
        for body in bodies:
            ham(client, body)
        for body in bodies:
            spam(client, body)
        found.append(judged(client, database, KIN))
    assert max(found) - min(found) < 1e-6


def test_weights_rebuilt_from_the_feedback_are_the_same_to_the_last_bit(
    client: FlaskClient, database: Database
) -> None:
    for number in range(30):
        judged(client, database, f"{OTHER} {number}")
    for number in range(12):
        spam(client, f"{ODD} {number}")
        ham(client, f"Thanks, number {number} was a fine post about zimbrolax")
    ham(client, f"{ODD} 3")
    learning = SiteLearning(SiteWeightsStore(database))
    rebuilt = learning.rebuild(parse_site(ALICE_SITE), undecided_classifier())
    assert rebuilt is not None
    assert (rebuilt.n_labels, rebuilt.was_kept, rebuilt.is_same) == (24, True, True)


def test_a_check_remembers_which_state_of_the_site_it_rests_on(
    client: FlaskClient, database: Database
) -> None:
    judged(client, database, KIN)
    spam(client, ODD)
    judged(client, database, KIN)
    ham(client, OTHER)
    judged(client, database, KIN)
    assert [row.site_version for row in rows(database, checks)] == [0, 1, 2]
    assert [row.learnt_at for row in rows(database, feedback)] == [1, 2]


def test_another_model_never_gets_weights_of_this_one(
    make_app: Callable[..., Flask], database: Database
) -> None:
    first = make_app(undecided_classifier())
    spam(first.test_client(), ODD)
    other = undecided_classifier("another")
    app = make_app(other)
    verdict = judged(app.test_client(), database, KIN)
    kept = {row.model_version for row in rows(database, site_weights)}
    assert kept == {undecided_classifier().version, other.version}
    learning: SiteLearning = app.extensions[EXTENSION].checker._learning
    weights = learning.current(parse_site(ALICE_SITE), other).weights
    assert weights is not None
    with database.write() as connection:
        connection.execute(
            update(site_weights)
            .where(site_weights.c.model_version != other.version)
            .values(weights=b"rubbish")
        )
    assert judged(app.test_client(), database, KIN) == verdict


def test_damaged_weights_are_worked_out_anew(make_app: Callable[..., Flask], database: Database) -> None:
    client = make_app(undecided_classifier()).test_client()
    spam(client, ODD)
    before = judged(client, database, KIN)
    with database.write() as connection:
        connection.execute(update(site_weights).values(weights=b"rubbish"))
    assert judged(make_app(undecided_classifier()).test_client(), database, KIN) == before


def test_a_test_teaches_nothing(client: FlaskClient, database: Database) -> None:
    before = judged(client, database, KIN)
    spam(client, ODD, is_test="1")
    assert judged(client, database, KIN) == before
    assert rows(database, site_learning) == []


def test_what_contradicts_overwhelming_evidence_waits_for_the_admin(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The toy model is never as sure as a real one.
    monkeypatch.setattr("service.feedback.DOUBT_FROM", 2.5)
    blatant = "Buy cheap viagra online now, best price guaranteed! http://pills-shop.example.top/order"
    sender = {"comment_author": "best viagra deals"}
    before = judged(client, database, blatant, **sender)
    assert before > 2.5
    ham(client, blatant, **sender)
    assert judged(client, database, blatant, **sender) == before
    [row] = rows(database, feedback)
    assert row.state == "doubtful"
    store = FeedbackStore(database, SiteStore())
    assert [entry.id for entry in store.of_state([State.DOUBTFUL], limit=5)] == [row.id]
    assert store.decide(row.id, accept=True) is State.DOUBTFUL
    assert judged(client, database, blatant, **sender) < before
    assert store.decide(row.id, accept=False) is State.LEARNT


def test_a_key_teaches_so_much_a_day_and_the_rest_waits(
    make_app: Callable[..., Flask], database: Database, clock: Any
) -> None:
    client = make_app(undecided_classifier(), learn_per_day=2).test_client()
    for number in range(4):
        spam(client, f"{ODD} {number}")
    assert [row.state for row in rows(database, feedback)] == ["learnt", "learnt", "surplus", "surplus"]
    clock.advance(days=1)
    spam(client, f"{ODD} tomorrow")
    assert rows(database, feedback)[-1].state == "learnt"


def test_a_hundred_spam_of_one_campaign_leave_ordinary_ham_alone(
    client: FlaskClient, database: Database
) -> None:
    ordinary = [
        f"I tried caching with the newest release and it fails, number {number}." for number in range(30)
    ]
    before = [client.post(CHECK, data=a_post(comment_content=body)).data for body in ordinary]
    for number in range(100):
        spam(client, f"{ODD}, lot {number}")
    assert judged(client, database, f"{ODD}, lot 100") > 0
    assert [client.post(CHECK, data=a_post(comment_content=body)).data for body in ordinary] == before


@pytest.fixture
def served(settings: Settings, tmp_path: Path) -> Iterator[Served]:
    artifact.save(undecided_classifier(), tmp_path / "toy")
    program = ("tests.functional.served", "toy", str(tmp_path / "toy"))
    running = Served(settings, tmp_path / "log", program)
    try:
        yield running
    finally:
        running.stop()


def test_every_correction_is_seen_by_the_very_next_check_on_either_worker(served: Served) -> None:
    key = served.first_key()
    served.wait_until_ready()
    chance = random.Random(1)
    words = [
        f"{first}{last}" for first in ("zim", "bro", "qua", "lor") for last in ("lax", "dex", "vint", "mog")
    ]
    missed = []
    for number in range(N_CORRECTIONS):
        text = " ".join(chance.sample(words, 5))
        form = a_post(api_key=key, comment_content=f"{text} {number}", comment_author=f"p{number}")

        def score(form: dict[str, str] = form) -> float:
            # A connection of its own, so that either worker may get it.
            answer = requests.post(f"{served.url}{CHECK}", data=form, timeout=30)
            return float(answer.headers["X-Replyguard-Score"])

        before = score()
        label = chance.choice(("spam", "ham"))
        requests.post(f"{served.url}/1.1/submit-{label}", data=form, timeout=30)
        after = score()
        moved = after > before if label == "spam" else after < before
        # What is as sure as the label asks already has nothing to move.
        sure = before > 0.98 if label == "spam" else before < 0.02
        if not moved and not sure:
            missed.append((number, label, before, after))
    assert missed == []
