"""Our own API for administration: versions of the model, retraining, retrospect, webhooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from model.classifier import SpamClassifier
from service.clock import utc_now
from service.components import EXTENSION
from service.db import Database
from service.schema import feedback, site_policies
from service.settings import Settings
from service.startup import open_registry
from service.stores.runs import RunStore
from service.webhooks import WebhookResult
from tests.builders import ALICE_KEY, ALICE_SITE, BOB_KEY, BOB_SITE

MINE = "0.1.0-mine"
Ask = Callable[..., TestResponse]


@pytest.fixture
def ask(app: Flask, client: FlaskClient) -> Ask:
    """Return a function that asks, with a key for administration or another, and holds answers to the document."""
    admin = app.extensions[EXTENSION].keys.create_admin(label="console").text
    document = client.get("/v1/openapi.json").json

    def call(method: str, path: str, described: str = "", with_key: str = admin, **body: Any) -> TestResponse:
        response = client.open(
            f"/v1{path}",
            method=method,
            json=body if method != "GET" else None,
            headers={"Authorization": f"Bearer {with_key}"},
        )
        operation = document["paths"][f"/v1{described or path}"][method.lower()]
        [content] = operation["responses"][str(response.status_code)]["content"].values()
        OAS31Validator(content["schema"] | {"components": document["components"]}).validate(response.json)
        return response

    return call


@pytest.fixture
def mine(prepared: Settings) -> str:
    """Put a second version into the registry; return the name of the one that answers."""
    registry = open_registry(prepared)
    shipped = registry.champion()
    old = registry.load(shipped)
    registry.add(
        SpamClassifier(
            version=MINE,
            params=old.params,
            weights=old.weights,
            bias=old.bias + 1.0,
            policy=old.policy,
            card=old.card,
        )
    )
    return shipped


def fields(response: TestResponse, status: int = 422) -> list[str]:
    assert response.status_code == status
    return [error["field"] for error in response.json["errors"]]


def test_versions_are_listed_shown_promoted_and_rolled_back(ask: Ask, mine: str, prepared: Settings) -> None:
    listed = {row["version"]: row["roles"] for row in ask("GET", "/models").json["versions"]}
    assert listed == {MINE: [], mine: ["champion", "shipped"]}
    assert ask("GET", f"/models/{mine}", "/models/{version}").json["version"] == mine
    assert ask("POST", "/models/promote", version=MINE, why="it is mine").json == {
        "version": MINE,
        "replaced": mine,
    }
    assert open_registry(prepared).champion() == MINE
    assert ask("POST", "/models/promote", version=MINE).json["replaced"] is None
    listed = {row["version"]: row["roles"] for row in ask("GET", "/models").json["versions"]}
    assert listed == {MINE: ["champion"], mine: ["shipped", "former"]}
    assert ask("POST", "/models/rollback").json == {"version": mine, "replaced": MINE}
    back, there, *_ = ask("GET", "/models").json["moves"]
    assert (back["what"], there["what"], there["why"]) == ("rollback", "promote", "it is mine")
    assert there["who"].startswith("API key ")
    assert "console" in there["who"]


def test_versions_are_compared(ask: Ask, mine: str) -> None:
    compared = ask("POST", "/models/compare", champion=mine, challenger=MINE).json
    assert compared["admits"] is False
    assert compared["reason"].startswith("too little to judge on")
    assert compared["report"]["n_flips"] == 0


def test_a_version_that_is_not_there_is_named(ask: Ask, mine: str, prepared: Settings) -> None:
    assert ask("GET", "/models/none", "/models/{version}").status_code == 404
    assert fields(ask("POST", "/models/promote", version="none")) == ["version"]
    assert fields(ask("POST", "/models/promote", version="../x")) == ["version"]
    assert fields(ask("POST", "/models/compare", champion=mine, challenger="none")) == ["challenger"]
    assert ask("POST", "/models/rollback").status_code == 404
    for path in (prepared.models_dir / MINE).glob("weights*"):
        path.write_bytes(b"damaged")
    assert fields(ask("POST", "/models/promote", version=MINE)) == ["version"]
    assert open_registry(prepared).champion() == mine


def test_a_retraining_is_asked_for_followed_and_cancelled(ask: Ask, database: Database) -> None:
    assert ask("POST", "/retraining/cancel").status_code == 404
    asked = ask("POST", "/retraining")
    assert (asked.status_code, asked.json["new"], asked.json["origin"]) == (202, True, "api")
    assert ask("POST", "/retraining").json["new"] is False
    path, described = f"/retraining/{asked.json['run']}", "/retraining/{run}"
    runs = RunStore(database, utc_now)
    run = runs.claim("a worker", lease_s=20.0)
    assert run is not None
    for stage in ("read", "fit"):
        runs.beat(run, "a worker", stage=stage, fraction=0.5)
    told = ask("GET", path, described).json
    assert (told["state"], told["stage"], told["fraction"]) == ("running", "fit", 0.5)
    assert [each["stage"] for each in told["stages"]] == ["read", "fit"]
    assert ask("POST", "/retraining/cancel").json["cancelled_by"].startswith("API key ")
    runs.finish(run, "a worker", "cancelled", {})
    assert [each["state"] for each in ask("GET", "/retraining").json["runs"]] == ["cancelled"]
    assert ask("GET", f"/retraining/{'0' * 32}", described).status_code == 404


def let_near_copies_through(client: FlaskClient) -> list[str]:
    """Let one comment through on alice's site and two like it on bob's, and call alice's spam; return their names."""
    text = "hello dear friends these wonderful running shoes come in eleven lovely colours this very summer"
    checked = [
        client.post(
            "/v1/check",
            json={"site": site, "content": f"{text} {word}", "author": word},
            headers={"Authorization": f"Bearer {key}"},
        ).json
        for site, key, word in (
            (ALICE_SITE, ALICE_KEY, "Anna"), (BOB_SITE, BOB_KEY, "Ben"), (BOB_SITE, BOB_KEY, "Cleo"),
        )
    ]  # fmt: skip
    assert {check["answer"] for check in checked} == {"ham"}
    client.post(
        "/v1/feedback",
        json={"label": "spam", "guid": checked[0]["guid"]},
        headers={"Authorization": f"Bearer {ALICE_KEY}"},
    )
    return [check["guid"] for check in checked]


