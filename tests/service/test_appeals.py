"""A commenter asks for a person to look: the page tells nobody anything, the admin sees all, a release is learnt."""

from __future__ import annotations

import html
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import event, func, inspect, select, text

from service.appeals import AppealResolved, AppealUnknown, CheckUnclear, number_of
from service.components import EXTENSION
from service.migrating import migrate
from service.privacy.languages import LANGUAGES
from service.schema import appeals, daily_counts, feedback
from service.sites import parse_site
from service.stores.appeals import Outcome
from service.stores.policies import WebhookMode
from tests.builders import ALICE_SITE, BOB_KEY, BOB_SITE, a_form
from tests.conftest import TEST_DATABASE_URL

PAGE = "/privacy/appeal"
EMAIL = "maud@mail.example.org"
SPAMMY = "the casino chapter of your book was the best"
NUMBER = re.compile(r"[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}")


def check(client, body: str = SPAMMY, **fields: str) -> str:
    answer = client.post("/1.1/comment-check", data=a_form(comment_content=body, **fields))
    return answer.headers["X-akismet-guid"]


def ask(client, *, address: str = "198.51.100.9", query: dict[str, str] | None = None, **fields: str):
    values = {"site": ALICE_SITE, "email": EMAIL, "message": "I am no robot."} | fields
    return client.post(PAGE, data=values, query_string=query, environ_base={"REMOTE_ADDR": address})


def rows(database) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(select(appeals).order_by(appeals.c.id)).all())


def page_of(answer) -> str:
    return html.unescape(answer.get_data(as_text=True))


@pytest.fixture
def use_case(app):
    return app.extensions[EXTENSION].appeals


def taken(client, **fields: str) -> str:
    answer = ask(client, **fields)
    assert answer.status_code == 303
    return NUMBER.search(answer.location)[0]


# What the page tells.


def whole(client, **fields: str) -> list[tuple[int, list[tuple[str, str]], bytes]]:
    """Return the answer and the page that it leads to, with the number struck out."""
    first = ask(client, **fields)
    second = client.get(first.location)
    return [
        (
            each.status_code,
            [(name, NUMBER.sub("NUMBER", value)) for name, value in each.headers],
            NUMBER.sub("NUMBER", each.get_data(as_text=True)).encode(),
        )
        for each in (first, second)
    ]


def test_the_answer_is_the_same_to_the_byte_with_and_without_a_record(client):
    guid = check(client)
    known = whole(client)
    assert known == whole(client, email="nobody@mail.example.org")
    named = whole(client, reference=guid, email="", site="")
    assert named == whole(client, reference="0" * 32, email="", site="")
    assert [status for status, _, _ in known] == [303, 200]
    assert whole(client, site=BOB_SITE)[1][2].count(b"bob.example.net") == known[1][2].count(
        b"alice.example.com"
    )


