"""JSON Lines and CSV: two ways to write the same records."""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any

import pytest

from model.comment import Label
from service.importing import json_lines, tables
from service.importing.exported import Exported, ExportMalformed, ImportRefused, Row, Skipped, Status
from service.importing.text_stream import text_lines
from tests.service.importing.exports import SITE, only


def from_json(*lines: str) -> list[Row]:
    return list(json_lines.read(lines, site=SITE))


def from_csv(text: str, **columns: str) -> list[Row]:
    return list(tables.read(text.splitlines(keepends=True), site=SITE, columns=columns))


def why(row: Row) -> str:
    assert isinstance(row, Skipped)
    return row.place


def test_a_line_of_a_corpus_is_a_comment() -> None:
    record: dict[str, Any] = {
        "id": 2**63 + 1,
        "label": "spam",
        "content": "cheap pills",
        "author": "Pills",
        "author_email": "x@pills.example",
        "author_url": "http://pills.example",
        "permalink": "/tyres",
        "post_title": "Tyres",
        "tags": ["snow"],
        "comment_type": "trackback",
        "date": "2024-02-29T23:59:59+02:00",
        "akismet_result": True,
        "akismet_user_result": None,
        "unknown": {"is": "passed over"},
    }
    row = only(from_json(json.dumps(record)))
    assert (row.id, row.label, row.akismet, row.person) == (str(2**63 + 1), Label.SPAM, Label.SPAM, None)
    assert (row.comment.kind, row.comment.tags, row.comment.site) == ("trackback", ("snow",), SITE)
    assert row.written_at == dt.datetime(2024, 2, 29, 21, 59, 59, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 1, column 2: it is not JSON"),
        ("[1]", "not a JSON object"),
        ('{"label": "ham"}', "'content' is missing"),
        ('{"content": "x"}', "'label' is missing"),
        ('{"content": 5, "label": "ham"}', "'content' is int"),
        ('{"content": "x", "label": "ham", "tags": 5}', "'tags'"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_and_the_rest_goes_on(line: str, told: str) -> None:
    bad, good = from_json(line, "", '{"content": "x", "label": "ham"}')
    assert told in why(bad)
    assert isinstance(good, Exported)


def test_what_no_database_takes_is_replaced() -> None:
    row = only(from_json('{"content": "a\\u0000b \\ud83d", "label": "ham", "tags": ["\\udc00"]}'))
    assert (row.comment.body, row.comment.tags) == ("a\ufffdb \ufffd", ("\ufffd",))


@pytest.mark.parametrize(
    ("field", "word", "status"),
    [
        ("label", "Spam ", Status.SPAM),
        ("label", "0", Status.APPROVED),
        ("label", "1", Status.SPAM),
        ("label", "true", Status.SPAM),
        ("status", "1", Status.APPROVED),
        ("status", "0", Status.PENDING),
        ("status", "approved", Status.APPROVED),
        ("status", "trash", Status.TRASH),
        ("label", "who knows", Status.UNKNOWN),
    ],
)
def test_words_for_labels(field: str, word: str, status: Status) -> None:
    assert only(from_json(json.dumps({"content": "x", field: word}))).status is status


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-01", dt.datetime(2024, 3, 1, tzinfo=dt.UTC)),
        ("2024-03-01 10:00:00-05:00", dt.datetime(2024, 3, 1, 15, tzinfo=dt.UTC)),
        ("1709251200", dt.datetime(2024, 3, 1, tzinfo=dt.UTC)),
        ("1709251200000", dt.datetime(2024, 3, 1, tzinfo=dt.UTC)),
        ("0000-00-00 00:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("99999999999999999999", None),
        ("", None),
    ],
)
def test_dates(text: str, moment: dt.datetime | None) -> None:
    assert only(from_json(json.dumps({"content": "x", "label": "ham", "date": text}))).written_at == moment


@pytest.mark.parametrize(
    "text",
    [
        "content,label,author\nhello,spam,Maud\n",
        "Comment Content;Is Spam;Author Name\nhello;1;Maud\n",
        'body\tclass\tname\n"hello"\tspam\tMaud\n',
        "\ufeffcomment,approved,author\r\nhello,spam,Maud\r\n",
    ],
)
def test_usual_names_and_delimiters_are_known(text: str) -> None:
    lines = list(text_lines(io.BytesIO(text.encode())))
    row = only(list(tables.read(lines, site=SITE, columns={})))
    assert (row.comment.body, row.label, row.comment.author) == ("hello", Label.SPAM, "Maud")


def test_other_names_can_be_told() -> None:
    row = only(from_csv("Kommentar,Urteil\nhallo,ham\n", content="kommentar", label="Urteil"))
    assert (row.comment.body, row.label) == ("hallo", Label.HAM)


@pytest.mark.parametrize(
    ("text", "columns", "told"),
    [
        (
            "Kommentar,label\nx,ham\n",
            {},
            "text; say which with --column content=NAME.*names: Kommentar, label",
        ),
        ("content,author\nx,Maud\n", {}, "--column label=NAME.*names: content, author"),
        ("content,label\nx,ham\n", {"author": "Wer"}, "--column author=Wer: there is no such column"),
        ("", {}, "names: none"),
    ],
)
def test_a_missing_column_is_named_with_those_that_are_there(
    text: str, columns: dict[str, str], told: str
) -> None:
    with pytest.raises(ImportRefused, match=told):
        from_csv(text, **columns)


def test_a_row_of_another_length_is_told_by_its_line() -> None:
    first, bad, last = from_csv('content,label\n"two\nlines",ham\nx\n"a ""quoted"" one",spam\n')
    assert isinstance(first, Exported)
    assert first.comment.body == "two\nlines"
    assert "line 4: it has 1 fields, the first line names 2" in why(bad)
    assert isinstance(last, Exported)
    assert last.comment.body == 'a "quoted" one'


def test_a_row_without_a_label_is_told() -> None:
    assert "'label' is missing" in why(from_csv("content,label\nx,\n")[0])


def test_text_in_another_encoding_is_told_by_line_and_byte_and_read_when_it_is_named() -> None:
    data = "content,label\nGrüße,ham\n".encode("cp1252")
    with pytest.raises(ExportMalformed, match=r"line 2, byte 3: it is not UTF-8.*--encoding"):
        list(text_lines(io.BytesIO(data)))
    assert only(
        list(tables.read(text_lines(io.BytesIO(data), "cp1252"), site=SITE, columns={}))
    ).comment.body == ("Grüße")
    with pytest.raises(ImportRefused, match="'x-none' is unknown"):
        list(text_lines(io.BytesIO(data), "x-none"))
    with pytest.raises(ImportRefused, match="convert the file to UTF-8"):
        list(text_lines(io.BytesIO(data), "utf-16"))
