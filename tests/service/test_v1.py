"""Our own API: what it takes, what it gives, and who may ask."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator
from sqlalchemy import func, select

from service.components import EXTENSION
from service.db import Database
from service.schema import checks, daily_counts, feedback
from service.v1.operations import OPERATIONS
from tests.builders import ALICE_KEY, ALICE_SITE, BOB_KEY, BOB_SITE, a_form
from tests.fakes import BrokenScore

PROBLEM = "application/problem+json"
ADMIN_ONLY = [operation for operation in OPERATIONS if operation.scope.value == "admin"]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


ALICE = bearer(ALICE_KEY)


@pytest.fixture
def admin(app: Flask) -> dict[str, str]:
    return bearer(app.extensions[EXTENSION].keys.create_admin(label="admin").text)


def a_check(**overrides: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "site": ALICE_SITE,
        "content": "Thank you, the part about winter tyres saved my Saturday.",
        "author": "Maud",
        "author_email": "maud@mail.example.org",
        "author_url": "https://maud.example.org/",
        "user_ip": "198.51.100.7",
    }
    return values | overrides


def n_rows(database: Database, table: Any = checks) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.mark.parametrize(
    ("content", "answer", "decision", "discard"),
    [
        ("hello", "ham", "ham", False),
        ("maybe", "ham", "unsure", False),
        ("casino", "spam", "spam", False),
        ("blatant", "spam", "spam", True),
    ],
)
def test_a_check_is_answered_with_its_reasons(
    client: FlaskClient, database: Database, content: str, answer: str, decision: str, discard: bool
) -> None:
    response = client.post("/v1/check", json=a_check(content=content), headers=ALICE)
    assert response.status_code == 200
    told = response.json
    assert (told["answer"], told["decision"], told["discard"]) == (answer, decision, discard)
    assert (told["decided_by"], told["model"], told["site"]) == ("model", "keyword-1", "alice.example.com")
    assert told["reasons"][0].keys() == {"text", "weight", "field"}
    again = client.get(f"/v1/verdicts/{told['guid']}", headers=ALICE)
    assert (again.status_code, again.json) == (200, told)
    assert n_rows(database) == 1


def test_a_named_request_is_judged_and_counted_once(client: FlaskClient, database: Database) -> None:
    first = client.post("/v1/check", json=a_check(id="comment-1"), headers=ALICE).json
    for arguments in (
        {"json": a_check(id="comment-1"), "headers": ALICE},
        {"json": a_check(), "headers": ALICE | {"Idempotency-Key": "comment-1"}},
    ):
        again = client.post("/v1/check", **arguments).json
        assert (again["guid"], again["repeated"], again["id"]) == (first["guid"], True, "comment-1")
    assert first["repeated"] is False
    assert n_rows(database) == 1
    with database.read() as connection:
        assert connection.execute(select(daily_counts.c.calls)).scalar_one() == 1
        kept = repr(tuple(connection.execute(select(checks)).one()))
    assert "comment-1" not in kept


def test_a_name_given_to_another_request_is_refused_and_named(
    client: FlaskClient, database: Database
) -> None:
    client.post("/v1/check", json=a_check(id="comment-1"), headers=ALICE)
    response = client.post("/v1/check", json=a_check(id="comment-1", content="other"), headers=ALICE)
    assert (response.status_code, response.content_type) == (409, PROBLEM)
    assert response.json["errors"][0]["field"] == "id"
    batch = {"comments": [a_check(id="x"), a_check(id="y"), a_check(id="x", content="other")]}
    response = client.post("/v1/check/batch", json=batch, headers=ALICE)
    assert (response.status_code, response.json["errors"][0]["field"]) == (409, "comments.2.id")
    assert n_rows(database) == 1


def test_names_are_each_keys_own(app: Flask, client: FlaskClient, admin: dict[str, str]) -> None:
    one = client.post("/v1/check", json=a_check(id="1"), headers=ALICE).json
    other = client.post("/v1/check", json=a_check(id="1", content="other"), headers=admin).json
    assert one["guid"] != other["guid"]


def test_the_same_request_many_times_at_once_leaves_one_check(app: Flask, database: Database) -> None:
    told: list[Any] = []

    def ask() -> None:
        told.append(app.test_client().post("/v1/check", json=a_check(id="1"), headers=ALICE).json)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each["guid"] for each in told}) == 1
    assert [each["repeated"] for each in told].count(False) == 1
    assert n_rows(database) == 1


def test_a_batch_keeps_its_order_and_takes_repetitions(client: FlaskClient, database: Database) -> None:
    bodies = ["hello", "casino", "maybe", "casino"]
    batch = [a_check(content=body, id=f"{place % 3}") for place, body in enumerate(bodies)]
    batch[3] = batch[0]
    told = client.post("/v1/check/batch", json={"comments": batch}, headers=ALICE).json["verdicts"]
    assert [each["decision"] for each in told] == ["ham", "spam", "unsure", "ham"]
    assert [each["repeated"] for each in told] == [False, False, False, True]
    assert told[0]["guid"] == told[3]["guid"]
    assert n_rows(database) == 3
    many = {"comments": [a_check()] * 101}
    response = client.post("/v1/check/batch", json=many, headers=ALICE)
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, "comments")
    assert (
        client.post("/v1/check/batch", json={"comments": [a_check()] * 100}, headers=ALICE).status_code == 200
    )


def test_a_batch_with_one_bad_comment_records_none(client: FlaskClient, database: Database) -> None:
    batch = {"comments": [a_check(), a_check(site=BOB_SITE)]}
    response = client.post("/v1/check/batch", json=batch, headers=ALICE)
    assert (response.status_code, response.json["errors"][0]["field"]) == (403, "comments.1.site")
    assert n_rows(database) == 0


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, None),
        (b"\xff", 400, None),
        (b"", 400, None),
        (b"[]", 422, "body"),
        (b'{"content": "x"}', 422, "site"),
        (b'{"content": "x", "site": "no site"}', 422, "site"),
        (b'{"content": 5, "site": "a.example"}', 422, "content"),
        (b'{"content": "x", "site": "a.example", "tags": "x"}', 422, "tags"),
        (b'{"content": "x", "site": "a.example", "id": ""}', 422, "id"),
        (b'{"content": "x", "site": "a.example", "auther": "y"}', 422, "auther"),
    ],
)
def test_a_body_that_does_not_fit_names_the_field(
    client: FlaskClient, body: bytes, status: int, field: str | None
) -> None:
    response = client.post("/v1/check", data=body, headers=ALICE)
    assert (response.status_code, response.content_type) == (status, PROBLEM)
    told = response.json
    assert (told["status"], set(told) >= {"type", "title", "detail"}) == (status, True)
    assert [each["field"] for each in told.get("errors", [])] == ([] if field is None else [field])
    if field == "auther":
        assert "did you mean author?" in told["detail"]


def test_a_field_at_the_wrong_place_is_not_proposed_in_its_own_stead(client: FlaskClient) -> None:
    body = {"label": "ham", "site": "https://alice.example.com", "content": "x"}
    told = client.post("/v1/feedback", json=body, headers=ALICE).json
    assert "did you mean" not in told["detail"]
    assert "it stands elsewhere" in told["detail"]


def test_id_and_header_must_agree(client: FlaskClient) -> None:
    headers = ALICE | {"Idempotency-Key": "one"}
    response = client.post("/v1/check", json=a_check(id="two"), headers=headers)
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, "id")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Basic abc"}, 401),
        (bearer("ffffffffffff"), 401),
        (bearer("rga_" + "0" * 40), 401),
        (bearer(BOB_KEY), 403),
    ],
)
def test_charlie_and_bob_are_refused(client: FlaskClient, headers: dict[str, str], status: int) -> None:
    response = client.post("/v1/check", json=a_check(), headers=headers)
    assert (response.status_code, response.content_type) == (status, PROBLEM)
    assert ("WWW-Authenticate" in response.headers) == (status == 401)


def test_bob_does_not_see_alices_verdict(client: FlaskClient, admin: dict[str, str]) -> None:
    guid = client.post("/v1/check", json=a_check(), headers=ALICE).json["guid"]
    assert client.get(f"/v1/verdicts/{guid}", headers=bearer(BOB_KEY)).status_code == 404
    assert client.get(f"/v1/verdicts/{guid}", headers=admin).status_code == 200
    response = client.post("/v1/feedback", json={"label": "spam", "guid": guid}, headers=bearer(BOB_KEY))
    assert response.status_code == 404


def test_an_untied_key_sees_only_what_it_asked_for(app: Flask, client: FlaskClient) -> None:
    app.extensions[EXTENSION].keys.create("c0ffee000003")
    guid = client.post("/v1/check", json=a_check(), headers=ALICE).json["guid"]
    assert client.get(f"/v1/verdicts/{guid}", headers=bearer("c0ffee000003")).status_code == 404


@pytest.mark.parametrize("operation", ADMIN_ONLY, ids=lambda operation: operation.name)
def test_a_sites_key_administers_nothing(client: FlaskClient, operation: Any) -> None:
    path = operation.path.replace("{site}", "alice.example.com").replace("{entry}", "1")
    path = path.replace("{appeal}", "3f0c-9a1b-77e2")
    response = client.open(f"/v1{path}", method=operation.method, json={}, headers=ALICE)
    assert (response.status_code, response.content_type) == (403, PROBLEM)


def test_an_admin_key_is_none_on_the_akismet_wire(client: FlaskClient, admin: dict[str, str]) -> None:
    key = admin["Authorization"].removeprefix("Bearer ")
    assert len(key) >= 32
    assert client.post("/1.1/comment-check", data=a_form(api_key=key)).data == b"invalid"
    assert client.post("/1.1/verify-key", data={"key": key, "blog": ALICE_SITE}).data == b"invalid"
    host = {"Host": f"{key}.rest.akismet.com"}
    assert client.post("/1.1/comment-check", data=a_form(api_key=None), headers=host).data == b"invalid"


def test_feedback_by_guid_and_by_content_is_one_label(client: FlaskClient, database: Database) -> None:
    guid = client.post("/v1/check", json=a_check(), headers=ALICE).json["guid"]
    for body, is_new in (
        ({"label": "spam", "guid": guid, "reporter": "alice"}, True),
        ({"label": "spam", "guid": guid}, False),
        ({"label": "spam", "comment": a_check()}, False),
    ):
        response = client.post("/v1/feedback", json=body, headers=ALICE)
        assert response.json == {"label": "spam", "site": "alice.example.com", "new": is_new}
    with database.read() as connection:
        [row] = connection.execute(select(feedback)).all()
        check = connection.execute(select(checks)).one()
        assert connection.execute(select(daily_counts.c.missed_spam)).scalar_one() == 1
    assert (row.check_id, row.body, row.email_hash) == (check.id, check.body, check.email_hash)
    client.post("/1.1/submit-ham", data=a_form())
    assert n_rows(database, feedback) == 2


@pytest.mark.parametrize(
    "body", [{"label": "spam"}, {"label": "spam", "guid": "0" * 32, "comment": a_check()}]
)
def test_feedback_names_its_comment_in_one_way(client: FlaskClient, body: dict[str, Any]) -> None:
    response = client.post("/v1/feedback", json=body, headers=ALICE)
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, "guid")


def test_a_policy_is_set_and_told(client: FlaskClient, admin: dict[str, str]) -> None:
    path = "/v1/sites/alice.example.com/policy"
    wanted = {"budget_per_thousand": 10, "unsure": "hold", "log_only": True}
    told = client.put(path, json=wanted, headers=admin).json
    assert told["policy"] == {
        "budget_per_thousand": 10.0, "unsure": "hold", "discard": True, "log_only": True,
        "counts_silence": False,
    }  # fmt: skip
    assert told["cut_offs"]["basis"] == "model"
    assert "0 of 230 needed" in told["cut_offs"]["statement"]
    assert client.get(path, headers=admin).json == told
    check = client.post("/v1/check", json=a_check(content="casino"), headers=ALICE).json
    assert (check["answer"], check["would_answer"], check["decision"]) == ("ham", "spam", "spam")
    listed = client.get("/v1/sites", headers=admin).json["sites"]
    assert [site["site"] for site in listed] == ["alice.example.com", "bob.example.net"]
    assert client.put(path, json={"budget_per_thousand": True}, headers=admin).status_code == 422
    back = client.put(path, json={}, headers=admin).json
    assert (back["policy"]["log_only"], back["unsure"]) == (False, "publish")


def test_one_wish_changes_and_the_others_stay(client: FlaskClient, admin: dict[str, str]) -> None:
    path = "/v1/sites/alice.example.com/policy"
    client.put(
        path, json={"budget_per_thousand": 10, "unsure": "hold", "counts_silence": True}, headers=admin
    )
    for changes in ({"log_only": True}, {"discard": False}, {"log_only": False, "unsure": None}):
        before = client.get(path, headers=admin).json["policy"]
        told = client.patch(path, json=changes, headers=admin).json
        assert told["policy"] == before | changes
        assert client.get(path, headers=admin).json == told
    blatant = client.post("/v1/check", json=a_check(content="blatant"), headers=ALICE).json
    assert (blatant["answer"], blatant["discard"]) == ("spam", False)
    assert client.patch(path, json={"budget_per_thousand": None}, headers=admin).json["policy"] == (
        told["policy"] | {"budget_per_thousand": None}
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"log_only": None}, "log_only"),
        ({"discard": "perhaps"}, "discard"),
        ({"budget_per_thousand": 1000}, "budget_per_thousand"),
        ({"logonly": True}, "logonly"),
    ],
)
def test_a_change_that_makes_no_sense_changes_nothing(
    client: FlaskClient, admin: dict[str, str], body: dict[str, Any], field: str
) -> None:
    path = "/v1/sites/alice.example.com/policy"
    before = client.put(path, json={"discard": False}, headers=admin).json
    response = client.patch(path, json=body, headers=admin)
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, field)
    assert client.get(path, headers=admin).json == before


def test_a_change_is_described_without_defaults(client: FlaskClient) -> None:
    described = client.get("/v1/openapi.json").json["components"]["schemas"]
    fields = described["PolicyChange"]["properties"]
    assert fields.keys() == described["PolicyIn"]["properties"].keys() >= {"log_only", "discard"}
    assert not any("default" in field for field in fields.values())


def test_a_site_that_is_not_known_yet_comes_into_being_by_a_change(
    client: FlaskClient, admin: dict[str, str]
) -> None:
    told = client.patch("/v1/sites/new.example/policy", json={"log_only": True}, headers=admin).json
    assert (told["site"], told["policy"]["log_only"], told["policy"]["discard"]) == (
        "new.example",
        True,
        True,
    )


def test_lists_are_written_and_struck_out(client: FlaskClient, admin: dict[str, str]) -> None:
    path = "/v1/sites/alice.example.com/lists"
    entry = {"side": "deny", "kind": "word", "value": "Winter TYRES"}
    made = client.post(path, json=entry, headers=admin)
    assert (made.status_code, made.json["value"]) == (201, "winter tyres")
    check = client.post("/v1/check", json=a_check(), headers=ALICE).json
    assert (check["answer"], check["decided_by"], check["reasons"][0]["field"]) == (
        "spam",
        "deny-list",
        "rule",
    )
    assert client.get(path, headers=admin).json == {"entries": [made.json]}
    gone = client.delete(f"{path}/{made.json['id']}", headers=admin)
    assert (gone.status_code, gone.data) == (204, b"")
    assert client.delete(f"{path}/{made.json['id']}", headers=admin).status_code == 404
    assert client.delete(f"{path}/{10**30}", headers=admin).status_code == 404
    bad = client.post(path, json=entry | {"kind": "ip"}, headers=admin)
    assert (bad.status_code, bad.json["errors"][0]["field"]) == (422, "value")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/check", 405),
        ("GET", "/v1/sites/never.example/policy", 404),
        ("PUT", "/v1/sites/no%20site/policy", 422),
    ],
)
def test_every_refusal_is_a_problem(
    client: FlaskClient, admin: dict[str, str], method: str, path: str, status: int
) -> None:
    response = client.open(path, method=method, json={}, headers=admin)
    assert (response.status_code, response.content_type) == (status, PROBLEM)
    assert response.json["status"] == status
    assert ("Allow" in response.headers) == (status == 405)


def test_a_body_over_the_limit_is_a_problem(make_app: Callable[..., Flask]) -> None:
    client = make_app(max_body_bytes=65_536).test_client()
    response = client.post("/v1/check", json=a_check(content="x" * 70_000), headers=ALICE)
    assert (response.status_code, response.content_type) == (413, PROBLEM)


def test_an_outage_is_a_problem_and_no_verdict(make_app: Callable[..., Flask]) -> None:
    client = make_app(BrokenScore()).test_client()
    response = client.post("/v1/check", json=a_check(), headers=ALICE)
    assert (response.status_code, response.content_type) == (503, PROBLEM)
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize("content", ["", "\0 nul", "🙂", "x" * 100_000])
def test_odd_texts_are_judged_and_kept(client: FlaskClient, database: Database, content: str) -> None:
    assert client.post("/v1/check", json=a_check(content=content), headers=ALICE).status_code == 200
    assert n_rows(database) == 1


@pytest.mark.parametrize(
    ("escaped", "kept"),
    [
        (r"\ud83d cut", "\ufffd cut"),
        (r"cut \uDE00\ud83d", "cut \ufffd\ufffd"),
        (r"\ud83d\ude00 whole \ud83d", "\U0001f600 whole \ufffd"),
        (r"\\ud83d is no escape, \ud83d is", r"\ud83d is no escape, " + "\ufffd is"),
    ],
)
def test_half_a_character_is_judged_and_kept_as_a_replacement(
    client: FlaskClient, database: Database, escaped: str, kept: str
) -> None:
    body = json.dumps(a_check(content="HERE")).replace("HERE", escaped)
    assert client.post("/v1/check", data=body, headers=ALICE).status_code == 200
    with database.read() as connection:
        assert connection.execute(select(checks.c.body)).scalar_one() == kept


def test_the_openapi_document_is_valid_and_names_every_route(app: Flask, client: FlaskClient) -> None:
    document = client.get("/v1/openapi.json").json
    OpenAPIV31SpecValidator(document).validate()
    described = {
        (method.upper(), re.sub(r"\{.*?\}", "*", path))
        for path, methods in document["paths"].items()
        for method in methods
    }
    routed = {
        (method, re.sub(r"<.*?>", "*", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1") and rule.endpoint not in ("v1.openapi", "v1.docs")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == routed


def test_answers_fit_the_document(client: FlaskClient, admin: dict[str, str]) -> None:
    from openapi_schema_validator import OAS31Validator

    document = client.get("/v1/openapi.json").json
    client.put("/v1/sites/alice.example.com/policy", json={"budget_per_thousand": 5}, headers=admin)
    asked = {
        ("/v1/check", "post"): client.post("/v1/check", json=a_check(id="1"), headers=ALICE),
        ("/v1/sites", "get"): client.get("/v1/sites", headers=admin),
        ("/v1/sites/{site}/policy", "get"): client.get("/v1/sites/alice.example.com/policy", headers=admin),
        ("/v1/feedback", "post"): client.post("/v1/feedback", json={}, headers=ALICE),
    }
    for (path, method), response in asked.items():
        described = document["paths"][path][method]["responses"][str(response.status_code)]
        [content] = described["content"].values()
        schema = content["schema"] | {"components": document["components"]}
        OAS31Validator(schema).validate(response.json)


def test_the_page_needs_no_script_and_names_everything(client: FlaskClient) -> None:
    page = client.get("/v1/docs").text
    assert "<script" not in page
    for operation in OPERATIONS:
        assert f"{operation.method} /v1{operation.path}" in page
    assert "http" not in page


def test_a_revoked_admin_key_is_refused(app: Flask, client: FlaskClient) -> None:
    keys = app.extensions[EXTENSION].keys
    made = keys.create_admin()
    keys.revoke(made.key.id)
    assert client.get("/v1/sites", headers=bearer(made.text)).status_code == 401