def test_near_copies_are_listed_and_corrected(ask: Ask, client: FlaskClient, database: Database) -> None:
    checked = let_near_copies_through(client)
    listed = ask("POST", "/retrospect/near-copies").json["near_copies"]
    assert {copy["guid"] for copy in listed} == set(checked[1:])
    assert {copy["spam_site"] for copy in listed} == {"alice.example.com"}
    path = "/retrospect/corrections"
    first, missing = checked[1], "0" * 32
    done = ask("POST", path, guids=[first, missing]).json
    assert (done["n_corrected"], done["n_known"], done["unknown"]) == (1, 0, [missing])
    assert ask("POST", path, guids=[first]).json["n_known"] == 1
    assert ask("POST", path, days=7).json["n_corrected"] == 1
    with database.read() as connection:
        n_labels = connection.execute(select(func.count()).select_from(feedback)).scalar_one()
    assert n_labels == 3
    assert ask("POST", "/retrospect/near-copies").json["near_copies"] == []


def test_a_site_that_could_not_be_told_is_told_when_asked_again(
    ask: Ask, app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    [_, copy, _] = let_near_copies_through(client)
    webhooks = app.extensions[EXTENSION].webhooks
    problems = iter(["the site did not answer", ""])

    def tell(corrected: Any) -> list[WebhookResult]:
        return [WebhookResult(check.site.address, 1, 1, next(problems)) for check in corrected]

    monkeypatch.setattr(webhooks, "tell", tell)
    path = "/retrospect/corrections"
    assert ask("POST", path, guids=[copy]).json["told"][0]["problem"] == "the site did not answer"
    again = ask("POST", path, guids=[copy]).json
    assert (again["n_corrected"], again["n_known"], again["told"][0]["problem"]) == (0, 1, "")


def test_near_copies_are_looked_for_once_at_a_time(
    ask: Ask, app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = let_near_copies_through(client)
    retrospect = app.extensions[EXTENSION].retrospect
    looked = retrospect.near_copies

    def asked_again(**arguments: Any) -> Any:
        refused = ask("POST", "/retrospect/near-copies")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
        assert ask("POST", "/retrospect/corrections", days=7).status_code == 503
        assert ask("POST", "/retrospect/corrections", guids=checked[1:2]).json["n_corrected"] == 1
        return looked(**arguments)

    monkeypatch.setattr(retrospect, "near_copies", asked_again)
    assert [copy["guid"] for copy in ask("POST", "/retrospect/near-copies").json["near_copies"]] == checked[
        2:
    ]
    monkeypatch.undo()
    assert ask("POST", "/retrospect/corrections", days=7).json["n_corrected"] == 1


def test_a_sites_key_sees_and_corrects_near_copies_of_its_own_site_only(
    ask: Ask, app: Flask, client: FlaskClient, database: Database
) -> None:
    app.extensions[EXTENSION].keys.create("c0ffee000003")
    alices, *bobs = let_near_copies_through(client)
    for key in (ALICE_KEY, "c0ffee000003"):
        assert ask("POST", "/retrospect/near-copies", with_key=key).json["near_copies"] == []
        tried = ask("POST", "/retrospect/corrections", with_key=key, guids=bobs).json
        assert (tried["n_corrected"], tried["unknown"]) == (0, bobs)
        assert ask("POST", "/retrospect/corrections", with_key=key, days=7).json["n_corrected"] == 0
    listed = ask("POST", "/retrospect/near-copies", with_key=BOB_KEY).json["near_copies"]
    assert {copy["guid"] for copy in listed} == set(bobs)
    assert {copy["spam_site"] for copy in listed} == {None}, "which site got the spam is not bob's to know"
    done = ask("POST", "/retrospect/corrections", with_key=BOB_KEY, guids=[bobs[0], alices]).json
    assert (done["n_corrected"], done["unknown"]) == (1, [alices])
    [left] = ask("POST", "/retrospect/near-copies", with_key=BOB_KEY).json["near_copies"]
    # Now the like of it was called spam on bob's own site too, or is alice's still more like it.
    assert left["spam_site"] in (None, "bob.example.net")
    assert ask("POST", "/retrospect/corrections", with_key=BOB_KEY, days=7).json["n_corrected"] == 1
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(feedback)).scalar_one() == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "guids"), ({"guids": ["0" * 32], "days": 7}, "guids"), ({"guids": ["x"]}, "guids.0"),
     ({"days": 0}, "days"), ({"days": 400}, "days")],
)  # fmt: skip
def test_corrections_that_make_no_sense_name_the_field(ask: Ask, body: dict[str, Any], field: str) -> None:
    assert fields(ask("POST", "/retrospect/corrections", **body)) == [field]


