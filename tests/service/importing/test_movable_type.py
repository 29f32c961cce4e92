from __future__ import annotations

import datetime as dt

import pytest

from model.comment import Label
from service.importing.exported import Exported, ExportMalformed, ImportRefused
from service.importing.movable_type import read
from tests.service.importing.exports import SITE

EXPORT = """TITLE: Winter tyres
BASENAME: winter_tyres
AUTHOR: Alice
DATE: 01/31/2004 03:31:05 PM
-----
BODY:
Which ones?

COMMENT: is a word here.
-----
EXTENDED BODY:
-----
COMMENT:
AUTHOR: Maud
EMAIL: maud@mail.example.org
IP: 198.51.100.7
URL: https://maud.example.org/
DATE: 02/01/2004 12:05:00 AM
These:
URL: is not a field any more.

Thanks
-----
PING:
TITLE: My own tyres
URL: https://bob.example.net/tyres
IP: 198.51.100.8
BLOG NAME: Bob's
DATE: 02/02/2004 17:00:00
I wrote about it too
-----
--------
TITLE: Second
DATE: 03/01/2004 10:00:00
-----
COMMENT:
DATE: some day
no name
-----
--------
"""


def test_comments_and_pings_are_published_ones_with_their_pages() -> None:
    lines = EXPORT.replace("\n", "\r\n").splitlines(keepends=True)
    first, ping, last = (row for row in read(lines, site=SITE) if isinstance(row, Exported))
    assert first.comment.body == "These:\nURL: is not a field any more.\n\nThanks"
    assert (first.comment.author, first.comment.url) == ("Maud", "https://maud.example.org/")
    assert first.comment.permalink == "https://alice.example.com/winter_tyres"
    assert first.written_at == dt.datetime(2004, 2, 1, 0, 5, tzinfo=dt.UTC)
    assert (ping.comment.kind, ping.comment.author, ping.ip) == ("trackback", "Bob's", "198.51.100.8")
    assert ping.written_at == dt.datetime(2004, 2, 2, 17, tzinfo=dt.UTC)
    assert (last.comment.body, last.comment.permalink, last.written_at) == ("no name", "", None)
    assert {row.label for row in (first, ping, last)} == {Label.HAM}


def test_a_file_that_ends_inside_a_comment_is_damaged() -> None:
    cut = EXPORT[: EXPORT.index("is not a field")].splitlines(keepends=True)
    with pytest.raises(ExportMalformed, match=r"line 13: .*cut off"):
        list(read(cut, site=SITE))


@pytest.mark.parametrize(
    "text", ["", "<rss></rss>\n", '{"content": "x"}\n', "some\n-----\ntext\n", "x\n" * 5000]
)
def test_another_sort_of_file_is_refused(text: str) -> None:
    with pytest.raises(ImportRefused, match="no Movable Type export"):
        list(read(text.splitlines(keepends=True), site=SITE))
