"""Company: copies under other names raise the score, moderators have the last word, and no check fails by it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Row, delete, func, select, text
from sqlalchemy.exc import OperationalError

from model.artifact import load
from model.comment import Comment, Company
from model.company import Mark, Meeting, Sort
from model.document import Document
from model.registry import SHIPPED
from model.site_weights import SiteWeights
from model.verdict import Decision, Policy, Verdict
from service.company import PAUSE_S, SLOW_S, CompanyCounter
from service.db import Database
from service.declaration.terms import Retention
from service.schema import checks, company_marks
from service.settings import Settings
from service.sites import parse_site
from service.stores.company import CompanyStore
from service.stores.material import MaterialStore
from service.stores.purging import Group, PurgeStore
from tests.builders import ALICE_SITE, BOB_KEY, BOB_SITE, a_form
from tests.fakes import FixedScore, FrozenClock
from tests.functional.test_server import Served

CHECK = "/1.1/comment-check"
COPY = "Our wonderful watches are the finest in town, so order yours today from the little shop in {}"
ORDINARY = (
    "The lighthouse was built long before the harbour, my grandfather told me about the storms",
    "Has anybody tried the same with rye flour? Mine never rises, whatever I do with the starter",
    "We took the night train last summer and slept badly, but the morning over the lake was worth it",
    "You mention that the second edition differs: could you say in which chapters, roughly?",
)
NAMES = ("Ann", "Bob", "Cy", "Di", "Ed", "Flo", "Gus", "Hal")


class CompanyScore(FixedScore):
    """A model that counts near-copies and nothing else."""

    def __init__(self) -> None:
        super().__init__(0.01)

    def judge(
        self,
        comment: Comment,
        policy: Policy | None = None,
        site: SiteWeights | None = None,
        document: Document | None = None,
    ) -> Verdict:
        n_near = 0 if comment.company is None else comment.company.near
        return self._verdict(1 - 0.99 / (1 + n_near), (), policy)


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(CompanyScore()).test_client()


@pytest.fixture
def store(database: Database) -> CompanyStore:
    return CompanyStore(database)


def post(client: FlaskClient, body: str, author: str, path: str = CHECK, **fields: str) -> None:
    form = a_form(comment_content=body, comment_author=author, **{"comment_author_url": "", **fields})
    assert client.post(path, data=form).status_code == 200


def kept(database: Database) -> list[Row[Any]]:
    with database.read() as connection:
        return list(connection.execute(select(checks).order_by(checks.c.id)).all())


def companies(database: Database) -> list[Company | None]:
    return [None if row.company is None else Company(**row.company) for row in kept(database)]


def n_marks(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(company_marks)).scalar_one()


def test_a_copy_under_another_name_is_met_on_every_site(client: FlaskClient, database: Database) -> None:
    post(client, COPY.format("Basel"), "Ann")
    post(client, COPY.format("Basel"), "Bob", api_key=BOB_KEY, blog=BOB_SITE)
    post(client, COPY.format("Basel"), "Cy")
    assert companies(database) == [Company(), Company(near=1, opening=1), Company(near=2, opening=2)]
    scores = [row.score for row in kept(database)]
    assert scores == sorted(set(scores))


def test_a_batch_of_our_own_api_is_judged_the_same_way(
    make_app: Callable[..., Flask], database: Database
) -> None:
    app = make_app(CompanyScore())
    client = app.test_client()
    post(client, COPY.format("Basel"), "Ann")
    comments = [
        {"site": BOB_SITE, "content": COPY.format("Basel"), "author": author} for author in ("Bob", "Cy")
    ]
    answer = client.post(
        "/v1/check/batch", json={"comments": comments}, headers={"Authorization": f"Bearer {BOB_KEY}"}
    )
    assert answer.status_code == 200, answer.json
    # The two came at the same moment and do not see each other.
    assert companies(database)[1:] == [Company(near=1, opening=1)] * 2


def test_the_same_comment_again_and_the_same_name_are_no_company(
    client: FlaskClient, database: Database
) -> None:
    post(client, COPY.format("Basel"), "Ann")
    post(client, COPY.format("Basel"), "Ann", recheck_reason="recheck_queue")
    post(client, COPY.format("Bern"), "ANN")
    # To whoever corrects it the first comment again, though the name is another to the letter.
    post(client, COPY.format("Basel"), "Ann!")
    assert companies(database)[:3] == [Company()] * 3
    # The two from Basel are not met, the one from Bern is.
    assert companies(database)[3] == Company(near=1, opening=1)


def test_tests_leave_no_marks(client: FlaskClient, database: Database) -> None:
    post(client, COPY.format("Basel"), "Ann", is_test="1")
    assert n_marks(database) == 0
    post(client, COPY.format("Basel"), "Bob")
    assert companies(database) == [Company()] * 2


def test_nobody_is_company_for_longer_than_the_setting_says(
    client: FlaskClient, database: Database, clock: FrozenClock
) -> None:
    post(client, COPY.format("Basel"), "Ann")
    clock.advance(days=61)
    post(client, COPY.format("Basel"), "Bob")
    clock.advance(days=59)
    post(client, COPY.format("Basel"), "Cy")
    assert [met.near for met in companies(database) if met is not None] == [0, 0, 1]


def test_switched_off_nothing_is_counted_or_kept(make_app: Callable[..., Flask], database: Database) -> None:
    client = make_app(CompanyScore(), company_days=0).test_client()
    post(client, COPY.format("Basel"), "Ann")
    post(client, COPY.format("Basel"), "Bob")
    assert (companies(database), n_marks(database)) == ([None, None], 0)


def test_what_a_moderator_calls_ham_is_no_company_until_it_is_called_spam(
    client: FlaskClient, database: Database
) -> None:
    post(client, COPY.format("Basel"), "Ann")
    post(client, COPY.format("Basel"), "Ann", "/1.1/submit-ham")
    post(client, COPY.format("Basel"), "Ann", recheck_reason="recheck_queue")
    post(client, COPY.format("Basel"), "Bob")
    assert companies(database)[-1] == Company()
    post(client, COPY.format("Basel"), "Bob", "/1.1/submit-ham")
    post(client, COPY.format("Basel"), "Ann", "/1.1/submit-spam")
    post(client, COPY.format("Basel"), "Cy")
    met = companies(database)[-1]
    assert met is not None
    # Both checks of Ann's comment; Bob's has been called ham.
    assert met.near == 2


def test_who_copies_a_persons_habits_cannot_get_that_person_held_twice(
    client: FlaskClient, database: Database
) -> None:
    """Three strangers take a regular's opening words and website; her moderator says once that she is welcome."""
    hers = {"comment_author_url": "https://winter-tyres-of-maud.example/"}
    for name in NAMES[:3]:
        post(client, f"I have to say that {ORDINARY[0]}", name, **hers)
    post(client, f"I have to say that {ORDINARY[1]}", "Maud", **hers)
    assert companies(database)[-1] == Company(opening=3, domain=3)
    post(client, f"I have to say that {ORDINARY[1]}", "Maud", "/1.1/submit-ham", **hers)
    post(client, f"I have to say that {ORDINARY[2]}", "Maud", **hers)
    assert companies(database)[-1] == Company()
    # Another site's moderator has not said so, and there it still counts.
    post(client, f"I have to say that {ORDINARY[3]}", "Maud", api_key=BOB_KEY, blog=BOB_SITE, **hers)
    assert companies(database)[-1] == Company(opening=3, domain=3)


