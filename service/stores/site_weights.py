"""Keeps what a site has learnt: its version, the labels that count, and the weights worked out from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, insert, select, update

from model.comment import Comment
from service.db import Database, upsert_newer
from service.schema import checks, feedback, site_learning, site_weights, sites
from service.sites import SiteAddress

#: States of feedback: that counts; that the admin has struck out.
LEARNT = "learnt"
REJECTED = "rejected"
#: Labels of each kind that count at most, the newest; more cost every correction time and gain little.
MAX_LABELS = 400
#: Recent comments that new labels must not carry away, at most.
MAX_ANCHORS = 64
# Where nearly everything is spam, the search for comments let through ends here.
_ANCHOR_SEARCH = 2_000

_VERSION = (
    select(site_learning.c.site_id, site_learning.c.version)
    .join(sites, sites.c.id == site_learning.c.site_id)
    .where(sites.c.address == bindparam("address"))
)
_BY_ID = select(site_learning.c.version).where(site_learning.c.site_id == bindparam("site_id"))
_KEPT = select(site_weights.c.version, site_weights.c.weights).where(
    site_weights.c.site_id == bindparam("site_id"), site_weights.c.model_version == bindparam("model_version")
)


@dataclass(frozen=True, slots=True)
class LearningVersion:
    """Which state of its learning a site is in."""

    site_id: int
    version: int


@dataclass(frozen=True, slots=True)
class Lesson:
    """A row that a site learns from.

    Attributes
    ----------
    table : {"feedback", "checks"}
        A label, or an anchor.
    id : int
    guid : str
        Never given to another row, as a number may be.
    is_spam : bool
        Of a label; False for an anchor.
    """

    table: str
    id: int
    guid: str
    is_spam: bool


@dataclass(frozen=True, slots=True)
class Lessons:
    """All that one version of a site's weights follows from, in an order that is always the same."""

    version: int
    labels: tuple[Lesson, ...]
    anchors: tuple[Lesson, ...]


class SiteWeightsStore:
    """Rows of ``site_learning`` and ``site_weights``, and the labels behind them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self, site: SiteAddress) -> LearningVersion | None:
        """Return the site's present version; None if it was never taught."""
        with self._database.read() as connection:
            row = connection.execute(_VERSION, {"address": site.address}).one_or_none()
        return None if row is None else LearningVersion(row.site_id, row.version)

    def kept(self, site_id: int, model_version: str) -> tuple[int, bytes] | None:
        """Return the version and the weights kept for a model, if any."""
        with self._database.read() as connection:
            row = connection.execute(
                _KEPT, {"site_id": site_id, "model_version": model_version}
            ).one_or_none()
        return None if row is None else (row.version, row.weights)

    def keep(self, site_id: int, model_version: str, version: int, weights: bytes) -> None:
        """Keep weights for a model, unless newer ones are there."""
        values = {"site_id": site_id, "model_version": model_version, "version": version, "weights": weights}

        def work(connection: Connection) -> None:
            upsert_newer(connection, site_weights, ("site_id", "model_version"), values, newer="version")

        self._database.write_together(work)

    def lessons(self, site_id: int) -> Lessons:
        """Return what the site's present version follows from."""
        while True:
            with self._database.read() as connection:
                before = connection.execute(_BY_ID, {"site_id": site_id}).scalar_one()
                lessons = _lessons(connection, site_id, before)
                after = connection.execute(_BY_ID, {"site_id": site_id}).scalar_one()
            # Each statement of PostgreSQL sees what was committed before it; a change between them shows here.
            if before == after:
                return lessons

    def comments(self, lessons: Sequence[Lesson]) -> dict[Lesson, Comment]:
        """Return the comments of some lessons as they are kept; one deleted meanwhile is missing."""
        found: dict[Lesson, Comment] = {}
        with self._database.read() as connection:
            for name, table in (("feedback", feedback), ("checks", checks)):
                wanted = {lesson.id: lesson for lesson in lessons if lesson.table == name}
                if wanted:
                    query = (
                        select(table, sites.c.display)
                        .join(sites, sites.c.id == table.c.site_id)
                        .where(table.c.id.in_(wanted))
                    )
                    found |= {wanted[row.id]: _comment(row) for row in connection.execute(query)}
        return found


