from __future__ import annotations

import datetime as dt

import pytest

from model.comment import Label
from service.importing.exported import Exported, ExportMalformed, ImportRefused, Row, Status
from service.importing.wordpress_xml import read
from tests.service.importing.exports import (
    SITE,
    WXR_HEAD,
    history_event,
    mended,
    only,
    wxr,
    wxr_comment,
)


def rows_of(text: str | bytes, encoding: str = "") -> list[Row]:
    return list(read(mended(text, encoding), site=SITE))


def test_a_comment_comes_with_all_that_the_export_says_of_it() -> None:
    row = only(rows_of(wxr(wxr_comment("Tyres <b>& snow</b>", number=2**60 + 1))))
    comment = row.comment
    assert (comment.body, comment.author, comment.email) == (
        "Tyres <b>& snow</b>",
        "Maud",
        "maud@mail.example.org",
    )
    assert comment.url == "https://maud.example.org/?a=1&b=2"
    assert comment.permalink == "https://alice.example.com/2024/winter-tyres/"
    assert (comment.tags, comment.kind, comment.site) == (("snow",), "comment", SITE)
    assert (row.id, row.ip, row.user_role) == (str(2**60 + 1), "198.51.100.7", "")
    assert row.written_at == dt.datetime(2024, 2, 29, 23, 59, 59, tzinfo=dt.UTC)
    assert (row.status, row.akismet, row.person) == (Status.APPROVED, None, None)


@pytest.mark.parametrize(
    ("approved", "status", "label"),
    [
        ("1", Status.APPROVED, Label.HAM),
        ("0", Status.PENDING, None),
        ("spam", Status.SPAM, Label.SPAM),
        ("trash", Status.TRASH, None),
        ("post-trashed", Status.TRASH, None),
        ("of-some-plugin", Status.UNKNOWN, None),
    ],
)
def test_where_it_stands_becomes_the_label(approved: str, status: Status, label: Label | None) -> None:
    row = only(rows_of(wxr(wxr_comment(approved=approved))))
    assert (row.status, row.label) == (status, label)


@pytest.mark.parametrize(
    ("approved", "meta", "akismet", "person", "label"),
    [
        ("spam", [("akismet_result", "true")], Label.SPAM, None, Label.SPAM),
        ("1", [("akismet_result", "false")], Label.HAM, None, Label.HAM),
        (
            "1",
            [("akismet_result", "true"), ("akismet_user_result", "false")],
            Label.SPAM,
            Label.HAM,
            Label.HAM,
        ),
        ("trash", [("akismet_user_result", "true")], None, Label.SPAM, Label.SPAM),
        ("trash", [("akismet_user_result", "false")], None, Label.HAM, None),
        (
            "0",
            [("akismet_result", "true"), ("akismet_user_result", "false")],
            Label.SPAM,
            Label.HAM,
            Label.HAM,
        ),
        ("trash", [("akismet_history", history_event("report-spam"))], None, Label.SPAM, Label.SPAM),
        (
            "trash",
            [("akismet_history", history_event("check-spam")), ("akismet_result", "true")],
            Label.SPAM,
            None,
            None,
        ),
        (
            "1",
            [("akismet_history", history_event(event)) for event in ("status-spam", "status-approved")],
            None,
            Label.HAM,
            Label.HAM,
        ),
        (
            "0",
            [("akismet_user_result", "false")]
            + [("akismet_history", history_event(event)) for event in ("report-ham", "status-unapproved")],
            None,
            None,
            None,
        ),
        ("1", [("akismet_history", "a:1:{broken"), ("akismet_result", "maybe")], None, None, Label.HAM),
    ],
)
def test_what_akismet_and_a_person_said_is_read_from_the_meta(
    approved: str,
    meta: list[tuple[str, str]],
    akismet: Label | None,
    person: Label | None,
    label: Label | None,
) -> None:
    row = only(rows_of(wxr(wxr_comment(approved=approved, meta=(("other", "true"), *meta)))))
    assert (row.akismet, row.person, row.label) == (akismet, person, label)


def test_pings_replies_and_the_authors_of_posts_are_told_apart() -> None:
    text = wxr(
        wxr_comment(kind="pingback"),
        wxr_comment(kind="trackback"),
        wxr_comment(kind="", parent=3, user_id=7),
        wxr_comment(user_id=8),
    )
    rows = [row for row in rows_of(text) if isinstance(row, Exported)]
    assert [row.comment.kind for row in rows] == ["pingback", "trackback", "reply", "comment"]
    assert [row.user_role for row in rows] == ["", "", "author", ""]