def statements_of(database, act) -> list[str]:
    seen: list[str] = []

    def listen(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", listen)
    act()
    event.remove(database.engine, "before_cursor_execute", listen)
    return seen


def test_no_comment_is_looked_up_while_somebody_waits(client, database):
    check(client)
    with_record = statements_of(database, lambda: ask(client))
    without = statements_of(database, lambda: ask(client, email="nobody@mail.example.org"))
    assert with_record == without
    assert any("INSERT INTO appeals" in statement for statement in with_record)
    assert not any(re.search(r"\b(checks|feedback)\b", statement) for statement in with_record)


def test_an_address_that_asks_too_often_is_answered_alike_and_kept_apart(client, database):
    answers = [whole(client, address=f"198.51.100.{n}") for n in range(5)]
    assert answers == answers[:1] * 5
    assert [row.outcome for row in rows(database)] == [None, None, None, "duplicate", "duplicate"]


def test_the_last_page_says_what_happens_next_and_looks_nothing_up(make_app):
    client = make_app(controller_contact="privacy@example.org").test_client()
    answer = client.get(ask(client, query={"lang": "nl"}).location)
    page = page_of(answer)
    assert '<html lang="nl">' in page
    assert "mailto:privacy@example.org" in page
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get(f"{PAGE}/received/0000-0000-0000").status_code == 200
    odd = client.get(f"{PAGE}/received/%3Cscript%3E")
    assert (odd.status_code, odd.location) == (303, PAGE)
    plain = make_app().test_client().get(f"{PAGE}/received/0000-0000-0000")
    assert "ask the people who run the site" in page_of(plain)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_taken_in_every_language(client, database, language):
    form = client.get(PAGE, query_string={"lang": language, "site": "https://bob.example.net/a?b=<c>"})
    page = form.get_data(as_text=True)
    assert 'value="https://bob.example.net/a?b=&lt;c&gt;"' in page
    action = html.unescape(re.search(r'<form method="post" action="([^"]+)"', page)[1])
    sent = client.post(action, data={"site": ALICE_SITE, "email": EMAIL})
    assert client.get(sent.location).headers["Content-Language"] == language
    assert rows(database)[0].language == language


def test_only_the_form_may_be_sent_and_only_here(client):
    policy = client.get(PAGE).headers["Content-Security-Policy"]
    assert "form-action 'self'" in policy
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    for path in ("/privacy", f"{PAGE}/received/0000-0000-0000"):
        assert "form-action 'none'" in client.get(path).headers["Content-Security-Policy"]


# What it takes.


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"site": ""}, {"site"}),
        ({"site": "http://"}, {"site"}),
        ({"site": "x" * 3000}, {"site"}),
        ({"email": ""}, {"email"}),
        ({"email": "no address"}, {"email"}),
        ({"email": "a@" + "b" * 400}, {"email"}),
        ({"site": "", "email": "", "reference": ""}, {"site", "email"}),
        ({"reference": "zzz"}, {"reference"}),
        ({"reference": "0" * 33, "email": "x"}, {"reference", "email"}),
        ({"message": "x" * 2001}, {"message"}),
        ({"homepage": "https://casino.example/"}, {"homepage"}),
    ],
)
def test_what_cannot_be_used_is_named_with_the_remedy_and_stays(client, database, fields, wrong):
    answer = ask(client, **({"message": "Keep <this> & that"} | fields))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert set(re.findall(r'id="(\w+)-fault"', page)) == wrong
    assert set(re.findall(r'<li><a href="#(\w+)"', page)) == wrong
    assert page.count(' aria-invalid="true"') == len(wrong)
    for value in ({"message": "Keep <this> & that"} | fields).values():
        assert html.escape(value) in page
    assert rows(database) == []


def test_a_field_that_nobody_sees_is_shown_only_to_whom_it_stopped(client):
    assert '<p class="away"><label for="homepage">' in client.get(PAGE).get_data(as_text=True)
    assert 'class="away"' not in ask(client, homepage="x").get_data(as_text=True)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "\0",
        "x" * 2000,
        "\N{PILE OF POO}" * 2000,
        "שלום \u202e",
        "a\r\nb" * 500,
        "<script>",
        "{{ 7*7 }} %(num)d",
    ],
)
def test_odd_messages_are_kept_as_they_are(client, database, message):
    assert ask(client, message=message).status_code == 303
    kept = message.replace("\r\n", "\n").replace("\0", "\ufffd").strip()
    assert rows(database)[0].message == kept


def test_odd_requests_are_answered_with_the_form(client, database):
    assert client.post(PAGE, json={"site": ALICE_SITE, "email": EMAIL}).status_code == 422
    assert client.post(PAGE, data=b"\xff\xfe=%", content_type="text/plain").status_code == 422
    assert client.post(PAGE, data={"site": [ALICE_SITE, BOB_SITE], "email": EMAIL}).status_code == 303
    big = client.post(PAGE, data={"site": ALICE_SITE, "email": EMAIL, "message": "x" * 100_000})
    assert (big.status_code, "Shorten it" in page_of(big)) == (413, True)
    assert client.put(PAGE).status_code == 405
    assert len(rows(database)) == 1


def test_neither_e_mail_nor_address_is_written_down(client, database, prepared, pseudonyms):
    check(client)
    ask(client, email="  Maud@Mail.Example.org ", address="203.0.113.237")
    [row] = rows(database)
    assert row.email_hash == pseudonyms.of_email(EMAIL)
    # Not to be joined with the addresses from which people comment.
    assert row.ip_hash not in (None, pseudonyms.of_ip("203.0.113.237"))
    assert re.fullmatch(r"[0-9a-f]{12}", row.guid)
    if not TEST_DATABASE_URL:
        files = list(Path(prepared.data_dir).glob("replyguard.db*"))
        assert files
        for sign in (b"203.0.113.237", b"maud@mail"):
            assert not any(sign in path.read_bytes().lower() for path in files)


