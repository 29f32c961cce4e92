"""What a person may ask for: all that is kept of them, its erasure, and that it be used for nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, insert, select

from service.components import EXTENSION
from service.db import Database
from service.declaration.stored import STORED
from service.declaration.terms import Form
from service.rights import NobodyNamed, Who
from service.schema import (
    appeals,
    calibrations,
    checks,
    company_marks,
    daily_counts,
    feedback,
    list_entries,
    metadata,
    receipts,
    site_learning,
    site_weights,
    sites,
)
from service.settings import Settings
from service.sites import parse_site
from service.stores.calibration import CalibrationStore
from service.stores.material import MaterialStore
from service.stores.retrospect import RetrospectStore
from service.stores.rights import OF_PERSONS, WITH_OTHERS
from service.stores.site_weights import Lesson, SiteWeightsStore
from tests.builders import ALICE_SITE, BOB_KEY, BOB_SITE, a_form
from tests.commands import Commands
from tests.conftest import TEST_DATABASE_URL
from tests.fakes import FrozenClock
from tests.functional.test_learning import KIN, ODD, judged, spam
from tests.toy import undecided_classifier

MAUD = "maud@mail.example.org"
NOEL = {
    "comment_author": "Noël Ångström",
    "comment_author_email": "Noel@Post.example",
    "user_ip": "203.0.113.9",
    "comment_author_url": "https://noel.example/",
}


@pytest.fixture
def admin(app: Flask) -> dict[str, str]:
    made = app.extensions[EXTENSION].keys.create_admin(label="admin")
    return {"Authorization": f"Bearer {made.text}"}


def check(client: FlaskClient, **fields: str | None) -> str:
    answer = client.post("/1.1/comment-check", data=a_form(**fields))
    assert answer.get_data(as_text=True) in ("true", "false")
    return answer.headers["X-akismet-guid"]


def label(client: FlaskClient, what: str, **fields: str | None) -> None:
    assert client.post(f"/1.1/submit-{what}", data=a_form(**fields)).status_code == 200


def n_of(database: Database, table: Any, *where: Any) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())


def lessons(database: Database) -> tuple[Lesson, ...]:
    """Return the labels that the one site that was taught learns from."""
    with database.read() as connection:
        site_id = connection.execute(select(site_learning.c.site_id)).scalar_one()
    return SiteWeightsStore(database).lessons(site_id).labels


def ask(client: FlaskClient, what: str, headers: dict[str, str], **person: Any) -> Any:
    return client.post(f"/v1/privacy/{what}", json=person, headers=headers)


def test_every_table_with_data_of_people_is_looked_at_or_says_why_not() -> None:
    assert set(STORED) == set(OF_PERSONS) | set(WITH_OTHERS)
    assert not set(OF_PERSONS) & set(WITH_OTHERS)
    for name, table in OF_PERSONS.items():
        assert table is metadata.tables[name]


def test_an_export_gives_every_declared_column_of_every_comment_and_no_hash(
    client: FlaskClient, admin: dict[str, str], database: Database
) -> None:
    guid = check(client, **NOEL, comment_content="One about tyres.")
    check(client, **NOEL, comment_content="Two about tyres.", blog=BOB_SITE, api_key=BOB_KEY)
    check(client, comment_content="Somebody else about tyres.")
    label(client, "ham", **NOEL, comment_content="One about tyres.")
    given = ask(client, "export", admin, email=" noel@post.EXAMPLE ").get_json()
    rows = given["tables"]["checks"]["rows"]
    assert [row["body"] for row in rows] == ["One about tyres.", "Two about tyres."]
    assert rows[0]["guid"] == guid
    assert rows[0]["site"] == parse_site(ALICE_SITE).address
    assert len(given["tables"]["feedback"]["rows"]) == 1
    for name in ("checks", "feedback"):
        assert set(given["tables"][name]["meaning"]) == {"site", *STORED[name]}
        for row in given["tables"][name]["rows"]:
            assert set(row) == {"site", *STORED[name]}
            hashed = [column for column, item in STORED[name].items() if item.form is Form.HASHED]
            assert {type(row[column]) for column in hashed} == {bool}
            assert row["email_hash"] is True
    with database.read() as connection:
        kept = connection.execute(select(checks.c.email_hash, checks.c.ip_hash)).all()
    assert not any(value in json.dumps(given) for row in kept for value in row)


@pytest.mark.parametrize(
    ("person", "n_found"),
    [
        ({"email": "NOEL@post.example"}, 3),
        ({"ip": "::ffff:203.0.113.9"}, 3),
        ({"author": "  noël   ÅNGSTRÖM "}, 3),
        ({"author": "Noël"}, 0),
        ({"email": "other@post.example"}, 0),
        ({"email": "NOEL@post.example", "site": BOB_SITE}, 1),
        ({"email": MAUD, "ip": "203.0.113.9"}, 4),
    ],
)
def test_a_person_is_found_by_any_of_what_they_give(
    client: FlaskClient, app: Flask, person: dict[str, str], n_found: int
) -> None:
    for number in range(2):
        check(client, **NOEL, comment_content=f"Number {number}.")
    check(client, **NOEL, comment_content="Elsewhere.", blog=BOB_SITE, api_key=BOB_KEY)
    check(client, user_ip="198.51.100.8")
    site = parse_site(person.pop("site")) if "site" in person else None
    found = app.extensions[EXTENSION].rights.find(Who(**person, site=site))
    assert len(found.ids["checks"]) == n_found


def test_the_same_comment_is_found_though_a_moderator_passed_less_on(client: FlaskClient, app: Flask) -> None:
    check(client, **NOEL, comment_content="Passed on in parts.")
    label(
        client,
        "spam",
        **{**NOEL, "comment_author_email": None, "user_ip": None},
        comment_content="Passed on in parts.",
    )
    found = app.extensions[EXTENSION].rights.find(Who(email="noel@post.example"))
    assert found.counts == {"checks": 1, "feedback": 1}
    by_name = app.extensions[EXTENSION].rights.find(Who(guids=[check(client, comment_content="Other.")]))
    assert by_name.counts == {"checks": 1}


@pytest.mark.parametrize("body", [{}, {"email": "  "}, {"guids": ["nothing"]}, {"site": ALICE_SITE}])
def test_a_request_about_nobody_is_refused_and_says_what_to_give(
    client: FlaskClient, admin: dict[str, str], body: dict[str, Any], database: Database
) -> None:
    check(client)
    for what in ("export", "erase", "restrict"):
        answer = ask(client, what, admin, **body)
        assert answer.status_code == 422
        assert "guid" in answer.get_json()["detail"]
        assert "guids" in [error["field"] for error in answer.get_json()["errors"]]
    assert n_of(database, checks) == 1


def test_an_erase_takes_every_row_and_nobody_else_s(
    client: FlaskClient, admin: dict[str, str], database: Database
) -> None:
    check(client, **NOEL)
    check(client, **NOEL, blog=BOB_SITE, api_key=BOB_KEY)
    check(client, comment_content="Somebody else.")
    label(client, "spam", **NOEL)
    label(client, "ham", **NOEL)
    label(client, "spam", comment_content="Somebody else.")
    with database.write() as connection:
        site_id = connection.execute(select(sites.c.id).limit(1)).scalar_one()
        connection.execute(
            insert(calibrations).values(
                site_id=site_id, model_version="x", computed_at=FrozenClock()(), content={}
            )
        )
    appealed = client.post(
        "/privacy/appeal", data={"site": ALICE_SITE, "email": "noel@post.example", "message": "Please look."}
    )
    assert appealed.status_code == 303
    done = ask(client, "erase", admin, email="noel@post.example").get_json()
    assert done["counts"] == {"checks": 2, "feedback": 2, "appeals": 1}
    assert done["retraining"] is None  # the model in use was made of nobody's labels
    assert (n_of(database, checks), n_of(database, feedback), n_of(database, appeals)) == (1, 1, 0)
    with database.read() as connection:
        kept = connection.execute(select(checks.c.id)).scalar_one()
        assert set(connection.execute(select(company_marks.c.check_id)).scalars()) <= {kept}
    assert n_of(database, calibrations) == 0
    assert n_of(database, daily_counts) > 0
    again = ask(client, "erase", admin, email="noel@post.example")
    assert (again.status_code, again.get_json()["counts"]) == (200, {})


def test_what_an_erase_leaves_of_a_label_is_nothing_that_judges(
    make_app: Callable[..., Flask], database: Database
) -> None:
    app = make_app(undecided_classifier())
    client = app.test_client()
    untaught = judged(client, database, KIN, blog=BOB_SITE, api_key=BOB_KEY)
    spam(client, ODD, user_ip="203.0.113.9")
    assert judged(client, database, KIN) > untaught
    assert n_of(database, site_weights) == 1
    rights = app.extensions[EXTENSION].rights
    done = rights.erase(rights.find(Who(ip="203.0.113.9")), by="test")
    assert done.receipt.counts == {"feedback": 1}
    assert n_of(database, site_weights) == 0
    assert judged(client, database, KIN) == untaught


def test_a_restriction_keeps_comments_out_of_all_use_until_it_is_lifted(
    make_app: Callable[..., Flask], database: Database, clock: FrozenClock
) -> None:
    app = make_app(undecided_classifier())
    client = app.test_client()
    untaught = judged(client, database, KIN, blog=BOB_SITE, api_key=BOB_KEY)
    judged(client, database, ODD, user_ip="203.0.113.9")
    spam(client, ODD, user_ip="203.0.113.9")
    taught = judged(client, database, KIN)
    rights, material = app.extensions[EXTENSION].rights, MaterialStore(database)
    retrospect, since = RetrospectStore(database), clock().replace(year=2000)
    calibration = CalibrationStore(database)
    version = undecided_classifier().version
    noel = Who(ip="203.0.113.9")

    def used() -> tuple[int, int, int, int, int]:
        return (
            len(material.labels(at_most=9)),
            len(material.stored(at_most=9)),
            len(retrospect.spam(since)),
            len(calibration.judged(parse_site(ALICE_SITE), version, since)),
            n_of(database, company_marks, company_marks.c.check_id.in_(rights.find(noel).ids["checks"])),
        )

    before = used()
    assert before[-1] > 0
    done = rights.restrict(rights.find(noel), by="test")
    assert done.receipt.counts == {"checks": 1, "feedback": 1}
    assert judged(client, database, KIN) == untaught < taught
    assert len(lessons(database)) == 0
    assert all(now < then for now, then in zip(used(), before, strict=True))
    [row] = rights.export(rights.find(noel), by="test").tables["checks"]
    assert (row["body"], row["restricted"]) == (ODD, True)
    rights.restrict(rights.find(noel), by="test", restricted=False)
    assert used()[:-1] == before[:-1]
    assert len(lessons(database)) == 1
    assert [receipt.what for receipt in rights.receipts()] == ["lift", "export", "restrict"]


def test_entries_of_lists_are_shown_and_go_only_when_asked(
    client: FlaskClient, admin: dict[str, str], database: Database
) -> None:
    site = parse_site(ALICE_SITE).address
    for kind, value in (("email", MAUD), ("ip", "203.0.113.9"), ("domain", "pills.example")):
        added = client.post(
            f"/v1/sites/{site}/lists", json={"side": "deny", "kind": kind, "value": value}, headers=admin
        )
        assert added.status_code in (200, 201), added.get_data(as_text=True)
    person = {"email": MAUD, "ip": "203.0.113.9"}
    shown = ask(client, "export", admin, **person).get_json()["tables"]["list_entries"]["rows"]
    assert {row["kind"] for row in shown} == {"email", "ip"}
    assert ask(client, "erase", admin, **person).get_json()["counts"] == {}
    assert n_of(database, list_entries) == 3
    assert ask(client, "erase", admin, **person, lists=True).get_json()["counts"] == {"list_entries": 2}


def test_a_site_s_key_reaches_only_what_came_with_it(client: FlaskClient, database: Database) -> None:
    check(client, **NOEL)
    check(client, **NOEL, blog=BOB_SITE, api_key=BOB_KEY)
    headers = {"Authorization": f"Bearer {BOB_KEY}"}
    shown = ask(client, "export", headers, email="noel@post.example").get_json()["tables"]["checks"]["rows"]
    assert [row["site"] for row in shown] == [parse_site(BOB_SITE).address]
    ask(client, "erase", headers, email="noel@post.example", lists=True)
    with database.read() as connection:
        [left] = connection.execute(select(sites.c.address).join(checks)).scalars()
    assert left == parse_site(ALICE_SITE).address
    assert client.get("/v1/privacy/receipts", headers=headers).status_code == 403
    assert ask(client, "erase", {"Authorization": "Bearer nothing"}, email=MAUD).status_code == 401


def test_a_namesake_s_comment_is_nobody_else_s(
    client: FlaskClient, admin: dict[str, str], database: Database
) -> None:
    text = "Thank you for the part about tyres."
    other = {**NOEL, "comment_author_email": "another@noel.example", "user_ip": "192.0.2.44"}
    theirs = check(client, **other, comment_content=text)
    own = check(client, **NOEL, comment_content=text)
    label(client, "ham", **other, comment_content=text)
    shown = ask(client, "export", admin, email="noel@post.example").get_json()["tables"]
    assert [row["guid"] for row in shown["checks"]["rows"]] == [own]
    assert "feedback" not in shown
    # A moderator's word without an address may be on either; it leads from the one to no other.
    label(client, "spam", **{**NOEL, "comment_author_email": None, "user_ip": None}, comment_content=text)
    for person in ({"email": "noel@post.example"}, {"guids": [own]}, {"ip": NOEL["user_ip"]}):
        shown = ask(client, "export", admin, **person).get_json()["tables"]
        assert [row["guid"] for row in shown["checks"]["rows"]] == [own]
    ask(client, "erase", admin, email="noel@post.example")
    with database.read() as connection:
        assert connection.execute(select(checks.c.guid)).scalars().all() == [theirs]


def test_another_word_on_a_restricted_comment_leaves_it_out_of_use(
    client: FlaskClient, admin: dict[str, str], database: Database
) -> None:
    check(client, **NOEL)
    ask(client, "restrict", admin, email="noel@post.example")
    label(client, "spam", **NOEL)
    assert n_of(database, feedback, feedback.c.restricted.is_(True)) == 1
    label(client, "ham", **NOEL)
    assert n_of(database, feedback, feedback.c.restricted.is_(True)) == 2
    assert n_of(database, feedback, feedback.c.restricted.is_(False)) == 0
    assert MaterialStore(database).labels(at_most=10) == []
    ask(client, "restrict", admin, email="noel@post.example", restricted=False)
    assert n_of(database, feedback, feedback.c.restricted.is_(True)) == 0


def test_a_site_s_key_reaches_what_came_with_the_key_before_it(
    client: FlaskClient, app: Flask, database: Database
) -> None:
    keys = app.extensions[EXTENSION].keys
    check(client, **NOEL)
    check(client, **NOEL, blog=BOB_SITE, api_key=BOB_KEY)
    later = keys.create(label="alice, again", tied_to=[parse_site(ALICE_SITE)])
    headers = {"Authorization": f"Bearer {later.text}"}
    shown = ask(client, "export", headers, email="noel@post.example").get_json()["tables"]["checks"]["rows"]
    assert [row["site"] for row in shown] == [parse_site(ALICE_SITE).address]
    # A key that is tied to nothing stands for no site.
    loose = {"Authorization": f"Bearer {keys.create(label='loose').text}"}
    assert ask(client, "export", loose, email="noel@post.example").get_json()["tables"] == {}
    assert ask(client, "erase", headers, email="noel@post.example").get_json()["counts"] == {"checks": 1}
    assert n_of(database, checks) == 1


def test_a_row_that_came_by_a_freed_number_is_not_erased(
    client: FlaskClient, app: Flask, database: Database
) -> None:
    rights = app.extensions[EXTENSION].rights
    check(client, **NOEL)
    found = rights.find(Who(email="noel@post.example"))
    [number] = found.ids["checks"]
    with database.write() as connection:
        row = dict(connection.execute(select(checks)).one()._mapping)
        connection.execute(delete(checks))
        connection.execute(insert(checks).values(**(row | {"guid": "f" * 32, "email_hash": None})))
    assert n_of(database, checks, checks.c.id == number) == 1
    assert rights.erase(found, by="alice").receipt.counts == {}
    assert rights.restrict(found, by="alice", restricted=True).receipt.counts == {}
    assert n_of(database, checks, checks.c.restricted.is_(False)) == 1


def test_a_receipt_names_nobody(
    client: FlaskClient, admin: dict[str, str], database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    check(client, **NOEL)
    capfd.readouterr()
    for what in ("export", "restrict", "erase"):
        ask(client, what, admin, email="noel@post.example", ip="203.0.113.9", author="Noël Ångström")
    with database.read() as connection:
        kept = [dict(row._mapping) for row in connection.execute(select(receipts))]
    told = json.dumps(kept, default=str) + "".join(capfd.readouterr())
    assert len(kept) == 3
    assert not [word for word in ("noel", "Noël", "203.0.113", "ngstr") if word in told]
    listed = client.get("/v1/privacy/receipts", headers=admin).get_json()["receipts"]
    assert [each["what"] for each in listed] == ["erase", "restrict", "export"]


def test_nobody_can_be_named_by_a_guid_that_is_none(app: Flask) -> None:
    with pytest.raises(NobodyNamed, match="guids: give the 32 hex digits"):
        app.extensions[EXTENSION].rights.find(Who(guids=["xyz"]))


@pytest.mark.skipif(bool(TEST_DATABASE_URL), reason="looks at SQLite's files")
def test_a_thousand_checks_leave_no_address_in_any_file_and_an_erase_no_name(
    client: FlaskClient,
    app: Flask,
    prepared: Settings,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Emails, IPs and names are searched for as bytes in database, write-ahead log, logs and statistics."""
    people = [
        {
            "comment_author": f"Vera{number:03}sham",
            "comment_author_email": f"mail{number:03}vera@post{number:03}.example",
            "user_ip": f"203.0.{number}.77",
            "comment_author_url": f"https://vera{number:03}.example/",
        }
        for number in range(50)
    ]
    for number in range(1_000):
        check(
            client, **people[number % 50], comment_content=f"Comment {number} about tyres and {number * 7}."
        )
    label(client, "spam", **people[7], comment_content="Comment 7 about tyres and 49.")
    emails = [person["comment_author_email"].encode() for person in people]
    ips = [person["user_ip"].encode() for person in people]
    names = [person["comment_author"].encode() for person in people]

    def held() -> bytes:
        return b"".join(path.read_bytes() for path in sorted(prepared.data_dir.rglob("*")) if path.is_file())

    told = "".join(capfd.readouterr()).encode()
    for path in ("/healthz", "/readyz", "/privacy", "/privacy.json"):
        told += client.get(path).get_data()
    kept = held()
    assert not [value for value in (*emails, *ips) if value in kept]
    assert all(name in kept for name in names)  # declared to be kept in clear
    assert not [value for value in (*emails, *ips, *names) if value in told]
    rights = app.extensions[EXTENSION].rights
    for person in people:
        rights.erase(rights.find(Who(email=person["comment_author_email"], ip=person["user_ip"])), by="test")
    left, told = held(), "".join(capfd.readouterr()).encode()
    domains = [email.partition(b"@")[2] for email in emails]
    assert not [value for value in (*emails, *ips, *names, *domains) if value in left]
    assert not [value for value in (*emails, *ips, *names) if value in told]


