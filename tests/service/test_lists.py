"""What entries are made of, and what they hit."""

from __future__ import annotations

import pytest

from model.comment import Comment
from service.lists import InvalidEntry, Kind, Side, SiteLists, make_entry
from service.pseudonyms import Pseudonyms

PSEUDONYMS = Pseudonyms(b"s" * 32)


def lists(*entries: tuple[str, str, str]) -> SiteLists:
    return SiteLists(make_entry(Side(side), Kind(kind), value, PSEUDONYMS) for side, kind, value in entries)


def hit(found: SiteLists, body: str = "", *, ip: str = "", **fields: str) -> str | None:
    entry = found.match(Comment(body=body, **fields), ip=ip, pseudonyms=PSEUDONYMS)
    return None if entry is None else entry.side.value


@pytest.mark.parametrize(
    ("value", "body", "hits"),
    [
        ("ass", "a first-class seat", False),
        ("ass", "you ASS!", True),
        ("casino bonus", "CÀSINO <b>bonus</b> here", True),
        ("casino bonus", "bonus casino", False),
        ("casino", "с\u200bas\u0456no", True),
        ("viagra", "v i a g r a", True),
        ("赌场", "去赌场玩", True),
        ("赌场", "赌一场", False),
        ("Straße", "STRASSE", True),
    ],
)
def test_words_are_folded_and_whole(value: str, body: str, hits: bool) -> None:
    assert (hit(lists(("deny", "word", value)), body) == "deny") is hits


def test_words_are_looked_for_in_the_name_but_not_across() -> None:
    found = lists(("deny", "word", "best casino"))
    assert hit(found, author="Best Casino") == "deny"
    assert hit(found, "simply the best", author="Casino Royale") is None


@pytest.mark.parametrize(
    ("fields", "hits"),
    [
        ({"body": "see http://spam.example/x"}, True),
        ({"body": '<a href="https://www.shop.spam.example:8080/">x</a>'}, True),
        ({"body": "[url=http://spam.example]x[/url]"}, True),
        ({"url": "https://SPAM.example"}, True),
        ({"body": "see http://notspam.example/ and http://spam.example.org/"}, False),
        ({"body": "http://ok.example/?to=spam.example"}, False),
        ({"email": "me@spam.example"}, False),
    ],
)
def test_a_domain_hits_itself_and_what_is_under_it(fields: dict[str, str], hits: bool) -> None:
    assert (hit(lists(("deny", "domain", "https://Spam.example/any")), **fields) == "deny") is hits


def test_international_domains_are_one_in_both_spellings() -> None:
    found = lists(("deny", "domain", "münchen.example"))
    assert (
        hit(found, url="http://xn--mnchen-3ya.example/") == hit(found, url="http://MÜNCHEN.example") == "deny"
    )


@pytest.mark.parametrize(
    ("ip", "hits"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.8", True),
        ("192.0.3.1", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_ip_ranges_of_both_versions(ip: str, hits: bool) -> None:
    found = lists(
        ("deny", "ip", "192.0.2.99/24"), ("deny", "ip", "2001:db8::/32"), ("deny", "ip", "10.0.0.1")
    )
    assert (hit(found, ip=ip) == "deny") is hits


def test_an_email_address_is_hit_whatever_its_case_and_kept_as_a_hash() -> None:
    entry = make_entry(Side.DENY, Kind.EMAIL, " Maud@Mail.example.org ", PSEUDONYMS)
    assert "maud" not in f"{entry}".lower()
    assert entry.shown == "M...@mail.example.org"
    assert hit(SiteLists([entry]), email="maud@mail.EXAMPLE.org") == "deny"
    assert hit(SiteLists([entry]), email="clara@mail.example.org") is None


def test_allow_goes_before_deny() -> None:
    found = lists(("deny", "domain", "spam.example"), ("allow", "email", "maud@mail.example.org"))
    assert hit(found, "http://spam.example", email="maud@mail.example.org") == "allow"
    assert hit(found, "http://spam.example") == "deny"


def test_no_entry_names_a_persons_address_as_its_reason() -> None:
    for kind, value in ((Kind.EMAIL, "maud@mail.example.org"), (Kind.IP, "192.0.2.7")):
        reason = make_entry(Side.DENY, kind, value, PSEUDONYMS).reason
        assert "mail" not in reason.replace("e-mail", "")
        assert "192" not in reason


@pytest.mark.parametrize(
    ("kind", "value", "remedy"),
    [
        ("email", "maud", "write name@domain"),
        ("email", "@example.org", "write name@domain"),
        ("email", "a b@example.org", "write name@domain"),
        ("domain", "localhost", "write it as example.org"),
        ("domain", "no domain", "write it as example.org"),
        ("ip", "300.1.1.1", "192.0.2.0/24"),
        ("ip", "192.0.2.0/40", "192.0.2.0/24"),
        ("word", "!?!", "give a word"),
        ("word", "http://spam.example/", "use the kind domain"),
        ("word", "", "1 to 200"),
        ("word", "x" * 201, "1 to 200"),
    ],
)
def test_what_is_none_of_its_kind_is_refused_with_a_remedy(kind: str, value: str, remedy: str) -> None:
    with pytest.raises(InvalidEntry, match=remedy.replace(".", r"\.")):
        make_entry(Side.DENY, Kind(kind), value, PSEUDONYMS)


def test_empty_lists_match_nothing() -> None:
    assert not SiteLists()
    assert hit(SiteLists(), "casino") is None
