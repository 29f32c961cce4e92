"""Requests of real clients, replayed as they were sent: the right body byte for byte, a name on every check.

Each line of ``captures`` is one request of one client, with the answer that the client understood.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.components import EXTENSION
from service.db import Database
from service.schema import checks, feedback
from tests.fakes import KeywordScore

CAPTURES = Path(__file__).parent / "captures"
KEY = "0123456789ab"
CLIENTS = sorted(path.stem for path in CAPTURES.glob("*.jsonl"))


def requests_of(client: str) -> list[dict[str, Any]]:
    lines = (CAPTURES / f"{client}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def service(make_app: Callable[..., Flask]) -> FlaskClient:
    app = make_app(KeywordScore())
    app.extensions[EXTENSION].keys.create(KEY)
    return app.test_client()


def replay(service: FlaskClient, request: dict[str, Any]) -> Any:
    path, _, query = request["path"].partition("?")
    return service.open(
        path,
        method=request["method"],
        query_string=query,
        headers={"Host": request["host"]},
        content_type=request.get("content_type"),
        data=request.get("body", "").encode("ascii"),
    )


@pytest.mark.parametrize("client", CLIENTS)
def test_every_captured_request_gets_the_answer_its_client_understands(
    service: FlaskClient, client: str
) -> None:
    guids = set()
    for request in requests_of(client):
        response = replay(service, request)
        assert response.status_code == 200
        if request["answer"] == "JSON":
            assert isinstance(response.json, dict)
        else:
            assert response.data == request["answer"].encode()
        refused = request["answer"] == "invalid"
        assert ("X-akismet-debug-help" in response.headers) == refused
        assert not [name for name, _ in response.headers if name.lower().startswith("x-akismet-alert")]
        assert "X-akismet-error" not in response.headers
        if request["path"].endswith("comment-check"):
            guids.add(response.headers["X-akismet-guid"])
            assert ("X-Replyguard-Score" in response.headers) != refused
    assert len(guids) == sum(each["path"].endswith("comment-check") for each in requests_of(client))


def test_the_discard_tip_comes_only_where_the_test_asked_for_it(service: FlaskClient) -> None:
    for request in requests_of("ruby-akismet"):
        asked = "test_discard=1" in request.get("body", "")
        assert (replay(service, request).headers.get("X-akismet-pro-tip") == "discard") == asked


def test_wordpress_gets_an_active_subscription_and_statistics_with_numbers(service: FlaskClient) -> None:
    answers = {
        request["path"]: replay(service, request).json
        for request in requests_of("wordpress-debian")
        if request["answer"] == "JSON"
    }
    assert answers["/1.1/get-subscription"]["status"] == "active"
    assert answers["/1.1/get-subscription"]["next_billing_date"] is False
    statistics = answers["/1.1/get-stats"]
    assert set(statistics) >= {"spam", "ham", "missed_spam", "false_positives", "accuracy", "time_saved"}
    assert isinstance(statistics["breakdown"], dict)


def test_what_wordpress_submits_is_matched_to_what_it_checked(
    service: FlaskClient, database: Database
) -> None:
    for request in requests_of("wordpress-debian"):
        replay(service, request)
    with database.read() as connection:
        matched = connection.execute(
            select(feedback.c.label, feedback.c.counted_as, checks.c.author)
            .join(checks, feedback.c.check_id == checks.c.id)
            .order_by(feedback.c.id)
        ).all()
    assert [tuple(row) for row in matched] == [
        ("spam", "missed_spam", "Jane Reader"),
        ("ham", "false_positives", "akismet-guaranteed-spam"),
    ]