@pytest.mark.parametrize(
    ("site", "known"),
    [
        (ALICE_SITE, True),
        ("https://www.alice.example.com/2026/03/tyres/?replytocom=5#respond", True),
        ("alice.example.com", True),
        ("https://nobody.example/", False),
        ("https://notalice.example.com/", False),
    ],
)
def test_the_site_is_found_by_any_of_its_pages_and_none_is_made(client, database, use_case, site, known):
    number = taken(client, site=site)
    shown = use_case.show(number).appeal.site
    assert (shown is not None and shown.address == "alice.example.com") is known
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM sites")).scalar_one() == 2


def test_nobody_can_use_up_anothers_way_to_the_queue(make_app, use_case):
    client = make_app(appeals_per_person_day=1).test_client()
    use_case.resolve(taken(client, message="in your name"), Outcome.KEPT, who="alice")
    mine = taken(client)
    assert [number_of(each.guid) for each in use_case.listed()] == [mine]


# Bounds.


def test_an_address_has_its_share_of_an_hour(make_app, database, clock):
    client = make_app(appeals_per_address_hour=2, appeals_per_person_day=10).test_client()
    other_worker = make_app(appeals_per_address_hour=2, appeals_per_person_day=10).test_client()
    assert ask(client).status_code == 303
    clock.advance(minutes=10)
    assert ask(other_worker).status_code == 303
    clock.advance(minutes=20)
    refused = ask(client, message="typed with care")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, str(30 * 60))
    assert "in 30 minutes" in page_of(refused)
    assert "typed with care" in page_of(refused)
    assert ask(client, address="198.51.100.10").status_code == 303
    assert len(rows(database)) == 3
    clock.advance(minutes=29, seconds=59)
    assert ask(client).status_code == 429
    clock.advance(seconds=1)
    assert ask(client).status_code == 303
    assert ask(client).status_code == 429


def test_one_line_of_ipv6_is_one_address(make_app):
    client = make_app(appeals_per_address_hour=1).test_client()
    assert ask(client, address="2001:db8:1:2::3").status_code == 303
    assert ask(client, address="2001:db8:1:2:ffff::4").status_code == 429
    assert ask(client, address="2001:db8:1:3::3").status_code == 303
    assert ask(client, address="::ffff:198.51.100.1").status_code == 303
    assert ask(client, address="198.51.100.1").status_code == 429


def test_all_together_have_a_bound(make_app, clock):
    client = make_app(appeals_per_hour=3, appeals_per_person_day=10).test_client()
    for n in range(3):
        assert ask(client, address=f"198.51.100.{n}").status_code == 303
    assert ask(client, address="198.51.100.77").status_code == 429
    clock.advance(hours=1)
    assert ask(client, address="198.51.100.77").status_code == 303


def test_a_bound_holds_when_many_ask_at_once(make_app, database):
    workers = [
        make_app(appeals_per_hour=5, appeals_per_person_day=2, database_timeout_s=10.0) for _ in range(2)
    ]

    def send(n: int) -> int:
        return ask(workers[n % 2].test_client(), address=f"198.51.100.{n}").status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(send, range(16)))
    assert sorted(statuses) == [303] * 5 + [429] * 11
    assert sorted(str(row.outcome) for row in rows(database)) == ["None"] * 2 + ["duplicate"] * 3


def test_a_persons_day_ends(make_app, database, clock):
    client = make_app(appeals_per_person_day=1).test_client()
    taken(client)
    taken(client, site=BOB_SITE)
    taken(client, email="", reference="a" * 32)
    clock.advance(days=1)
    taken(client)
    assert [row.outcome for row in rows(database)] == [None, "duplicate", None, None]