def test_cdata_that_was_split_is_put_together() -> None:
    row = only(rows_of(wxr(wxr_comment("an end ]]]]><![CDATA[> in the middle"))))
    assert row.comment.body == "an end ]]> in the middle"


def test_a_date_of_zeros_falls_back_on_the_local_one() -> None:
    row = only(rows_of(wxr(wxr_comment(date_gmt="0000-00-00 00:00:00"))))
    assert row.written_at == dt.datetime(2024, 3, 1, 0, 59, 59, tzinfo=dt.UTC)


def test_missing_fields_are_empty() -> None:
    row = only(rows_of(wxr("<wp:comment><wp:comment_approved>1</wp:comment_approved></wp:comment>")))
    assert (row.comment.body, row.comment.author, row.id, row.written_at) == ("", "", "", None)


def test_control_characters_and_bytes_of_another_encoding_are_replaced_and_counted() -> None:
    text = wxr(wxr_comment("vertical \x0b tab and NUL \x00, caf\udce9"))
    stream = mended(text.encode("utf-8", "surrogateescape"))
    row = only(list(read(stream, site=SITE)))
    assert row.comment.body == "vertical \ufffd tab and NUL \ufffd, caf\ufffd"
    assert stream.n_replaced == 3


def test_warnings_printed_before_the_declaration_are_passed_over_and_lines_stay_right() -> None:
    noise = "\nDeprecated: something is deprecated in <b>plugin.php</b>\n\n"
    assert only(rows_of(noise + wxr(wxr_comment()))).comment.author == "Maud"
    broken = noise + wxr(wxr_comment()) + "<"
    with pytest.raises(ExportMalformed) as refused:
        rows_of(broken)
    assert refused.value.place.startswith(f"line {broken.count(chr(10)) + 1}, ")


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "UTF-16", "utf-8-sig", "koi8-r"])
def test_declared_encodings_are_read(encoding: str) -> None:
    word = "привет" if encoding == "koi8-r" else "Grüße"
    text = wxr(wxr_comment(word)).replace("UTF-8", encoding, 1)
    assert only(rows_of(text.encode(encoding))).comment.body == word


def test_an_unknown_encoding_is_named_and_another_can_be_given() -> None:
    text = wxr(wxr_comment("Grüße")).replace("UTF-8", "x-of-another-time", 1).encode("latin-1")
    with pytest.raises(ImportRefused, match=r"'x-of-another-time' is unknown.*--encoding"):
        rows_of(text)
    assert only(rows_of(text, "latin-1")).comment.body == "Grüße"


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        ("<wp:comment>\n<b>\n</wp:comment>", 3),
        ("<wp:comment>&nbsp;</wp:comment>", 1),
        ("<wp:comment>AT&T</wp:comment>", 1),
    ],
)
def test_damage_is_told_with_its_place_after_what_stands_before_it(damage: str, line: int) -> None:
    text = wxr(wxr_comment(number=5), damage)
    first_line = text[: text.index(damage)].count("\n") + 1
    rows = read(mended(text), site=SITE)
    assert only([next(rows)]).id == "5"
    with pytest.raises(ExportMalformed) as refused:
        next(rows)
    assert refused.value.place.startswith(f"line {first_line + line - 1}, column ")


def test_a_file_that_was_cut_off_is_damaged() -> None:
    with pytest.raises(ExportMalformed):
        rows_of(wxr(wxr_comment(), wxr_comment())[:-200])


BOMB = """<!DOCTYPE rss [
<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
]>"""
FILE = '<!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("doctype", [BOMB, FILE, '<!DOCTYPE rss SYSTEM "http://attacker.example/x.dtd">'])
def test_document_types_are_refused_before_any_entity_is_read(doctype: str) -> None:
    text = wxr(wxr_comment("&c;")).replace("<rss", doctype + "<rss", 1)
    with pytest.raises(ImportRefused, match="document type"):
        rows_of(text)


@pytest.mark.parametrize("text", ["<disqus></disqus>", "<html><body>Log in</body></html>"])
def test_another_sort_of_file_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ImportRefused, match=r"no WordPress export.*Tools, Export"):
        rows_of(text)


@pytest.mark.parametrize("text", ["", "no xml at all", WXR_HEAD])
def test_what_is_no_xml_is_damaged(text: str) -> None:
    with pytest.raises(ExportMalformed, match=r"^line "):
        rows_of(text)
