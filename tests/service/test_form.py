from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.akismet.fields import check_from_form, comment_from_form, flag
from service.akismet.form import parse_form
from service.sites import parse_site

MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="comment_content"\r\n\r\ngr\xfc\xdfe & so on\r\n'
    b'--b\r\nContent-Disposition: form-data; name="upload"; filename="x.txt"\r\n\r\nignored\r\n'
    b'--b\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n0123456789ab\r\n--b--\r\n'
)


def test_a_name_without_an_equals_sign_is_empty() -> None:
    form = parse_form(b"comment_author_url&comment_content=x&user_role")
    assert ("comment_author_url" in form, form.text("comment_author_url")) == (True, "")
    assert form.text("comment_content") == "x"


def test_a_semicolon_is_text() -> None:
    assert parse_form(b"comment_content=a;b=c").text("comment_content") == "a;b=c"


def test_the_last_value_wins_and_the_body_over_the_query() -> None:
    form = parse_form(b"a=1&a=2", b"a=9&b=3")
    assert (form.text("a"), form.text("b")) == ("2", "3")


def test_arrays_in_all_their_spellings() -> None:
    form = parse_form(b"comment_context%5B0%5D=bread&comment_context[]=wine&comment_context=oil&x[0]=1")
    assert form.texts("comment_context") == ["bread", "wine", "oil"]
    assert form.texts("none") == []


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/json",
        "application/x-www-form-urlencoded;charset=UTF-8",
        "charset=utf-8",
        ";;=",
    ],
)
def test_the_body_is_a_form_whatever_the_header_says(content_type: str) -> None:
    assert parse_form(b"a=%C3%BC", b"", content_type).text("a") == "ü"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"a=%", "%"),
        (b"a=%zz", "%zz"),
        (b"a=%C", "%C"),
        (b"a=%E2%80%94", "\u2014"),
        (b"a=caf%E9", "café"),
        (b"a=%80", "\u20ac"),
        (b"a=%81", "\ufffd"),
        (b"a=%00", "\ufffd"),
        (b"a=%EF%BF%BD", "\ufffd"),
        (b"a=%F0%9F%99%82", "🙂"),
        ("a=ü".encode(), "ü"),
        (b"a=%CF%F0%E8%E2%E5%F2&blog_charset=windows-1251", "Привет"),
        (b"a=%F0%D2%C9%D7%C5%D4&charset=KOI8-R", "Привет"),
        (b"a=%1B%24B%24%22%1B%28B&blog_charset=iso-2022-jp", "あ"),
        (b"a=%C3%BC&blog_charset=ISO-8859-1", "ü"),
        (b"a=%FC&blog_charset=ISO-8859-1", "ü"),
        (b"a=%FC&blog_charset=no-such-thing", "ü"),
        (b"a=%FC&blog_charset=rot13", "ü"),
        (b"a=%FC&blog_charset=punycode", "ü"),
        (b"a=%FC&blog_charset=%00%FF", "ü"),
    ],
)
def test_bytes_become_text_whatever_they_are(body: bytes, text: str) -> None:
    assert parse_form(body).text("a") == text


def test_a_charset_of_the_header_counts_too() -> None:
    assert parse_form(b"a=%EF", b"", "application/x-www-form-urlencoded; charset=cp1251").text("a") == "п"


def test_multipart_bodies_are_read_and_files_passed_over() -> None:
    form = parse_form(MULTIPART, b"blog=x", 'multipart/form-data; boundary="b"')
    assert form.text("comment_content") == "grüße & so on"
    assert (form.text("api_key"), form.text("blog")) == ("0123456789ab", "x")
    assert "upload" not in form


@pytest.mark.parametrize("end", range(0, len(MULTIPART), 7))
def test_a_torn_multipart_body_is_read_as_far_as_it_goes(end: int) -> None:
    parse_form(MULTIPART[:end], b"", "multipart/form-data; boundary=b")


def test_thousands_of_fields_are_read_in_no_time() -> None:
    body = "&".join(f"POST_field_{number}=value+{number}" for number in range(5_000)).encode()
    started = time.perf_counter()
    form = parse_form(body)
    assert (len(form), form.text("POST_field_4999")) == (5_000, "value 4999")
    assert time.perf_counter() - started < 1.0


@given(
    st.binary(), st.binary(), st.sampled_from(["", "multipart/form-data; boundary=b", "x; charset=utf-16"])
)
def test_no_bytes_make_the_parser_fail(body: bytes, query: bytes, content_type: str) -> None:
    form = parse_form(body, query, content_type)
    check_from_form(form, parse_site("https://alice.example.com"))
    assert all(isinstance(form.text(name), str) for name in ("a", "", "blog"))


@given(st.binary(), st.binary())
def test_no_charset_makes_the_parser_fail(value: bytes, charset: bytes) -> None:
    body = b"a=" + b"".join(b"%%%02X" % byte for byte in value)
    body += b"&blog_charset=" + b"".join(b"%%%02X" % byte for byte in charset)
    assert isinstance(parse_form(body).text("a"), str)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", True), ("true", True), ("True", True), ("yes", True),
        ("0", False), ("false", False), ("False", False), ("", False), (" ", False), ("None", False),
    ],
)  # fmt: skip
def test_booleans_are_read_by_their_text(text: str, value: bool) -> None:
    assert flag(parse_form(f"is_test={text}".encode()), "is_test") is value
    assert flag(parse_form(b""), "is_test") is False


@pytest.mark.parametrize(
    ("body", "honeypot"),
    [
        (b"", None),
        (b"honeypot_field_name=hp", None),
        (b"honeypot_field_name=hp&hp=", ""),
        (b"honeypot_field_name=hp&hp=bot", "bot"),
        (b"POST_ak_hp_textarea", ""),
        (b"POST_ak_hp_textarea=bot", "bot"),
        (b"honeypot_field_name&=x", None),
    ],
)
def test_a_honeypot_is_told_from_none(body: bytes, honeypot: str | None) -> None:
    assert comment_from_form(parse_form(body)).honeypot == honeypot


def test_the_comment_carries_what_the_form_gives() -> None:
    body = (
        b"blog=https://alice.example.com&user_ip=198.51.100.7&user_agent=UA&referrer=unknown"
        b"&permalink=https://alice.example.com/p&content_type=forum-post&comment_author=Maud"
        b"&comment_author_email=maud@mail.example.org&comment_author_url=https://maud.example.org"
        b"&comment_content=hello&blog_lang=en,+fr_ca&akismet_comment_nonce=passed"
        b"&comment_context[0]=bread+%26amp%3B+butter"
    )
    comment = comment_from_form(parse_form(body))
    assert (comment.kind, comment.referrer, comment.user_agent) == ("forum-post", "", "UA")
    assert (comment.tags, comment.nonce, comment.site_lang) == (("bread & butter",), "passed", "en, fr_ca")
    assert (comment.body, comment.author, comment.email) == ("hello", "Maud", "maud@mail.example.org")