def test_a_proxy_is_believed_only_where_the_settings_say_so(make_app, database):
    def via(app, sent: str, *, peer: str = "127.0.0.1") -> str | None:
        answer = app.test_client().post(
            PAGE,
            data={"site": ALICE_SITE, "email": EMAIL},
            headers={"X-Forwarded-For": sent},
            environ_base={"REMOTE_ADDR": peer},
        )
        assert answer.status_code == 303
        return rows(database)[-1].ip_hash

    direct, trusting, two = make_app(), make_app(trusted_proxies=1), make_app(trusted_proxies=2)
    hashed = direct.extensions[EXTENSION].pseudonyms.of_network
    # A proxy on this machine that is not trusted: nobody knows who asks, so nobody takes another's share.
    assert via(direct, "203.0.113.5") is None
    assert via(direct, "203.0.113.5", peer="198.51.100.3") == hashed("198.51.100.3")
    assert via(trusting, "203.0.113.5") == hashed("203.0.113.5")
    assert via(trusting, "192.0.2.1, 203.0.113.6") == hashed("203.0.113.6")
    assert via(two, "192.0.2.1, 203.0.113.7, 198.51.100.200") == hashed("203.0.113.7")


def test_a_proxys_host_header_stays_as_it_was_sent(make_app):
    client = make_app(trusted_proxies=1).test_client()
    headers = {"Host": "a11ce0000001.rest.example", "X-Forwarded-Host": "evil.example"}
    form = a_form(api_key=None)
    answer = client.post("/1.1/comment-check", data=form, headers=headers)
    assert answer.data == b"false"


# Outages.


def test_in_an_outage_nothing_is_promised_and_nothing_typed_is_lost(client, database):
    with database.write() as connection:
        connection.execute(text("ALTER TABLE appeals RENAME TO elsewhere"))
    assert client.get(PAGE).status_code == 200
    answer = ask(client, message="typed with care")
    page = page_of(answer)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "This was not taken, because the service has a fault" in page
    assert "typed with care" in page
    assert EMAIL in page
    with database.write() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO appeals"))
    assert ask(client, message="typed with care").status_code == 303


# What the admin sees and does.


def test_the_admin_sees_what_it_may_be_about(client, use_case):
    first, other = check(client), check(client, "thanks a lot")
    check(client, "by somebody else", comment_author_email="eve@mail.example.org")
    check(client, api_key=BOB_KEY, blog=BOB_SITE)
    check(client, is_test="1")
    view = use_case.show(taken(client))
    assert [found.guid for found in view.checks] == [other, first]
    assert view.checks[1].values["clues"][0]["text"] == 'word "casino"'
    by_name = use_case.show(taken(client, email="", site="", reference=f" {first.upper()} "))
    assert [found.guid for found in by_name.checks] == [first]
    unknown = use_case.show(taken(client, site="https://nobody.example"))
    assert len(unknown.checks) == 3
    assert [each.guid for each in unknown.others] == [view.appeal.guid]
    assert use_case.show(taken(client, email="", site="", reference="0" * 32)).checks == ()
    client.post("/1.1/submit-spam", data=a_form(comment_content="thanks a lot"))
    assert {
        guid: label.value for guid, label in use_case.show(number_of(view.appeal.guid)).labels.items()
    } == {other: "spam"}


def test_a_comment_without_an_e_mail_address_is_nobodys(client, use_case):
    check(client, comment_author_email="")
    assert use_case.show(taken(client, email="", site="", reference="0" * 32)).checks == ()


def test_a_release_is_an_admins_correction(client, database, use_case):
    guid = check(client)
    check(client, "thanks a lot")
    done = use_case.resolve(taken(client), Outcome.RELEASED, who="alice", note=" was a book ")
    assert ([found.guid for found in done.released], done.n_new, done.told) == ([guid], 1, ())
    assert (done.appeal.outcome, done.appeal.note) == (Outcome.RELEASED, "was a book")
    with database.read() as connection:
        row = connection.execute(select(feedback)).one()
        assert (row.label, row.source, row.state, row.counted_as) == (
            "ham",
            "admin",
            "learnt",
            "false_positives",
        )
        assert connection.execute(select(func.sum(daily_counts.c.false_positives))).scalar_one() == 1
    with pytest.raises(AppealResolved):
        use_case.resolve(number_of(done.appeal.guid), Outcome.KEPT, who="bob")
    again = use_case.resolve(taken(client), Outcome.RELEASED, who="alice", guids=[guid])
    assert again.n_new == 0


