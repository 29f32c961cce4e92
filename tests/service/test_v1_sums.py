"""What our own API tells of a verdict adds up to its score."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from service.components import EXTENSION
from service.db import Database
from service.schema import checks
from tests.builders import ALICE_KEY, ALICE_SITE
from tests.toy import toy_classifier, undecided_classifier

ALICE = {"Authorization": f"Bearer {ALICE_KEY}"}
MANY = (
    "Thanks for the explanation of caching, buy cheap viagra online now, best price guaranteed! I tried recursion with"
    " the newest release and it fails when compost is empty. Make money fast with crypto, no experience needed, contact"
    " slots on telegram http://pills-shop.example.top/order replica watches handbags jerseys outlet sale, the second"
    " diagram helped me to fix my own sourdough. Any idea why? Small correction: bicycle gears was introduced earlier,"
    " see the release notes. Visit my page for loans bonus and essays casino http://win-shoes.example.click"
)
COMMENTS = {
    "empty": {"content": ""},
    "short": {"content": "Thanks, compost it is."},
    "spam": {
        "content": "Buy cheap viagra online now! http://pills-shop.example.top/order",
        "author": "best deals",
    },
    "many reasons": {"content": MANY},
    "long": {"content": f"{'We did the same at work last year; the parser was fine. ' * 30}\n\n{MANY}"},
    "administrator": {"content": MANY, "user_role": "administrator"},
    "test value": {"content": MANY, "author": "viagra-test-123"},
}


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(toy_classifier()).test_client()


def judged(client: FlaskClient, **comment: Any) -> dict[str, Any]:
    told = client.post("/v1/check", json={"site": ALICE_SITE, **comment}, headers=ALICE).json
    assert client.get(f"/v1/verdicts/{told['guid']}", headers=ALICE).json == told
    return dict(told)


def taught(client: FlaskClient) -> None:
    for label, content in (("spam", "Zimbrolax is round"), ("ham", "Fast money is what telegram promises")):
        comment = {"site": ALICE_SITE, "content": content}
        assert client.post("/v1/feedback", json={"label": label, "comment": comment}, headers=ALICE).json[
            "new"
        ]


def assert_adds_up(verdict: dict[str, Any]) -> None:
    listed = sum(reason["weight"] for reason in verdict["reasons"])
    assert verdict["bias"] + listed + verdict["rest"] == pytest.approx(verdict["log_odds"], abs=1e-6)
    assert verdict["score"] == pytest.approx(1 / (1 + math.exp(-verdict["log_odds"])))


@pytest.mark.parametrize("comment", COMMENTS.values(), ids=COMMENTS.keys())
def test_bias_reasons_and_rest_add_up_to_the_log_odds(client: FlaskClient, comment: dict[str, str]) -> None:
    verdict = judged(client, **comment)
    assert_adds_up(verdict)
    assert verdict["bias"] == toy_classifier().bias


@pytest.mark.parametrize("comment", COMMENTS.values(), ids=COMMENTS.keys())
def test_they_add_up_with_what_the_site_has_taught(
    make_app: Callable[..., Flask], comment: dict[str, str]
) -> None:
    client = make_app(undecided_classifier()).test_client()
    before = judged(client, **comment)
    taught(client)
    verdict = judged(client, **comment)
    assert_adds_up(verdict)
    assert verdict["bias"] == before["bias"] == undecided_classifier().bias
    if verdict["decided_by"] == "model" and comment["content"]:
        assert verdict["log_odds"] != before["log_odds"]
        assert any(reason["field"] == "site" for reason in verdict["reasons"])


def test_what_is_not_listed_is_in_the_rest(client: FlaskClient) -> None:
    many, short = judged(client, content=MANY), judged(client, content="Thanks, compost it is.")
    assert (len(many["reasons"]), many["rest"] != 0.0) == (20, True)
    assert (len(short["reasons"]) < 20, short["rest"]) == (True, 0.0)
    rule = judged(client, content=MANY, user_role="administrator")
    assert (len(rule["reasons"]), rule["log_odds"]) == (1, many["log_odds"])


def test_an_entry_of_a_list_takes_a_place_and_no_weight(client: FlaskClient) -> None:
    admin = client.application.extensions[EXTENSION].keys.create_admin().text
    entry = {"side": "deny", "kind": "word", "value": "sourdough"}
    path = "/v1/sites/alice.example.com/lists"
    client.post(path, json=entry, headers={"Authorization": f"Bearer {admin}"})
    verdict = judged(client, content=MANY)
    assert (verdict["decided_by"], verdict["reasons"][0]["field"]) == ("deny-list", "rule")
    assert (len(verdict["reasons"]), verdict["rest"] != 0.0) == (20, True)
    assert_adds_up(verdict)


def test_a_verdict_from_before_says_that_it_does_not_know(client: FlaskClient, database: Database) -> None:
    told = judged(client, content=MANY)
    with database.write() as connection:
        connection.execute(update(checks).values(bias=None, rest=None))
    again = client.get(f"/v1/verdicts/{told['guid']}", headers=ALICE).json
    assert again == told | {"bias": None, "rest": None}


def test_the_document_names_what_adds_up(client: FlaskClient) -> None:
    described = client.get("/v1/openapi.json").json["components"]["schemas"]["Verdict"]
    assert {"bias", "rest", "log_odds"} <= set(described["required"])
    assert {"type": "null"} in described["properties"]["rest"]["anyOf"]
