"""From a held comment to the appeal, the admin's look, the correction, and the next check that passes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.components import EXTENSION
from service.pseudonyms import Pseudonyms
from service.settings import UnsureAnswer
from service.sites import parse_site
from service.stores.policies import WebhookMode
from service.webhooks import KeyVault
from tests.builders import a_form
from tests.commands import Commands
from tests.conftest import TEST_DATABASE_URL
from tests.functional.test_retrospect import Site, site  # noqa: F401 - a fixture
from tests.toy import undecided_classifier

CHECK = "/1.1/comment-check"
HELD = "Buy cheap shoes online now, best price guaranteed! http://pills-shop.example.top/order"
KEY = "c0ffee000003"
Admin = Callable[..., Any]


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    # Spam for the site, and yet not beyond what one person's word can change.
    app = make_app(undecided_classifier(), unsure=UnsureAnswer.SPAM)
    app.extensions[EXTENSION].keys.create(KEY)
    return app.test_client()


@pytest.fixture
def admin(client: FlaskClient) -> Admin:
    """Return a function that asks our own API with a key for administration."""
    text = client.application.extensions[EXTENSION].keys.create_admin(label="console").text

    def call(path: str = "", **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {text}"}
        if body:
            return client.post(f"/v1/appeals{path}", json=body, headers=headers)
        return client.get(f"/v1/appeals{path}", headers=headers)

    return call


def held(client: FlaskClient, **fields: str) -> str:
    answer = client.post(CHECK, data=a_form(comment_content=HELD, api_key=KEY, **fields))
    assert answer.data == b"true"
    return answer.headers["X-akismet-guid"]


def appeal(client: FlaskClient, blog: str) -> str:
    sent = client.post(
        "/privacy/appeal",
        data={
            "site": f"{blog}/shoes",
            "email": "maud@mail.example.org",
            "message": "I mended\nmy \x1b[31mshoes.",
        },
    )
    return re.search(r"[0-9a-f]{4}(-[0-9a-f]{4}){2}", sent.location)[0]  # type: ignore[index]


def test_a_released_comment_passes_the_next_check(
    client: FlaskClient,
    admin: Admin,
    site: Site,  # noqa: F811 - a fixture
    pseudonyms: Pseudonyms,
) -> None:
    blog = f"http://{site.address}"
    guid = held(client, blog=blog, callback=f"{blog}/hook")
    parts = client.application.extensions[EXTENSION]
    sealed = KeyVault(pseudonyms).seal(KEY)
    parts.administration._store.put_webhook(
        parse_site(blog), WebhookMode.PRIVATE, sealed, parts.appeals._clock()
    )
    number = appeal(client, blog)
    listed = admin().json
    assert (listed["n_open"], [each["number"] for each in listed["appeals"]]) == (1, [number])
    shown = admin(f"/{number}").json
    [comment] = shown["comments"]
    assert (comment["verdict"]["guid"], comment["content"], comment["label"]) == (guid, HELD, None)
    assert comment["verdict"]["reasons"]

    done = admin(f"/{number}/resolution", outcome="released", note="mends shoes").json
    assert (done["released"], done["n_new"]) == ([guid], 1)
    assert done["told"] == [{"site": site.address, "n_changed": 1, "problem": None}]
    assert site.got[0][2]["comments"] == [{"guid": guid, "result": "false"}]
    assert (done["appeal"]["outcome"], done["appeal"]["note"]) == ("released", "mends shoes")
    assert "console" in done["appeal"]["resolved_by"]

    again = client.post(CHECK, data=a_form(comment_content=HELD, api_key=KEY, blog=blog))
    assert again.data == b"false"
    elsewhere = client.post(
        CHECK, data=a_form(comment_content=HELD, api_key=KEY, blog="https://other.example")
    )
    assert elsewhere.data == b"true"
    assert admin().json == {"n_open": 0, "appeals": []}
    assert admin(f"/{number}").json["comments"][-1]["label"] == "ham"


def test_what_cannot_be_done_is_a_problem_with_its_field(client: FlaskClient, admin: Admin) -> None:
    number = appeal(client, "https://nobody.example")
    for path, body, status, field in (
        ("/0000-0000-0000", {}, 404, None),
        ("/%00", {}, 404, None),
        ("/0000-0000-0000/resolution", {"outcome": "kept"}, 404, None),
        (f"/{number}/resolution", {"outcome": "released"}, 422, "checks"),
        (f"/{number}/resolution", {"outcome": "forgotten"}, 422, "outcome"),
        (f"/{number}/resolution", {"outcome": "kept", "checks": ["0" * 32]}, 422, "checks"),
        (f"/{number}/resolution", {"outcome": "kept", "note": "x" * 2001}, 422, "note"),
        (f"/{number}/resolution", {"outcome": "no-record"}, 200, None),
        (f"/{number}/resolution", {"outcome": "kept"}, 409, None),
    ):
        answer = admin(path, **body)
        assert answer.status_code == status, path
        if status != 200:
            assert answer.content_type == "application/problem+json"
        if field is not None:
            assert answer.json["errors"][0]["field"] == field


@pytest.mark.skipif(bool(TEST_DATABASE_URL), reason="the command opens the data folder's own database")
def test_the_queue_on_the_command_line(client: FlaskClient, tmp_path: Path, commands: Commands) -> None:
    settings = {"REPLYGUARD_DATA_DIR": str(tmp_path / "var"), "REPLYGUARD_LOG_LEVEL": "error"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return commands.run(*arguments, settings=settings)

    assert run("appeals", "list").stdout == "No appeal is open.\n"
    blog = "https://alice.example.com"
    first, second = held(client, blog=blog), held(client, blog=blog, comment_author="Maud B.")
    number = appeal(client, blog)
    listed = run("appeals", "list").stdout
    for part in (number, "alice.example.com", "e-mail", "open", "I mended my  [31mshoes."):
        assert " ".join(part.split()) in " ".join(listed.split())
    shown = run("appeals", "show", number).stdout
    assert "\x1b" not in shown
    for part in (first, second, HELD, "the site was told: spam", "reasons", "people say"):
        assert part in shown
    # The application's clock stands still in the past, so somebody has waited long.
    found = " ".join(run("doctor").stdout.split())
    assert "appeals open: 1, the oldest for" in found
    assert "replyguard appeals list" in found

    unclear = run("appeals", "resolve", number, "--release")
    assert (unclear.returncode, "more than one check was held" in unclear.stderr) == (2, True)
    assert run("appeals", "resolve", number).returncode == 2
    done = run("appeals", "resolve", number, "--release", "--check", first, "--note", "a real one")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Appeal {number} is closed: released." in done.stdout
    assert f"{first} on alice.example.com is called a real comment." in done.stdout
    assert "No site was told" in done.stdout
    assert client.post(CHECK, data=a_form(comment_content=HELD, api_key=KEY)).data == b"false"
    again = run("appeals", "resolve", number, "--keep")
    assert (again.returncode, "is resolved" in again.stderr) == (1, True)
    assert "a real one" in run("appeals", "show", number).stdout
    assert run("appeals", "show", "0000").returncode == 1
    assert number in run("appeals", "list", "--all").stdout
    assert "nobody waits" in run("doctor").stdout