def test_an_admins_word_needs_no_second_one_and_takes_no_share_of_a_keys(make_app, database):
    app = make_app(learn_per_day=1)
    client, use_case = app.test_client(), app.extensions[EXTENSION].appeals
    # Beyond doubt for the model, so a moderator's word would wait for an admin's.
    check(client, "blatant")
    check(client, SPAMMY, comment_author_email="eve@mail.example.org")
    use_case.resolve(taken(client), Outcome.RELEASED, who="alice")
    use_case.resolve(taken(client, email="eve@mail.example.org"), Outcome.RELEASED, who="alice")
    client.post("/1.1/submit-spam", data=a_form(comment_content="maybe"))
    with database.read() as connection:
        found = connection.execute(select(feedback.c.source, feedback.c.state).order_by(feedback.c.id)).all()
    assert [tuple(row) for row in found] == [("admin", "learnt"), ("admin", "learnt"), ("wire", "learnt")]


def test_what_is_not_clear_is_not_released(client, database, use_case):
    number = taken(client)
    with pytest.raises(CheckUnclear, match="no check fits"):
        use_case.resolve(number, Outcome.RELEASED, who="alice")
    check(client, "thanks a lot")
    with pytest.raises(CheckUnclear, match="no check was held"):
        use_case.resolve(number, Outcome.RELEASED, who="alice")
    first = check(client)
    check(client, "another casino")
    with pytest.raises(CheckUnclear, match="more than one"):
        use_case.resolve(number, Outcome.RELEASED, who="alice")
    strange = check(client, comment_author_email="eve@mail.example.org")
    with pytest.raises(CheckUnclear, match="no check that this appeal may be about"):
        use_case.resolve(number, Outcome.RELEASED, who="alice", guids=[strange])
    with pytest.raises(CheckUnclear, match="named only to release"):
        use_case.resolve(number, Outcome.KEPT, who="alice", guids=[first])
    with pytest.raises(AppealUnknown):
        use_case.resolve("0000-0000-0000", Outcome.KEPT, who="alice")
    assert rows(database)[0].outcome is None
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(feedback)).scalar_one() == 0
    assert use_case.resolve(number, Outcome.RELEASED, who="alice", guids=[first]).n_new == 1


def test_the_queue_is_what_is_open_longest_first(client, use_case, clock):
    first = taken(client)
    clock.advance(hours=3)
    second = taken(client, email="eve@mail.example.org")
    assert [number_of(each.guid) for each in use_case.listed()] == [first, second]
    waiting = use_case.waiting()
    assert (waiting.n_open, clock() - waiting.oldest) == (2, clock() - use_case.show(first).appeal.created_at)
    use_case.resolve(first.replace("-", "").upper(), Outcome.NO_RECORD, who="alice")
    assert [number_of(each.guid) for each in use_case.listed()] == [second]
    assert [number_of(each.guid) for each in use_case.listed(open_only=False)] == [second, first]


def test_a_site_that_wants_to_be_told_hears_of_a_release(client, app, clock, use_case):
    """Only as far as the address: what is sent is looked at in tests/functional/test_retrospect.py."""
    app.extensions[EXTENSION].administration._store.put_webhook(
        parse_site(ALICE_SITE), WebhookMode.PUBLIC, "sealed under no secret", clock()
    )
    check(client, callback="https://alice.example.com/wp-json/akismet/v1/webhook")
    [told] = use_case.resolve(taken(client), Outcome.RELEASED, who="alice").told
    assert (told.site, "set it again" in told.problem) == ("alice.example.com", True)


def test_the_log_counts_and_names_nobody(make_app):
    lines: list[dict[str, Any]] = []
    structlog.configure(processors=[lambda _logger, _name, event: lines.append(event) or "done"])
    try:
        ask(make_app().test_client())
        ask(make_app(appeals_log="off").test_client())
    finally:
        structlog.reset_defaults()
    said = [line for line in lines if "asks for a person" in line["event"]]
    assert said == [
        {"event": "a commenter asks for a person to look", "open": 1, "remedy": "replyguard appeals list"}
    ]
    assert "maud" not in repr(lines)


def test_the_migrated_table_is_that_of_the_schema(database):
    migrate(database)
    look = inspect(database.engine)
    assert {index["name"] for index in look.get_indexes("appeals")} >= {
        index.name for index in appeals.indexes
    }
    assert {column["name"] for column in look.get_columns("appeals")} == set(appeals.c.keys())
    assert "ix_checks_email_hash" in {index["name"] for index in look.get_indexes("checks")}
