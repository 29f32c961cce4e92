"""The protocol's endpoints one by one, with the three people: alice, bob, and charlie without a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.components import EXTENSION
from service.db import Database
from service.settings import UnsureAnswer
from service.sites import parse_site
from service.stores.counts import CountStore
from service.stores.sites import SiteStore
from tests.builders import ALICE_KEY, ALICE_SITE, BOB_KEY, BOB_SITE, UNKNOWN_KEY, a_form
from tests.fakes import BrokenScore, FixedScore, FrozenClock

CHECK = "/1.1/comment-check"
HELP = "X-akismet-debug-help"
GUID = "X-akismet-guid"
THANKS = b"Thanks for making the web a better place."
POSTS = ["verify-key", "comment-check", "submit-spam", "submit-ham", "get-subscription", "get-stats"]
POSTS += ["deactivate", "token"]


@pytest.mark.parametrize(
    ("body", "answer", "verdict", "tip"),
    [
        ("what a lovely post", b"false", "ham", None),
        ("maybe you would like", b"false", "unsure", None),
        ("casino", b"true", "spam", None),
        ("blatant", b"true", "spam", "discard"),
    ],
)
def test_a_check_is_answered_by_the_verdict(
    client: FlaskClient, body: str, answer: bytes, verdict: str, tip: str | None
) -> None:
    response = client.post(CHECK, data=a_form(comment_content=body))
    assert (response.status_code, response.data) == (200, answer)
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Replyguard-Verdict"] == verdict
    assert response.headers.get("X-akismet-pro-tip") == tip
    assert len(response.headers[GUID]) == 32


def test_our_own_headers_carry_score_model_and_reasons(client: FlaskClient) -> None:
    headers = client.post(CHECK, data=a_form(comment_content="casino")).headers
    assert headers["X-Replyguard-Score"] == "0.970000"
    assert headers["X-Replyguard-Model"] == "keyword-1"
    assert headers["X-Replyguard-Reasons"] == 'word "casino" +3.5'


@pytest.mark.parametrize(
    ("unsure", "answer", "held"),
    [
        (UnsureAnswer.PUBLISH, b"false", False),
        (UnsureAnswer.SPAM, b"true", False),
        (UnsureAnswer.HOLD, b"hold", True),
    ],
)
def test_unsure_goes_over_the_wire_as_the_operator_says(
    make_app: Callable[..., Flask], unsure: UnsureAnswer, answer: bytes, held: bool
) -> None:
    client = make_app(unsure=unsure).test_client()
    response = client.post(CHECK, data=a_form(comment_content="maybe"))
    assert (response.status_code, response.data) == (200, answer)
    assert ("X-akismet-error" in response.headers) == held
    assert GUID in response.headers


@pytest.mark.parametrize(
    ("score", "verdict"), [(0.2999, "ham"), (0.30, "unsure"), (0.8999, "unsure"), (0.90, "spam")]
)
def test_cut_offs_are_half_open_on_the_wire(
    make_app: Callable[..., Flask], score: float, verdict: str
) -> None:
    response = make_app(FixedScore(score)).test_client().post(CHECK, data=a_form())
    assert response.headers["X-Replyguard-Verdict"] == verdict


def test_the_operators_cut_offs_replace_the_models(make_app: Callable[..., Flask]) -> None:
    client = make_app(FixedScore(0.5), spam_from=0.4).test_client()
    assert client.post(CHECK, data=a_form()).data == b"true"


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"comment_author": "akismet-guaranteed-spam"}, b"true"),
        ({"comment_author": "viagra-test-123"}, b"true"),
        ({"comment_author_email": "akismet-guaranteed-spam@example.com"}, b"true"),
        ({"comment_content": "akismet-guaranteed-spam"}, b"false"),
        ({"comment_content": "casino", "user_role": "administrator"}, b"false"),
        ({"comment_content": "casino", "user_role": "editor, Administrator"}, b"false"),
        ({"comment_content": "casino", "user_role": "not-administrator"}, b"true"),
        ({"comment_author": "akismet-guaranteed-spam", "user_role": "administrator"}, b"false"),
        ({"comment_author": "akismet-guaranteed-spam", "is_test": "1"}, b"true"),
    ],
)
def test_guaranteed_values_and_administrators(
    client: FlaskClient, fields: dict[str, str], answer: bytes
) -> None:
    assert client.post(CHECK, data=a_form(**fields)).data == answer


@pytest.mark.parametrize(
    ("is_test", "test_discard", "tip"),
    [("1", "1", "discard"), ("True", "true", "discard"), ("1", "False", None), ("0", "1", None)],
)
def test_a_test_may_ask_for_the_discard_tip(
    client: FlaskClient, is_test: str, test_discard: str, tip: str | None
) -> None:
    fields = {"comment_author": "akismet-guaranteed-spam", "is_test": is_test, "test_discard": test_discard}
    assert client.post(CHECK, data=a_form(**fields)).headers.get("X-akismet-pro-tip") == tip


@pytest.mark.parametrize(
    ("fields", "help_text"),
    [
        ({"user_ip": None}, "Missing required field: user_ip"),
        ({"user_ip": "  "}, "Missing required field: user_ip"),
        ({"blog": None}, "Missing required field: blog"),
        ({"blog": "no address"}, "Invalid field blog: it is not a web address; send the site's full URL"),
        ({"api_key": None}, "Missing required field: api_key"),
        ({"api_key": UNKNOWN_KEY}, "The API key is unknown or revoked: check the field api_key"),
        ({"api_key": "not hex"}, "The API key is unknown or revoked: check the field api_key"),
        ({"blog": BOB_SITE}, "The API key is tied to other sites than the one in the field blog"),
    ],
)
def test_a_refused_check_names_the_field_and_has_a_guid(
    client: FlaskClient, fields: dict[str, Any], help_text: str
) -> None:
    response = client.post(CHECK, data=a_form(**fields))
    assert (response.status_code, response.data) == (200, b"invalid")
    assert response.headers[HELP] == help_text
    assert len(response.headers[GUID]) == 32
    assert "X-Replyguard-Score" not in response.headers


@pytest.mark.parametrize("name", ["submit-spam", "submit-ham"])
def test_a_submission_is_thanked_even_without_the_commenters_address(client: FlaskClient, name: str) -> None:
    response = client.post(f"/1.1/{name}", data=a_form(user_ip=None))
    assert (response.status_code, response.data) == (200, THANKS)
    assert HELP not in response.headers


@pytest.mark.parametrize("name", ["submit-spam", "submit-ham"])
def test_a_submission_without_a_site_is_refused(client: FlaskClient, name: str) -> None:
    response = client.post(f"/1.1/{name}", data=a_form(blog=None))
    assert (response.data, response.headers[HELP]) == (b"invalid", "Missing required field: blog")


@pytest.mark.parametrize("name", POSTS)
def test_charlie_without_a_key_is_refused_everywhere(client: FlaskClient, name: str) -> None:
    for key in (None, UNKNOWN_KEY, "<script>"):
        response = client.post(f"/1.1/{name}", data=a_form(api_key=key))
        assert (response.status_code, response.data) == (200, b"invalid")
        assert HELP in response.headers


@pytest.mark.parametrize("name", POSTS)
def test_bob_may_not_ask_for_alices_site(client: FlaskClient, name: str) -> None:
    response = client.post(f"/1.1/{name}", data=a_form(api_key=BOB_KEY))
    assert (response.data, HELP in response.headers) == (b"invalid", True)


@pytest.mark.parametrize(
    "host",
    [
        f"{ALICE_KEY}.rest.akismet.com",
        f"{ALICE_KEY}.spam.example:8080",
        f"{ALICE_KEY.upper()}.Rest.Akismet.com:443",
        f"{ALICE_KEY}.localhost",
    ],
)
def test_the_first_label_of_any_host_is_a_key(client: FlaskClient, host: str) -> None:
    response = client.post(CHECK, data=a_form(api_key=None), headers={"Host": host})
    assert response.data == b"false"


@pytest.mark.parametrize("host", ["rest.akismet.com", "spam.example.com", ALICE_KEY, "[::1]:80", "", "b@d;"])
def test_other_hosts_are_no_key(client: FlaskClient, host: str) -> None:
    response = client.post(CHECK, data=a_form(api_key=None), headers={"Host": host})
    assert (response.status_code, response.data) == (200, b"invalid")


def test_the_field_decides_before_the_host(client: FlaskClient) -> None:
    host = f"{ALICE_KEY}.rest.akismet.com"
    response = client.post(CHECK, data=a_form(api_key=UNKNOWN_KEY), headers={"Host": host})
    assert response.data == b"invalid"


def test_a_key_may_come_in_the_query_and_in_capitals(client: FlaskClient) -> None:
    response = client.post(f"{CHECK}?api_key={ALICE_KEY.upper()}", data=a_form(api_key=None))
    assert response.data == b"false"


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"key": ALICE_KEY}, b"valid"),
        ({"api_key": ALICE_KEY}, b"valid"),
        ({"key": UNKNOWN_KEY, "api_key": ALICE_KEY}, b"invalid"),
        ({"key": ALICE_KEY, "api_key": UNKNOWN_KEY}, b"valid"),
        ({"key": ""}, b"invalid"),
    ],
)
def test_verify_key_answers_for_the_key_asked_about(
    client: FlaskClient, fields: dict[str, str], answer: bytes
) -> None:
    response = client.post("/1.1/verify-key", data={"blog": ALICE_SITE, **fields})
    assert (response.data, HELP in response.headers) == (answer, answer == b"invalid")


def test_verify_key_takes_a_body_that_is_not_percent_encoded(client: FlaskClient) -> None:
    body = f"key={ALICE_KEY}&blog=https://www.Alice.example.com:443/"
    assert client.post("/1.1/verify-key", data=body).data == b"valid"


def test_the_small_endpoints(client: FlaskClient) -> None:
    assert client.get("/1.1/test").data == b"connected"
    assert client.get("/1.2/compatible-plugins").json == []
    assert client.post("/1.1/deactivate", data={"key": ALICE_KEY, "blog": ALICE_SITE}).data == b"deactivated"


def test_a_token_is_opaque_and_steady(client: FlaskClient) -> None:
    tokens = [client.post("/1.1/token", data={"api_key": ALICE_KEY}).text for _ in range(2)]
    assert tokens[0] == tokens[1]
    assert len(tokens[0]) == 32
    assert ALICE_KEY not in tokens[0]
    assert client.post("/1.1/token", data={"api_key": BOB_KEY}).text != tokens[0]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_usage_is_counted_from_real_checks(client: FlaskClient, method: str) -> None:
    client.post(CHECK, data=a_form())
    client.post(CHECK, data=a_form(is_test="1"))
    plain = client.open("/1.2/usage-limit", method=method, query_string={"api_key": ALICE_KEY}).json
    assert plain == {"limit": "none", "usage": 1, "percentage": "0.00", "throttled": False}
    extended = {"api_key": ALICE_KEY, "extended": "true"}
    more = client.open("/1.2/usage-limit", method=method, query_string=extended).json
    assert (more["notice_level"], more["upgrade"]) == (0, False)


def test_statistics_are_by_site_and_by_key(app: Flask, client: FlaskClient, clock: FrozenClock) -> None:
    key = "c0ffee000003"
    app.extensions[EXTENSION].keys.create(key)
    for blog, body in ((ALICE_SITE, "casino"), (ALICE_SITE, "hello"), (BOB_SITE, "hello")):
        client.post(CHECK, data=a_form(api_key=key, blog=blog, comment_content=body))
    client.post("/1.1/submit-ham", data=a_form(api_key=key, comment_content="casino"))
    clock.advance(days=31)
    client.post(CHECK, data=a_form(api_key=key, comment_content="casino"))
    asked = {"key": key, "api_key": key, "blog": ALICE_SITE, "from": "6-months"}
    site = client.post("/1.1/get-stats", data=asked).json
    assert site == {
        "spam": 2,
        "ham": 1,
        "missed_spam": 0,
        "false_positives": 1,
        "accuracy": "66.67",
        "time_saved": 10,
        "breakdown": {
            "2026-03": {
                "spam": 1, "ham": 1, "missed_spam": 0, "false_positives": 1, "blogs": 1, "da": "2026-03-01",
            },
            "2026-04": {
                "spam": 1, "ham": 0, "missed_spam": 0, "false_positives": 0, "blogs": 1, "da": "2026-04-01",
            },
        },
    }  # fmt: skip
    whole = client.post("/1.2/get-key-stats", data=asked | {"from": "60-days"}).json
    assert (whole["ham"], whole["breakdown"]["2026-03-14"]["blogs"]) == (2, 2)
    years = client.post("/1.2/get-key-stats", data=asked | {"from": "all"}).json["breakdown"]
    assert list(years) == ["2026"]
    refused = client.post("/1.1/get-stats", data=asked | {"from": "yesterday"})
    assert (refused.data, refused.headers[HELP].split(":")[0]) == (b"invalid", "Invalid field from")


def test_statistics_of_a_fresh_key_are_zero(client: FlaskClient) -> None:
    answer = client.post("/1.1/get-stats", data={"key": ALICE_KEY, "blog": ALICE_SITE, "from": "all"}).json
    assert (answer["spam"], answer["accuracy"], answer["breakdown"]) == (0, "0.00", {})


def test_key_sites_lists_what_a_key_was_used_for(app: Flask, client: FlaskClient) -> None:
    key = "c0ffee000003"
    app.extensions[EXTENSION].keys.create(key)
    for n_calls, blog in ((1, ALICE_SITE), (3, BOB_SITE)):
        for _ in range(n_calls):
            client.post(CHECK, data=a_form(api_key=key, blog=blog))
    answer = client.get("/1.2/key-sites", query_string={"api_key": key}).json
    rows = answer["2026-03"]
    assert [row["site"] for row in rows] == ["bob.example.net", "alice.example.com"]
    assert rows[0] == {
        "site": "bob.example.net", "api_calls": "3", "spam": "0", "ham": "3", "missed_spam": "0",
        "false_positives": "0", "is_revoked": False,
    }  # fmt: skip
    assert (answer["limit"], answer["offset"], answer["total"]) == (500, 0, 2)
    page = {"api_key": key, "limit": "1", "offset": "1", "month": "2026-03", "order": "ham"}
    assert client.post("/1.2/key-sites", data=page).json["2026-03"][0]["site"] == "alice.example.com"
    found = client.get("/1.2/key-sites", query_string={"api_key": key, "filter": "BOB"}).json
    assert (found["total"], len(found["2026-03"])) == (1, 1)
    other = client.get("/1.2/key-sites", query_string={"api_key": key, "month": "2025-01"}).json
    assert (other["2025-01"], other["total"]) == ([], 0)


def test_key_sites_as_csv(client: FlaskClient) -> None:
    client.post(CHECK, data=a_form())
    response = client.get("/1.2/key-sites", query_string={"api_key": ALICE_KEY, "format": "csv"})
    assert response.content_type.startswith("text/csv")
    assert response.text == (
        f"Active sites for {ALICE_KEY} during 2026-03 (limit:500, offset: 0, total: 1)\n"
        "Site,Total API Calls,Spam,Ham,Missed Spam,False Positives,Is Revoked\n"
        "alice.example.com,1,0,1,0,0,false\n"
    )


@pytest.mark.parametrize(
    "field", ["month=2026-13", "month=March", "limit=-1", "offset=x", "order=size", "format=xml"]
)
def test_key_sites_names_the_field_it_cannot_use(client: FlaskClient, field: str) -> None:
    response = client.get(f"/1.2/key-sites?api_key={ALICE_KEY}&{field}")
    assert (response.status_code, response.data) == (200, b"invalid")
    assert response.headers[HELP].startswith(f"Invalid field {field.split('=')[0]}: ")


def test_key_sites_without_a_key_is_refused_not_an_error(client: FlaskClient) -> None:
    response = client.get("/1.2/key-sites?format=json")
    assert (response.status_code, response.data) == (200, b"invalid")


def test_a_site_that_the_key_no_longer_serves_shows_as_revoked(
    client: FlaskClient, database: Database, clock: FrozenClock
) -> None:
    with database.write() as connection:
        site_id = SiteStore().resolve(connection, parse_site(BOB_SITE), clock())
        CountStore.add(connection, day=clock().date(), key_id=1, site_id=site_id, amounts={"calls": 4})
    rows = client.get("/1.2/key-sites", query_string={"api_key": ALICE_KEY}).json["2026-03"]
    assert [(row["site"], row["is_revoked"]) for row in rows] == [("bob.example.net", True)]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", CHECK, 405),
        ("HEAD", CHECK, 405),
        ("PUT", CHECK, 405),
        ("GET", "/1.2/comment-check", 404),
        ("POST", f"{CHECK}/more/comment-check", 404),
    ],
)
def test_wrong_methods_and_paths_of_a_check_still_have_a_guid(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    response = client.open(path, method=method)
    assert response.status_code == status
    assert response.data not in (b"true", b"false")
    assert len(response.headers[GUID]) == 32


@pytest.mark.parametrize("path", ["/1.1/", "/1.1/no-such-thing", "/1.2/nothing", "/elsewhere"])
def test_unknown_paths_are_404_in_plain_text(client: FlaskClient, path: str) -> None:
    response = client.post(path)
    assert response.status_code == 404
    assert response.content_type.startswith("text/plain")
    assert GUID not in response.headers


def test_a_final_slash_is_no_other_path(client: FlaskClient) -> None:
    assert client.post(f"{CHECK}/", data=a_form()).data == b"false"


def test_a_body_over_the_limit_is_413_with_a_guid(make_app: Callable[..., Flask]) -> None:
    client = make_app(max_body_bytes=65_536).test_client()
    assert client.post(CHECK, data=a_form(comment_content="x" * 60_000)).data == b"false"
    response = client.post(CHECK, data=a_form(comment_content="x" * 70_000))
    assert (response.status_code, GUID in response.headers) == (413, True)
    assert "comment_content" in response.headers["X-akismet-debug-help"]
    assert response.data not in (b"true", b"false")


def test_a_fault_of_the_program_is_unavailable_with_a_guid(make_app: Callable[..., Flask]) -> None:
    response = make_app(BrokenScore()).test_client().post(CHECK, data=a_form())
    assert (response.status_code, response.data) == (503, b"unavailable")
    assert response.headers["X-akismet-error"] == "an internal error"
    assert int(response.headers["Retry-After"]) > 0
    assert len(response.headers[GUID]) == 32


def test_every_guid_is_new(client: FlaskClient) -> None:
    guids = {client.post(CHECK, data=a_form()).headers[GUID] for _ in range(20)}
    assert len(guids) == 20