def test_the_effect_of_opening_words_and_domains_is_bounded() -> None:
    """A stranger's habits can be copied beforehand, the words of the next comment cannot."""
    [folder] = (each for each in SHIPPED.iterdir() if each.is_dir())
    shipped = load(folder)
    alone = Comment(body=ORDINARY[0], author="Maud")
    copied = [
        dataclasses.replace(alone, company=Company(opening=opening, domain=domain))
        for opening in (1, 2, 3, 1_000)
        for domain in (0, 1, 2, 3, 1_000)
    ]
    moved = shipped.log_odds(copied) - shipped.log_odds([alone])
    assert 0.0 < moved.max() < 2.0
    assert shipped.judge(copied[-1]).decision is Decision.HAM


def test_a_copied_wording_still_counts_after_the_original_was_called_ham(
    client: FlaskClient, database: Database
) -> None:
    post(client, COPY.format("Basel"), "Ann")
    post(client, COPY.format("Basel"), "Ann", "/1.1/submit-ham")
    post(client, COPY.format("Basel"), "Bob")
    post(client, COPY.format("Basel"), "Cy")
    assert companies(database)[-1] == Company(near=1)


def test_what_an_administrator_writes_is_no_company(client: FlaskClient, database: Database) -> None:
    post(client, COPY.format("Basel"), "Ann", user_role="administrator")
    post(client, COPY.format("Basel"), "Bob")
    assert companies(database)[-1] == Company()


def test_of_a_mark_only_the_latest_comments_are_read(
    client: FlaskClient, database: Database, store: CompanyStore
) -> None:
    for number in range(55):
        post(client, COPY.format("Basel"), f"Name {number}")
    assert [met.near for met in companies(database) if met is not None][-3:] == [50, 50, 50]


def test_marks_go_with_their_check(client: FlaskClient, database: Database) -> None:
    post(client, COPY.format("Basel"), "Ann")
    assert n_marks(database) > 0
    with database.write() as connection:
        connection.execute(delete(checks))
    assert n_marks(database) == 0


