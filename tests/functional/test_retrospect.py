"""Looking back: near-copies of spam that were let through, their correction, and the call to the site."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trustme
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from service.components import EXTENSION
from service.db import Database
from service.pseudonyms import Pseudonyms
from service.retrospect import Retrospect
from service.schema import checks, daily_counts, feedback, site_policies
from service.sites import parse_site
from service.stores.checks import CheckStore
from service.stores.policies import PolicyStore, WebhookMode
from service.stores.retrospect import RetrospectStore
from service.stores.sites import SiteStore
from service.webhooks import KeyVault, Webhooks
from tests.builders import BOB_KEY, BOB_SITE, a_form
from tests.fakes import FrozenClock

CHECK = "/1.1/comment-check"
SPAM = "Our wonderful watches are the finest in town, order yours today from {}"


@pytest.fixture
def retrospect(app: Flask, database: Database, clock: FrozenClock) -> Retrospect:
    return Retrospect(
        log=RetrospectStore(database),
        checks=CheckStore(database, SiteStore()),
        feedback=app.extensions[EXTENSION].feedback,
        clock=clock,
    )


def post(client: FlaskClient, body: str, path: str = CHECK, **fields: str) -> str:
    response = client.post(path, data=a_form(comment_content=body, **fields))
    return response.headers.get("X-akismet-guid", "")


def bob(client: FlaskClient, body: str, path: str = CHECK, **fields: str) -> str:
    return post(client, body, path, api_key=BOB_KEY, blog=BOB_SITE, **fields)


def test_near_copies_are_found_on_all_sites_and_corrected(
    client: FlaskClient, retrospect: Retrospect, database: Database
) -> None:
    post(client, SPAM.format("Basel"))
    copy = bob(client, SPAM.format("Bern"))
    bob(client, "I disagree: the finest watches in town are to be had from somebody else, as you know")
    assert retrospect.near_copies() == []
    post(client, SPAM.format("Basel"), "/1.1/submit-spam")
    [found] = retrospect.near_copies()
    assert (found.check.guid, found.check.site.address) == (copy, "bob.example.net")
    assert found.spam_site == "alice.example.com"
    assert found.likeness == pytest.approx(12 / 14)
    [(guid, check, is_new)] = retrospect.correct([copy])
    assert (guid, check is not None, is_new) == (copy, True, True)
    assert retrospect.near_copies() == []
    assert [is_new for _, _, is_new in retrospect.correct([copy])] == [False]
    with database.read() as connection:
        rows = connection.execute(select(feedback).order_by(feedback.c.id)).all()
        missed = connection.execute(select(daily_counts.c.missed_spam)).scalars().all()
    assert [row.label for row in rows] == ["spam", "spam"]
    assert rows[1].check_id is not None
    assert missed == [1, 1]


@pytest.mark.parametrize("state", ["doubtful", "surplus", "rejected"])
def test_a_label_that_is_not_believed_makes_nobody_a_copy_of_spam(
    client: FlaskClient, retrospect: Retrospect, database: Database, state: str
) -> None:
    post(client, SPAM.format("Basel"))
    copy = bob(client, SPAM.format("Bern"))
    post(client, SPAM.format("Basel"), "/1.1/submit-spam")
    assert [found.check.guid for found in retrospect.near_copies()] == [copy]
    with database.write() as connection:
        connection.execute(update(feedback).values(state=state))
    assert retrospect.near_copies() == []


def test_what_people_have_looked_at_is_not_listed(client: FlaskClient, retrospect: Retrospect) -> None:
    bob(client, SPAM.format("Bern"))
    bob(client, SPAM.format("Bern"), "/1.1/submit-ham")
    bob(client, f"{SPAM} casino")
    bob(client, SPAM.format("Chur"), is_test="1")
    post(client, SPAM.format("Basel"), "/1.1/submit-spam")
    assert retrospect.near_copies() == []


def test_a_changed_mind_and_old_labels_do_not_count(
    client: FlaskClient, retrospect: Retrospect, clock: FrozenClock
) -> None:
    post(client, SPAM.format("Basel"), "/1.1/submit-spam")
    bob(client, SPAM.format("Bern"))
    assert len(retrospect.near_copies()) == 1
    clock.advance(days=8)
    assert retrospect.near_copies() == []
    assert len(retrospect.near_copies(days=30)) == 1
    post(client, SPAM.format("Basel"), "/1.1/submit-ham")
    assert retrospect.near_copies(days=30) == []


def test_short_thanks_are_no_copies_of_each_other(client: FlaskClient, retrospect: Retrospect) -> None:
    bob(client, "Thank you, great post!")
    post(client, "Thank you, great post!", "/1.1/submit-spam")
    assert retrospect.near_copies() == []


def test_a_name_that_is_not_there_is_told(retrospect: Retrospect) -> None:
    assert retrospect.correct(["0" * 32]) == [("0" * 32, None, False)]


class Site(ThreadingHTTPServer):
    """A site's webhook; answers as it is told to and remembers what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.got: list[tuple[str, dict[str, str], Any]] = []
        self.status = 200
        self.body: bytes | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        site = self.server
        assert isinstance(site, Site)
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        site.got.append((self.path, dict(self.headers), sent))
        changed = {each["guid"]: {"status": "success"} for each in sent["comments"]}
        body = site.body if site.body is not None else json.dumps({"comments": changed}).encode()
        self.send_response(site.status)
        if site.status == 302:
            self.send_header("Location", f"http://{site.address}/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


Tell = Callable[..., Any]


@pytest.fixture
def tell(app: Flask, client: FlaskClient, database: Database, pseudonyms: Pseudonyms) -> Tell:
    """Return a function that checks a comment and tells its site that it was spam."""
    app.extensions[EXTENSION].keys.create("c0ffee000003")

    def run(blog: str, callback: str, mode: WebhookMode, **options: Any) -> Any:
        store, vault = PolicyStore(database, SiteStore()), KeyVault(pseudonyms)
        if mode is not WebhookMode.OFF:
            store.put_webhook(parse_site(blog), mode, vault.seal("c0ffee000003"), FrozenClock()())
        guid = post(client, "hello", api_key="c0ffee000003", blog=blog, callback=callback)
        found = CheckStore(database, SiteStore()).find([guid])
        return guid, Webhooks(store, vault, **options).tell(found.values())

    return run


def test_the_site_is_told_in_the_words_of_its_plugin(site: Site, tell: Tell, database: Database) -> None:
    callback = f"http://{site.address}/index.php?rest_route=/akismet/v1/webhook"
    guid, [result] = tell(f"http://{site.address}", callback, WebhookMode.PRIVATE)
    assert (result.n_comments, result.n_changed, result.problem) == (1, 1, "")
    [(path, headers, sent)] = site.got
    assert path == "/index.php?rest_route=/akismet/v1/webhook"
    assert (headers["Host"], "X-Akismet-Webhook" in headers) == (site.address, True)
    assert sent == {
        "key": "c0ffee000003",
        "endpoint": "comment-check",
        "comments": [{"guid": guid, "result": "true"}],
    }
    with database.read() as connection:
        assert "c0ffee000003" not in repr(connection.execute(select(site_policies)).all())


@pytest.mark.parametrize(
    ("callback", "mode", "why"),
    [
        ("http://{}/hook", WebhookMode.PUBLIC, "not public"),
        ("http://localhost.example:9/hook", WebhookMode.PRIVATE, "another host"),
        ("http://127.0.0.1:9/hook", WebhookMode.PRIVATE, "another host"),
        ("http://a:b@{}/hook", WebhookMode.PRIVATE, "no plain http"),
        ("ftp://{}/hook", WebhookMode.PRIVATE, "no plain http"),
        ("nowhere", WebhookMode.PRIVATE, "no plain http"),
    ],
)
def test_nobody_else_is_called(site: Site, tell: Tell, callback: str, mode: WebhookMode, why: str) -> None:
    _, [result] = tell(f"http://{site.address}", callback.format(site.address), mode)
    assert why in result.problem
    assert site.got == []


@pytest.mark.parametrize("callback", ["", "http://{}/hook"])
def test_without_the_admins_word_nothing_is_sent(site: Site, tell: Tell, callback: str) -> None:
    _, results = tell(f"http://{site.address}", callback.format(site.address), WebhookMode.OFF)
    assert (results, site.got) == ([], [])


@pytest.mark.parametrize(
    ("addresses", "mode", "allowed"),
    [
        (["169.254.169.254"], WebhookMode.PRIVATE, False),
        (["fe80::1%eth0"], WebhookMode.PRIVATE, False),
        (["0.0.0.0"], WebhookMode.PRIVATE, False),
        (["224.0.0.1"], WebhookMode.PRIVATE, False),
        (["::ffff:10.0.0.1"], WebhookMode.PUBLIC, False),
        (["192.0.2.1", "127.0.0.1"], WebhookMode.PUBLIC, False),
        (["127.0.0.1"], WebhookMode.PRIVATE, True),
        (["::ffff:127.0.0.1"], WebhookMode.PRIVATE, True),
    ],
)
def test_every_address_behind_the_name_is_looked_at(
    site: Site, tell: Tell, addresses: list[str], mode: WebhookMode, allowed: bool
) -> None:
    port = site.server_address[1]
    blog = f"http://wp.example:{port}"
    _, [result] = tell(blog, f"{blog}/hook", mode, resolve=lambda host, port: addresses)
    assert (result.problem == "", len(site.got)) == (allowed, int(allowed))


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (302, b"", "status 302"),
        (403, b"{}", "status 403"),
        (200, b"<html>", "none of an Akismet plugin"),
        (200, b"[]", "none of an Akismet plugin"),
    ],
)
def test_an_odd_answer_is_told_and_no_redirect_followed(
    site: Site, tell: Tell, status: int, body: bytes, why: str
) -> None:
    site.status, site.body = status, body
    _, [result] = tell(f"http://{site.address}", f"http://{site.address}/hook", WebhookMode.PRIVATE)
    assert why in result.problem
    assert len(site.got) == 1


