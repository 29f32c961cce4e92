"""A real WordPress's own export, and its own database on MariaDB, read by ``replyguard import``'s readers."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pytest

from model.comment import Label
from service.importing import wordpress_xml
from service.importing.exported import Exported, ImportRefused, Row, Status
from service.importing.xml_stream import MendedXml
from service.stores.wordpress import WordPressDatabase
from tests.wordpress.servers import Database
from tests.wordpress.site import Site

pytestmark = pytest.mark.clients
pytest.importorskip("pymysql")

EXPORT = "wp-admin/export.php?download=true&content=all"


def click(site: Site, queue: str, comment: int, action: str) -> None:
    site.follow(f"wp-admin/edit-comments.php?comment_status={queue}", f"#comment-{comment} .{action} a")


def a_history(site: Site) -> dict[str, int]:
    """Make comments of every fate through the forms; their numbers by fate."""
    numbers = {
        "published": site.comment("Thank you for the table of dates. Grüße 🙂"),
        "caught": site.comment("cheap pills", author="spammer one"),
        "rescued": site.comment("I am no robot", author="not a spammer"),
        "missed": site.comment("my polite advert", author="Polite"),
        "thrown away": site.comment("my other advert", author="Polite"),
    }
    click(site, "spam", numbers["rescued"], "unspam")
    click(site, "all", numbers["missed"], "spam")
    click(site, "all", numbers["thrown away"], "spam")
    site.php(f"return wp_trash_comment( {numbers['thrown away']} );")
    for name, fields in {
        "the keeper's own": "'user_id' => 1, 'comment_content' => \"]]> and a \\x0b character\"",
        "a pingback": "'comment_type' => 'pingback', 'comment_content' => 'they wrote about it'",
        "pending": "'comment_approved' => '0', 'comment_content' => 'nobody looked yet'",
    }.items():
        numbers[name] = site.php(
            f"return wp_insert_comment( array( 'comment_post_ID' => 1, 'comment_author' => 'X', {fields} ) );"
        )
    return numbers


def by_fate(rows: Iterable[Row], numbers: dict[str, int]) -> dict[str, Exported]:
    fates = {str(number): name for name, number in numbers.items()}
    return {fates[row.id]: row for row in rows if isinstance(row, Exported) and row.id in fates}


def address(database: Database) -> str:
    return f"mysql://root@/wordpress?unix_socket={database.socket}"


def test_export_and_database_tell_the_same_but_for_the_spam_queue(site: Site, database: Database) -> None:
    numbers = a_history(site)
    answer = site.browser.get(f"{site.url}/{EXPORT}", timeout=60)
    assert answer.headers["Content-Type"].startswith("text/xml")
    exported = by_fate(wordpress_xml.read(MendedXml(io.BytesIO(answer.content)), site=site.url), numbers)
    opened = WordPressDatabase(address(database), prefix="wp_", site=site.url)
    try:
        kept = by_fate(opened.rows(), numbers)
        assert opened.count() >= len(kept)
    finally:
        opened.close()
    assert set(kept) == set(numbers)
    assert set(numbers) - set(exported) == {"caught", "missed"}
    assert {name: row.label for name, row in kept.items()} == {
        "published": Label.HAM,
        "caught": Label.SPAM,
        "rescued": Label.HAM,
        "missed": Label.SPAM,
        "thrown away": Label.SPAM,
        "the keeper's own": Label.HAM,
        "a pingback": Label.HAM,
        "pending": None,
    }
    assert {name: (row.akismet, row.person) for name, row in kept.items() if row.akismet} == {
        "published": (Label.HAM, None),
        "caught": (Label.SPAM, None),
        "rescued": (Label.SPAM, Label.HAM),
        "missed": (Label.HAM, Label.SPAM),
        "thrown away": (Label.HAM, Label.SPAM),
    }
    assert (kept["thrown away"].status, kept["a pingback"].comment.kind) == (Status.TRASH, "pingback")
    assert kept["the keeper's own"].user_role == "administrator"
    assert exported["the keeper's own"].user_role == "author"
    assert kept["the keeper's own"].comment.body == "]]> and a \x0b character"
    assert exported["the keeper's own"].comment.body == "]]> and a \ufffd character"
    assert exported["published"].comment.body == "Thank you for the table of dates. Grüße 🙂"
    for name, row in exported.items():
        if name == "the keeper's own":
            continue
        other = kept[name]
        assert (row.label, row.akismet, row.person) == (other.label, other.akismet, other.person)
        assert (row.comment.body, row.comment.author, row.ip) == (
            other.comment.body,
            other.comment.author,
            other.ip,
        )
        assert (row.written_at, row.comment.kind) == (other.written_at, other.comment.kind)


def test_the_database_lets_nobody_write_through_the_connection(site: Site, database: Database) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    opened = WordPressDatabase(address(database), prefix="wp_", site=site.url)
    try:
        with opened._engine.connect() as connection, pytest.raises(SQLAlchemyError, match="READ ONLY"):
            connection.execute(text("DELETE FROM wp_comments"))
    finally:
        opened.close()


def test_another_prefix_is_told(site: Site, database: Database) -> None:
    opened = WordPressDatabase(address(database), prefix="blog_", site=site.url)
    try:
        with pytest.raises(ImportRefused, match="--table-prefix"):
            opened.count()
    finally:
        opened.close()
