"""What the notice promises is what a purge deletes, down to the bytes of the files."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select

from service.components import EXTENSION
from service.db import Database
from service.declaration.terms import Retention
from service.notice import record_notice
from service.purging import Purger, PurgeRuns
from service.schema import (
    appeals,
    calibrations,
    checks,
    company_marks,
    daily_counts,
    feedback,
    purges,
    site_learning,
    site_weights,
    sites,
    training_runs,
)
from service.settings import Settings
from service.sites import parse_site
from service.stores.notices import NoticeStore
from service.stores.purges import PurgeLog
from service.stores.purging import DELETIONS
from service.worker import open_purger
from tests.builders import ALICE_KEY, ALICE_SITE, BOB_KEY, BOB_SITE, a_form
from tests.conftest import TEST_DATABASE_URL
from tests.fakes import FrozenClock

ALICE = parse_site(ALICE_SITE)


@pytest.fixture
def purger_of(prepared: Settings, database: Database, clock: FrozenClock) -> Callable[..., Purger]:
    def make(**overrides: Any) -> Purger:
        return open_purger(prepared.model_copy(update=overrides), database, clock=clock)

    return make


@pytest.fixture
def admin(app: Flask) -> dict[str, str]:
    made = app.extensions[EXTENSION].keys.create_admin(label="admin")
    return {"Authorization": f"Bearer {made.text}"}


def check(client: FlaskClient, **fields: str) -> None:
    assert client.post("/1.1/comment-check", data=a_form(**fields)).get_data(as_text=True) in (
        "true",
        "false",
    )


def label(client: FlaskClient, what: str, **fields: str) -> None:
    assert client.post(f"/1.1/submit-{what}", data=a_form(**fields)).status_code == 200


def n_of(database: Database, table: Any) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.mark.parametrize("days", [10, 45, 0])
def test_one_setting_moves_notice_data_linked_data_and_purge(
    make_app: Callable[..., Flask],
    purger_of: Callable[..., Purger],
    prepared: Settings,
    database: Database,
    clock: FrozenClock,
    days: int,
) -> None:
    client = make_app(retention_comments_days=days).test_client()
    check(client)
    words = f"{days} days" if days else "until it is erased"
    page = client.get("/privacy").get_data(as_text=True)
    assert re.search(rf"Checked comments[^<]*(<[^>]+>\s*)*[^<]*{words}", page)
    data = client.get("/privacy.json").get_json()
    assert data["retention_days"]["comments"] == (days or None)
    # What a comment is known by never outlives it.
    assert data["retention_days"]["company"] == (min(days, 60) or 60)
    linked = client.get("/privacy.jsonld").get_json()
    [process] = [each for each in linked["dpv:hasProcess"] if each["@id"].endswith("#checks")]
    duration = process["dpv:hasStorageCondition"]["dpv:hasDuration"]
    assert duration.get("dct:extent", {}).get("@value") == (f"P{days}D" if days else None)
    changed = prepared.model_copy(update={"retention_comments_days": days})
    record_notice(NoticeStore(database), prepared, clock)
    record_notice(NoticeStore(database), changed, clock)
    [first, *_] = client.get("/privacy.json").get_json()["changes"]
    assert {"name": "retention.comments", "before": 90, "after": days} in first["changed"]
    purger = purger_of(retention_comments_days=days)
    clock.advance(days=days or 4000, minutes=-1)
    purger.run(origin="command")
    assert n_of(database, checks) == 1
    clock.advance(minutes=2)
    purger.run(origin="command")
    assert n_of(database, checks) == (0 if days else 1)


def test_a_site_s_own_days_go_before_the_settings(
    client: FlaskClient,
    admin: dict[str, str],
    purger_of: Callable[..., Purger],
    database: Database,
    clock: FrozenClock,
) -> None:
    check(client)
    check(client, api_key=BOB_KEY, blog=BOB_SITE)
    url = "/v1/sites/alice.example.com/retention"
    answer = client.put(url, json={"comments_days": 7}, headers=admin)
    assert answer.status_code == 200
    assert answer.get_json() == client.get(url, headers=admin).get_json()
    assert answer.get_json()["days"] == {
        "comments": 7,
        "feedback": 730,
        "counts": None,
        "company": 7,
        "appeals": 180,
    }
    alice = client.get("/privacy.json", query_string={"site": ALICE_SITE}).get_json()
    assert alice["retention_days"]["comments"] == 7
    assert alice["site_changed_at"] == clock().isoformat()
    assert client.get("/privacy.json").get_json()["retention_days"]["comments"] == 90
    clock.advance(days=8)
    purger = purger_of()
    seen = purger.preview()
    assert seen.rows[Retention.COMMENTS, "alice.example.com"] == 1
    assert (Retention.COMMENTS, "bob.example.net") not in seen.rows
    assert n_of(database, checks) == 2, "a preview deletes nothing"
    assert purger.run(origin="command").totals["comments"] == 1
    with database.read() as connection:
        assert connection.execute(select(sites.c.address).join(checks)).scalars().all() == ["bob.example.net"]
    [done] = client.get("/v1/purges", headers=admin).get_json()["purges"]
    assert (done["deleted"]["comments"], done["error"], done["origin"]) == (1, None, "command")


def test_only_an_admin_s_key_sets_days(client: FlaskClient, admin: dict[str, str]) -> None:
    url = "/v1/sites/alice.example.com/retention"
    assert client.put(url, json={}, headers={"Authorization": f"Bearer {ALICE_KEY}"}).status_code == 403
    refused = client.put(url, json={"comments_days": -1}, headers=admin)
    assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, "comments_days")


def test_a_label_goes_with_those_it_replaced_and_is_unlearnt(
    client: FlaskClient, purger_of: Callable[..., Purger], database: Database, clock: FrozenClock
) -> None:
    check(client)
    label(client, "spam")
    label(client, "ham")
    clock.advance(days=5)
    label(client, "spam", comment_content="another one")
    with database.write() as connection:
        site_id = connection.execute(select(sites.c.id).where(sites.c.address == ALICE.address)).scalar_one()
        before = connection.execute(select(site_learning.c.version)).scalar_one()
        connection.execute(
            insert(site_weights).values(site_id=site_id, model_version="x", version=before, weights=b"x")
        )
    clock.advance(days=6)
    purger_of(retention_feedback_days=10).run(origin="command")
    assert n_of(database, feedback) == 1
    assert n_of(database, checks) == 1
    assert n_of(database, site_weights) == 0
    with database.read() as connection:
        assert connection.execute(select(site_learning.c.version)).scalar_one() == before + 1


def test_a_check_goes_with_marks_anchors_scores_and_flips_and_leaves_its_label(
    client: FlaskClient, purger_of: Callable[..., Purger], database: Database, clock: FrozenClock
) -> None:
    check(client)
    check(client, comment_content="One more about tyres that stays an anchor.")
    label(client, "spam")
    with database.write() as connection:
        site_id = connection.execute(select(sites.c.id).where(sites.c.address == ALICE.address)).scalar_one()
        guid = connection.execute(select(checks.c.guid).limit(1)).scalar_one()
        connection.execute(
            insert(calibrations).values(
                site_id=site_id, model_version="x", computed_at=clock(), content={"scores": [0.1]}
            )
        )
        flips = [{"guid": guid, "site": ALICE.address, "score_was": 0.1}]
        connection.execute(
            insert(training_runs).values(
                guid="f" * 32,
                state="refused",
                origin="command",
                requested_at=clock(),
                requested_by="x",
                report={"n_flips": 1, "flips": flips},
            )
        )
        version, anchors = connection.execute(select(site_learning.c.version, site_learning.c.anchors)).one()
    assert anchors
    clock.advance(days=91)
    purged = purger_of().run(origin="command")
    assert (n_of(database, checks), n_of(database, company_marks), n_of(database, calibrations)) == (0, 0, 0)
    assert purged.n_flips == 1
    with database.read() as connection:
        assert connection.execute(select(feedback.c.check_id)).scalars().all() == [None]
        assert connection.execute(select(training_runs.c.report)).scalar_one() == {"n_flips": 1, "flips": []}
        assert connection.execute(select(site_learning.c.version, site_learning.c.anchors)).one() == (
            version + 1,
            [],
        )
    assert n_of(database, daily_counts) == 1
    assert purger_of(retention_counts_days=30).run(origin="command").totals["counts"] == 1


def test_one_purge_runs_at_a_time_and_a_dead_one_is_taken_over(
    purger_of: Callable[..., Purger], database: Database, clock: FrozenClock
) -> None:
    assert PurgeLog(database, clock).begin(holder="dead", origin="schedule") is not None
    with pytest.raises(PurgeRuns):
        purger_of().run(origin="command")
    clock.advance(minutes=3)
    purger_of().run(origin="command")
    with database.read() as connection:
        rows = connection.execute(select(purges.c.slot, purges.c.error).order_by(purges.c.id)).all()
    assert [tuple(row) for row in rows] == [(None, "its process ended before it was done"), (None, None)]


def test_it_is_due_once_a_day_at_its_time(purger_of: Callable[..., Purger], clock: FrozenClock) -> None:
    purger, at = purger_of(), dt.time(4, 30)
    assert purger.run_if_due(at=at)
    assert not purger.run_if_due(at=at)
    clock.advance(hours=13)
    assert (clock().hour, purger.run_if_due(at=at)) == (4, False)
    clock.advance(minutes=25)
    assert purger.run_if_due(at=at)


def test_a_purge_that_stops_says_so_and_is_tried_again(
    prepared: Settings, client: FlaskClient, database: Database, clock: FrozenClock
) -> None:
    check(client)
    clock.advance(days=100)
    stopped = open_purger(prepared, database, clock=clock, stopping=lambda: True)
    assert not stopped.run(origin="schedule").is_whole
    assert n_of(database, checks) == 1
    going = open_purger(prepared, database, clock=clock)
    assert not going.run_if_due(at=dt.time(4, 30))
    clock.advance(hours=1)
    assert going.run_if_due(at=dt.time(4, 30))
    assert n_of(database, checks) == 0


@pytest.mark.skipif(bool(TEST_DATABASE_URL), reason="looks into the files of SQLite")
def test_no_byte_of_what_was_purged_is_left_in_any_file(
    client: FlaskClient,
    purger_of: Callable[..., Purger],
    prepared: Settings,
    database: Database,
    clock: FrozenClock,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # Short and very long ones, so that cells move about and overflow.
    for number in range(150):
        check(
            client,
            comment_content=f"purgeable{number:03} " * (1 + number % 7 * 60),
            comment_author=f"Vanishing{number:03}",
            comment_author_url=f"https://vanishing{number:03}.example.org/",
        )
    label(client, "spam", comment_content="purgeable000 ", comment_author="Vanishing000")
    clock.advance(days=60)
    for number in range(20):
        check(client, comment_content=f"lasting{number} " * 40)
    assert found_in(prepared.data_dir)
    clock.advance(days=40)
    purger_of(retention_feedback_days=50).run(origin="command")
    assert n_of(database, checks) == 20
    assert found_in(prepared.data_dir) == []
    assert any(b"lasting7" in path.read_bytes() for path in prepared.data_dir.glob("replyguard.db*"))
    assert re.search("(?i)purgeable|vanishing", "".join(capfd.readouterr())) is None


def test_every_class_with_days_has_something_that_goes() -> None:
    assert set(DELETIONS) == set(Retention) - {Retention.SITE}


@pytest.mark.parametrize("site", [ALICE_SITE, "https://unheard-of.example"])
def test_appeals_go_whether_or_not_a_site_is_known(
    client: FlaskClient, purger_of: Callable[..., Purger], database: Database, clock: FrozenClock, site: str
) -> None:
    fields = {"site": site, "email": "maud@mail.example.org", "message": "Please look."}
    assert client.post("/privacy/appeal", data=fields).status_code == 303
    clock.advance(days=20)
    assert purger_of(retention_appeals_days=30).run(origin="command").totals["appeals"] == 0
    clock.advance(days=20)
    assert purger_of(retention_appeals_days=30).run(origin="command").totals["appeals"] == 1
    assert n_of(database, appeals) == 0


def found_in(folder: Path) -> list[str]:
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and re.search(rb"(?i)purgeable|vanishing", path.read_bytes())
    ]
