from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fingerprint import canonical_content


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Don't", "Don\\'t"),
        ("a & b", "a &amp; b"),
        ("a &amp; b", "a &amp;amp; b"),
        ("a\r\n\r\nb ", " a\nb"),
        ("Tyres", "TYRES"),
        ("ﬁne", "fine"),
        ("<p>hello</p>", "hello"),
        ('<a href="http://x.example/">y</a>', "<a rel='nofollow' href='http://x.example/' class=z>y</a>"),
        ("&lt;b&gt;hi&lt;/b&gt;", "<b>hi</b>"),
    ],
)
def test_what_transport_does_makes_no_difference(one: str, other: str) -> None:
    assert canonical_content(one, "Maud", "") == canonical_content(other, "Maud", "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "b", ""), ("ab", "", "")),
        (("hello", "Maud", ""), ("hello", "Bob", "")),
        (('<a href="http://x.example/">y</a>', "", ""), ('<a href="http://z.example/">y</a>', "", "")),
        (("hello", "", "https://x.example/a"), ("hello", "", "https://x.example/b")),
        (("日本", "", ""), ("中国", "", "")),
    ],
)
def test_what_the_commenter_wrote_does(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert canonical_content(*one) != canonical_content(*other)


@given(st.text(), st.text(), st.text())
def test_no_text_makes_it_fail(body: str, author: str, url: str) -> None:
    assert canonical_content(body, author, url).count("\x1f") == 2


def test_a_megabyte_of_markup_is_no_trouble() -> None:
    started = time.perf_counter()
    canonical_content("<a href=x>" * 100_000, "", "")
    canonical_content("&amp;" * 200_000 + "<" * 100_000, "", "")
    assert time.perf_counter() - started < 5.0


@pytest.mark.parametrize("tags", ["<div><b>", "<ul><li>", "<div>"])
def test_a_megabyte_of_tags_that_nobody_closes_is_no_trouble(tags: str) -> None:
    started = time.perf_counter()
    canonical_content(tags * (1_000_000 // len(tags)), "", "")
    assert time.perf_counter() - started < 5.0


def test_what_transport_does_makes_no_difference_where_there_are_thousands_of_tags() -> None:
    one = '<a href="http://x.example/">y</a> & more ' * 2_000
    sent = one.replace("&", "&amp;").replace("<a ", "<a rel='nofollow' ").replace('"', "'")
    assert canonical_content(one, "Maud", "") == canonical_content(sent, "Maud", "")
    assert canonical_content(one, "Maud", "") != canonical_content(one.replace("x.", "z."), "Maud", "")
