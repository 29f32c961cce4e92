import dataclasses
import gzip
import json

import pytest

from tests.training import archives
from training import datasets
from training.convert import CONVERTERS, ConvertError, convert
from training.sources import Source, SourceFile

URL = "https://files.example.org/"


def a_source(convert, *files, name="made-up"):
    return Source(name, "video", "CC0", convert=convert, files=files)


def converted(tmp_path, source, *contents):
    paths = []
    for number, content in enumerate(contents):
        paths.append(tmp_path / f"{number}.archive")
        paths[-1].write_bytes(content)
    target = tmp_path / f"{source.name}.jsonl.gz"
    counts = convert(source, paths, target)
    records = [json.loads(line) for line in gzip.decompress(target.read_bytes()).splitlines()]
    return counts, records


def test_a_table_per_video_is_read_with_the_video_as_page(tmp_path):
    source = a_source("youtube-csv", SourceFile(f"{URL}a.zip"), name="youtube-uci")
    counts, records = converted(tmp_path, source, archives.youtube_zip())
    assert counts == (24, 24)
    assert records[0] == {
        "id": "youtube-uci/a.zip:1",
        "source": "youtube-uci",
        "kind": "video",
        "label": "ham",
        "content": "Thanks, the second diagram helped & I fixed it",
        "author": "Maud, Youtube01 0",
        "permalink": "https://www.youtube.com/watch?v=9bZkp7q19f0",
        "post_title": "PSY - GANGNAM STYLE",
        "date": "2026-01-02T03:04:05",
    }
    assert records[2]["content"] == "Great song, 2026\nstill here"
    assert {record["post_title"][:6] for record in records} == {"PSY - ", "Eminem"}
    rows = datasets.read_folder(tmp_path)
    assert {row.group for row in rows} == {f"youtube-uci/{record['post_title']}" for record in records}
    assert len({record["id"] for record in records}) == 48


def test_messages_are_read_with_their_labels(tmp_path):
    counts, records = converted(tmp_path, a_source("sms-tabs", SourceFile(f"{URL}s.zip")), archives.sms_zip())
    assert counts == (12, 12)
    assert records[5]["content"] == "'free' followers 5"


def test_mail_is_read_whatever_it_claims_to_be(tmp_path):
    source = a_source(
        "mailboxes",
        SourceFile(f"{URL}ham.tar.bz2", label="ham"),
        SourceFile(f"{URL}spam.tar.bz2", label="spam"),
    )
    ham = archives.mail_archive(archives.PLAIN_MAIL, archives.ODD_MAIL, archives.TWO_PART_MAIL)
    spam = archives.mail_archive(archives.HTML_MAIL, b"\xff\xfe no mail at all", b"", folder="spam")
    counts, records = converted(tmp_path, source, ham, spam)
    assert counts == (2, 3)
    assert [record["content"] for record in records[:3]] == [
        "The second diagram helped.",
        "warm grüße",
        "plain",
    ]
    assert records[0]["post_title"] == "café list"
    assert records[3]["content"] == "<p>Cheap <b>pills</b></p>"


def test_a_line_is_a_comment(tmp_path):
    source = a_source("lines", SourceFile(f"{URL}spam.txt", label="spam"))
    counts, records = converted(tmp_path, source, "casino\n\n каждый день \n".encode())
    assert counts == (2, 0)
    assert records[1]["content"] == "каждый день"


def test_the_same_files_give_the_same_bytes(tmp_path):
    source = a_source("sms-tabs", SourceFile(f"{URL}s.zip"))
    converted(tmp_path, source, archives.sms_zip())
    first = (tmp_path / "made-up.jsonl.gz").read_bytes()
    converted(tmp_path, source, archives.sms_zip())
    assert (tmp_path / "made-up.jsonl.gz").read_bytes() == first


@pytest.mark.parametrize("form", sorted(set(CONVERTERS) - {"lines"}))
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"\xff\xfe\xff" * 9, b"BZh9 torn"])
def test_what_is_no_such_archive_is_named_and_nothing_is_left(tmp_path, form, content):
    source = a_source(form, SourceFile(f"{URL}a", label="ham"))
    with pytest.raises(ConvertError, match=r"0\.archive|made-up"):
        converted(tmp_path, source, content)
    assert [path.name for path in tmp_path.iterdir()] == ["0.archive"]


def test_a_torn_archive_does_not_replace_what_is_there(tmp_path):
    source = a_source("mailboxes", SourceFile(f"{URL}a", label="ham"))
    converted(tmp_path, source, archives.mail_archive(archives.PLAIN_MAIL))
    before = (tmp_path / "made-up.jsonl.gz").read_bytes()
    with pytest.raises(ConvertError):
        converted(tmp_path, source, archives.mail_archive(*[archives.PLAIN_MAIL] * 500)[:900])
    assert (tmp_path / "made-up.jsonl.gz").read_bytes() == before


def test_every_source_that_can_be_fetched_has_a_converter():
    from training.sources import read_catalogue

    fetchable = [source for source in read_catalogue().values() if source.files]
    assert {source.convert for source in fetchable} <= set(CONVERTERS)
    assert all(dataclasses.asdict(file)["url"].startswith("https://") for s in fetchable for file in s.files)