def test_the_commands_give_out_erase_and_list(
    client: FlaskClient, prepared: Settings, database: Database, tmp_path: Path, commands: Commands
) -> None:
    settings = {"REPLYGUARD_DATA_DIR": str(prepared.data_dir)}
    if TEST_DATABASE_URL:
        settings["REPLYGUARD_DATABASE_URL"] = TEST_DATABASE_URL

    def run(*arguments: object, stdin: bytes = b"") -> Any:
        return commands.run("privacy", *arguments, settings=settings, stdin=stdin)

    guid = check(client, **NOEL, comment_content="<b>Bold</b> words about tyres.")
    page, data = tmp_path / "export.html", tmp_path / "export.json"
    person = ("--email", "noel@post.example")
    shown = run("export", *person, "--html", page, "--json", data)
    assert shown.returncode == 0, shown.stderr
    assert json.loads(data.read_text())["tables"]["checks"]["rows"][0]["guid"] == guid
    assert "&lt;b&gt;Bold&lt;/b&gt; words about tyres." in page.read_text()
    assert "the reasons for the score" in page.read_text()
    assert "&#39;weight&#39;" not in page.read_text()
    assert json.loads(run("export", *person).stdout)["tables"]["checks"]["rows"][0]["guid"] == guid
    refused = run("erase", *person, stdin=b"n\n")
    assert (refused.returncode, n_of(database, checks)) == (1, 1)
    assert "nothing was erased" in refused.stderr
    assert run("restrict", *person).returncode == 0
    assert n_of(database, checks, checks.c.restricted.is_(True)) == 1
    erased = run("erase", *person, "--yes")
    assert erased.returncode == 0, erased.stderr
    assert "Backups" in erased.stdout
    assert n_of(database, checks) == 0
    listed = run("receipts")
    assert [listed.stdout.count(what) for what in ("export", "restrict", "erase")] == [2, 1, 1]
    nobody = run("export")
    assert nobody.returncode == 2
    assert "guid" in nobody.stderr