def touch(connection: Connection, site_id: int) -> int:
    """Begin a new version of a site's learning within a writing transaction; return its number.

    Whoever changes which labels count calls this in the same transaction; then every worker learns anew before
    its next verdict on that site.
    """
    changed = connection.execute(
        update(site_learning)
        .where(site_learning.c.site_id == site_id)
        .values(version=site_learning.c.version + 1)
    )
    if not changed.rowcount:
        connection.execute(insert(site_learning).values(site_id=site_id, version=1, anchors=[]))
    recent = (
        select(checks.c.id, checks.c.decision, checks.c.is_test, checks.c.restricted)
        .where(checks.c.site_id == site_id)
        .order_by(checks.c.id.desc())
        .limit(_ANCHOR_SEARCH)
        .subquery()
    )
    anchors = connection.execute(
        select(recent.c.id)
        .where(recent.c.decision == "ham", recent.c.is_test.is_(False), recent.c.restricted.is_(False))
        .order_by(recent.c.id.desc())
        .limit(MAX_ANCHORS)
    ).scalars()
    connection.execute(
        update(site_learning).where(site_learning.c.site_id == site_id).values(anchors=list(anchors))
    )
    return int(connection.execute(_BY_ID, {"site_id": site_id}).scalar_one())


def unlearn(connection: Connection, site_id: int) -> int:
    """Forget what a site's weights were made of, within the transaction that takes labels or checks away.

    What was kept goes at once, whatever version of the model it was for: weights made from what is erased must
    not stay until the next check replaces them.

    Returns
    -------
    int
        The site's new version.
    """
    version = touch(connection, site_id)
    connection.execute(delete(site_weights).where(site_weights.c.site_id == site_id))
    return version


def _lessons(connection: Connection, site_id: int, version: int) -> Lessons:
    labels: list[Lesson] = []
    for label in ("ham", "spam"):
        found = connection.execute(
            select(feedback.c.id, feedback.c.guid)
            .where(*_counting(site_id), feedback.c.label == label)
            .order_by(feedback.c.id.desc())
            .limit(MAX_LABELS)
        )
        labels += [Lesson("feedback", row.id, row.guid, label == "spam") for row in found]
    chosen = connection.execute(
        select(site_learning.c.anchors).where(site_learning.c.site_id == site_id)
    ).scalar_one()
    # What has a label by now is no anchor; copies of one comment are one.
    labelled = select(feedback.c.content_hash).where(*_counting(site_id))
    newest = (
        select(func.max(checks.c.id))
        .where(
            checks.c.id.in_(chosen), checks.c.content_hash.not_in(labelled), checks.c.restricted.is_(False)
        )
        .group_by(checks.c.content_hash)
    )
    anchors = connection.execute(
        select(checks.c.id, checks.c.guid).where(checks.c.id.in_(newest)).order_by(checks.c.id)
    )
    return Lessons(
        version,
        tuple(sorted(labels, key=lambda lesson: lesson.id)),
        tuple(Lesson("checks", row.id, row.guid, False) for row in anchors),
    )


def _counting(site_id: int) -> tuple[ColumnElement[bool], ...]:
    """Return what makes a label one that its site learns from."""
    return (
        feedback.c.site_id == site_id,
        feedback.c.is_test.is_(False),
        feedback.c.state == LEARNT,
        feedback.c.superseded_by.is_(None),
        feedback.c.restricted.is_(False),
    )


def _comment(row: Row[Any]) -> Comment:
    """Make a comment of the columns that ``checks`` and ``feedback`` share, as far as the model reads them."""
    return Comment(
        body=row.body,
        author=row.author,
        email=f"@{row.email_domain}" if row.email_domain else "",
        url=row.url,
        site=row.display,
        permalink=row.permalink,
        tags=tuple(row.tags),
        kind=row.kind,
        site_lang=row.site_lang,
        referrer=row.referrer,
        honeypot=row.honeypot,
        nonce=row.nonce,
    )
