"""Facts that are no words: how a text was made, whose name it bears, how fields relate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model import craft, links, names, scripts, text, trade
from model.comment import Comment, Company
from model.document import accompanied, prepare


def facts_of(**fields):
    return prepare(Comment(**fields)).facts


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("I like what you wrote about the old\nharbour of the town.", {"craft:wrapped:1"}),
        ("I like what you wrote about the old \nHarbour of the town.", {"craft:blank-before-break:1"}),
        ("I very   happy  to find this  page on the web.", {"craft:wide-gap:3"}),
        ("A fine thing to read.\n\nhttp://shop.example/x", {"craft:address-last"}),
        ("http://shop.example/x is what you want to see", {"craft:address-first"}),
        ("First paragraph, as people write.\n\nSecond one. And more.", set()),
        ("short\nthing", set()),
        ("", set()),
    ],
)
def test_breaks_and_gaps_are_stated(body, expected):
    assert set(craft.facts(body)) == expected


def test_a_wall_of_breaks_takes_no_time():
    assert craft.facts("\n" * 1_000_000) == []
    assert len(craft.facts("a \n" * 300_000)) == 2
    assert craft.facts("a" + " " * 1_000_000) == []


@pytest.mark.parametrize(
    ("author", "first", "n_unknown"),
    [
        ("Mary Jones", "given", 0),
        ("mary", "given", 0),
        ("cheap running shoes", "other", 3),
        ("kickboxing12", "other", 1),
    ],
)
def test_names_of_people_are_known(author, first, n_unknown):
    words = author.lower().split()
    found = names.facts(author, words)
    assert f"name:first:{first}:{len(words)}" in found
    assert f"name:unknown:{n_unknown}of{len(words)}" in found


@pytest.mark.parametrize(
    ("body", "site_lang", "expected"),
    [
        ("Hãy liên hệ với chúng tôi để được tư vấn trực tiếp cho nhà của bạn.", "en_US", ["language:other"]),
        ("Votre article est vraiment très instructif, merci pour les conseils.", "en", ["language:other"]),
        ("Votre article est vraiment très instructif, merci pour les conseils.", "en, fr_ca", []),
        ("Votre article est vraiment très instructif, merci pour les conseils.", "", []),
        ("Votre article est vraiment très instructif, merci pour les conseils.", "ja", []),
        ("I tried what you say about the garden and it works.", "en", []),
        ("I tried what you say about the garden and it works.", "de-at", ["language:other"]),
        ("generic pills levitra canada cialis brand", "en", ["language:none"]),
        ("levitra billig", "en", []),
        ("Спасибо, очень помогло, буду читать дальше", "en", ["language:none"]),
        ("好 的 吗 谢谢 你 呀", "en", ["language:none"]),
        ("", "en", []),
    ],
)
def test_a_text_in_another_language_than_its_site_is_told(body, site_lang, expected):
    told = [fact for fact in facts_of(body=body, site_lang=site_lang) if fact.startswith("language:")]
    assert told == expected


@pytest.mark.parametrize(
    ("author", "expected"),
    [
        ("Mary Jones", []),
        ("Payday Loans", ["name:trade:2"]),
        ("best payday loans online casino", ["name:trade:2"]),
        ("Insurance Pete", ["name:trade:1"]),
        ("Кредит онлайн", ["name:trade:2"]),
        ("Préstamos", ["name:trade:1"]),
        ("ｃａｓｉｎｏ", ["name:trade:1"]),
        ("plumber24", ["name:trade:1"]),
        ("casino2024 Loans7", ["name:trade:2"]),
        ("2024", []),
        ("王小明", []),
        ("上海搬家公司", ["name:trade:2"]),
        ("", []),
    ],
)
def test_words_of_trade_in_a_name_are_counted(author, expected):
    assert [fact for fact in facts_of(body="x", author=author) if "trade" in fact] == expected


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["https://example.org/loans"], []),
        (["https://cheaploans24.com/"], ["link:trade:2"]),
        (["https://example.org/", "https://my-casino.net/x"], ["link:trade:1"]),
        (["https://example.org/"] * 5 + ["https://casino.net"], []),
        ([], []),
    ],
)
def test_words_of_trade_in_a_link_are_counted(addresses, expected):
    assert trade.link_facts(links.parse(address) for address in addresses) == expected
    body = "See " + " and ".join(addresses)
    assert [fact for fact in facts_of(body=body) if fact.startswith("link:trade")] == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Please visit my old town, it is on my website", ["body:asks:2"]),
        ("v\u200bisit m\u0443 place", ["body:asks:1"]),
        ("Заходите на мой сайт", ["body:asks:2"]),
        ("Mi página", ["body:asks:1"]),
        ("欢迎访问我的网站", ["body:asks:2"]),
        ("I visited the town that you describe.", []),
        ("a " * 5_000 + "visit my shop", []),
        ("", []),
    ],
)
def test_requests_in_a_text_are_counted(body, expected):
    assert [fact for fact in facts_of(body=body) if fact.startswith("body:asks")] == expected


def test_no_request_counts_for_two():
    phrases = trade._read("requests.txt")
    assert not [(one, other) for one in phrases for other in phrases if one != other and one in other]
    assert len(phrases) == len(set(phrases))


def test_no_word_of_trade_is_a_name():
    assert not trade._words() & (names._names("given") | names._names("family"))


def test_names_in_other_scripts_are_not_judged():
    assert names.facts("Мария Петрова", ["мария", "петрова"]) == []
    assert not [fact for fact in facts_of(body="x", author="王小明") if fact.startswith("name:")]


def test_an_author_who_is_named_after_the_linked_page():
    found = facts_of(
        body="We sell leather bags here: http://example.com/leather-bags",
        author="leather bags",
        url="http://bags.example/leather",
    )
    assert {"author:phrase-in-text", "author:words-in-link", "author:in-address:2of2"} <= set(found)


def test_an_author_in_other_letters_than_the_text():
    body = "This is a very good article about ships and harbours."
    assert "author:other-letters" in facts_of(body=body, author="nhà đẹp")
    assert "author:other-letters" not in facts_of(body=f"{body} Grüße!", author="Jörg")
    assert "author:other-letters" not in facts_of(body=body, author="John")


@pytest.mark.parametrize(
    ("body", "site_lang", "expected"),
    [
        ("купите дешёвые часы сегодня", "en", ["script:foreign"]),
        ("купите дешёвые часы сегодня", "en, ru_RU", []),
        ("купите дешёвые часы сегодня", "", []),
        ("buy cheap watches today", "ru", ["script:latin"]),
        ("buy cheap watches today", "de_DE", []),
        ("спб", "en", []),
        ("12345 67890 !!!! ....", "ru", []),
        ("今天天气很好我们去公园散步", "zh_CN", []),
        ("今天天气很好我们去公园散步", "fr", ["script:foreign"]),
    ],
)
def test_the_script_is_compared_with_the_sites(body, site_lang, expected):
    assert scripts.facts(text.fold(body).codes, site_lang) == expected


def test_a_document_that_is_accompanied_later_is_the_same():
    met = Company(near=5, like=2, opening=1, domain=2)
    comment = Comment(body="hello there http://a.example/", author="Ann", kind="trackback")
    early = prepare(comment)
    facts = list(early.facts)
    assert accompanied(early, met).facts == prepare(replace(comment, company=met)).facts
    assert early.facts == facts


def test_company_is_stated_and_its_absence_is_not():
    alone = facts_of(body="hello there")
    assert facts_of(body="hello there", company=Company()) == alone
    found = facts_of(body="hello there", company=Company(near=5, like=2, opening=1, domain=2))
    assert set(found) - set(alone) == {"company:near:3", "company:opening:1", "company:domain:2"}
