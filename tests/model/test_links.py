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
        ("e.g. this is fine... no links here", []),
    ],
)
def test_addresses_are_found_in_plain_text(text, expected):
    assert [link.text for link in links.find(text, at_most=10)] == expected


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
