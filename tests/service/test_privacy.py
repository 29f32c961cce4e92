"""What the notice says is what the settings, the declaration and the model say."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from pathlib import Path

import pytest
import rdflib

from model.errors import ModelUnavailable
from model.verdict import Clue
from service.components import EXTENSION
from service.declaration.received import RECEIVED
from service.declaration.stored import STORED
from service.declaration.terms import Retention
from service.notice import Notices, record_notice
from service.privacy import words
from service.settings import UnsureAnswer
from service.sites import parse_site
from service.stores.notices import NoticeStore
from service.stores.policies import WebhookMode
from tests.builders import ALICE_SITE, BOB_SITE

JSONLD = "application/ld+json"
TERMS = {
    line
    for line in (Path(__file__).parent / "dpv_terms.txt").read_text().splitlines()
    if line and not line.startswith("#")
}
PREFIXES = {"dpv": "https://w3id.org/dpv#", "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#"}


def page_of(client, **query) -> str:
    answer = client.get("/privacy", query_string=query)
    assert answer.status_code == 200
    return html.unescape(answer.get_data(as_text=True))


def data_of(client, **query) -> dict:
    return client.get("/privacy.json", query_string=query).get_json()


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("", "text/html; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
        (JSONLD, JSONLD),
        (f"text/html;q=0.5, {JSONLD}", JSONLD),
        ("image/png", "text/html; charset=utf-8"),
    ],
)
def test_the_reader_chooses_the_form(client, accept, content_type):
    answer = client.get("/privacy", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.content_type == content_type
    assert "Accept" in answer.headers["Vary"]


def test_the_page_lists_all_that_arrives_and_all_that_is_kept(client):
    page = page_of(client)
    for item in [item for items in STORED.values() for item in items.values()] + list(RECEIVED):
        assert item.words in page
    data = data_of(client)
    assert [each["name"] for each in data["received"]] == [each.name for each in RECEIVED]
    assert {each["name"] for each in data["stored"]} == {
        f"{table}.{name}" for table, items in STORED.items() for name in items
    }
    assert all(each["legal_basis"] and each["purposes"] and each["seen_by"] for each in data["stored"])


def test_a_missing_controller_is_said_and_a_given_one_named(make_app):
    page = page_of(make_app().test_client())
    assert "The operator has not said here who is responsible." in page
    assert "The operator has not given a contact here." in page
    told = make_app(controller_name="Maud & Sons", controller_contact="privacy@example.org").test_client()
    page = page_of(told)
    assert "Maud & Sons" in page
    assert 'href="mailto:privacy@example.org"' in page
    assert "has not" not in page
    assert data_of(told)["controller"] == {"name": "Maud & Sons", "contact": "privacy@example.org"}


@pytest.mark.parametrize(
    ("contact", "link"),
    [
        ("https://example.org/contact", "https://example.org/contact"),
        ("privacy@example.org", "mailto:privacy@example.org"),
        ("Example Street 1, Exampletown", None),
        ("javascript:alert(1)", None),
    ],
)
def test_a_contact_becomes_a_link_only_where_it_is_one(contact, link):
    assert words.contact_link(contact) == link


@pytest.mark.parametrize("unsure", UnsureAnswer)
def test_what_becomes_of_unsure_comments_follows_the_setting(make_app, unsure):
    client = make_app(unsure=unsure).test_client()
    assert words.UNSURE[unsure] in page_of(client)
    assert data_of(client)["decision"]["unsure"] == unsure.value


def test_a_site_with_a_policy_of_its_own_has_a_notice_of_its_own(client, app):
    administration = app.extensions[EXTENSION].administration
    administration.change(parse_site(ALICE_SITE), unsure=UnsureAnswer.HOLD, discard=False)
    administration.change(parse_site(BOB_SITE), log_only=True)
    alice, bob, general = page_of(client, site=ALICE_SITE), page_of(client, site=BOB_SITE), page_of(client)
    assert "alice.example.com" in alice
    assert words.UNSURE[UnsureAnswer.HOLD] in alice
    assert "never told that it may throw a comment away unseen" in alice
    assert "The settings of this site last changed on" in alice
    assert "This site only tries the program out" in bob
    assert words.UNSURE[UnsureAnswer.PUBLISH] in general
    assert "may throw the comment away without anybody having seen it" in general


def test_an_unknown_site_has_the_general_notice_and_a_bad_one_an_error(client):
    known, unknown = data_of(client), data_of(client, site="https://nobody.example")
    # The way to the appeal carries on what was asked for, known or not.
    assert unknown["decision"].pop("appeal") == f"{known['decision'].pop('appeal')}?site=nobody.example"
    assert unknown | {"site": None} == known
    answer = client.get("/privacy", query_string={"site": "http://"})
    assert answer.status_code == 400
    assert answer.get_data(as_text=True).startswith("site: it is not a web address; give the site's full URL")


def test_recipients_are_told_only_where_a_site_is_told(client, database, clock, app):
    assert data_of(client)["recipients"] == []
    assert "told at" not in page_of(client)
    store = app.extensions[EXTENSION].administration._store
    store.put_webhook(parse_site(ALICE_SITE), WebhookMode.PUBLIC, "sealed", clock())
    assert data_of(client, site=ALICE_SITE)["recipients"] == ["site"]
    assert data_of(client, site=BOB_SITE)["recipients"] == []
    assert "This site is told at its own address" in page_of(client, site=ALICE_SITE)
    assert "Some sites are told at their own address" in page_of(client)


def test_the_days_are_those_by_which_data_goes(make_app, prepared, database):
    app = make_app()
    parts = app.extensions[EXTENSION]
    client = app.test_client()
    assert "until it is erased; nothing is deleted by itself" in page_of(client)
    kept = {
        Retention.COMMENTS: 30,
        Retention.COMPANY: 7,
        Retention.FEEDBACK: 1,
        Retention.COUNTS: 0,
        Retention.APPEALS: 90,
    }
    notices = Notices(
        settings=prepared,
        store=NoticeStore(database),
        policies=parts.checker._policies,
        models=parts.models,
        days=lambda retention, site: kept[retention],
    )
    app.extensions[EXTENSION] = dataclasses.replace(parts, notices=notices)
    assert "Checked comments: 30 days" in page_of(client)
    assert "Moderators' corrections: 1 day<" in page_of(client)
    assert "Korekty moderatorów: 1 dzień<" in page_of(client, lang="pl")
    assert data_of(client)["retention_days"] == {
        "comments": 30,
        "company": 7,
        "feedback": 1,
        "counts": None,
        "appeals": 90,
    }
    assert '"P30D"' in client.get("/privacy.jsonld").get_data(as_text=True)


@pytest.mark.parametrize(
    ("n_days", "line", "told"),
    [
        (60, "Numbers that copies are known by: 60 days", True),
        (0, "Numbers that copies are known by: not kept", False),
    ],
)
def test_company_is_told_of_where_it_is_counted(make_app, n_days, line, told):
    client = make_app(company_days=n_days).test_client()
    page = page_of(client)
    assert line in page
    assert ("in common with recent ones under other names" in page) is told
    assert data_of(client)["retention_days"]["company"] == n_days


def test_the_example_is_judged_by_the_running_model(make_app):
    class Explaining(type(make_app().extensions[EXTENSION].models.current())):
        def judge(self, comment, policy=None, site=None, document=None):
            clues = (
                Clue('word "casino"', 2.0, "body"),
                Clue("links to <x>", -1.0, "body"),
                Clue("no links", 0.5, "body"),
                Clue("quiet", 0.2, "body"),
                Clue("the rest", 9.0, "rest"),
            )
            return self._verdict(0.97, clues, policy)

    client = make_app(Explaining(version="v-2")).test_client()
    page = client.get("/privacy").get_data(as_text=True)
    assert "Score: 0.970. Decision: spam." in page
    assert "<li>the word “casino” (speaks for spam)</li>" in page
    assert "<li>a link to &lt;x&gt; (speaks against spam)</li>" in page
    assert '<li><span lang="en">no links</span> (speaks for spam)</li>' in page
    assert "1 smaller reason was added up as well." in page
    assert "das Wort „casino“ (spricht für Spam)" in page_of(client, lang="de")
    assert data_of(client)["example"]["model"] == "v-2"


def test_without_a_model_the_notice_says_so(make_app):
    class NoModel:
        trouble = "none"

        def current(self):
            raise ModelUnavailable("none")

    client = make_app(NoModel()).test_client()
    assert "An example cannot be shown just now" in page_of(client)
    assert data_of(client)["example"] is None


def test_the_notice_remembers_what_changed(make_app, prepared, database, clock):
    store = NoticeStore(database)
    record_notice(store, prepared, clock)
    record_notice(store, prepared, clock)
    client = make_app().test_client()
    assert "First version of this notice." in page_of(client)
    first = data_of(client)["fingerprint"]
    clock.advance(days=3)
    named = prepared.model_copy(update={"controller_name": "Maud", "unsure": UnsureAnswer.HOLD})
    record_notice(store, named, clock)
    client = make_app(controller_name="Maud", unsure=UnsureAnswer.HOLD).test_client()
    data = data_of(client)
    assert [len(change["changed"]) for change in data["changes"]] == [2, 0]
    assert data["changes"][0]["fingerprint"] == data["fingerprint"] != first
    page = page_of(client)
    assert "Name of whoever is responsible: – → Maud" in page
    assert "March 17, 2026" in page
    assert "17. März 2026" in page_of(client, lang="de")


def test_a_change_of_the_declaration_is_told_in_words(database, prepared, clock, client):
    store = NoticeStore(database)
    record_notice(store, prepared, clock)
    content = store.read()
    content["facts"]["stored.checks.gone"] = "clear"
    content["facts"]["stored.checks.ip_hash"] = "clear"
    content["facts"]["retention.comments"] = 10
    store.write(content)
    record_notice(store, prepared, clock)
    page = page_of(client)
    assert "checks.gone: as it is → not kept" in page
    assert "the IP address: as it is → only as a keyed hash" in page
    assert "Checked comments: 10 days → 90 days" in page


def test_the_notice_leads_to_the_appeal_in_every_form(client):
    assert 'href="/privacy/appeal"' in page_of(client)
    page = page_of(client, site=ALICE_SITE)
    assert page.count('href="/privacy/appeal?site=alice.example.com"') == 2
    address = "http://localhost/privacy/appeal?site=alice.example.com"
    assert data_of(client, site=ALICE_SITE)["decision"]["appeal"] == address
    linked = client.get("/privacy.jsonld", query_string={"site": ALICE_SITE}).get_json(force=True)
    [right] = [each for each in linked["dpv:hasRight"] if each["@id"] == "eu-gdpr:A22"]
    assert right["dpv:isExercisedAt"]["@id"] == address


# The library warns of a class that it uses itself.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph")
@pytest.mark.parametrize("language", ["en", "pl"])
def test_the_linked_data_parses_and_uses_only_terms_that_exist(make_app, language, clock):
    app = make_app(controller_name="Maud", controller_contact="privacy@example.org")
    store = app.extensions[EXTENSION].administration._store
    store.put_webhook(parse_site(ALICE_SITE), WebhookMode.PUBLIC, "sealed", clock())
    answer = app.test_client().get("/privacy.jsonld", query_string={"lang": language, "site": ALICE_SITE})
    graph = rdflib.Graph().parse(data=answer.get_data(as_text=True), format="json-ld")
    known = {PREFIXES[term.split(":")[0]] + term.split(":")[1] for term in TERMS}
    used = {
        str(node)
        for triple in graph
        for node in triple
        if isinstance(node, rdflib.URIRef) and str(node).startswith("https://w3id.org/dpv")
    }
    assert used - known == set()
    dpv = rdflib.Namespace(PREFIXES["dpv"])
    [notice] = graph.subjects(rdflib.RDF.type, dpv.PrivacyNotice)
    assert len(list(graph.objects(notice, dpv.hasProcess))) == len(STORED)
    [decision] = graph.subjects(rdflib.RDF.type, dpv.AutomatedDecisionMaking)
    assert (decision, dpv.hasHumanInvolvement, dpv.HumanInvolvementForIntervention) in graph
    held = set(graph.objects(None, dpv.hasPersonalData)) | set(graph.objects(None, dpv.hasData))
    assert len(held) == sum(len(items) for items in STORED.values())
    assert list(graph.objects(notice, dpv.hasRecipient))
    # Nothing is lost on the way: a name without a prefix would be dropped silently.
    assert not re.search(
        r'"(?![@\w-]+:|@)[\w-]+": ', json.dumps(json.loads(answer.get_data())["dpv:hasProcess"])
    )


def test_the_line_for_the_form_leads_to_the_notice(client):
    line = client.get("/privacy/snippet.html", query_string={"lang": "de", "site": ALICE_SITE})
    text = line.get_data(as_text=True)
    assert text.startswith('<p class="replyguard-notice" lang="de">')
    address = html.unescape(re.search(r'href="([^"]+)"', text)[1])
    assert 'lang="de"' in client.get(address).get_data(as_text=True)
    assert "alice.example.com" in client.get(address).get_data(as_text=True)
    plain = client.get("/privacy/snippet.txt", query_string={"lang": "de"})
    assert plain.content_type == "text/plain; charset=utf-8"
    assert "So werden Ihre Kommentardaten verarbeitet: http://localhost/privacy?lang=de" in plain.get_data(
        as_text=True
    )
    page = client.get("/privacy/snippet").get_data(as_text=True)
    assert page.count('class="replyguard-notice"') == 8


def test_no_script_and_only_our_own_style_may_run(client):
    for path in ("/privacy", "/privacy/snippet"):
        answer = client.get(path)
        assert "<script" not in answer.get_data(as_text=True)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
