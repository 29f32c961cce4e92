from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.sites import InvalidSite, parse_site


@pytest.mark.parametrize(
    "spelling",
    [
        "https://blog.example.com",
        "http://blog.example.com/",
        "HTTP://WWW.Blog.Example.COM//",
        "//blog.example.com",
        "blog.example.com",
        "www.blog.example.com:443",
        "http://blog.example.com:80/?page=1#top",
        "https://alice:secret@blog.example.com.",
        "  https://blog.example.com  ",
    ],
)
def test_spellings_of_one_site(spelling: str) -> None:
    site = parse_site(spelling)
    assert site.address == "blog.example.com"
    assert "secret" not in site.display


@pytest.mark.parametrize(
    ("blog", "address"),
    [
        ("https://example.com/blog/", "example.com/blog"),
        ("https://example.com/Blog", "example.com/Blog"),
        ("http://127.0.0.1:35213", "127.0.0.1:35213"),
        ("http://localhost:8000/x", "localhost:8000/x"),
        ("http://[2001:DB8::0:1]:81/", "[2001:db8::1]:81"),
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("https://XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("https://www.", "www"),
        ("https://a_b.example", "a_b.example"),
    ],
)
def test_what_tells_sites_apart_stays(blog: str, address: str) -> None:
    assert parse_site(blog).address == address


@pytest.mark.parametrize(
    "blog", ["", "   ", "my blog", "http://", "https:///path", "http://[::1", "http://x:port", "x" * 501]
)
def test_what_is_no_address_is_refused(blog: str) -> None:
    with pytest.raises(InvalidSite):
        parse_site(blog)


@given(st.text())
def test_any_text_is_an_address_or_refused_and_the_form_is_stable(text: str) -> None:
    try:
        address = parse_site(text).address
    except InvalidSite:
        return
    assert len(address) <= 500
    assert parse_site(f"https://{address}").address == address