def test_a_webhook_takes_a_key_of_the_site_and_keeps_it_encrypted(ask: Ask, database: Database) -> None:
    path, described = "/sites/alice.example.com/webhook", "/sites/{site}/webhook"
    assert ask("GET", path, described).json == {"site": "alice.example.com", "mode": "off"}
    for body in ({"mode": "public"}, {"mode": "public", "key": BOB_KEY}, {"mode": "private", "key": "x"}):
        assert fields(ask("PUT", path, described, **body)) == ["key"]
    assert fields(ask("PUT", path, described, mode="loud")) == ["mode"]
    assert ask("PUT", path, described, mode="private", key=ALICE_KEY).json["mode"] == "private"
    assert ask("GET", path, described).json["mode"] == "private"
    with database.read() as connection:
        kept = connection.execute(select(site_policies.c.webhook_key)).scalar_one()
    assert kept
    assert ALICE_KEY not in kept
    assert ask("PUT", path, described, mode="off").json["mode"] == "off"
    with database.read() as connection:
        assert connection.execute(select(site_policies.c.webhook_key)).scalar_one() is None


def test_a_sites_key_sets_the_webhook_of_its_own_site_only_and_not_into_private_networks(
    ask: Ask, app: Flask
) -> None:
    app.extensions[EXTENSION].keys.create("c0ffee000003")
    path, described = "/sites/alice.example.com/webhook", "/sites/{site}/webhook"
    for key in (BOB_KEY, "c0ffee000003"):
        assert fields(ask("GET", path, described, with_key=key), 403) == ["site"]
        assert fields(ask("PUT", path, described, with_key=key, mode="public", key=ALICE_KEY), 403) == [
            "site"
        ]
    assert fields(ask("PUT", path, described, with_key=ALICE_KEY, mode="private", key=ALICE_KEY), 403) == [
        "mode"
    ]
    assert ask("GET", path, described).json["mode"] == "off"
    assert (
        ask("PUT", path, described, with_key=ALICE_KEY, mode="public", key=ALICE_KEY).json["mode"] == "public"
    )
    assert ask("GET", path, described, with_key=ALICE_KEY).json["mode"] == "public"
    assert ask("PUT", path, described, with_key=ALICE_KEY, mode="off").json["mode"] == "off"
