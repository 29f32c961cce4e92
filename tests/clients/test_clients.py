"""Clients that nobody here wrote must work with the service as they do with Akismet's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.conftest import ALICE, BOB, BOBS_SITE, CHARLIE
from tests.clients.driver import Driver, Outcome
from tests.clients.front import Exchange, Front
from tests.clients.roster import Can, Client, who_can

pytestmark = pytest.mark.clients
Drive = Callable[[Client], Driver]

BLOG = "https://alice.example"
PERMALINK = "https://alice.example/2026/sourdough-in-winter/"
POLITE = {
    "user_ip": "192.0.2.17",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "comment_author": "Martha",
    "comment_author_email": "martha@mail.example",
    "comment_content": (
        "My kitchen is at 16 degrees in January, so I let the dough rise overnight near the boiler, as you "
        "describe. It took eleven hours instead of eight. Did you change the amount of salt at all?"
    ),
    "permalink": PERMALINK,
    "comment_type": "comment",
}
SPAMMY = POLITE | {
    "user_ip": "198.51.100.9",
    "comment_author": "Best Online Casino Bonus",
    "comment_author_email": "promo4471@cheap-pills.example",
    "comment_content": (
        "Buy cheap viagra online no prescription! Best online casino bonus, payday loans, cheap replica "
        'watches. Click here <a href="http://buy-cheap-viagra-casino.example/bonus">buy viagra online</a> '
        "http://cheap-pills-online.example/viagra http://casino-bonus-free.example/poker"
    ),
}
UNICODE = POLITE | {
    "comment_author": "Çağrı Łukasz 李",
    "comment_content": (
        "Schöne Grüße aus Köln — «très bien»! Wie lange muß der Teig bei 16 °C gehen? "
        "Спасибо за рецепт, 很好吃 🥖, a+b=100% & <b>semi;colon</b>"
    ),
}
THANKS = "Thanks for making the web a better place."


def clients(*abilities: Can) -> pytest.MarkDecorator:
    """Run the test once for each client that has these abilities."""
    chosen = who_can(*abilities)
    return pytest.mark.parametrize("client", chosen, ids=[client.name for client in chosen])


def check(driver: Driver, comment: dict[str, Any], *, key: str = ALICE, blog: str = BLOG) -> Outcome:
    return driver.do("check", key=key, blog=blog, comment=comment)


def assert_clean_answer(exchange: Exchange) -> None:
    """A verdict as every client understands it: exact body, a GUID, no header that means trouble."""
    assert exchange.status == 200
    assert exchange.body in {"true", "false"}
    assert exchange.headers["content-type"].startswith("text/plain")
    assert exchange.headers["x-akismet-guid"]
    troubled = ("x-akismet-debug-help", "x-akismet-alert", "x-akismet-error")
    assert [name for name in exchange.headers if name.startswith(troubled)] == []


@clients(Can.VERIFY)
def test_a_key_that_was_given_out_is_valid_and_another_is_not(client: Client, drive: Drive) -> None:
    for key, said in ((ALICE, "valid"), (CHARLIE, "invalid")):
        outcome = drive(client).do("verify", key=key, blog=BLOG)
        assert outcome.said == said, outcome


@clients()
def test_a_polite_comment_is_ham_by_the_model(client: Client, drive: Drive) -> None:
    outcome = check(drive(client), POLITE)
    assert outcome.said == "ham", outcome
    assert_clean_answer(outcome.last)
    assert outcome.last.scheme == ("https" if client.https else "http")
    assert outcome.last.headers["x-replyguard-verdict"] in {"ham", "unsure"}


@clients()
def test_plain_spam_is_spam_by_the_model(client: Client, drive: Drive) -> None:
    outcome = check(drive(client), SPAMMY)
    assert outcome.said in {"spam", "discard"}, outcome
    assert_clean_answer(outcome.last)
    assert outcome.last.headers["x-replyguard-verdict"] == "spam"
    assert outcome.last.headers["x-replyguard-model"]
    assert outcome.last.headers["x-replyguard-reasons"]


@pytest.mark.parametrize(
    "mark",
    [
        {"comment_author": "akismet-guaranteed-spam"},
        {"comment_author_email": "akismet-guaranteed-spam@example.com"},
        {"comment_author": "viagra-test-123"},
    ],
    ids=["author", "email", "old author"],
)
@clients()
def test_guaranteed_spam_is_spam(client: Client, mark: dict[str, str], drive: Drive) -> None:
    outcome = check(drive(client), POLITE | mark)
    assert outcome.said in {"spam", "discard"}, outcome
    assert_clean_answer(outcome.last)


@clients(Can.ROLE)
def test_an_administrator_is_ham_whatever_he_writes(client: Client, drive: Drive) -> None:
    his = {"user_role": "administrator"}
    assert check(drive(client), POLITE | his | {"comment_author": "akismet-guaranteed-spam"}).said == "ham"
    assert check(drive(client), SPAMMY | his).said == "ham"


@clients()
def test_submissions_are_thanked_for(client: Client, drive: Drive) -> None:
    for what, comment in (("submit-spam", POLITE), ("submit-ham", SPAMMY)):
        outcome = drive(client).do(what, key=ALICE, blog=BLOG, comment=comment)
        assert (outcome.said, outcome.last.body) == ("thanks", THANKS), outcome


@clients(Can.HEAR_SUBMIT)
def test_a_submission_with_a_wrong_key_is_not_thanked_for(client: Client, drive: Drive) -> None:
    outcome = drive(client).do("submit-spam", key=CHARLIE, blog=BLOG, comment=POLITE)
    assert outcome.said == "error", outcome


@pytest.mark.parametrize("comment", [POLITE, SPAMMY], ids=["polite", "spammy"])
@clients()
def test_a_check_with_a_wrong_key_is_not_judged(
    client: Client, comment: dict[str, Any], drive: Drive
) -> None:
    outcome = check(drive(client), comment, key=CHARLIE)
    assert outcome.said == client.refusal, outcome
    assert (outcome.last.status, outcome.last.body) == (200, "invalid")
    assert outcome.last.headers["x-akismet-debug-help"]


@clients()
def test_a_key_tied_to_a_site_serves_that_site_and_no_other(client: Client, drive: Drive) -> None:
    assert check(drive(client), POLITE, key=BOB, blog=BOBS_SITE).said == "ham"
    refused = check(drive(client), POLITE, key=BOB, blog="https://mallory.example")
    assert refused.said == client.refusal, refused
    assert refused.last.body not in {"true", "false"}


@clients(Can.OMIT_IP)
def test_a_check_without_the_visitors_address_is_refused_by_name(client: Client, drive: Drive) -> None:
    outcome = check(drive(client), SPAMMY | {"user_ip": ""})
    assert outcome.said == client.refusal, outcome
    assert "user_ip" in outcome.last.headers["x-akismet-debug-help"]
    assert (outcome.last.status, outcome.last.body) == (200, "invalid")


@clients(Can.OMIT_BLOG)
def test_a_check_without_the_sites_address_is_refused_by_name(client: Client, drive: Drive) -> None:
    outcome = check(drive(client), SPAMMY, blog="")
    assert outcome.said == client.refusal, outcome
    assert "blog" in outcome.last.headers["x-akismet-debug-help"]


@clients()
def test_letters_of_every_script_arrive_as_they_were_written(
    client: Client, drive: Drive, front: Front
) -> None:
    outcome = check(drive(client), UNICODE)
    assert outcome.said in {"ham", "spam"}, outcome
    sent = outcome.last.form
    for name in ("comment_author", "comment_content"):
        assert sent[name] == [UNICODE[name]]
    # The service read the same text from every client: their scores agree to the last digit.
    others = [
        e.score for e in front.exchanges if e.form.get("comment_content") == [UNICODE["comment_content"]]
    ]
    assert len(set(others)) == 1, others


@clients(Can.IS_TEST)
def test_a_call_marked_as_a_test_gets_the_same_verdict(client: Client, drive: Drive) -> None:
    for comment in (POLITE, SPAMMY):
        real, test = check(drive(client), comment), check(drive(client), comment | {"is_test": True})
        assert real.said == test.said
        assert real.last.score == test.last.score


@clients(Can.TEST_DISCARD)
def test_a_test_call_can_ask_for_the_advice_to_discard(client: Client, drive: Drive) -> None:
    blatant = POLITE | {"comment_author": "akismet-guaranteed-spam", "is_test": True}
    assert check(drive(client), blatant | {"test_discard": True}).said == "discard"
    assert check(drive(client), blatant).said == "spam"


@clients(Can.USAGE)
def test_usage_is_counted_and_key_sites_without_a_key_is_refused(client: Client, drive: Drive) -> None:
    before = json.loads(drive(client).do("usage-limit", key=ALICE, blog=BLOG).said)
    check(drive(client), POLITE)
    after = json.loads(drive(client).do("usage-limit", key=ALICE, blog=BLOG).said)
    assert after["usage"] == before["usage"] + 1
    assert after["throttled"] is False
    # This client forgets to send its key on that call: the answer must still be one that it understands.
    outcome = drive(client).do("key-sites", key=ALICE, blog=BLOG)
    assert (outcome.said, outcome.last.status, outcome.last.body) == ("error", 200, "invalid")
    assert "APIKeyError" in outcome.why


@clients()
def test_both_workers_answer_alike_and_every_answer_has_its_own_guid(client: Client, drive: Drive) -> None:
    outcomes = [check(drive(client), SPAMMY) for _ in range(12)]
    assert {outcome.said for outcome in outcomes} in ({"spam"}, {"discard"})
    assert len({outcome.last.score for outcome in outcomes}) == 1
    assert len({outcome.last.headers["x-akismet-guid"] for outcome in outcomes}) == 12


def test_no_guid_was_given_twice_and_no_check_went_without(front: Front) -> None:
    checks = [exchange for exchange in front.exchanges if exchange.path.endswith("/comment-check")]
    guids = [exchange.headers["x-akismet-guid"] for exchange in checks]
    assert len(set(guids)) == len(guids)
