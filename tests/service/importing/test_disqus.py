from __future__ import annotations

import datetime as dt

import pytest

from model.comment import Label
from service.importing.disqus import read
from service.importing.exported import Exported, ImportRefused, Status
from tests.service.importing.exports import SITE, mended

EXPORT = """<?xml version="1.0" encoding="utf-8"?>
<disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<category dsq:id="1"><forum>garden</forum><title>General</title></category>
<thread dsq:id="9007199254740993"><id>tyres</id><link>https://alice.example.com/tyres/</link>
  <author><name>Alice</name></author><title>Tyres</title></thread>
<post dsq:id="9007199254740995"><id />
  <message><![CDATA[<p>Thank you.</p>]]></message><createdAt>2013-07-01T10:00:00Z</createdAt>
  <isDeleted>false</isDeleted><isSpam>false</isSpam>
  <author><email>maud@mail.example.org</email><name>Maud</name><isAnonymous>true</isAnonymous></author>
  <ipAddress>198.51.100.7</ipAddress><thread dsq:id="9007199254740993" />
</post>
<post dsq:id="2"><id /><message><![CDATA[<p>cheap pills</p>]]></message>
  <createdAt>2013-07-02T10:00:00Z</createdAt><isDeleted>true</isDeleted><isSpam>true</isSpam>
  <author><name>Pills</name></author><thread dsq:id="9007199254740993" /><parent dsq:id="9007199254740995" />
</post>
<post dsq:id="3"><message>gone</message><isDeleted>true</isDeleted><isSpam>false</isSpam>
  <thread dsq:id="404" /></post>
</disqus>
"""


def test_posts_come_with_their_threads_and_what_became_of_them() -> None:
    first, second, third = (row for row in read(mended(EXPORT), site=SITE) if isinstance(row, Exported))
    assert (first.id, first.comment.body) == ("9007199254740995", "<p>Thank you.</p>")
    assert (first.comment.author, first.comment.email) == ("Maud", "maud@mail.example.org")
    assert (first.comment.permalink, first.ip) == ("https://alice.example.com/tyres/", "198.51.100.7")
    assert first.written_at == dt.datetime(2013, 7, 1, 10, tzinfo=dt.UTC)
    assert [row.label for row in (first, second, third)] == [Label.HAM, Label.SPAM, None]
    assert [row.comment.kind for row in (first, second, third)] == ["comment", "reply", "comment"]
    assert (third.status, third.comment.permalink) == (Status.TRASH, "")


def test_another_sort_of_file_is_refused() -> None:
    with pytest.raises(ImportRefused, match="no Disqus export"):
        list(read(mended("<rss></rss>"), site=SITE))
