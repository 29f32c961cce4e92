import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import links


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see http://a.example.com/x, and https://b.org.", ["http://a.example.com/x", "https://b.org"]),
        ("hxxp://a.example/x", ["hxxp://a.example/x"]),
        ("www.shop.example/now!", ["www.shop.example/now"]),
        ("visit cheap-shoes.com/sale today", ["cheap-shoes.com/sale"]),
        ("mail me@example.com, use node.js or main.py", []),
        ("line\nhttp://a.example\x0bb.com c.org", ["http://a.example", "b.com", "c.org"]),
        ("(see:http://localhost/x) a.com,b.net", ["http://localhost/x", "a.com", "b.net"]),
        ("e.g. this is fine... no links here", []),
    ],
)
def test_addresses_are_found_in_plain_text(text, expected):
    assert [link.text for link in links.find(text, at_most=10)] == expected


@given(st.lists(st.sampled_from([*"ahtpw.:/-@, \n\u2003", ".com", "http://", "www."])).map("".join))
def test_looking_into_words_with_signs_misses_no_address(text):
    whole = [match.span() for match in links._URL.finditer(text)]
    assert [match.span() for match in links._written(text)] == whole


def test_no_more_links_than_asked_for():
    assert len(links.find("http://a.example " * 100, at_most=7)) == 7


@pytest.mark.parametrize(
    ("address", "host", "domain", "suffix", "rest"),
    [
        (
            "http://WWW.Shop.Example.co.uk:8080/A%20b?c",
            "shop.example.co.uk",
            "example.co.uk",
            "co.uk",
            "/a b?c",
        ),
        ("https://user:pw@a.example.com/", "a.example.com", "example.com", "com", "/"),
        ("//a.example.com", "a.example.com", "example.com", "com", ""),
        ("http://192.0.2.7/x", "192.0.2.7", "192.0.2.7", "", "/x"),
        ("not an address", "not", "not", "", " an address"),
        ("http://[", "[", "[", "", ""),
        ("", "", "", "", ""),
    ],
)
def test_an_address_is_taken_apart(address, host, domain, suffix, rest):
    parsed = links.parse(address)
    assert (parsed.host, parsed.domain, parsed.suffix, parsed.rest) == (host, domain, suffix, rest)


@given(st.text(max_size=100))
def test_any_text_parses_as_an_address(text):
    links.parse(text)
    links.find(text, at_most=5)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("visit example dot com today", ["example.com"]),
        ("go to cheap-shoes (dot) com/sale now", ["cheap-shoes.com/sale"]),
        ("hxxp://pills[.]example[.]com/x or pills[.]ru", ["hxxp://pills.example.com/x", "pills.ru"]),
        ("shop dot example dot co dot uk", ["shop.example.co.uk"]),
        (
            "example . com, example .com, www.example dot org",
            ["example.com", "example.com", "www.example.org"],
        ),
        ("join t . me/win and t . me", ["t.me/win", "t.me"]),
        ("see http://a.example.com/x and win-big dot top.", ["http://a.example.com/x", "win-big.top"]),
    ],
)
def test_addresses_written_out_are_found_and_mended(text, addresses):
    found = links.find(text, at_most=10)
    assert [link.address for link in found] == addresses
    assert [text[link.start : link.end] for link in found] == [link.text for link in found]
    assert all(link.is_disguised == (link.text != link.address) for link in found)


@pytest.mark.parametrize(
    "text",
    [
        "the dot com bubble, a dot net developer, use .NET and node .js",
        "put a dot in the middle, a dot to the left, the dot product",
        "write to jo at gmail dot com or jo [at] acme dot org",
        "He said . so what . it is",
        "connect the dots (one, two) [...] and go",
        "我爱你。再见",
    ],
)
def test_sentences_are_no_addresses(text):
    assert links.find(text, at_most=10) == []


@pytest.mark.parametrize(
    "text",
    [
        "a dot " * 4000,
        "a(dot)" * 4000,
        "a." * 10_000 + " dot com",
        "a" * 20_000 + " dot",
        "a-" * 10_000 + " dot",
    ],
)
def test_looking_for_addresses_takes_bounded_time(text):
    begun = time.monotonic()
    links.find(text, at_most=40)
    assert time.monotonic() - begun < 2.0