def test_old_marks_are_deleted_a_few_at_a_time(
    client: FlaskClient, database: Database, clock: FrozenClock
) -> None:
    for name in NAMES:
        post(client, COPY.format("Basel"), name)
    n_each = n_marks(database) // len(NAMES)
    clock.advance(days=61)
    post(client, COPY.format("Basel"), "Zoe")
    purges = PurgeStore(database)
    group = Group([], True, clock() - dt.timedelta(days=60))
    assert purges.delete_some(Retention.COMPANY, group, at_most=2 * n_each) == 2 * n_each
    while purges.delete_some(Retention.COMPANY, group, at_most=2 * n_each):
        pass
    assert n_marks(database) == n_each


def test_a_retraining_reads_the_company_that_was_counted(client: FlaskClient, database: Database) -> None:
    post(client, COPY.format("Basel"), "Ann")
    post(client, COPY.format("Basel"), "Bob")
    post(client, COPY.format("Basel"), "Bob", "/1.1/submit-spam")
    [label] = MaterialStore(database).labels(at_most=10)
    assert label.comment.company == Company(near=1, opening=1)
    found = MaterialStore(database).stored(at_most=10)
    assert {check.comment.author: check.comment.company for check in found} == {
        "Ann": Company(),
        "Bob": Company(near=1, opening=1),
    }


def test_without_the_table_checks_and_corrections_go_on(
    client: FlaskClient, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.write() as connection:
        connection.execute(text("DROP TABLE company_marks"))
    for name in NAMES[:3]:
        post(client, COPY.format("Basel"), name)
    post(client, COPY.format("Basel"), "Ann", "/1.1/submit-spam")
    assert companies(database) == [None] * 3
    logged = "".join(capsys.readouterr())
    assert logged.count("judging without company") == 1
    assert "watches" not in logged


class TroubledLog:
    """A store that fails, or takes its time, as long as it is told to."""

    def __init__(self, clock: Ticker) -> None:
        self.clock = clock
        self.fails = False
        self.takes_s = 0.0
        self.asked = 0

    def meetings(self, marks: Any, **_: Any) -> list[Meeting]:
        self.asked += 1
        self.clock.now += self.takes_s
        if self.fails:
            raise OperationalError("SELECT", None, Exception("a private remark"))
        return [Meeting(1, 2, Mark(Sort.OPENING, 3))]


class Ticker:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("fails", "takes_s", "first"), [(True, 0.0, None), (False, 2 * SLOW_S, Company(opening=1))]
)
def test_after_trouble_nobody_is_asked_for_a_while(
    fails: bool, takes_s: float, first: Company | None, capsys: pytest.CaptureFixture[str]
) -> None:
    ticker = Ticker()
    log = TroubledLog(ticker)
    log.fails, log.takes_s = fails, takes_s
    counter = CompanyCounter(log, FrozenClock(), days=60, monotonic=ticker)

    def count() -> Company | None:
        return counter.count(1, [], site=parse_site(ALICE_SITE), content_hash="0" * 64)

    assert count() == first
    log.fails, log.takes_s = False, 0.0
    assert (count(), log.asked) == (None, 1)
    ticker.now += PAUSE_S
    assert (count(), log.asked) == (Company(opening=1), 2)
    assert "private remark" not in "".join(capsys.readouterr())


def test_a_campaign_over_http_scores_higher_and_an_outage_of_company_fails_no_check(
    settings: Settings, tmp_path: Path
) -> None:
    """The real server, two workers, the shipped model."""
    served = Served(settings, tmp_path / "log", ("service", "serve"), RUN_WORKER="false")
    database = Database(settings.sqlalchemy_url, timeout_s=10.0)
    try:
        key = served.first_key_of_command()
        served.wait_until_ready()

        def send(body: str, author: str) -> None:
            form = a_form(api_key=key, comment_content=body, comment_author=author, comment_author_url="")
            # A connection of its own for each, so that both workers have their share.
            assert requests.post(f"{served.url}{CHECK}", data=form, timeout=20).text in ("true", "false")

        for name, city in zip(
            NAMES, ("Basel", "Bern", "Chur", "Thun", "Biel", "Olten", "Arosa", "Zug"), strict=True
        ):
            send(COPY.format(city), name)
        campaign = kept(database)
        for name, body in zip(NAMES, ORDINARY, strict=False):
            send(body, name)
        ordinary = kept(database)[len(campaign) :]
        with database.write() as connection:
            connection.execute(text("DROP TABLE company_marks"))
        for name in NAMES:
            send(COPY.format("Genf"), name)
        late = kept(database)[len(campaign) + len(ordinary) :]
    finally:
        database.close()
        served.stop()
    assert all(row.log_odds > campaign[0].log_odds + 0.5 for row in campaign[1:])
    assert campaign[-1].log_odds > campaign[1].log_odds
    assert [row.company["near"] + row.company["like"] for row in campaign] == list(range(len(NAMES)))
    assert [row.company for row in ordinary] == [{"near": 0, "like": 0, "opening": 0, "domain": 0}] * len(
        ORDINARY
    )
    assert [row.company for row in late] == [None] * len(NAMES)
    assert len(late) == len(NAMES)