def test_a_site_that_is_down_is_told_of(site: Site, tell: Tell) -> None:
    _, [result] = tell("http://127.0.0.1:9", "http://127.0.0.1:9/hook", WebhookMode.PRIVATE)
    assert "did not answer" in result.problem


@pytest.mark.parametrize(("named", "works"), [("wp.example", True), ("other.example", False)])
def test_the_certificate_is_the_sites_own(site: Site, tell: Tell, named: str, works: bool) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(named).configure_cert(context)
    site.socket = context.wrap_socket(site.socket, server_side=True)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    blog = f"https://wp.example:{site.server_address[1]}"
    options = {"resolve": lambda host, port: ["127.0.0.1"], "tls": trusting}
    _, [result] = tell(blog, f"{blog}/hook", WebhookMode.PRIVATE, **options)
    assert (result.problem == "", len(site.got)) == (works, int(works))


def test_a_key_kept_under_another_secret_is_told(site: Site, tell: Tell, database: Database) -> None:
    address = parse_site(f"http://{site.address}")
    tell(f"http://{site.address}", "", WebhookMode.PRIVATE)
    store, vault = PolicyStore(database, SiteStore()), KeyVault(Pseudonyms(b"x" * 32))
    guid, _ = tell(f"http://{site.address}", f"http://{site.address}/hook", WebhookMode.OFF)
    [result] = Webhooks(store, vault).tell(CheckStore(database, SiteStore()).find([guid]).values())
    assert (address.address, "under another secret" in result.problem) == (result.site, True)


def test_only_what_was_let_through_has_a_fingerprint(client: FlaskClient, database: Database) -> None:
    post(client, SPAM.format("Basel"))
    post(client, f"{SPAM} casino")
    with database.read() as connection:
        kept = connection.execute(select(checks.c.sketch).order_by(checks.c.id)).scalars().all()
    assert [sketch is None for sketch in kept] == [False, True]
