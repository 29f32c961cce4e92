"""Reads the comments of a WordPress database, page by page, and writes nothing into it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from service.importing.exported import ImportRefused, Row, storable
from service.importing.wordpress import META_KEYS, exported, role_of

#: Comments to a query. A page is small and its query short: a cursor held open for as long as an import takes
#: would run into the server's time limits, and keep it from cleaning up.
_PAGE_ROWS = 1_000
_PREFIX = re.compile(r"[A-Za-z0-9_$]{0,60}")
_COMMENT_COLUMNS = (
    "comment_author",
    "comment_author_email",
    "comment_author_url",
    "comment_author_IP",
    "comment_date",
    "comment_date_gmt",
    "comment_content",
    "comment_approved",
    "comment_type",
)
_DRIVERS = {"mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql", "sqlite": "sqlite"}


class WordPressDatabase:
    """The tables of one WordPress that an import reads.

    Parameters
    ----------
    url : str
        ``mysql://USER:PASSWORD@HOST/NAME`` or ``mariadb://...``; ``sqlite:///FILE`` for sites that run on SQLite.
    prefix : str
        What WordPress puts before its tables' names (``$table_prefix`` in wp-config.php).
    site : str
        The site's address, for pages whose own is not stored.

    Raises
    ------
    ImportRefused
        If the address or the prefix makes no sense, or the driver is not installed. No message quotes the
        address, which may hold a password.
    """

    def __init__(self, url: str, *, prefix: str, site: str) -> None:
        if not _PREFIX.fullmatch(prefix):
            raise ImportRefused("--table-prefix: it may have letters, digits and underscores only")
        self._engine = _engine(url)
        self._site = site.rstrip("/")
        self._prefix = prefix
        metadata = MetaData()
        self._comments = Table(
            f"{prefix}comments",
            metadata,
            *(
                Column(name, BigInteger)
                for name in ("comment_ID", "comment_post_ID", "comment_parent", "user_id")
            ),
            *(Column(name, String) for name in _COMMENT_COLUMNS),
        )
        self._meta = Table(
            f"{prefix}commentmeta",
            metadata,
            Column("meta_id", BigInteger),
            Column("comment_id", BigInteger),
            Column("meta_key", String),
            Column("meta_value", String),
        )
        self._posts = Table(
            f"{prefix}posts",
            metadata,
            Column("ID", BigInteger),
            Column("post_name", String),
            Column("guid", String),
        )
        # The sites of a network share one table of users, whose prefix lacks the site's number.
        self._usermeta = Table(
            f"{re.sub(r'[0-9]+_$', '', prefix)}usermeta",
            metadata,
            Column("user_id", BigInteger),
            Column("meta_key", String),
            Column("meta_value", String),
        )

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def count(self) -> int:
        """Return how many comments there are, of any status."""
        try:
            with self._engine.connect() as connection:
                return int(connection.execute(select(func.count()).select_from(self._comments)).scalar_one())
        except SQLAlchemyError as error:
            raise self._refusal(error) from None

    def rows(self) -> Iterator[Row]:
        """Yield the comments by rising number; those that come while it runs are taken along.

        Raises
        ------
        ImportRefused
            If the database does not answer, or has no such tables.
        """
        last = 0
        while True:
            try:
                with self._engine.connect() as connection:
                    page = self._page(connection, last)
            except SQLAlchemyError as error:
                raise self._refusal(error) from None
            if not page:
                return
            last, rows = page
            yield from rows

    def _page(self, connection: Connection, after: int) -> tuple[int, list[Row]] | None:
        comments = self._comments
        query = select(comments).where(comments.c.comment_ID > after)
        found = connection.execute(query.order_by(comments.c.comment_ID).limit(_PAGE_ROWS)).mappings().all()
        if not found:
            return None
        meta = self._meta_of(connection, [row["comment_ID"] for row in found])
        pages = self._permalinks(connection, {row["comment_post_ID"] for row in found})
        roles = self._roles(connection, {row["user_id"] for row in found} - {0, None})
        rows: list[Row] = [
            exported(
                {name: storable(_text(value)) for name, value in row.items()},
                meta.get(row["comment_ID"], []),
                site=self._site,
                permalink=pages.get(row["comment_post_ID"], ""),
                tags=(),
                user_role=roles.get(row["user_id"], ""),
            )
            for row in found
        ]
        return int(found[-1]["comment_ID"]), rows

    def _meta_of(self, connection: Connection, ids: list[int]) -> dict[int, list[tuple[str, str]]]:
        meta = self._meta
        query = (
            select(meta.c.comment_id, meta.c.meta_key, meta.c.meta_value)
            .where(meta.c.comment_id.in_(ids), meta.c.meta_key.in_(META_KEYS))
            .order_by(meta.c.meta_id)
        )
        found: dict[int, list[tuple[str, str]]] = {}
        for comment_id, key, value in connection.execute(query):
            found.setdefault(comment_id, []).append((_text(key), storable(_text(value))))
        return found

    def _permalinks(self, connection: Connection, ids: set[int]) -> dict[int, str]:
        """Return addresses with the pages' words in them.

        How a site builds its addresses is a setting with many forms; what the model reads of one is its words,
        and those are in the page's short name.
        """
        posts = self._posts
        query = select(posts.c.ID, posts.c.post_name, posts.c.guid).where(posts.c.ID.in_(ids))
        return {
            number: storable(f"{self._site}/{_text(name)}/" if name else _text(guid))
            for number, name, guid in connection.execute(query)
        }

    def _roles(self, connection: Connection, ids: set[int]) -> dict[int, str]:
        if not ids:
            return {}
        users = self._usermeta
        query = select(users.c.user_id, users.c.meta_value).where(
            users.c.user_id.in_(ids), users.c.meta_key == f"{self._prefix}capabilities"
        )
        return {number: role_of(_text(value)) for number, value in connection.execute(query)}

    def _refusal(self, error: SQLAlchemyError) -> ImportRefused:
        said = str(getattr(error, "orig", None) or error).lower()
        if "no such table" in said or "doesn't exist" in said or "1146" in said:
            return ImportRefused(
                f"the database has no table {self._prefix}comments or one of its kin; give WordPress's"
                " $table_prefix with --table-prefix"
            )
        if "access denied" in said or "command denied" in said:
            return ImportRefused(
                f"the database refuses this user; let it SELECT from {self._prefix}comments, commentmeta,"
                " posts and usermeta"
            )
        return ImportRefused(
            f"the database does not answer ({type(error).__name__}); see that it runs, and that host, name"
            " and password in the address are right"
        )


def _engine(text: str) -> Engine:
    try:
        url = make_url(text)
    except ArgumentError:
        raise ImportRefused(
            "it is no database address; write mysql://USER:PASSWORD@HOST/NAME (docs/import.md)"
        ) from None
    backend = url.get_backend_name()
    if backend not in _DRIVERS:
        raise ImportRefused(f"WordPress does not run on {backend!r}; write mysql://USER:PASSWORD@HOST/NAME")
    url = url.set(drivername=_DRIVERS[backend])
    if backend == "sqlite":
        return create_engine(_read_only_file(url), hide_parameters=True)
    try:
        import pymysql  # noqa: F401 - an optional part, needed only here
    except ImportError:
        raise ImportRefused("reading MySQL needs a driver; install it with: pip install pymysql") from None
    if "charset" not in url.query:
        url = url.update_query_dict({"charset": "utf8mb4"})
    engine = create_engine(
        url, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": 10}
    )
    event.listen(engine, "connect", _promise_not_to_write)
    return engine


def _read_only_file(url: URL) -> URL:
    return url.set(database=f"file:{url.database}", query={"mode": "ro", "uri": "true"})


def _promise_not_to_write(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION READ ONLY")


def _text(value: object) -> str:
    if value is None:
        return ""
    # Some columns of some installations are binary.
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
